"""The events of events/*.json, and the answer that each must get."""

import json
from typing import Any

from tests.support import cloud
from tests.support.cloud import ROOT

# In this order the events are one story: upload, look, change, delete. Each value is what the function must answer:
# a status, or for a queue the messages that must be delivered again.
EXPECTED: dict[str, Any] = {
    "getPage": 200,
    "getDocs": 200,
    "getContract": 200,
    "getPageFile": 404,  # the files never have this version
    "getPageFile-sample": 200,
    "getLibraryFile": 404,
    "unknown-path": 404,
    "preflight": 204,
    "uploadImage": 201,
    "createDirectUpload": 201,
    "getUpload": 404,  # the id of an upload is random, so no event can know it
    "drawRandom": 200,
    "drawRandom-json": 200,
    "drawRandom-redirect": 302,
    "drawRandom-tag": 200,
    "drawRandom-random": 200,
    "drawRandom-count": 200,
    "drawRandom-distinct": 200,
    "drawRandom-session": 200,
    "drawRandom-exclude": 200,
    "drawRandom-labels": 200,
    "drawRandom-size": 302,  # until the thumbnail is made
    "drawRandomJson": 200,
    "drawRandomOfLabel": 200,
    "getPicture": 200,
    "getPicture-thumbnail": 200,
    "getImage": 200,
    # Without an encoder, as these tests have none; with one, the image is not indexed at once.
    "findSimilar": 422,
    "searchByText": 422,
    "searchByPicture": 422,
    # There is one image, and without the stream of changes none of the tiles that these are about.
    "getMosaic": 422,
    "getTiles": 404,
    "listImages": 200,
    "listImages-tag": 200,
    "listMyImages": 200,
    "listLabels": 200,
    "getLabel": 200,
    "getStatus": 200,
    "updateImage": 200,
    "deleteImage": 204,
    "index-stream": [],  # the image is gone, and nothing is left of it
    "index-queue": [],
    "ingest": [],  # the test message that S3 sends to a new queue names no file
    # This message is no callback. It goes to the dead-letter queue, with a secret to sign with or without.
    "notify": [{"itemIdentifier": "2e1424d4-f796-459a-8184-9c92662be6da"}],
}
EVENTS = {path.stem: json.loads(path.read_text()) for path in (ROOT / "events").glob("*.json")}


def module_of(event: dict[str, Any]) -> str:
    """Return the handler's module that API Gateway or the event's queue would call."""
    if "Records" in event:
        return cloud.consumers()[queue_of(event)]
    return cloud.route(event["httpMethod"], event["path"])[2]


def queue_of(event: dict[str, Any]) -> str:
    """Return the queue, or the table whose stream, an event comes from, by its name in the template."""
    return str(event["Records"][0]["eventSourceARN"]).split(":", 5)[5].removeprefix("table/").partition("/")[0]


def outcome(answer: dict[str, Any]) -> Any:
    """Return the part of an answer that EXPECTED names."""
    return answer.get("statusCode", answer.get("batchItemFailures"))
