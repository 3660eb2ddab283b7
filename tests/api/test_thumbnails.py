"""Thumbnails over HTTP, in every host: sizes, types, caching, and removal with their image."""

import re
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import boto3
import pytest
from PIL import Image

import thumbnails
from shared import picture_response
from shared.pictures import scaling
from shared.pictures.bucket import EXTENSIONS, SIDES
from shared.pictures.budget import CannotBeShown, TooMuchWork
from shared.settings import read_settings
from tests.support import pictures
from tests.support.answers import problem
from tests.support.cloud import ROOT
from tests.support.hosts import Api, Handlers, Running, json_of, local, needs_aws
from tests.support.photographs import CHELSEA, ROCKET

pytestmark = pytest.mark.also_in_make_run(why="the thumbnails are in a bucket that the role has to name", slow=True)

WEBP, JPEG = "image/webp", "image/jpeg"


def kept(api: Api) -> set[str]:
    """Return the keys of this label's thumbnails in their bucket."""
    needs_aws(api.host)
    if isinstance(api.host, Running):
        service = api.host.service
        s3 = service.aws().client("s3", endpoint_url=service.aws_endpoint)
        (bucket,) = [b["Name"] for b in s3.list_buckets()["Buckets"] if "thumbnailbucket" in b["Name"]]
    else:
        s3, bucket = boto3.client("s3"), "thumbnails"
    found = s3.list_objects_v2(Bucket=bucket, Prefix=f"{api.label}/").get("Contents", [])
    s3.close()
    return {each["Key"] for each in found}


@pytest.mark.parametrize("side", SIDES)
def test_a_thumbnail_has_the_requested_size_and_type(api: Api, side: int) -> None:
    image = json_of(api.upload(pictures.jpeg(1, (1500, 900))))
    for accept, media_type in ((WEBP, WEBP), (JPEG, JPEG)):
        answer = api.get(f"{image['url']}?size={side}", accept=accept)
        assert answer.status == 200
        assert answer.headers["content-type"] == media_type
        with Image.open(BytesIO(answer.body)) as made:
            assert made.format == media_type.removeprefix("image/").upper()
            assert made.size == (side, round(900 * side / 1500))
    whole = api.get(image["url"])
    assert whole.body == pictures.jpeg(1, (1500, 900))
    assert "vary" not in whole.headers


def test_a_thumbnail_has_the_headers_of_a_picture_and_its_own_etag(api: Api) -> None:
    image = json_of(api.upload(ROCKET))
    seen = {api.get(image["url"]).headers["etag"]}
    for side in SIDES:
        for accept, extension in ((WEBP, "webp"), (JPEG, "jpg")):
            url = f"{image['url']}?size={side}"
            for answer in (
                api.get(url, accept=accept),
                api.get(url, accept=accept),
                api.host.request("HEAD", local(url), headers={"Accept": accept}),
                api.get(url, accept=accept, if_none_match="*"),
            ):
                headers = answer.headers
                assert headers["vary"] == "Accept"
                assert headers["content-type"] == accept
                assert headers["cache-control"] == "public, max-age=31536000, immutable"
                assert headers["content-security-policy"] == "default-src 'none'; sandbox"
                assert headers["cross-origin-resource-policy"] == "cross-origin"
                assert headers["x-content-type-options"] == "nosniff"
                stem = image["id"].replace("/", "-").partition(".")[0]
                assert headers["content-disposition"] == f'inline; filename="{stem}-{side}.{extension}"'
            etag = answer.headers["etag"]
            assert re.fullmatch(r'"[0-9a-f]{32}"', etag)
            assert etag not in seen
            seen.add(etag)
            unchanged = api.get(url, accept=accept, if_none_match=f'"x", W/{etag}')
            assert (unchanged.status, unchanged.body, unchanged.headers["etag"]) == (304, b"", etag)
            for other in seen - {etag}:
                assert api.get(url, accept=accept, if_none_match=other).status == 200
    assert api.host.request("HEAD", local(f"{image['url']}?size=256")).body == b""


def test_the_second_answer_is_the_thumbnail_that_the_first_one_kept(api: Api) -> None:
    image = json_of(api.upload(CHELSEA))
    url = f"{image['url']}?size=256"
    assert kept(api) == set()
    first = api.get(url, accept=WEBP)
    assert kept(api) == {f"{image['id']}/256.v2.webp"}
    assert api.get(url, accept=WEBP).body == first.body
    api.get(url, accept=JPEG)
    assert kept(api) == {f"{image['id']}/256.v2.webp", f"{image['id']}/256.v2.jpg"}


def test_thumbnails_are_deleted_with_their_image(api: Api) -> None:
    images = [json_of(api.upload(picture)) for picture in (CHELSEA, ROCKET)]
    for image in images:
        for side in SIDES:
            for accept in (WEBP, JPEG):
                assert api.get(f"{image['url']}?size={side}", accept=accept).status == 200
    all_kept = {
        f"{image['id']}/{side}.v2.{extension}" for image in images for side in SIDES for extension in EXTENSIONS
    }
    assert kept(api) == all_kept
    assert api.delete(images[0]["url"]).status == 204
    assert kept(api) == {key for key in all_kept if key.startswith(images[1]["id"])}
    for side in SIDES:
        problem(api.get(f"{images[0]['url']}?size={side}"), 404)
    assert api.get(f"{images[1]['url']}?size=256").status == 200


@pytest.mark.parametrize("size", ["", "0", "255", "256.0", "+256", " 256", "0256", "-256", "2048", "٢٥٦", "a" * 900])
def test_other_sizes_are_refused(api: Api, size: str) -> None:
    url = json_of(api.upload(CHELSEA))["url"]
    detail = problem(api.get(f"{url}?size={quote(size)}"), 422, field="size")
    assert "256, 512 or 1024" in detail
    assert kept(api) == set()


def test_only_a_picture_takes_size_and_only_once(api: Api) -> None:
    url = json_of(api.upload(CHELSEA))["url"]
    problem(api.get(f"{url}?size=256&size=256"), 400, field="size")
    problem(api.get(f"{url}/info?size=256"), 400, field="size")
    problem(api.get(f"/images?label={api.label}&size=256"), 400, field="size")
    problem(api.delete(f"{url}?size=256"), 400, field="size")
    problem(api.patch(f"{url}?size=256", {"weight": 0.5}), 400, field="size")
    assert api.get(url).body == CHELSEA


def test_a_missing_image_has_no_thumbnail(api: Api) -> None:
    for name in ("0" * 32 + ".png", "x"):
        problem(api.get(f"/images/{api.label}/{name}?size=256"), 404)
    assert kept(api) == set()


def test_a_kept_thumbnail_is_served_without_reading_the_picture(
    moto_aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Api(Handlers(), "cat")
    image = json_of(api.upload(CHELSEA))
    boto3.client("s3").put_object(Bucket="thumbnails", Key=f"{image['id']}/256.v2.webp", Body=b"as it was kept")
    monkeypatch.delattr(scaling, "scaled")
    assert api.get(f"{image['url']}?size=256", accept=WEBP).body == b"as it was kept"
    assert (
        api.get(f"{image['url']}?size=256", accept=JPEG).status == 500
    )  # this thumbnail is not kept, so it must be made


def test_thumbnails_of_version_0_1_are_neither_shown_nor_left(moto_aws: None) -> None:
    api = Api(Handlers(), "cat")
    image = json_of(api.upload(CHELSEA))
    for name in ("256.webp", "1024.jpg"):
        boto3.client("s3").put_object(Bucket="thumbnails", Key=f"{image['id']}/{name}", Body=b"as it was made")
    assert api.get(f"{image['url']}?size=256", accept=WEBP).body != b"as it was made"
    assert len(kept(api)) == 3
    assert api.delete(image["url"]).status == 204
    assert kept(api) == set()


def stored_as_it_is(api: Api, content: bytes) -> Any:
    """Upload a picture and put these bytes in its place, as a version that its row names, as of older code."""
    image = json_of(api.upload(pictures.png(7)))
    version = boto3.client("s3").put_object(Bucket="pictures", Key=image["id"], Body=content)["VersionId"]
    label, name = image["id"].split("/")
    boto3.client("dynamodb").update_item(
        TableName=read_settings().image_chunks_table,
        Key={"label": {"S": label}, "s3key": {"S": name}},
        UpdateExpression="SET versionId = :v",
        ExpressionAttributeValues={":v": {"S": version}},
    )
    return image


@pytest.mark.parametrize(
    ("failure", "lifetime"), [(CannotBeShown("broken"), 90 * 86_400), (TooMuchWork("slow"), 3_600)]
)
def test_a_thumbnail_that_fails_is_remembered_for_a_while(
    moto_aws: None, monkeypatch: pytest.MonkeyPatch, failure: Exception, lifetime: int
) -> None:
    api, tries, now = Api(Handlers(), "cat"), list[bytes](), [1_800_000_000.0]
    image = json_of(api.upload(CHELSEA))

    def fail(content: bytes, *_: object) -> bytes:
        tries.append(content)
        raise failure

    monkeypatch.setattr(thumbnails, "clock", lambda: now[0])
    made = scaling.scaled
    monkeypatch.setattr(scaling, "scaled", fail)
    url = f"{image['url']}?size=256"
    for _ in range(3):
        assert "cannot be decoded" in problem(api.get(url, accept=WEBP), 422, field="size")
    assert len(tries) == 1
    assert api.get(image["url"]).body == CHELSEA
    now[0] += lifetime - 1
    problem(api.get(url, accept=WEBP), 422, field="size")
    assert len(tries) == 1
    monkeypatch.setattr(scaling, "scaled", made)
    now[0] += 1
    assert api.get(url, accept=WEBP).status == 200, "a failure that may pass does not hide the picture for ever"
    assert api.delete(image["url"]).status == 204
    assert kept(api) == set()


def test_a_failure_of_a_picture_that_was_deleted_meanwhile_leaves_nothing(
    moto_aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Api(Handlers(), "cat")
    image = json_of(api.upload(CHELSEA))

    def delete_and_fail(*_: object) -> bytes:
        assert api.delete(image["url"]).status == 204
        raise CannotBeShown

    monkeypatch.setattr(scaling, "scaled", delete_and_fail)
    problem(api.get(f"{image['url']}?size=256"), 404)
    assert kept(api) == set()


def test_a_picture_that_older_code_took_and_nobody_can_decode_has_no_thumbnail(moto_aws: None) -> None:
    api = Api(Handlers(), "cat")
    image = stored_as_it_is(api, (ROOT / "tests/images/cases/palette-missing.png").read_bytes())
    for accept in (WEBP, JPEG, WEBP):
        problem(api.get(f"{image['url']}?size=256", accept=accept), 422, field="size")
    assert kept(api) == {f"{image['id']}/256.v2.{extension}" for extension in EXTENSIONS}


def test_the_version_that_the_row_names_is_read_and_no_newer_one(
    moto_aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that nobody checked may lie above it: of an upload that was killed, or of a restore."""
    api = Api(Handlers(), "cat")
    image = json_of(api.upload(CHELSEA))
    boto3.client("s3").put_object(Bucket="pictures", Key=image["id"], Body=pictures.png(9))
    assert api.get(image["url"]).body == CHELSEA
    with Image.open(BytesIO(api.get(f"{image['url']}?size=512", accept=WEBP).body)) as made:
        assert made.size == Image.open(BytesIO(CHELSEA)).size
    monkeypatch.setattr(picture_response, "BODY_MAX", 1000)
    location = urlsplit(api.get(image["url"]).headers["location"])
    versions = boto3.client("s3").list_object_versions(Bucket="pictures", Prefix=image["id"])["Versions"]
    (first,) = [version["VersionId"] for version in versions if not version["IsLatest"]]
    assert parse_qs(location.query)["versionId"] == [first]


def test_a_picture_that_does_not_fit_into_an_answer_has_thumbnails(
    moto_aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_response, "BODY_MAX", 1000)
    api = Api(Handlers(), "cat")
    url = json_of(api.upload(ROCKET))["url"]
    assert api.get(url).status == 302
    assert api.get(f"{url}?size=1024").status == 200


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", WEBP),  # Chrome
        ("*/*", WEBP),
        (JPEG, JPEG),
        ("image/jpeg, image/webp;q=0.9", JPEG),
    ],
)
def test_the_accept_header_decides_over_http(api: Api, accept: str, media_type: str) -> None:
    url = json_of(api.upload(CHELSEA))["url"]
    assert api.get(f"{url}?size=256", accept=accept).headers["content-type"] == media_type
