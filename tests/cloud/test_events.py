"""The events for `sam local invoke`: each is named after its operation and does what the name says."""

import hashlib
import importlib

import pytest

import notify_receivers
from shared import aws
from tests.support import cloud
from tests.support.answers import CONTRACT
from tests.support.events import EVENTS, EXPECTED, module_of, outcome, queue_of

OPERATIONS = {
    (method.upper(), path): operation["operationId"]
    for path, item in CONTRACT["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
}


def single(values: dict[str, list[str]] | None) -> dict[str, str] | None:
    """Convert the multi-value form of headers or of a query to the plain form."""
    return {name: value for name, (value,) in values.items()} if values else None


def test_the_events_tell_one_story(moto_aws: None, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests) -> None:
    monkeypatch.setenv("CALLBACK_SECRET_ID", "callbacks")
    monkeypatch.setenv("CALLBACK_QUEUE_URL", aws.sqs().get_queue_url(QueueName="callbacks")["QueueUrl"])
    aws.secrets().create_secret(Name="callbacks", SecretString="Petapi0123456789" * 4)
    notify_receivers._signing_keys.cache_clear()
    assert set(EVENTS) == set(EXPECTED)
    for name, expected in EXPECTED.items():
        with subtests.test(name):
            answer = importlib.import_module(module_of(EVENTS[name])).handler(EVENTS[name], None)
            assert outcome(answer) == expected, answer
    notify_receivers._signing_keys.cache_clear()


def test_api_gateway_and_the_queues_would_send_these_events(subtests: pytest.Subtests) -> None:
    for name, event in EVENTS.items():
        with subtests.test(name):
            if "Records" in event:
                (record,) = event["Records"]
                if record["eventSource"] == "aws:dynamodb":
                    continue
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
    found = set()
    for function in cloud.functions().values():
        for name, event in function["Properties"].get("Events", {}).items():
            method, path = event["Properties"]["Method"], event["Properties"]["Path"]
            if operation := OPERATIONS.get(("GET" if method == "ANY" else method, path)):
                assert name == operation
                found.add(operation)
    assert found == set(OPERATIONS.values())
