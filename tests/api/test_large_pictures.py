"""A picture that does not fit into a response, in every host: it is a redirect to S3, which has its bytes."""

import io
import random

import boto3
import pytest
import requests
from PIL import Image

from shared import add_image
from shared.labels.store import Store
from shared.limits import BODY_MAX
from shared.pictures.bucket import Bucket
from shared.pictures.check import check_picture
from shared.settings import SettingsCache
from tests.support.hosts import Api, Running, json_of, needs_aws

pytestmark = pytest.mark.also_in_make_run(why="its gateway refuses a response over the limit", slow=True)


@pytest.fixture(scope="module")
def large() -> bytes:
    """Make a PNG of 12 MB that cannot be compressed."""
    file = io.BytesIO()
    Image.frombytes("RGB", (2000, 2000), random.Random(1).randbytes(12_000_000)).save(file, "PNG", compress_level=1)
    return file.getvalue()


def store(api: Api, content: bytes) -> str:
    """Add a picture as a direct upload does, which not every host has, and return its id."""
    needs_aws(api.host)
    session, where = boto3.Session(), {}
    if isinstance(api.host, Running):
        session, where = api.host.service.aws(), {"endpoint_url": api.host.service.aws_endpoint}
    ssm, s3, dynamodb = (session.client(name, **where) for name in ("ssm", "s3", "dynamodb"))
    names = SettingsCache(lambda: ssm, "production").read()
    wanted = add_image.NewImage(api.label, weight=500_000_000, tags=(), owner="", filename="", base_url="/")
    added = add_image.add(check_picture(content), wanted, Bucket(s3, names.bucket), Store(dynamodb, names))
    for client in (ssm, s3, dynamodb):
        client.close()
    return added.image.id


def test_a_draw_of_a_picture_of_12_mb_is_a_redirect_to_its_bytes(api: Api, large: bytes) -> None:
    assert len(large) > 2.5 * BODY_MAX
    image_id = store(api, large)

    for path in (f"/random?label={api.label}", f"/images/{image_id}"):
        answer = api.get(path)
        assert (answer.status, answer.headers["cache-control"]) == (302, "no-store"), path
        if path.startswith("/random"):
            assert (answer.headers["image-id"], answer.headers["image-probability"]) == (image_id, "1.0")
        with requests.get(answer.headers["location"], timeout=60) as found:
            assert (found.status_code, found.headers["content-type"]) == (200, "image/png"), path
            assert found.content == large, path
    described = json_of(api.random(format="json"))
    assert (described["id"], described["probability"], described["bytes"]) == (image_id, 1, len(large))
