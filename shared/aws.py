"""The AWS clients: made on first use or while Lambda imports a handler, one session for all, with bounded patience.

A call makes at most 3 attempts. Each waits 1 s to connect and 2 s for bytes. These waits do not bound a request,
because it makes several calls; shared/deadline.py does, and has the longest time of one attempt. Threads of a
request share them, so a request makes its clients before it begins a thread.

boto3 would make the same clients, but it imports its resources and transfers first: a fifteenth of a cold start.
"""

import os
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, cast

from botocore.config import Config
from botocore.session import Session

from shared import deadline

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_rekognition import RekognitionClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3vectors import S3VectorsClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

IS_LAMBDA = "AWS_LAMBDA_FUNCTION_NAME" in os.environ
# Checking parameters, and naming each library in the header User-Agent, is a fifth of botocore's time for a call.
# Elsewhere than in Lambda parameters are checked, so that tests find mistakes.
CONFIG = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 3},
    signature_version="v4",
    user_agent="petAPI",
    parameter_validation=not IS_LAMBDA,
)
SSM_CONFIG = CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 2}))  # other calls follow it
MODEL_LONGER = 3  # seconds: models receive up to 5 MB and run a network
MODEL_CONFIG = CONFIG.merge(Config(read_timeout=2 + MODEL_LONGER))
# The bucket's address in its region: the global one redirects while a bucket is new, and forms do not follow that.
S3_CONFIG = CONFIG.merge(Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))


def make_now(*clients: Callable[[], object]) -> None:
    """Make these clients, if this is Lambda.

    The last line of a handler's module calls this: Lambda imports it with a whole processor, whatever memory the
    function has, and handles requests with a part of one.
    """
    if IS_LAMBDA:
        for client in clients:
            client()


@cache
def session() -> Session:
    """Return the one session. Building its loader is the expensive part of a client."""
    made = Session()
    made.register("before-send", deadline.check)
    return made


@cache
def bedrock() -> "BedrockRuntimeClient":
    """Return the client of the models of Bedrock."""
    client = session().create_client("bedrock-runtime", config=MODEL_CONFIG)
    client.meta.events.register("before-send", partial(deadline.check, longer=MODEL_LONGER))
    return cast("BedrockRuntimeClient", client)


@cache
def dynamodb() -> "DynamoDBClient":
    """Return the client of DynamoDB."""
    return cast("DynamoDBClient", session().create_client("dynamodb", config=CONFIG))


@cache
def rekognition() -> "RekognitionClient":
    """Return the client of Rekognition."""
    client = session().create_client("rekognition", config=MODEL_CONFIG)
    client.meta.events.register("before-send", partial(deadline.check, longer=MODEL_LONGER))
    return cast("RekognitionClient", client)


@cache
def s3() -> "S3Client":
    """Return the client of S3."""
    return cast("S3Client", session().create_client("s3", config=S3_CONFIG))


@cache
def s3vectors() -> "S3VectorsClient":
    """Return the client of S3 Vectors."""
    return cast("S3VectorsClient", session().create_client("s3vectors", config=CONFIG))


@cache
def secrets() -> "SecretsManagerClient":
    """Return the client of Secrets Manager."""
    return cast("SecretsManagerClient", session().create_client("secretsmanager", config=CONFIG))


@cache
def sqs() -> "SQSClient":
    """Return the client of SQS."""
    return cast("SQSClient", session().create_client("sqs", config=CONFIG))


@cache
def ssm() -> "SSMClient":
    """Return the client of the SSM Parameter Store."""
    return cast("SSMClient", session().create_client("ssm", config=SSM_CONFIG))
