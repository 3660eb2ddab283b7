"""Bad uploads, in every host: each gets its 4xx and a sentence about the field and the rule, and nothing is stored."""

import json
import os

import pytest

from shared import aws
from shared.limits import BODY_MAX
from tests.support import cloud, hostile_forms, hostile_pictures, pictures
from tests.support.answers import problem
from tests.support.hosts import Api, Handlers, json_of
from tests.support.local_service import Answer
from tests.support.photographs import CHELSEA, ROCKET
from tests.support.pictures import File

pytestmark = pytest.mark.also_in_make_run(
    why="the front, the gateway and the emulator get the same hostile bytes first", slow=True
)

GOOD = ("img", File(pictures.png(1)))

# name -> (fields besides or instead of label and img, status, field at fault)
FORMS = {
    "no file": ([("label", "{label}")], 400, "img"),
    "two files": ([("label", "{label}"), GOOD, GOOD], 400, "img"),
    "the file as text": ([("label", "{label}"), ("img", "cat.jpg")], 400, "img"),
    "no label": ([GOOD], 400, "label"),
    "two labels": ([("label", "{label}"), ("label", "{label}"), GOOD], 400, "label"),
    "an unknown field": ([("label", "{label}"), ("wieght", "0.5"), GOOD], 400, "wieght"),
    "a label with a space": ([("label", "a cat"), GOOD], 422, "label"),
    "a label of 33 letters": ([("label", "a" * 33), GOOD], 422, "label"),
    "a path for a label": ([("label", "../cat"), GOOD], 422, "label"),
    "a label that lower-cases to ASCII": ([("label", "\N{KELVIN SIGN}at"), GOOD], 422, "label"),
    "an empty label": ([("label", ""), GOOD], 422, "label"),
}
WEIGHTS = [
    "0",
    "1",
    "-1",
    "-0.5",
    "1.5",
    "nan",
    "inf",
    "-inf",
    "1e-400",
    "1e400",
    "0.1234567891",
    "half",
    "",
    "0,5",
    "5e-1x",
]
WEIGHTS += [
    "\N{ARABIC-INDIC DIGIT ZERO}.\N{ARABIC-INDIC DIGIT FIVE}",
    "9" * 5000,
    "0." + "9" * 5000,
    "0x1p-1",
    "1_0",
    "0.5.5",
    "½",
]
JPEG = pictures.jpeg(2, (64, 64))
FILES = {
    "a truncated JPEG": ROCKET[: len(ROCKET) // 2],
    "a PNG with a broken checksum": CHELSEA[:5000] + bytes([CHELSEA[5000] ^ 1]) + CHELSEA[5001:],
}


def refused(api: Api, answer: Answer, status: int, field: str | None) -> str:
    """Return the detail of the refusal, and assert that nothing was stored."""
    detail = problem(answer, status, field=field)
    assert api.random().status == 404
    if isinstance(api.host, Handlers):
        assert not any(aws.dynamodb().scan(TableName=name)["Items"] for name in cloud.TABLES)
        assert "Versions" not in aws.s3().list_object_versions(Bucket="pictures")
    return detail


def only_good(api: Api) -> None:
    """Assert that a good upload is taken, and that the label has its picture and no other."""
    assert api.upload(JPEG, "0.7").status in (201, 200)
    if isinstance(api.host, Handlers):
        rows = aws.dynamodb().scan(TableName="ImageChunksTable")["Items"]
        assert sorted(row["label"]["S"] for row in rows) == ["#labels", api.label]
        assert len(aws.s3().list_object_versions(Bucket="pictures")["Versions"]) == 1
    else:
        drawn = api.random()
        assert (drawn.body, drawn.headers["image-total-weight"]) == (JPEG, "0.7")


def stored_as(api: Api, answer: Answer, content: bytes) -> None:
    """Assert that the upload was taken, and is served as these bytes."""
    assert answer.status in (201, 200), answer
    assert api.get(json_of(answer)["url"]).body == content


def send_form(api: Api, body: bytes, content_type: str) -> Answer:
    """Send this upload, with the test's label in place of LABEL."""
    filled = body.replace(b"LABEL", api.label.encode())
    return api.host.request("POST", "/upload", filled, {"Content-Type": content_type})


@pytest.mark.parametrize("name", FORMS)
def test_a_wrong_form_names_its_field(api: Api, name: str) -> None:
    fields, status, field = FORMS[name]
    given = [(key, value.format(label=api.label) if isinstance(value, str) else value) for key, value in fields]
    assert field in refused(api, api.post(given), status, field)


@pytest.mark.parametrize("weight", WEIGHTS, ids=lambda weight: ascii(weight)[:20])
def test_a_wrong_weight_is_422_and_states_the_rule(api: Api, weight: str) -> None:
    detail = refused(api, api.upload(pictures.png(1), weight), 422, "weight")
    assert "above 0 and below 1" in detail
    assert "9 decimals" in detail
    assert "Only its ratio to the other weights of the label counts" in detail


@pytest.mark.parametrize("name", FILES)
def test_a_wrong_file_is_refused(api: Api, name: str) -> None:
    assert "img" in refused(api, api.upload(FILES[name]), 415, "img")


@pytest.mark.parametrize("group", hostile_pictures.REFUSED)
def test_a_hostile_picture_is_refused_and_the_next_upload_is_taken(
    api: Api, group: str, subtests: pytest.Subtests
) -> None:
    files, status = hostile_pictures.REFUSED[group]
    for name, content in files.items():
        with subtests.test(name):
            assert "img" in problem(api.upload(content), status, field="img")
            only_good(api)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP"])
def test_hidden_parts_of_a_picture_are_not_stored(api: Api, kind: str, subtests: pytest.Subtests) -> None:
    for name, (content, left) in hostile_pictures.CLEANED.items():
        if left.startswith(hostile_pictures.SIGNATURES[kind][:3]):
            with subtests.test(name):
                stored_as(api, api.upload(content), left)


def test_a_hostile_form_is_refused_and_the_next_upload_is_taken(api: Api, subtests: pytest.Subtests) -> None:
    for name, (body, content_type, status, field) in hostile_forms.REFUSED.items():
        with subtests.test(name):
            problem(send_form(api, body, content_type), status, field=field)
            only_good(api)


def test_an_odd_but_correct_form_is_accepted(api: Api, subtests: pytest.Subtests) -> None:
    for name, (body, content_type) in hostile_forms.TAKEN.items():
        with subtests.test(name):
            stored_as(api, send_form(api, body, content_type), hostile_forms.IMG)


def test_a_form_without_a_content_type_is_415(api: Api) -> None:
    refused(api, api.host.request("POST", "/upload", b"meow"), 415, None)


def test_a_truncated_body_is_refused(api: Api) -> None:
    body, content_type = pictures.multipart_body([("label", api.label), ("img", File(JPEG))])
    for end in (len(body) - 3, len(body) - len(JPEG) // 2, 20):
        refused(api, api.host.request("POST", "/upload", body[:end], {"Content-Type": content_type}), 400, None)


@pytest.mark.parametrize("size", [BODY_MAX + 1, 4_700_000])
def test_an_upload_over_4_5_mb_is_413_and_names_the_limit_and_the_alternative(api: Api, size: int) -> None:
    body, content_type = pictures.multipart_body([("label", api.label), ("img", File(JPEG + os.urandom(size)))])
    answer = api.host.request("POST", "/upload", body[-size:], {"Content-Type": content_type})
    names_limit_and_alternative(refused(api, answer, 413, None))


def test_the_gateways_own_413_names_the_limit_and_the_alternative() -> None:
    status, _, body = cloud.gateway_response("REQUEST_TOO_LARGE")
    assert status == 413
    names_limit_and_alternative(json.loads(body)["detail"])


def names_limit_and_alternative(detail: str) -> None:
    assert f"at most {BODY_MAX}" in detail.replace(",", "")
    assert "POST /uploads" in detail


def test_an_upload_of_4_5_mb_is_accepted(api: Api) -> None:
    fill = File(JPEG + bytes(BODY_MAX - len(pictures.multipart_body([("label", api.label), ("img", File(JPEG))])[0])))
    body, content_type = pictures.multipart_body([("label", api.label), ("img", fill)])
    assert len(body) == BODY_MAX
    assert api.host.request("POST", "/upload", body, {"Content-Type": content_type}).status == 201


@pytest.mark.parametrize("trailer", pictures.trailers())
def test_bytes_after_a_picture_are_not_stored(api: Api, trailer: str) -> None:
    image = json_of(api.upload(JPEG + pictures.trailers()[trailer]))
    assert api.get(image["url"]).body == JPEG


def test_metadata_is_not_stored(api: Api) -> None:
    image = json_of(api.upload(pictures.jpeg_with(JPEG, *pictures.private_segments(1))))
    assert api.get(image["url"]).body == JPEG
    image = json_of(api.upload(pictures.png_with(pictures.png(1), *pictures.private_chunks())))
    assert api.get(image["url"]).body == pictures.png(1)


def test_a_file_is_stored_by_its_content_whatever_its_name_says(api: Api) -> None:
    answer = api.post([("label", api.label), ("img", File(pictures.webp(1), "cat.png", "image/gif"))])
    assert json_of(answer)["contentType"] == "image/webp"
    assert json_of(answer)["id"].endswith(".webp")


def test_a_label_that_is_not_on_the_allow_list_is_422(moto_aws: None) -> None:
    aws.ssm().put_parameter(Name="/pet-api/production/labels", Value="cat, dog", Overwrite=True)
    detail = problem(Api(Handlers(), "dragon").upload(JPEG), 422, field="label")
    assert "cat, dog" in detail
    assert Api(Handlers(), "dog").upload(JPEG).status == 201
