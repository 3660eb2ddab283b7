"""S3 Vectors in a running `make run`: policies, CloudFormation, and what the emulator makes of its requests."""

import http.client
import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import boto3
import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, WaiterError

from tests.support.local_service import LocalService
from tests.support.vectors_aws import ACCOUNT, HIDDEN, new_index
from tools.local.vectors import installation
from tools.local.vectors.service import Vectors

Client = Any
ASK = {"topK": 5, "queryVector": {"float32": [1.0, 0.0, 0.0]}}
INDEX = {"DataType": "float32", "Dimension": 3, "DistanceMetric": "cosine"}


@pytest.fixture(scope="module")
def owner(running: LocalService) -> Client:
    return running.aws().client("s3vectors", endpoint_url=running.aws_endpoint)


@pytest.fixture(scope="module")
def arn(owner: Client) -> str:
    """Return an index with a vector."""
    arn = new_index(owner, bucket="policies")
    vectors = [{"key": "a", "data": {"float32": [1, 0, 0]}, "metadata": {"label": "cat"}}]
    owner.put_vectors(indexArn=arn, vectors=vectors)
    return arn


@pytest.fixture(scope="module")
def role_with(running: LocalService) -> Callable[..., Client]:
    """Return what gives the client of a role that may do these actions on this resource."""

    def make(actions: list[str], resource: str, effect: str = "Allow", **more: Any) -> Client:
        iam = running.aws().client("iam", endpoint_url=running.aws_endpoint)
        anybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        name = f"vectors-{uuid4().hex[:8]}"
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(anybody))["Role"]
        allowed = {"Effect": effect, "Action": [f"s3vectors:{action}" for action in actions], "Resource": resource}
        iam.put_role_policy(RoleName=name, PolicyName="vectors", PolicyDocument=_policy(allowed, *more.values()))
        sts = running.aws().client("sts", endpoint_url=running.aws_endpoint)
        given = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
        keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        session = boto3.Session(*keys, region_name="us-east-1")
        return session.client("s3vectors", endpoint_url=running.aws_endpoint)

    return make


def _policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def denied(call: Callable[[], Any]) -> str:
    """Return the message of the refusal that the call gets from a policy."""
    with pytest.raises(ClientError) as raised:
        call()
    assert raised.value.response["Error"]["Code"] == "AccessDeniedException"
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    return raised.value.response["Error"]["Message"]


CALLS: dict[str, Callable[[Client, str], Any]] = {
    "PutVectors": lambda client, arn: client.put_vectors(
        indexArn=arn, vectors=[{"key": "a", "data": {"float32": [1, 0, 0]}, "metadata": {"label": "cat"}}]
    ),
    "GetVectors": lambda client, arn: client.get_vectors(indexArn=arn, keys=["a"], returnMetadata=True),
    "DeleteVectors": lambda client, arn: client.delete_vectors(indexArn=arn, keys=["missing"]),
    "ListVectors": lambda client, arn: client.list_vectors(indexArn=arn),
    "QueryVectors": lambda client, arn: client.query_vectors(indexArn=arn, **ASK, returnDistance=True),
    "GetIndex": lambda client, arn: client.get_index(indexArn=arn),
}


@pytest.mark.parametrize("action", CALLS)
def test_a_role_may_do_what_its_policy_names_and_nothing_else(
    role_with: Callable[..., Client], arn: str, action: str
) -> None:
    client = role_with([action], arn)
    for name, call in CALLS.items():
        if name == action:
            call(client, arn)
        else:
            assert f"s3vectors:{name}" in denied(lambda call=call: call(client, arn))  # type: ignore[misc]


@pytest.mark.parametrize("action", CALLS)
def test_a_policy_is_about_one_index(role_with: Callable[..., Client], arn: str, action: str) -> None:
    client = role_with([action], f"{arn}-of-another")
    assert denied(lambda: CALLS[action](client, arn))


def test_an_index_named_otherwise_is_the_same_index(role_with: Callable[..., Client], arn: str) -> None:
    bucket, _, index = arn.partition(":bucket/")[2].partition("/index/")
    assert role_with(["GetIndex"], arn).get_index(vectorBucketName=bucket, indexName=index)
    denied(lambda: role_with(["GetIndex"], f"{arn}2").get_index(vectorBucketName=bucket, indexName=index))


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("query_vectors", {**ASK, "filter": {"label": "cat"}}),
        ("query_vectors", {**ASK, "returnMetadata": True}),
        ("list_vectors", {"returnMetadata": True}),
        ("list_vectors", {"returnData": True}),
    ],
)
def test_what_reads_vectors_needs_a_second_action(
    role_with: Callable[..., Client], arn: str, operation: str, more: dict[str, Any]
) -> None:
    own = "QueryVectors" if operation == "query_vectors" else "ListVectors"
    alone, both = role_with([own], arn), role_with([own, "GetVectors"], arn)
    elsewhere = role_with([own], arn, more={"Effect": "Allow", "Action": "s3vectors:GetVectors", "Resource": f"{arn}2"})
    refusing = role_with(
        [own, "GetVectors"], arn, no={"Effect": "Deny", "Action": "s3vectors:GetVectors", "Resource": "*"}
    )

    for client in (alone, elsewhere, refusing):
        assert "s3vectors:GetVectors" in denied(lambda client=client: getattr(client, operation)(indexArn=arn, **more))  # type: ignore[misc]
    assert [hit["key"] for hit in getattr(both, operation)(indexArn=arn, **more)["vectors"]] == ["a"]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/DeleteVectors?Action=ListVectors", {}),
        ("/DeleteVectors", {"X-Amz-Target": "S3Vectors.ListVectors"}),
        ("/deletevectors", {}),
        ("//DeleteVectors", {}),
        ("/DeleteVectors/", {}),
        ("/./DeleteVectors", {}),
        ("/DeleteVectors%2F", {}),
        ("/%44eleteVectors", {}),
    ],
)
def test_a_request_is_what_its_path_says(
    running: LocalService, role_with: Callable[..., Client], owner: Client, arn: str, path: str, headers: dict[str, str]
) -> None:
    """The check of policies and the service read the operation from the same place."""
    credentials = role_with(["ListVectors"], arn)._request_signer._credentials
    body = json.dumps({"indexArn": arn, "keys": ["a"]})
    status, _ = _post(running, path, body, credentials.get_frozen_credentials(), headers)
    assert status in (400, 403, 404, 501)
    assert [each["key"] for each in owner.list_vectors(indexArn=arn)["vectors"]] == ["a"]


def test_a_wrong_signature_is_refused(running: LocalService, role_with: Callable[..., Client], arn: str) -> None:
    right = role_with(["ListVectors"], arn)._request_signer._credentials.get_frozen_credentials()
    wrong = Credentials(right.access_key, "wrong", right.token)
    body = json.dumps({"indexArn": arn})
    assert _post(running, "/ListVectors", body, right)[0] == 200
    assert _post(running, "/ListVectors", body, wrong)[0] == 403


def _post(
    running: LocalService, path: str, body: str, credentials: Any, headers: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    request = AWSRequest("POST", f"{running.aws_endpoint}{path}", data=body, headers=dict(headers or {}))
    botocore.auth.SigV4Auth(credentials, "s3vectors", "us-east-1").add_auth(request)
    connection = http.client.HTTPConnection(running.aws_endpoint.removeprefix("http://"))
    connection.request("POST", path, body, dict(request.headers))
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content


# --- CloudFormation ---


def _template(bucket: Mapping[str, Any] | None, index: Mapping[str, Any] | None, other: str) -> str:
    resources: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    if bucket is not None:
        resources["Bucket"] = {"Type": "AWS::S3Vectors::VectorBucket", "Properties": bucket}
        outputs["Bucket"] = {"Ref": "Bucket"}
        outputs["BucketArn"] = {"Fn::GetAtt": ["Bucket", "VectorBucketArn"]}
        outputs["BucketTime"] = {"Fn::GetAtt": ["Bucket", "CreationTime"]}
    if index is not None:
        properties = {"VectorBucketArn": {"Ref": "Bucket"}, **INDEX, **index}
        resources["Index"] = {"Type": "AWS::S3Vectors::Index", "Properties": properties}
        outputs["Index"] = {"Ref": "Index"}
        outputs["IndexArn"] = {"Fn::GetAtt": ["Index", "IndexArn"]}
        outputs["IndexTime"] = {"Fn::GetAtt": ["Index", "CreationTime"]}
    resources["Nothing"] = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": other}}
    return json.dumps({"Resources": resources, "Outputs": {name: {"Value": value} for name, value in outputs.items()}})


class Stack:
    """A stack with a bucket and an index of vectors, or without."""

    def __init__(self, client: Client) -> None:
        self._client, self.name = client, f"vectors-{uuid4().hex[:8]}"

    def create(self, bucket: Mapping[str, Any] | None, index: Mapping[str, Any] | None) -> dict[str, str]:
        return self._bring_up("create", _template(bucket, index, "1"))

    def update(
        self, bucket: Mapping[str, Any] | None, index: Mapping[str, Any] | None, *, other: str = "1"
    ) -> dict[str, str]:
        return self._bring_up("update", _template(bucket, index, other))

    def delete(self) -> None:
        self._client.delete_stack(StackName=self.name)
        self._wait("delete")

    def _bring_up(self, verb: str, template: str) -> dict[str, str]:
        getattr(self._client, f"{verb}_stack")(StackName=self.name, TemplateBody=template)
        self._wait(verb)
        outputs = self._client.describe_stacks(StackName=self.name)["Stacks"][0].get("Outputs", [])
        return {output["OutputKey"]: output["OutputValue"] for output in outputs}

    def _wait(self, verb: str) -> None:
        waiter = self._client.get_waiter(f"stack_{verb}_complete")
        waiter.wait(StackName=self.name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 1_000})

    def reasons(self) -> str:
        """Return why what failed did."""
        events = self._client.describe_stack_events(StackName=self.name)["StackEvents"]
        return "\n".join(event.get("ResourceStatusReason", "") for event in events)


@pytest.fixture
def stack(running: LocalService) -> Iterator[Stack]:
    stack = Stack(running.aws().client("cloudformation", endpoint_url=running.aws_endpoint))
    yield stack
    stack.delete()


def missing(call: Callable[[], Any]) -> bool:
    with pytest.raises(ClientError, match="NotFoundException"):
        call()
    return True


def test_a_stack_makes_a_bucket_and_an_index(owner: Client, stack: Stack) -> None:
    hidden = {"MetadataConfiguration": {"NonFilterableMetadataKeys": HIDDEN}}
    made = stack.create({"VectorBucketName": "of-a-stack"}, {"IndexName": "lite0-3-1", **hidden})

    assert made["Bucket"] == made["BucketArn"] == f"{ACCOUNT}:bucket/of-a-stack"
    assert made["Index"] == made["IndexArn"] == f"{made['Bucket']}/index/lite0-3-1"
    index = owner.get_index(indexArn=made["Index"])["index"]
    assert index["metadataConfiguration"] == {"nonFilterableMetadataKeys": HIDDEN}
    assert made["IndexTime"] == index["creationTime"].strftime("%Y-%m-%dT%H:%M:%SZ")
    stack.delete()
    assert missing(lambda: owner.get_index(indexArn=made["Index"]))
    assert missing(lambda: owner.get_vector_bucket(vectorBucketArn=made["Bucket"]))


def test_an_update_of_something_else_keeps_the_vectors(owner: Client, stack: Stack) -> None:
    made = stack.create({}, {})
    assert made["Bucket"].rpartition("/")[2].startswith(f"{stack.name}-bucket-")
    assert made["Index"].rpartition("/")[2].startswith(f"{stack.name}-index-")
    owner.put_vectors(indexArn=made["Index"], vectors=[{"key": "a", "data": {"float32": [1, 0, 0]}}])

    assert stack.update({}, {}, other="2") == made

    assert owner.list_vectors(indexArn=made["Index"])["vectors"] == [{"key": "a"}]


@pytest.mark.parametrize(
    "change", [{"Dimension": 4}, {"DistanceMetric": "euclidean"}, {"IndexName": "another"},
               {"MetadataConfiguration": {"NonFilterableMetadataKeys": ["version"]}}]
)  # fmt: skip
def test_a_changed_property_replaces_the_index(owner: Client, stack: Stack, change: dict[str, Any]) -> None:
    made = stack.create({}, {})
    changed = stack.update({}, change)

    assert changed["Bucket"] == made["Bucket"]
    assert changed["Index"] != made["Index"]
    assert missing(lambda: owner.get_index(indexArn=made["Index"]))
    assert owner.get_index(indexArn=changed["Index"])


def test_a_changed_name_replaces_the_bucket_with_its_index(owner: Client, stack: Stack) -> None:
    made = stack.create({"VectorBucketName": "before"}, {"IndexName": "kept"})
    changed = stack.update({"VectorBucketName": "after"}, {"IndexName": "kept"})

    assert changed["Index"] == f"{ACCOUNT}:bucket/after/index/kept"
    assert missing(lambda: owner.get_vector_bucket(vectorBucketArn=made["Bucket"]))


def test_a_stack_may_give_up_its_vectors_and_take_them_again(owner: Client, stack: Stack) -> None:
    made = stack.create({}, {})
    stack.update(None, None)
    assert missing(lambda: owner.get_vector_bucket(vectorBucketArn=made["Bucket"]))
    assert owner.get_index(indexArn=stack.update({}, {})["Index"])


def test_a_failed_update_leaves_what_was_there(owner: Client, stack: Stack) -> None:
    """The name of an index stays with its first one, as in AWS: another dimension needs another name."""
    made = stack.create({}, {"IndexName": "kept"})
    owner.put_vectors(indexArn=made["Index"], vectors=[{"key": "a", "data": {"float32": [1, 0, 0]}}])

    with pytest.raises(WaiterError):
        stack.update({}, {"IndexName": "kept", "Dimension": 4})

    assert "A vector index kept exists" in stack.reasons()
    assert owner.list_vectors(indexArn=made["Index"])["vectors"] == [{"key": "a"}]


@pytest.mark.parametrize(
    ("bucket", "index", "said"),
    [
        ({}, {"Dimension": 5_000}, "dimension is a whole number from 1 to 4096"),
        ({}, {"Dimension": "many"}, "Dimension is a whole number"),
        ({}, {"IndexName": "Upper"}, "indexName has 3 to 63"),
        ({"VectorBucketName": "policies"}, {}, "A vector bucket policies exists"),
        ({"EncryptionConfiguration": {"SseType": "aws:kms"}}, {}, "no encryption of vectors but AES256"),
        ({"Tags": [{"Key": "a", "Value": "b"}]}, {}, "keeps no tags"),
    ],
)
def test_a_stack_that_breaks_a_rule_is_rolled_back(
    owner: Client, arn: str, stack: Stack, bucket: dict[str, Any], index: dict[str, Any], said: str
) -> None:
    with pytest.raises(WaiterError):
        stack.create(bucket, index)
    assert said in stack.reasons()
    assert owner.get_index(indexArn=arn)


def test_a_bucket_in_which_a_client_made_an_index_is_not_deleted(owner: Client, stack: Stack) -> None:
    made = stack.create({}, None)
    extra = {"indexName": "extra", "dataType": "float32", "dimension": 1, "distanceMetric": "cosine"}
    owner.create_index(vectorBucketArn=made["Bucket"], **extra)

    with pytest.raises(WaiterError):
        stack.delete()
    assert "has indexes" in stack.reasons()
    owner.delete_index(indexArn=f"{made['Bucket']}/index/extra")


# --- the emulator ---


def test_an_emulator_with_a_service_of_its_own_keeps_it(caplog: pytest.LogCaptureFixture, tmp_path: Any) -> None:
    own = object()
    ministack = SimpleNamespace(app=SimpleNamespace(SERVICE_HANDLERS={"s3vectors": own}))
    with caplog.at_level(logging.WARNING):
        assert installation.install(ministack, Vectors(tmp_path / "vectors.db", ACCOUNT)) is None
    assert {"s3vectors": own} == ministack.app.SERVICE_HANDLERS
    assert "of its own" in caplog.text


def test_many_clients_at_a_time_get_whole_answers(running: LocalService, owner: Client) -> None:
    arn, failures = new_index(owner, bucket="many-clients"), list[Exception]()

    def work(number: int, client: Client) -> None:
        try:
            for turn in range(10):
                vectors = [{"key": f"{number}/{n}", "data": {"float32": [1, n, turn]}} for n in range(10)]
                client.put_vectors(indexArn=arn, vectors=vectors)
                hits = client.query_vectors(indexArn=arn, topK=1_000, queryVector={"float32": [1, 0, 0]})["vectors"]
                assert {f"{number}/{n}" for n in range(10)} <= {
                    key for page in _all_pages(client, arn) for key in page
                }, "what was answered is listed"
                assert len({hit["key"] for hit in hits}) == len(hits)
                client.delete_vectors(indexArn=arn, keys=[f"{number}/{n}" for n in range(9 if turn == 9 else 3)])
        except Exception as error:
            failures.append(error)

    clients = [running.aws().client("s3vectors", endpoint_url=running.aws_endpoint) for _ in range(4)]
    threads = [threading.Thread(target=work, args=each) for each in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    listed = {key for page in _all_pages(owner, arn) for key in page}
    assert listed == {f"{number}/9" for number in range(4)}


def _all_pages(client: Client, arn: str) -> Iterator[list[str]]:
    for page in client.get_paginator("list_vectors").paginate(indexArn=arn, maxResults=7):
        yield [each["key"] for each in page["vectors"]]
