"""The events that `sam local invoke` is given: each does what its name says."""

import importlib
import json

import pytest

import cloud
from cloud import ROOT

# In this order they are one story: upload, look, change, delete.
EXPECTED = {
    "page": 200,
    "docs": 200,
    "contract": 200,
    "unknown-path": 404,
    "preflight": 204,
    "upload": 201,
    "ask": 201,
    "random": 200,
    "random-json": 200,
    "random-redirect": 302,
    "image": 200,
    "info": 200,
    "reweigh": 200,
    "delete": 204,
}


def test_the_events_tell_one_story(moto_aws: None, subtests: pytest.Subtests) -> None:
    assert {path.stem for path in (ROOT / "events").glob("*.json")} == set(EXPECTED)
    for name, status in EXPECTED.items():
        with subtests.test(name):
            event = json.loads((ROOT / "events" / f"{name}.json").read_text())
            resource, parameters, module = cloud.route(event["httpMethod"], event["path"])
            assert (event["resource"], event["pathParameters"]) == (resource, parameters or None)
            assert importlib.import_module(module).handler(event, None)["statusCode"] == status
