"""Least privilege: each function's policy, as deployed and enforced, allows what it calls and nothing else."""

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.support.cloud import FUNCTIONS, ROOT, functions
from tests.support.local_service import LocalService

NAMES = {
    "upload": "UploadFunction",
    "random": "RandomFunction",
    "delete": "DeleteFunction",
    "images": "BrowseFunction",
    "edit": "EditFunction",
    "web": "WebFunction",
    "authorize": "AuthorizeFunction",
    "uploads": "PresignFunction",
    "receive": "IngestFunction",
    "notify": "NotifyFunction",
    "index": "IndexFunction",
    "search": "SearchFunction",
    "mosaic": "MosaicFunction",
}
SILENT = ("web", "authorize")  # functions without a policy of their own
IMAGE_KEY = {"label": {"S": "cat"}, "s3key": {"S": "x"}}
MODELS = {
    "titan": "amazon.titan-embed-image-v1",
    "nova": "amazon.nova-2-multimodal-embeddings-v1:0",
    "another": "anthropic.claude-v2",
}
CHUNK_KEY = {"label": {"S": "cat"}, "chunkNumber": {"N": "0"}}

# Who may do what; a column that is not named is denied to all.
ALLOWED = {
    "ssm GetParameters": {
        *("upload", "random", "delete", "images", "edit", "uploads", "receive", "index", "search", "mosaic")
    },
    "s3 PutObject": {"upload", "receive"},
    "s3 GetObject": {"random"},
    "s3 GetObjectVersion": {"images", "receive", "index", "mosaic"},
    "s3 DeleteObjectVersion": {"upload", "delete", "receive"},
    "incoming PutObject": {"uploads"},
    "incoming GetObject": {"receive", "uploads"},
    "incoming DeleteObject": {"receive"},
    "uploads GetItem": {"uploads", "receive"},
    "uploads PutItem": {"uploads"},
    "uploads UpdateItem": {"receive"},
    "recognitions GetItem": {"receive", "index"},
    "recognitions PutItem": {"receive", "index"},
    "callbacks SendMessage": {"receive"},
    "callbacks ReceiveMessage": {"notify"},
    "files ReceiveMessage": {"receive"},
    "secret GetSecretValue": {"notify"},
    "to index ReceiveMessage": {"index"},
    "to index SendMessage": {"index", "receive"},
    "to index GetQueueAttributes": {"index", "images"},
    "lost to index SendMessage": {"index"},
    "tiles BatchGetItem": {"index", "search", "images", "edit"},
    "tiles GetItem": {"search"},
    "tiles Query": {"mosaic"},
    "tiles PutItem": {"index"},
    "tiles DeleteItem": {"index"},
    "vectors GetVectors": {"index", "search"},
    "vectors QueryVectors": {"search"},
    "vectors PutVectors": {"index"},
    "vectors DeleteVectors": {"index"},
    "titan InvokeModel": {"index", "search"},
    "thumbnails GetObject": {"images", "random"},
    "thumbnails PutObject": {"images"},
    "thumbnails DeleteObject": {"delete", "images"},
    "chunks Query": {"upload", "random", "delete", "images", "edit", "receive"},
    "chunks BatchGetItem": {"random", "delete", "edit", "receive"},
    "chunks GetItem": {"random", "upload", "delete", "images", "edit", "receive"},
    "chunks PutItem": {"upload", "edit", "receive"},
    "chunks UpdateItem": {"upload", "delete", "edit", "receive"},
    "chunks DeleteItem": {"delete", "edit", "receive"},
    "images Query": {"images", "mosaic"},
    "images Query of file names": {"images"},
    "images Query of owners": {"edit"},
    "images BatchGetItem": {"images", "edit", "random", "delete", "receive", "index", "search", "mosaic"},
    "images GetItem": {"upload", "random", "delete", "images", "edit", "uploads", "receive"},
    "images PutItem": {"upload", "edit", "receive"},
    "images UpdateItem": {"delete", "edit", "receive"},
    "images DeleteItem": {"delete", "edit", "receive"},
}


NOT_TRIED = {  # what Lambda does before it calls a function, and the recogniser that is not there
    *("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams", "ChangeMessageVisibility", "DeleteMessage"),
    "DetectLabels",
}


class Cloud:
    """The deployed names, and clients with given keys."""

    def __init__(self, service: LocalService, keys: dict[str, str] | None = None) -> None:
        self.service, self.keys = service, keys

    def client(self, name: str) -> Any:
        if self.keys is None:
            return self.service.aws().client(name, endpoint_url=self.service.aws_endpoint)
        return boto3.client(name, endpoint_url=self.service.aws_endpoint, region_name="us-east-1", **self.keys)

    def outputs(self) -> dict[str, str]:
        (stack,) = self.client("cloudformation").describe_stacks(StackName="petapi")["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def calls(cloud: Cloud, names: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    """Return each call to try, by its name; those that are allowed succeed."""
    s3, dynamodb, ssm = (cloud.client(name) for name in ("s3", "dynamodb", "ssm"))
    chunks, images, bucket = names["ChunkInfoTableName"], names["ImageChunksTableName"], names["BucketName"]
    query = {"KeyConditionExpression": "label = :l", "ExpressionAttributeValues": {":l": {"S": "cat"}}}
    values = {"ExpressionAttributeValues": {":l": {"S": "x"}}}
    queries = {
        "uploads": {"KeyConditionExpression": "id = :l", **values},
        "recognitions": {"KeyConditionExpression": "digest = :l", **values},
        "tiles": {"KeyConditionExpression": "label = :l", **values},
    }
    key, thumbnails = {"Bucket": bucket, "Key": "cat/known"}, names["ThumbnailBucketName"]
    found: dict[str, Callable[[], Any]] = {
        "ssm GetParameters": lambda: ssm.get_parameters(Names=["/pet-api/production/labels"]),
        "ssm GetParameters of others": lambda: ssm.get_parameters(Names=["/other/secret"]),
        "ssm PutParameter": lambda: ssm.put_parameter(
            Name="/pet-api/production/labels", Value="*", Type="String", Overwrite=True
        ),
        "s3 PutObject": lambda: s3.put_object(Bucket=bucket, Key="cat/new", Body=b"x"),
        "s3 GetObject": lambda: s3.get_object(**key),
        "s3 GetObjectVersion": lambda: s3.get_object(**key, VersionId=names["version"]),
        "s3 DeleteObjectVersion": lambda: s3.delete_object(**key, VersionId=names["version"]),
        "s3 DeleteObject": lambda: s3.delete_object(**key),
        "s3 ListBucket": lambda: s3.list_objects_v2(Bucket=bucket),
        "s3 ListBucketVersions": lambda: s3.list_object_versions(Bucket=bucket),
        "thumbnails GetObject": lambda: s3.get_object(Bucket=thumbnails, Key="cat/known"),
        "thumbnails PutObject": lambda: s3.put_object(Bucket=thumbnails, Key="cat/new", Body=b"x"),
        "thumbnails DeleteObject": lambda: discarded(s3, thumbnails),
        "thumbnails ListBucket": lambda: s3.list_objects_v2(Bucket=thumbnails),
        "s3 GetObject of another bucket": lambda: s3.get_object(Bucket=names["other bucket"], Key="known"),
        "s3 PutObject to another bucket": lambda: s3.put_object(Bucket=names["other bucket"], Key="new", Body=b"x"),
        "images Query of file names": lambda: dynamodb.query(TableName=images, IndexName="FilenameIndex", **query),
        "images Query of owners": lambda: dynamodb.query(
            TableName=images,
            IndexName="OwnerIndex",
            KeyConditionExpression="#o = :o",
            ExpressionAttributeNames={"#o": "owner"},
            ExpressionAttributeValues={":o": {"S": "bob"}},
        ),
        "another table GetItem": lambda: dynamodb.get_item(TableName=names["other table"], Key=IMAGE_KEY),
        "another table PutItem": lambda: dynamodb.put_item(TableName=names["other table"], Item=IMAGE_KEY),
    }
    incoming, sqs = names["IncomingBucketName"], cloud.client("sqs")
    found |= {
        "incoming PutObject": lambda: s3.put_object(Bucket=incoming, Key="incoming/new", Body=b"x"),
        "incoming PutObject elsewhere": lambda: s3.put_object(Bucket=incoming, Key="new", Body=b"x"),
        "incoming GetObject": lambda: taken(s3, incoming),
        "incoming DeleteObject": lambda: s3.delete_object(Bucket=incoming, Key="incoming/known"),
        "incoming ListBucket": lambda: s3.list_objects_v2(Bucket=incoming),
        "callbacks SendMessage": lambda: sqs.send_message(QueueUrl=names["CallbackQueueUrl"], MessageBody="x"),
        **{
            f"{name} ReceiveMessage": lambda url=url: sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)
            for name, url in names["queues"].items()
        },
        "to index GetQueueAttributes": lambda: sqs.get_queue_attributes(
            QueueUrl=names["queues"]["to index"], AttributeNames=["ApproximateNumberOfMessages"]
        ),
        "to index SendMessage": lambda: sqs.send_message(QueueUrl=names["queues"]["to index"], MessageBody="x"),
        "lost to index SendMessage": lambda: sqs.send_message(
            QueueUrl=names["IndexDeadLetterQueueUrl"], MessageBody="x"
        ),
        "callbacks PurgeQueue": lambda: sqs.purge_queue(QueueUrl=names["CallbackQueueUrl"]),
        "secret GetSecretValue": lambda: cloud.client("secretsmanager").get_secret_value(
            SecretId=names["CallbackSecretArn"]
        ),
        "secret PutSecretValue": lambda: cloud.client("secretsmanager").put_secret_value(
            SecretId=names["CallbackSecretArn"], SecretString="x"
        ),
    }
    tables = {
        "chunks": (chunks, CHUNK_KEY),
        "images": (images, IMAGE_KEY),
        "uploads": (names["UploadsTableName"], {"id": {"S": "x"}}),
        "recognitions": (names["RecognitionsTableName"], {"digest": {"S": "x"}, "recogniser": {"S": "x"}}),
        "tiles": (names["TilesTableName"], {"label": {"S": "x"}, "name": {"S": "x"}}),
    }
    for name, (table, item) in tables.items():
        found |= {
            f"{name} Query": lambda table=table, name=name: dynamodb.query(TableName=table, **queries.get(name, query)),
            f"{name} Scan": lambda table=table: dynamodb.scan(TableName=table),
            f"{name} BatchGetItem": lambda table=table, item=item: dynamodb.batch_get_item(
                RequestItems={table: {"Keys": [item]}}
            ),
            f"{name} GetItem": lambda table=table, item=item: dynamodb.get_item(TableName=table, Key=item),
            f"{name} PutItem": lambda table=table, item=item: dynamodb.put_item(TableName=table, Item=item),
            f"{name} UpdateItem": lambda table=table, item=item: dynamodb.update_item(
                TableName=table,
                Key=item,
                UpdateExpression="SET a = :a",
                ExpressionAttributeValues={":a": {"N": "1"}},
            ),
            f"{name} DeleteItem": lambda table=table, item=item: dynamodb.delete_item(TableName=table, Key=item),
            f"{name} DeleteTable": lambda table=table: dynamodb.delete_table(TableName=table),
        }
    return found | calls_of_search(cloud, names)


def calls_of_search(cloud: Cloud, names: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    """Return each call of the index of vectors, and of the models."""
    vectors, bedrock = cloud.client("s3vectors"), cloud.client("bedrock-runtime")
    index, numbers = {"indexArn": names["VectorIndexArn"]}, {"float32": [0.5] * 1024}
    bucket = names["VectorIndexArn"].partition("/index/")[0]
    return {
        "vectors GetVectors": lambda: vectors.get_vectors(**index, keys=["cat/known"]),
        "vectors PutVectors": lambda: vectors.put_vectors(**index, vectors=[{"key": "cat/known", "data": numbers}]),
        "vectors DeleteVectors": lambda: vectors.delete_vectors(**index, keys=["cat/known"]),
        "vectors QueryVectors": lambda: vectors.query_vectors(**index, topK=1, queryVector=numbers),
        "vectors ListVectors": lambda: vectors.list_vectors(**index),
        "vectors DeleteIndex": lambda: vectors.delete_index(**index),
        "vectors ListIndexes": lambda: vectors.list_indexes(vectorBucketArn=bucket),
        **{
            f"{name} InvokeModel": lambda model=model: bedrock.invoke_model(modelId=model, body=b"{}")
            for name, model in MODELS.items()
        },
    }


def taken(s3: Any, bucket: str) -> None:
    """Get a file, which the shipped function may have removed by now."""
    with contextlib.suppress(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=bucket, Key="incoming/known")


def discarded(s3: Any, bucket: str) -> None:
    """Delete thumbnails and raise what the response says of a key: the status of DeleteObjects is always 200."""
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "cat/known"}], "Quiet": True})
    for error in answer.get("Errors", []):
        raise ClientError({"Error": {"Code": error["Code"], "Message": ""}}, "DeleteObjects")


def queues(owner: Cloud) -> dict[str, str]:
    """Return the URL of each queue."""
    urls = owner.client("sqs").list_queues()["QueueUrls"]
    named = {
        "files": "-IncomingQueue-",
        "lost files": "-IncomingDeadLetterQueue-",
        "callbacks": "-CallbackQueue-",
        "lost callbacks": "-CallbackDeadLetterQueue-",
        "to index": "-IndexQueue-",
        "lost to index": "-IndexDeadLetterQueue-",
    }
    assert len(urls) == len(named)
    return {name: url for name, part in named.items() for url in urls if part in url}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalService, dict[str, Any]]]:
    """Run a service for this module only, because the calls write anything; give it things of others, too."""
    with LocalService(tmp_path_factory.mktemp("iam") / "data", variables={"ENCODER": "titan"}) as service:
        owner = Cloud(service)
        names = {**owner.outputs(), "other bucket": "of-others", "other table": "of-others", "queues": queues(owner)}
        s3 = owner.client("s3")
        s3.create_bucket(Bucket="of-others")
        s3.put_object(Bucket="of-others", Key="known", Body=b"x")
        owner.client("dynamodb").create_table(
            TableName="of-others",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("label", "s3key")],
            KeySchema=[{"AttributeName": "label", "KeyType": "HASH"}, {"AttributeName": "s3key", "KeyType": "RANGE"}],
        )
        owner.client("ssm").put_parameter(Name="/other/secret", Value="x", Type="String")
        yield service, names


def user_with_the_policy_of(function: str, service: LocalService) -> Cloud:
    """Return clients of a user who has exactly the policies of the function's role."""
    iam, lambdas = Cloud(service).client("iam"), Cloud(service).client("lambda")
    (role,) = [
        each["Role"].rpartition("/")[2]
        for each in lambdas.list_functions()["Functions"]
        if NAMES[function] in each["FunctionName"]
    ]
    iam.create_user(UserName=function)
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        iam.put_user_policy(UserName=function, PolicyName=name, PolicyDocument=json.dumps(document))
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["AWSLambdaBasicExecutionRole"]  # its own lines
    key = iam.create_access_key(UserName=function)["AccessKey"]
    return Cloud(service, {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]})


def test_every_function_and_every_action_of_a_policy_is_tried() -> None:
    assert sorted(NAMES.values()) == sorted(functions())
    written = "".join((ROOT / folder / "IAM__policy.json").read_text() for folder in FUNCTIONS if folder not in SILENT)
    actions = set(re.findall(r'"[a-z0-9]+:([A-Za-z]+)"', written))
    tried = {re.findall(r" ([A-Z]\w+)", name)[0] for name in ALLOWED}
    assert actions - tried == NOT_TRIED
    assert tried - actions == set()


@pytest.mark.parametrize("function", NAMES)
def test_a_function_may_do_what_it_does_and_nothing_else(
    function: str, deployed: tuple[LocalService, dict[str, Any]]
) -> None:
    service, names = deployed
    s3 = Cloud(service).client("s3")
    version = s3.put_object(Bucket=names["BucketName"], Key="cat/known", Body=b"x")["VersionId"]
    s3.put_object(Bucket=names["ThumbnailBucketName"], Key="cat/known", Body=b"x")
    s3.put_object(Bucket=names["IncomingBucketName"], Key="incoming/known", Body=b"x")
    made = calls(user_with_the_policy_of(function, service), {**names, "version": version})
    assert ALLOWED.keys() <= made.keys()
    outcomes = {name: outcome(call) for name, call in made.items()}
    expected = {name: "done" if function in ALLOWED.get(name, ()) else "denied" for name in made}
    assert outcomes == expected


def outcome(call: Callable[[], Any]) -> str:
    """Return whether the call was done or denied; anything else is an error of this test."""
    try:
        call()
    except ClientError as error:
        if "AccessDenied" in error.response["Error"]["Code"]:
            return "denied"
        raise
    return "done"
