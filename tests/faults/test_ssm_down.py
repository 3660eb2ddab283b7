"""SSM is down or throttled as a container starts: each function serves by the fallbacks that the template gives it."""

import json
import os
from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

import index_images
from shared import aws
from shared.settings import PARAMETERS
from tests.support import ingest_scene
from tests.support.cloud import functions
from tests.support.deployed import Deployed
from tests.support.hosts import Api, Handlers, forget_clients, json_of, new_label
from tests.support.ingest_scene import Sent
from tests.support.local_service import Answer
from tests.support.pictures import png
from tests.support.transformed import resources

FALLBACKS = {variable for _, variable in PARAMETERS.values()}
NAMES = {
    "Bucket": "pictures",
    "ThumbnailBucket": "thumbnails",
    "IncomingBucket": "incoming",
}  # of tests/support/cloud.py
QUEUES = {"CallbackQueue": "callbacks", "IndexQueue": "index"}
THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "GetParameters")


class Minute:
    """Lambda's context of a call that may take a minute, as the template lets `index/`."""

    aws_request_id = "a-call"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


class Down:
    """SSM that refuses each call, and counts them."""

    def __init__(self, failure: Exception) -> None:
        self.calls, self._failure = 0, failure

    def get_parameters(self, **_: Any) -> Any:
        self.calls += 1
        raise self._failure


def value_of(written: Any) -> str:
    """Return what a variable of the template is in the emulated AWS."""
    if isinstance(written, str):
        return written
    ((kind, name),) = written.items()
    if kind == "Fn::GetAtt":
        assert name[1] == "Value"
        return value_of(DEPLOYED.properties(name[0])["Value"])
    if name in QUEUES:
        return str(boto3.client("sqs").get_queue_url(QueueName=QUEUES[name])["QueueUrl"])
    assert kind == "Ref"
    return NAMES.get(name, name)


DEPLOYED = Deployed(Encoder="none", Labels="*")


def fallbacks_of(function: str) -> dict[str, str]:
    """Return the fallback variables of a function as CloudFormation fills them."""
    variables = DEPLOYED.properties(function)["Environment"]["Variables"]
    return {name: value_of(written) for name, written in variables.items() if name in FALLBACKS}


def stored(api: Api) -> Any:
    return json_of(api.upload(png(1)))


def asked(api: Api) -> Any:
    body = json.dumps({"label": api.label}).encode()
    return api.host.request("POST", "/uploads", body, {"Content-Type": "application/json"})


Prepared = Callable[[], Any]  # what one function does, once the rest is there


def by_http(request: Callable[[Api, Any], Answer], *expected: int) -> Callable[[], Prepared]:
    def prepare() -> Prepared:
        api = Api(Handlers(), new_label())
        image = stored(api)

        def act() -> None:
            assert request(api, image).status in expected

        return act

    return prepare


def ingest() -> Prepared:
    sent: Sent = ingest_scene.send(1)

    def act() -> None:
        assert sent.deliver_once()

    return act


def index() -> Prepared:
    image = stored(Api(Handlers(), new_label()))
    label, _, name = image["id"].partition("/")
    record = {
        "eventSource": "aws:sqs",
        "messageId": "m",
        "receiptHandle": "r",
        "attributes": {"ApproximateReceiveCount": "1"},
        "body": json.dumps({"label": label, "name": name}),
    }

    def act() -> None:
        assert index_images.handler({"Records": [record]}, Minute()) == {"batchItemFailures": []}
        key = {"label": {"S": label}, "name": {"S": name}}
        assert "Item" in boto3.client("dynamodb").get_item(TableName="TilesTable", Key=key)

    return act


CASES: dict[str, Callable[[], Prepared]] = {
    "UploadFunction": by_http(lambda api, _: api.upload(png(2)), 201),
    "RandomFunction": by_http(lambda api, _: api.random(), 200),
    "DeleteFunction": by_http(lambda api, image: api.delete(f"/images/{image['id']}"), 204),
    "BrowseFunction": by_http(lambda api, image: api.get(f"/images/{image['id']}"), 200),
    "SearchFunction": by_http(lambda api, image: api.get(f"/images/{image['id']}/similar"), 422),  # without an encoder
    "MosaicFunction": by_http(lambda api, image: api.get(f"/labels/{api.label}/tiles"), 404),  # there are none yet
    "EditFunction": by_http(lambda api, image: api.patch(f"/images/{image['id']}", {"weight": 0.25}), 200),
    "PresignFunction": by_http(lambda api, _: asked(api), 201),
    "IngestFunction": ingest,
    "IndexFunction": index,
}
WITHOUT = {"WebFunction", "AuthorizeFunction", "NotifyFunction"}  # use no names of SSM


def start(function: str, down: Down, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin as a new container of this function does, with its variables and no others of names."""
    for name in FALLBACKS & set(os.environ):
        monkeypatch.delenv(name)
    for name, text in fallbacks_of(function).items():
        assert text, name
        monkeypatch.setenv(name, text)
    forget_clients()
    monkeypatch.setattr(aws, "ssm", cache(lambda: down))


def test_every_function_is_tried_or_uses_no_names() -> None:
    assert CASES.keys() | WITHOUT == set(functions())
    assert {name for name in functions() if fallbacks_of_names(name)} == set(CASES)


def fallbacks_of_names(function: str) -> set[str]:
    variables = resources()[function]["Properties"].get("Environment", {}).get("Variables", {})
    return set(variables) & FALLBACKS


def serve(function: str, down: Down, monkeypatch: pytest.MonkeyPatch) -> None:
    act = CASES[function]()
    start(function, down, monkeypatch)
    act()
    assert down.calls == 1  # and it is not asked for each name again


@pytest.mark.parametrize("function", CASES)
def test_a_cold_start_serves_while_ssm_is_throttled(
    function: str, moto_aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(function, Down(THROTTLED), monkeypatch)


@pytest.mark.usefixtures("slow_tier", "moto_aws")
@pytest.mark.parametrize("function", CASES)
def test_a_cold_start_serves_while_ssm_does_not_answer(function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(function, Down(ConnectTimeoutError(endpoint_url="ssm")), monkeypatch)


@pytest.mark.usefixtures("slow_tier", "moto_aws")
@pytest.mark.parametrize("function", CASES)
def test_without_its_fallbacks_it_would_not(function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the tests above can fail."""
    act = CASES[function]()
    start(function, Down(THROTTLED), monkeypatch)
    for name in fallbacks_of(function):
        monkeypatch.delenv(name)
    with pytest.raises(AssertionError):
        act()
