"""What `make run` relies on in ministack, and what it changes there."""

import http.client
import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

import signature
from shared import aws
from shared.api.image_json import picture_headers
from shared.pictures.bucket import Bucket
from tests.support.hosts import new_label
from tests.support.local_service import LocalService, send
from tests.support.pictures import png
from tools.local.guard import _may_write


def status_of(running: LocalService, target: str, headers: dict[str, str] | None = None, method: str = "GET") -> int:
    """Return the status of the AWS endpoints' response."""
    connection = http.client.HTTPConnection(running.aws_endpoint.removeprefix("http://"))
    connection.request(method, target, headers=headers or {})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status


def test_any_method_reaches_the_function(running: LocalService) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = running.send(method, "/upload")
        assert (answer.status, answer.headers["allow"]) == (405, "OPTIONS, POST")
    assert running.send("OPTIONS", "/upload").status == 204


def test_a_function_reads_its_parameters_and_no_others(running: LocalService) -> None:
    assert running.upload(png(3), label=new_label()).status == 201  # it read the parameters of its stage

    role = _functions_session(running, "RandomFunction")
    ssm = role.client("ssm", endpoint_url=running.aws_endpoint)
    with pytest.raises(ClientError, match="AccessDenied"):
        ssm.get_parameters(Names=["/pet-api/production/labels", "/other/labels"])


def test_a_function_may_do_only_what_its_role_says(running: LocalService) -> None:
    s3 = _functions_session(running, "RandomFunction").client("s3", endpoint_url=running.aws_endpoint)
    bucket = _outputs(running)["BucketName"]

    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=bucket, Key="cat/x.png", Body=b"x")


def test_a_function_may_send_ten_messages_where_it_may_send_one(running: LocalService) -> None:
    """AWS has no action for batches. `index/` sends those that failed so."""
    cloudformation = running.aws().client("cloudformation", endpoint_url=running.aws_endpoint)
    found = cloudformation.describe_stack_resource(StackName="petapi", LogicalResourceId="IndexDeadLetterQueue")
    queue = found["StackResourceDetail"]["PhysicalResourceId"]
    batch: Any = {"QueueUrl": queue, "Entries": [{"Id": "1", "MessageBody": "a"}, {"Id": "2", "MessageBody": "b"}]}
    may, may_not = (
        _functions_session(running, name).client("sqs", endpoint_url=running.aws_endpoint)
        for name in ("IndexFunction", "RandomFunction")
    )

    assert len(may.send_message_batch(**batch)["Successful"]) == 2
    with pytest.raises(ClientError, match="AccessDenied"):
        may_not.send_message_batch(**batch)
    with pytest.raises(ClientError, match="AccessDenied"):
        may.delete_message_batch(QueueUrl=queue, Entries=[{"Id": "1", "ReceiptHandle": "x"}])
    running.aws().client("sqs", endpoint_url=running.aws_endpoint).purge_queue(QueueUrl=queue)


def test_a_wrong_signature_is_refused(running: LocalService) -> None:
    credentials = _functions_session(running, "RandomFunction").get_credentials()
    assert credentials
    forged = boto3.Session(credentials.access_key, "wrong", credentials.token, region_name="us-east-1")

    with pytest.raises(ClientError, match=r"SignatureDoesNotMatch|InvalidSignature"):
        forged.client("ssm", endpoint_url=running.aws_endpoint).get_parameters(Names=["/pet-api/production/labels"])


@pytest.mark.parametrize("key", ["", "test", "000000000000"])
def test_nobody_is_the_owner_without_the_secret_of_this_run(running: LocalService, key: str) -> None:
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={key}/20261120/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
    )

    assert status_of(running, "/") == 403
    assert status_of(running, "/", {"Authorization": authorization}) == 403
    assert status_of(running, f"/?X-Amz-Credential={key}/20261120/us-east-1/s3/aws4_request") == 403


@pytest.mark.parametrize("path", ["/_ministack/reset", "/_ministack/config", "/_ministack/health"])
def test_the_emulators_own_paths_are_closed(running: LocalService, path: str) -> None:
    assert status_of(running, path, method="POST") == 403


def test_a_signed_url_gives_its_object_and_no_other(running: LocalService) -> None:
    bucket, image = _outputs(running)["BucketName"], png(4)
    key = json.loads(running.upload(image, label="signed").body)["id"]
    s3 = _functions_session(running, "RandomFunction").client(
        "s3", endpoint_url=running.aws_endpoint, config=aws.S3_CONFIG
    )

    url = Bucket(s3, bucket).url(key, picture_headers(*key.split("/")))
    target = url.removeprefix(running.aws_endpoint)

    given = send(running.aws_endpoint.removeprefix("http://"), "GET", target)
    assert (given.status, given.body) == (200, image)
    assert given.headers["content-type"] == "image/png"
    assert given.headers["content-disposition"] == f'inline; filename="{key.replace("/", "-")}"'
    assert status_of(running, target.replace("/signed/", "/other/")) == 403


def test_a_redirect_leads_to_the_picture(running: LocalService) -> None:
    running.upload(png(3), label="emulator")

    answer = running.get("/random?label=emulator&format=redirect")

    assert answer.status == 302
    assert running.get(answer.headers["location"].removeprefix(running.url)).body == png(3)


def test_log_lines_of_functions_are_in_the_log_and_not_kept_in_memory(running: LocalService) -> None:
    running.get("/nothing-here")

    logs = running.aws().client("logs", endpoint_url=running.aws_endpoint)
    groups = logs.describe_log_groups()["logGroups"]
    streams = [s for g in groups for s in logs.describe_log_streams(logGroupName=g["logGroupName"])["logStreams"]]

    assert "GET /{proxy+} 404" in (running.data / "emulator.log").read_text()
    assert streams == []


@pytest.mark.parametrize(
    ("method", "target", "writes"),
    [
        ("GET", "", False),
        ("HEAD", "", False),
        ("PUT", "", True),
        ("DELETE", "", True),
        ("POST", "", True),
        ("POST", "DynamoDB_20120810.Query", False),
        ("POST", "DynamoDB_20120810.BatchGetItem", False),
        ("POST", "DynamoDB_20120810.BatchWriteItem", True),
        ("POST", "DynamoDB_20120810.TransactWriteItems", True),
        ("POST", "AmazonSSM.GetParameters", False),
        ("POST", "AmazonSSM.PutParameter", True),
    ],
)
def test_calls_that_may_write_are_known(method: str, target: str, writes: bool) -> None:
    assert _may_write({"method": method, "headers": [(b"x-amz-target", target.encode())]}) == writes


@pytest.mark.parametrize(("service", "writes"), [("s3vectors", False), ("s3", True), ("lambda", True)])
def test_calls_of_vectors_change_nothing_that_a_snapshot_has(service: str, writes: bool) -> None:
    """There is one with each search."""
    authorization = f"AWS4-HMAC-SHA256 Credential=AKIA0/20261120/us-east-1/{service}/aws4_request, Signature=0"
    headers = [(b"authorization", authorization.encode())]
    assert _may_write({"method": "POST", "headers": headers}) == writes
    assert _may_write({"method": "POST", "headers": [*headers, (b"x-amz-target", b"DynamoDB_20120810.PutItem")]})


def test_a_generated_secret_is_as_the_template_wants_it(running: LocalService) -> None:
    secrets = running.aws().client("secretsmanager", endpoint_url=running.aws_endpoint)
    (secret,) = secrets.list_secrets()["SecretList"]
    text = secrets.get_secret_value(SecretId=secret["ARN"])["SecretString"]
    assert len(text) == 64
    assert text.isalnum()
    assert len(signature.key_of(text)) == 48


def _outputs(running: LocalService) -> dict[str, str]:
    cloudformation = running.aws().client("cloudformation", endpoint_url=running.aws_endpoint)
    stack = cloudformation.describe_stacks(StackName="petapi")["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def _functions_session(running: LocalService, function: str) -> boto3.Session:
    """Return a session with the role of a function, as the function has it."""
    cloudformation = running.aws().client("cloudformation", endpoint_url=running.aws_endpoint)
    resource = cloudformation.describe_stack_resource(StackName="petapi", LogicalResourceId=f"{function}Role")
    role = resource["StackResourceDetail"]["PhysicalResourceId"]
    sts = running.aws().client("sts", endpoint_url=running.aws_endpoint)
    given = sts.assume_role(RoleArn=f"arn:aws:iam::000000000000:role/{role}", RoleSessionName="test")["Credentials"]
    return boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region_name="us-east-1")
