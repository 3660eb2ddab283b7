"""`make env STACK=name`: print an `--env-vars` file for `sam local`, from the outputs of a deployed stack.

`sam local` fills `!Ref ChunkInfoTable` with the logical id, which is not the name of the table. SAM gives each function
those of the variables that template.yaml declares for it.
"""

import json
import sys
from collections.abc import Mapping

import boto3
from botocore.exceptions import BotoCoreError, ClientError

# Variable of the functions -> output of the stack
OUTPUTS = {
    "fb_S3BucketName": "BucketName",
    "fb_S3ThumbnailBucketName": "ThumbnailBucketName",
    "fb_S3IncomingBucketName": "IncomingBucketName",
    "fb_chunkInfoTableName": "ChunkInfoTableName",
    "fb_chunkImageTableName": "ImageChunksTableName",
    "fb_uploadsTableName": "UploadsTableName",
    "fb_recognitionsTableName": "RecognitionsTableName",
    "fb_callbackQueueUrl": "CallbackQueueUrl",
    "fb_tilesTableName": "TilesTableName",
    "fb_vectorIndexArn": "VectorIndexArn",
    "fb_indexQueueUrl": "IndexQueueUrl",
    "CALLBACK_QUEUE_URL": "CallbackQueueUrl",
    "CALLBACK_SECRET_ID": "CallbackSecretArn",
}
# Variable of the functions -> parameter of the stack
PARAMETERS = {"fb_labels": "Labels", "fb_writes": "Writes"}


def main(stack: str) -> int:
    """Print the file. Return the exit code: 1 if the stack cannot be read, 2 if none is named."""
    if not stack:
        print("Name the stack: make env STACK=petapi > env.json", file=sys.stderr)
        return 2
    try:
        variables = variables_of(stack)
    except (BotoCoreError, ClientError) as error:
        print(f"The stack {stack} cannot be read ({error}).", file=sys.stderr)
        return 1
    except KeyError as missing:
        print(f"The stack {stack} has no {missing}. Deploy this version of petAPI to it first.", file=sys.stderr)
        return 1
    print(json.dumps({"Parameters": variables}, indent=2))
    return 0


def variables_of(stack: str) -> Mapping[str, str]:
    """Return the functions' variables for this stack. Raise KeyError if the stack lacks an output."""
    described = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in described["Parameters"]}
    return {
        **{variable: outputs[name] for variable, name in OUTPUTS.items()},
        **{variable: parameters[name] for variable, name in PARAMETERS.items()},
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
