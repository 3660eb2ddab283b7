"""The engines with labels and pictures, behind HTTPS, and requests to the shipped handlers and to the other designs.

All calls use the clients of `shared/aws.py`, as they are in Lambda.
"""

import importlib
import json
import os
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any
from unittest import mock

from botocore.config import Config

from shared import aws
from shared.labels import items
from shared.settings import read_settings
from tests.support.hosts import proxy_event
from tests.support.pictures import File, multipart_body
from tools.benchmarks.compare import loaded
from tools.benchmarks.designs import DESIGNS, Label
from tools.benchmarks.designs.rows import BUCKET, Clients
from tools.benchmarks.latency import tls
from tools.benchmarks.service import FILLED, LABEL, STEADY, Requests, service
from tools.benchmarks.weights import weights

ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB")
CLIENTS = (aws.session, aws.dynamodb, aws.s3, aws.ssm)
AS_IN_LAMBDA = Config(parameter_validation=False)
CALLER = {"scope": "images:write images:delete"}
PICTURE = "picture"  # the key of the one that the other designs show

Act = Callable[[], object]


@contextmanager
def engines(program: str, images: Mapping[str, int]) -> Iterator[None]:
    """Run the engines, with so many images by label, for the functions' clients.

    They trust AWS_CA_BUNDLE.
    """
    with service(program, images), tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        own, public = tls.certificate(Path(folder))
        secure = {name: stack.enter_context(tls.https(os.environ[name], own)) for name in ENDPOINTS}
        stack.enter_context(mock.patch.dict(os.environ, secure | {"AWS_CA_BUNDLE": str(public)}))
        for name in ("CONFIG", "S3_CONFIG", "SSM_CONFIG"):
            stack.enter_context(mock.patch.object(aws, name, getattr(aws, name).merge(AS_IN_LAMBDA)))
        for client in CLIENTS:
            client.cache_clear()
        yield


def draw(response_format: str) -> Act:
    """Return a draw from the label that does not change."""
    module, event = proxy_event("GET", f"/random?label={STEADY}&format={response_format}")
    return partial(_handle, module, event)


def reads(images: int, *, picture: bool) -> Act:
    """Return a read of the row of one of so many images, and perhaps of its picture: no draw can do less."""
    names, settings = cycle(FILLED[:images]), read_settings()

    def read() -> None:
        name = next(names)
        answer = aws.dynamodb().get_item(TableName=settings.image_chunks_table, Key=items.image_key(STEADY, name))
        assert "Item" in answer
        if picture:
            aws.s3().get_object(Bucket=settings.bucket, Key=f"{STEADY}/{name}")["Body"].read()

    return read


def writes(count: int, rng: random.Random) -> Iterator[dict[str, Act]]:
    """Yield an upload and a delete, so many times; each of another picture."""
    requests = Requests(rng)
    for name in rng.sample(FILLED[:count], count):
        form: dict[str, str | File] = {"label": LABEL, "weight": requests.weight(), "img": File(requests.picture())}
        body, content_type = multipart_body(list(form.items()))
        upload = proxy_event("POST", "/upload", body, {"Content-Type": content_type})
        yield {"upload": partial(_handle, *upload), "delete": delete(name)}


def delete(name: str) -> Act:
    """Return the delete of an image from the label that changes."""
    return partial(_handle, *proxy_event("DELETE", f"/images/{LABEL}/{name}"))


def change(name: str, rng: random.Random) -> Act:
    """Return a change of the weight of an image there. It has another one each time."""
    requests = Requests(rng)

    def patch() -> None:
        body = json.dumps({"weight": float(requests.weight())}).encode()
        _handle(*proxy_event("PATCH", f"/images/{LABEL}/{name}", body, {"Content-Type": "application/json"}))

    return patch


def _handle(module: str, event: dict[str, Any]) -> None:
    event["requestContext"]["authorizer"] = CALLER
    answer = importlib.import_module(module).handler(event, None)
    if answer["statusCode"] >= 400:
        raise RuntimeError(f"{module}: {answer}")


class Other:
    """Another design: its label, of so many images, and pictures in S3; without the handlers and their checks."""

    def __init__(self, name: str, images: int, writes: int, picture: bytes, rng: random.Random) -> None:
        made = weights("uniform", images + writes, rng)
        stored, self._added = dict(list(made.items())[:images]), dict(list(made.items())[images:])
        self._picture = picture
        self._removed = rng.sample(list(stored), writes)
        self._label: Label = loaded(DESIGNS[name], Clients(aws.dynamodb(), aws.s3()), stored, self._removed)

    def choose(self) -> None:
        """Draw the name of an image."""
        self._label.draw()

    def draw(self) -> None:
        """Draw an image and get its picture."""
        self._label.draw()
        aws.s3().get_object(Bucket=BUCKET, Key=PICTURE)["Body"].read()

    def upload(self) -> None:
        """Store a picture and add its image."""
        name, weight = self._added.popitem()
        aws.s3().put_object(Bucket=BUCKET, Key=name, Body=self._picture)
        self._label.add(name, weight)

    def delete(self) -> None:
        """Remove an image and its picture."""
        name = self._removed.pop()
        self._label.remove(name)
        aws.s3().delete_object(Bucket=BUCKET, Key=name)


def others(images: int, writes: int, picture: bytes) -> dict[str, Other]:
    """Return the other designs, by name."""
    names = [name for name in DESIGNS if name != "petapi"]
    made = {name: Other(name, images, writes, picture, random.Random(images)) for name in names}
    aws.s3().put_object(Bucket=BUCKET, Key=PICTURE, Body=picture)
    return made
