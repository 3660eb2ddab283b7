"""A wrong bucket policy, key or role is an outage, and not "there is no such image", where one image is asked for."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from shared import aws
from tests.support.hosts import Api, Handlers, json_of, new_label
from tests.support.mosaic_scene import MosaicScene

SENTENCE = "S3 denied the picture of an image: look at the bucket's policy, its key and this function's role"


@pytest.fixture
def scene(moto_aws: None) -> MosaicScene:
    """Provide an image with tiles beside it."""
    scene = MosaicScene(Api(Handlers(), new_label()))
    scene.add(range(20))
    assert scene.image["id"]
    return scene


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Let S3 answer each read in this bucket with this error."""

    def begin(bucket: str, code: str) -> None:
        real = aws.s3().get_object

        def get_object(**names: str) -> object:
            if names["Bucket"] == bucket:
                raise ClientError({"Error": {"Code": code, "Message": ""}}, "GetObject")
            return real(**names)

        monkeypatch.setattr(aws.s3(), "get_object", get_object)

    return begin


PATHS = {"picture": "/images/{}", "thumbnail": "/images/{}?size=256", "mosaic": "/images/{}/mosaic"}


@pytest.mark.parametrize("what", PATHS)
def test_a_denied_picture_of_a_known_image_is_503_and_an_error_in_the_log(
    what: str, scene: MosaicScene, refuse: Callable[[str, str], None], caplog: pytest.LogCaptureFixture
) -> None:
    refuse("pictures", "AccessDenied")
    answer = scene.api.get(PATHS[what].format(scene.image["id"]))
    assert (answer.status, answer.headers["cache-control"]) == (503, "no-store")
    assert "retry-after" in answer.headers
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [SENTENCE]


@pytest.mark.parametrize("what", PATHS)
def test_a_lost_picture_is_404(
    what: str, scene: MosaicScene, refuse: Callable[[str, str], None], caplog: pytest.LogCaptureFixture
) -> None:
    """Where a role may list the bucket, S3 says so."""
    refuse("pictures", "NoSuchKey")
    assert scene.api.get(PATHS[what].format(scene.image["id"])).status == 404
    assert SENTENCE not in caplog.text


@pytest.mark.parametrize("what", PATHS)
def test_a_picture_that_is_deleted_meanwhile_is_404_although_s3_denies_it(
    what: str, scene: MosaicScene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    image, s3 = scene.image, aws.s3()
    real = s3.get_object

    def get_object(**names: str) -> object:
        if names["Bucket"] != "pictures":
            return real(**names)
        scene.api.delete(f"/images/{image['id']}")
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "GetObject")

    monkeypatch.setattr(s3, "get_object", get_object)
    assert scene.api.get(PATHS[what].format(image["id"])).status == 404
    assert SENTENCE not in caplog.text


def test_an_image_in_json_needs_no_picture(scene: MosaicScene, refuse: Callable[[str, str], None]) -> None:
    refuse("pictures", "AccessDenied")
    assert json_of(scene.api.get(f"/images/{scene.image['id']}/info"))["id"] == scene.image["id"]
