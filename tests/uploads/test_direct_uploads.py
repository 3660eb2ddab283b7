"""Direct uploads with `make run`: a form, the file by curl straight to S3, the image, its detections and a callback."""

import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from standardwebhooks.webhooks import Webhook

from tests.support import hostile_pictures, pictures, receivers
from tests.support.direct import PATIENCE, ask, client, curl, ended, files, resource, state_of
from tests.support.hosts import json_of, new_label
from tests.support.local_service import ROOT, LocalService
from tests.support.receivers import Server, serving

ROCKET = ROOT / "tests/images/rocket.jpg"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    variables = {"LABELS": "*", "CALLBACK_LOOPBACK": "true"}
    with LocalService(tmp_path_factory.mktemp("direct") / "data", variables=variables) as service:
        service.be_patient()
        yield service


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a receiver of callbacks with a self-signed certificate."""
    with serving(pem=receivers.certificate(tmp_path_factory.mktemp("certificate"))) as server:
        yield server


@pytest.fixture(scope="module")
def large() -> bytes:
    """Make a photograph of about 12 MB, within the limit of pixels."""
    with Image.open(ROCKET) as photograph:
        grown = photograph.resize((photograph.width * 8, photograph.height * 8), Image.Resampling.BICUBIC)
    grain = Image.effect_noise(grown.size, 60).convert("RGB")
    file = io.BytesIO()
    Image.blend(grown, grain, 0.25).save(file, "JPEG", quality=97)
    return file.getvalue()


def called_back(receiver: Server, upload: Any) -> receivers.Received:
    """Wait for the callback of this upload."""
    until = time.monotonic() + PATIENCE
    while not (got := [each for each in receiver.received if each.headers["webhook-id"] == upload["id"]]):
        assert time.monotonic() < until
        time.sleep(0.1)
    (callback,) = got
    return callback


def test_a_photograph_of_12_mb_goes_all_the_way(
    service: LocalService, receiver: Server, large: bytes, tmp_path: Path
) -> None:
    assert 11_000_000 < len(large) < 13_000_000
    label = new_label()
    wanted = {"label": label, "weight": 0.75, "tags": ["launch"], "tag_from_labels": True, "filename": "rocket.jpg"}
    upload = ask(service, **wanted, callback_url=receiver.url, allow_insecure_callback=True)
    assert upload["state"] == state_of(service, upload)["state"] == "waiting"

    assert curl(**upload["upload_info"], content=large, folder=tmp_path)[0] == 204
    shown = ended(service, upload)

    image = shown["image"]
    assert shown["state"] == "recognised"
    assert "error" not in shown
    assert (image["label"], image["weight"], image["filename"]) == (label, 0.75, "rocket.jpg")
    names = [found["name"].replace(" ", "-") for found in shown["labels"]]
    assert names
    assert sorted(image["tags"]) == sorted(["launch", *names[:4]])
    drawn = service.get(f"/random?label={label}")
    assert drawn.status in (200, 302)
    assert json_of(service.get(f"/random?label={label}&format=json"))["id"] == image["id"]
    thumbnail = service.get(f"{urlsplit(image['url']).path}?size=256")
    assert thumbnail.status == 200
    with Image.open(io.BytesIO(thumbnail.body)) as small:
        assert max(small.size) == 256
    assert files(service) == []

    callback = called_back(receiver, upload)
    secret = client(service, "secretsmanager").get_secret_value(SecretId=resource(service, "CallbackSecret"))
    assert Webhook(f"whsec_{secret['SecretString']}").verify(callback.body, callback.headers) == shown


def test_the_same_picture_is_the_same_image_and_recognised_once(service: LocalService, tmp_path: Path) -> None:
    label, rocket = new_label(), ROCKET.read_bytes()
    first = ask(service, label=label)
    curl(**first["upload_info"], content=rocket, folder=tmp_path)
    image = ended(service, first)["image"]
    table, dynamodb = resource(service, "RecognitionsTable"), client(service, "dynamodb")
    digest = image["id"].partition("/")[2].partition(".")[0]
    (kept,) = [item for item in dynamodb.scan(TableName=table)["Items"] if item["digest"]["S"].startswith(digest)]
    marker = {"L": [{"M": {"name": {"S": "kept"}, "confidence": {"N": "12.5"}}}]}
    dynamodb.put_item(TableName=table, Item={**kept, "labels": marker})

    second = ask(service, label=label)
    curl(**second["upload_info"], content=rocket, folder=tmp_path)
    shown = ended(service, second)

    assert (shown["state"], shown["image"]) == ("recognised", image)
    assert shown["labels"] == [{"name": "kept", "confidence": 12.5}], "the picture was recognised again"
    (listed,) = json_of(service.get(f"/images?label={label}"))["images"]
    assert listed.items() >= image.items()  # and its labels, once it is indexed


WRONG = {
    "a text": (b"meow, " * 100, 415, "must be a JPEG, PNG or WebP picture; convert it"),
    "a GIF": (pictures.gif(), 415, "must be a JPEG, PNG or WebP picture; convert it"),
    "half a JPEG": (ROCKET.read_bytes()[:60_000], 415, "save it again as JPEG, PNG or WebP"),
    "a picture of too many pixels": (hostile_pictures.TOO_LARGE["a PNG of 50,000 x 50,000"], 422, "make it smaller"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_is_not_a_picture_fails_and_says_what_to_send_instead(
    service: LocalService, receiver: Server, tmp_path: Path, name: str
) -> None:
    content, status, sentence = WRONG[name]
    label = new_label()
    upload = ask(service, label=label, callback_url=receiver.url, allow_insecure_callback=True)
    assert curl(**upload["upload_info"], content=content, folder=tmp_path)[0] == 204

    shown = ended(service, upload)

    assert shown["state"] == "failed"
    assert shown["error"]["status"] == status
    assert sentence in shown["error"]["detail"]
    assert "image" not in shown
    assert service.get(f"/random?label={label}").status == 404
    assert json.loads(called_back(receiver, upload).body) == shown
    assert files(service) == []
