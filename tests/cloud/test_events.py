"""The events for `sam local invoke`: each is named after its operation and does what the name says."""

import hashlib
import importlib
import json
from typing import Any

import pytest
import yaml

import notify_receivers
from shared import aws
from tests.support import cloud
from tests.support.cloud import ROOT

# In this order the events are one story: upload, look, change, delete. Each value is what the function must answer:
# a status, or for a queue the messages that must be delivered again.
EXPECTED: dict[str, Any] = {
    "getPage": 200,
    "getDocs": 200,
    "getContract": 200,
    "getPageFile": 404,  # the files never have this version
    "unknown-path": 404,
    "preflight": 204,
    "uploadImage": 201,
    "createDirectUpload": 201,
    "getUpload": 404,  # the id of an upload is random, so no event can know it
    "drawRandom": 200,
    "drawRandom-json": 200,
    "drawRandom-redirect": 302,
    "drawRandom-tag": 200,
    "drawRandom-count": 200,
    "drawRandom-distinct": 200,
    "drawRandom-session": 200,
    "getPicture": 200,
    "getPicture-thumbnail": 200,
    "getImage": 200,
    "listImages": 200,
    "listMyImages": 200,
    "listLabels": 200,
    "getLabel": 200,
    "updateImage": 200,
    "deleteImage": 204,
    "ingest": [],  # the test message that S3 sends to a new queue names no file
    # This message is no callback. It goes to the dead-letter queue, with a secret to sign with or without.
    "notify": [{"itemIdentifier": "2e1424d4-f796-459a-8184-9c92662be6da"}],
}
EVENTS = {path.stem: json.loads(path.read_text()) for path in (ROOT / "events").glob("*.json")}


CONTRACT: dict[str, Any] = yaml.safe_load((ROOT / "openapi.yaml").read_text())
OPERATIONS = {
    (method.upper(), path): operation["operationId"]
    for path, item in CONTRACT["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
}


def module_of(event: dict[str, Any]) -> str:
    """Return the handler's module that API Gateway or the event's queue would call."""
    if "Records" in event:
        return cloud.consumers()[queue_of(event)]
    return cloud.route(event["httpMethod"], event["path"])[2]


def queue_of(event: dict[str, Any]) -> str:
    """Return the queue that an event comes from, by its name in the template."""
    return str(event["Records"][0]["eventSourceARN"]).rpartition(":")[2]


def single(values: dict[str, list[str]] | None) -> dict[str, str] | None:
    """Convert the multi-value form of headers or of a query to the plain form."""
    return {name: value for name, (value,) in values.items()} if values else None


def outcome(answer: dict[str, Any]) -> Any:
    """Return the part of an answer that EXPECTED names."""
    return answer.get("statusCode", answer.get("batchItemFailures"))


def test_the_events_tell_one_story(moto_aws: None, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests) -> None:
    monkeypatch.setenv("CALLBACK_SECRET_ID", "callbacks")
    monkeypatch.setenv("CALLBACK_QUEUE_URL", aws.sqs().get_queue_url(QueueName="callbacks")["QueueUrl"])
    aws.secrets().create_secret(Name="callbacks", SecretString="Petapi0123456789" * 4)
    notify_receivers._secret.cache_clear()
    assert set(EVENTS) == set(EXPECTED)
    for name, expected in EXPECTED.items():
        with subtests.test(name):
            answer = importlib.import_module(module_of(EVENTS[name])).handler(EVENTS[name], None)
            assert outcome(answer) == expected, answer
    notify_receivers._secret.cache_clear()


def test_api_gateway_and_the_queues_would_send_these_events(subtests: pytest.Subtests) -> None:
    for name, event in EVENTS.items():
        with subtests.test(name):
            if "Records" in event:
                (record,) = event["Records"]
                assert hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest() == record["md5OfBody"]
                continue
            resource, parameters, _ = cloud.route(event["httpMethod"], event["path"])
            assert (event["resource"], event["pathParameters"]) == (resource, parameters or None)
            assert single(event["multiValueHeaders"]) == event["headers"]
            assert single(event["multiValueQueryStringParameters"]) == event["queryStringParameters"]
            assert ("authorizer" in event["requestContext"]) == cloud.is_guarded(event["httpMethod"], resource)


def test_each_operation_and_each_queue_has_an_event() -> None:
    requests = {(event["httpMethod"], event["resource"]) for event in EVENTS.values() if "Records" not in event}
    assert set(OPERATIONS) - requests == set()
    assert {queue_of(event) for event in EVENTS.values() if "Records" in event} == set(cloud.consumers())


def test_an_event_file_is_named_after_its_operation() -> None:
    for name, event in EVENTS.items():
        operation = OPERATIONS.get((event.get("httpMethod"), event.get("resource")))
        if operation:
            assert name.partition("-")[0] == operation


def test_the_event_of_a_function_is_named_after_its_operation() -> None:
    for function in cloud.functions().values():
        for name, event in function["Properties"].get("Events", {}).items():
            method, path = event["Properties"]["Method"], event["Properties"]["Path"]
            operation = OPERATIONS.get(("GET" if method == "ANY" else method, path))
            assert operation is None or name == operation
