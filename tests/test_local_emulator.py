"""What `make run` relies on in ministack, and what it changes there."""

import io
import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import ClientError
from PIL import Image

from local.emulator import _may_write
from local_service import LocalService


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    with LocalService(tmp_path_factory.mktemp("local") / "data") as service:
        yield service


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (9, 9)).save(buffer, "PNG")
    return buffer.getvalue()


def status_of(url: str, headers: dict[str, str] | None = None, data: bytes | None = None) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers or {})) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_any_method_reaches_the_function(service: LocalService) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = service.send(method, "/upload")
        assert (answer.status, answer.headers["allow"]) == (405, "OPTIONS, POST")
    assert service.send("OPTIONS", "/upload").status == 204


def test_a_function_reads_its_parameters_and_no_others(service: LocalService) -> None:
    assert service.upload(picture()).status == 201  # it read the parameters of its stage

    role = _functions_session(service, "RandomFunction")
    ssm = role.client("ssm", endpoint_url=service.aws_endpoint)
    with pytest.raises(ClientError, match="AccessDenied"):
        ssm.get_parameters(Names=["/pet-api/production/labels", "/other/labels"])


def test_a_function_may_do_only_what_its_role_says(service: LocalService) -> None:
    s3 = _functions_session(service, "RandomFunction").client("s3", endpoint_url=service.aws_endpoint)
    bucket = _outputs(service)["BucketName"]

    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=bucket, Key="cat/x.png", Body=b"x")


def test_a_wrong_signature_is_refused(service: LocalService) -> None:
    credentials = _functions_session(service, "RandomFunction").get_credentials()
    assert credentials
    forged = boto3.Session(credentials.access_key, "wrong", credentials.token, region_name="us-east-1")

    with pytest.raises(ClientError, match=r"SignatureDoesNotMatch|InvalidSignature"):
        forged.client("ssm", endpoint_url=service.aws_endpoint).get_parameters(Names=["/pet-api/production/labels"])


@pytest.mark.parametrize("key", ["", "test", "000000000000"])
def test_nobody_is_the_owner_without_the_secret_of_this_run(service: LocalService, key: str) -> None:
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={key}/20261120/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
    )

    assert status_of(service.aws_endpoint) == 403
    assert status_of(service.aws_endpoint, {"Authorization": authorization}) == 403
    assert status_of(f"{service.aws_endpoint}/?X-Amz-Credential={key}/20261120/us-east-1/s3/aws4_request") == 403


@pytest.mark.parametrize("path", ["/_ministack/reset", "/_ministack/config", "/_ministack/health"])
def test_the_emulators_own_paths_are_closed(service: LocalService, path: str) -> None:
    assert status_of(service.aws_endpoint + path, data=b"") == 403


def test_a_redirect_leads_to_the_picture(service: LocalService) -> None:
    service.upload(picture())

    answer = service.get("/random?label=cat&format=redirect")

    assert answer.status == 302
    assert service.get(answer.headers["location"].removeprefix(service.url)).body == picture()


def test_log_lines_of_functions_are_in_the_log_and_not_kept_in_memory(service: LocalService) -> None:
    service.get("/nothing-here")

    logs = service.aws().client("logs", endpoint_url=service.aws_endpoint)
    groups = logs.describe_log_groups()["logGroups"]
    streams = [s for g in groups for s in logs.describe_log_streams(logGroupName=g["logGroupName"])["logStreams"]]

    assert "GET /{proxy+} 404" in (service.data / "emulator.log").read_text()
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


def _outputs(service: LocalService) -> dict[str, str]:
    cloudformation = service.aws().client("cloudformation", endpoint_url=service.aws_endpoint)
    stack = cloudformation.describe_stacks(StackName="petapi")["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def _functions_session(service: LocalService, function: str) -> boto3.Session:
    """A session with the role of a function, as the function has it."""
    cloudformation = service.aws().client("cloudformation", endpoint_url=service.aws_endpoint)
    resource = cloudformation.describe_stack_resource(StackName="petapi", LogicalResourceId=f"{function}Role")
    role = resource["StackResourceDetail"]["PhysicalResourceId"]
    sts = service.aws().client("sts", endpoint_url=service.aws_endpoint)
    given = sts.assume_role(RoleArn=f"arn:aws:iam::000000000000:role/{role}", RoleSessionName="test")["Credentials"]
    assert json.dumps(given["AccessKeyId"])
    return boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region_name="us-east-1")
