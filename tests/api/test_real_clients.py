"""What phones, browsers and old libraries send is taken, in every host: forms, file names, headers, addresses."""

import json
import random
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings

from tests.support import pictures
from tests.support.answers import conforms, problem
from tests.support.cloud import ROOT
from tests.support.filenames import ALLOWED, names
from tests.support.hosts import Api, json_of, new_label
from tests.support.pictures import File, multipart_body

pytestmark = pytest.mark.also_in_make_run(why="the front and the gateway read names and headers first", slow=True)

CASES = ROOT / "tests/images/cases"

JSON = {"Content-Type": "application/json"}

# file -> content type, file name
FORMS = {
    "boundary-stars.body": ("multipart/form-data; boundary=*****", "a.jpg"),
    "boundary-equals.body": ("multipart/form-data; boundary====17===", "a.jpg"),
    "epilogue-two-crlf.body": ("multipart/form-data; boundary=xx", "a.jpg"),
    "part-without-filename.body": ("multipart/form-data; boundary=xx", None),
    "filename-star-only.body": ("multipart/form-data; boundary=xx", "é.jpg"),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_form_of_a_client_is_taken_with_its_file_name(api: Api, name: str) -> None:
    content_type, filename = FORMS[name]
    body = (CASES / name).read_bytes().replace(b"\r\n\r\nmp\r\n", f"\r\n\r\n{api.label}\r\n".encode())
    answer = api.host.request("POST", "/upload", body, {"Content-Type": content_type})
    assert (answer.status, json_of(answer).get("filename")) == (201, filename)
    assert api.random().body in body


@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=names(min_size=1))
def test_a_file_name_survives_upload_info_list_and_patch(api: Api, name: str) -> None:
    survives(Api(api.host, new_label()), name)


def test_a_file_name_may_have_each_kind_of_character(api: Api) -> None:
    rng = random.Random(20261128)
    for length in (1, 255):
        survives(Api(api.host, new_label()), "".join(rng.choices(ALLOWED, k=length)))
    for name in ("e\u0301.jpg", "\u00e9.jpg", "Screenshot 9.41\u202fAM.png", " .", "\U0001f469\u200d\U0001f467" * 80):
        survives(Api(api.host, new_label()), name)


def survives(api: Api, name: str) -> None:
    """Assert that an image has this file name wherever it is shown, and is found by it."""
    head = f"form-data; name=\"img\"; filename*=utf-8''{quote(name, safe='')}"
    body, content_type = multipart_body([("label", api.label), ("img", File(pictures.tiny(1)))])
    body = body.replace(b'form-data; name="img"; filename="cat.jpg"', head.encode())
    uploaded = api.host.request("POST", "/upload", body, {"Content-Type": content_type})
    image = json_of(uploaded)
    assert (uploaded.status, image["filename"]) == (201, name)
    conforms(image, "ImageWithProbability")
    other = json_of(api.upload(pictures.tiny(2)))
    assert json_of(api.get(image["url"] + "/info"))["filename"] == name
    for beginning in (name, name[:1]):
        found = json_of(api.get(f"/images?label={api.label}&filename={quote(beginning, safe='')}"))["images"]
        assert name in [each["filename"] for each in found]
    changed = api.patch(other["url"], {"filename": name})
    assert (changed.status, json_of(changed)["filename"]) == (200, name)
    page = api.get(f"/images?label={api.label}&limit=1&filename={quote(name, safe='')}")
    following = api.get(page.headers["link"].partition(">")[0][1:])
    ids = [each["id"] for answer in (page, following) for each in json_of(answer)["images"]]
    assert sorted(ids) == sorted([image["id"], other["id"]])


@pytest.mark.parametrize("name", ["a\u202eb.jpg", "a\u2066.jpg", "a\x85.jpg", "a\nb", "a/b", "a\\b", "a" * 256])
def test_a_refused_file_name_is_dropped_by_an_upload_and_named_elsewhere(api: Api, name: str) -> None:
    sent = File(pictures.tiny(1), name.replace("\n", "%0A"))
    image = json_of(api.post([("label", api.label), ("img", sent)]))
    # Browsers write a line end as %0A, and those characters are allowed.
    kept = {"a/b": "b", "a\\b": "b", "a\nb": "a%0Ab"}
    assert image.get("filename") == kept.get(name)
    for answer in (
        api.patch(image["url"], {"filename": name}),
        api.host.request("POST", "/uploads", json.dumps({"label": api.label, "filename": name}).encode(), JSON),
        api.get(f"/images?label={api.label}&filename={quote(name, safe='')}"),
    ):
        assert "at most 255 characters" in problem(answer, 422, field="filename")
