"""The events that `sam local invoke` is given: each does what its name says, and nothing that there is has none."""

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

# In this order they are one story: upload, look, change, delete.  What a function has to answer: a status, or to a
# queue the messages that have to come again.
EXPECTED: dict[str, Any] = {
    "page": 200,
    "docs": 200,
    "contract": 200,
    "file": 404,  # whatever version the files have now, it is not this one
    "unknown-path": 404,
    "preflight": 204,
    "upload": 201,
    "ask": 201,
    "follow": 404,  # an upload's id is drawn at random
    "random": 200,
    "random-json": 200,
    "random-redirect": 302,
    "random-tag": 200,
    "random-several": 200,
    "random-distinct": 200,
    "random-session": 200,
    "image": 200,
    "thumbnail": 200,
    "info": 200,
    "browse": 200,
    "mine": 200,
    "labels": 200,
    "distribution": 200,
    "reweigh": 200,
    "delete": 204,
    "receive": [],  # S3 tries the queue: it tells of no file
    # No callback, which goes to the dead-letter queue, whether there is a secret to sign with or not.
    "notify": [{"itemIdentifier": "2e1424d4-f796-459a-8184-9c92662be6da"}],
}
EVENTS = {path.stem: json.loads(path.read_text()) for path in (ROOT / "events").glob("*.json")}


def module_of(event: dict[str, Any]) -> str:
    """The handler's module that API Gateway, or the event's queue, would call."""
    if "Records" in event:
        return cloud.consumers()[queue_of(event)]
    return cloud.route(event["httpMethod"], event["path"])[2]


def queue_of(event: dict[str, Any]) -> str:
    """The queue, by its name in the template, that an event comes from."""
    return str(event["Records"][0]["eventSourceARN"]).rpartition(":")[2]


def single(values: dict[str, list[str]] | None) -> dict[str, str] | None:
    """The multi-value form of headers or a query as the plain one."""
    return {name: value for name, (value,) in values.items()} if values else None


def outcome(answer: dict[str, Any]) -> Any:
    """What EXPECTED has of an answer."""
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
    contract = yaml.safe_load((ROOT / "openapi.yaml").read_text())
    operations = {(m.upper(), path) for path, item in contract["paths"].items() for m in item if m != "parameters"}
    requests = {(event["httpMethod"], event["resource"]) for event in EVENTS.values() if "Records" not in event}
    assert operations - requests == set()
    assert {queue_of(event) for event in EVENTS.values() if "Records" in event} == set(cloud.consumers())
