"""Every input is accepted, or refused with a sentence. The inputs look real, with lies in dangerous places."""

import base64
import json
import random
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import browse_images
import delete_image
import edit_image
import form
import page_files
import random_image
import upload_image
import web_page
from shared.api import etags
from shared.errors import ApiError
from shared.pictures.check import check_picture
from tests.support import hostile_pictures, pictures
from tests.support.cloud import routes
from tests.support.memory_aws import World
from tests.support.pictures import PNG_SIGNATURE, chunk, riff, segment, webp_chunks
from tests.support.refusals import outcome
from tests.support.simulation import LABEL, shipped_code_on

TAKEN = pictures.tiny(1)
FORM, FORM_TYPE = pictures.multipart_body([("label", LABEL), ("weight", "0.5"), ("img", pictures.File(TAKEN))])
NAME = pictures.name_of(TAKEN)
MODULES: dict[str, Any] = {
    module.__name__: module
    for module in (delete_image, edit_image, browse_images, random_image, upload_image, web_page)
}


# -- pictures, built of pieces ----------------------------------------------------------------------------------------

SMALL = st.binary(max_size=40)


def pieces_of_png() -> st.SearchStrategy[bytes]:
    kinds = st.sampled_from([b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"acTL", b"fcTL", b"fdAT", b"iCCP", b"eXIf"])
    real = [
        chunk(kind, data[at + 4 : at + 4 + int.from_bytes(data[at - 4 : at])])
        for data in (pictures.png(1), pictures.animated_png(1), pictures.palette_png())
        for kind in (b"IHDR", b"PLTE", b"IDAT", b"acTL", b"fcTL", b"fdAT", b"tRNS")
        if (at := data.find(kind)) > 0
    ]
    return st.sampled_from(real) | st.builds(chunk, kinds | st.binary(min_size=4, max_size=4), SMALL)


def pieces_of_jpeg() -> st.SearchStrategy[bytes]:
    real = [
        data[at : at + 2 + int.from_bytes(data[at + 2 : at + 4])]
        for data in (pictures.jpeg(1), pictures.jpeg(1, progressive=True), pictures.jpeg(1, mode="CMYK"))
        for at in (found.start() for found in re.finditer(rb"\xff[\xc0\xc2\xc4\xdb\xda\xe0\xee]\0", data))
    ]
    scan = hostile_pictures.JPEG[hostile_pictures.JPEG.index(b"\xff\xda") + 14 :][:300]
    odd = st.builds(segment, st.integers(0, 254), SMALL)
    return st.sampled_from([*real, scan, b"\xff\xd0", b"\xff", b"\xff\xd9"]) | odd


def pieces_of_webp() -> st.SearchStrategy[tuple[bytes, bytes]]:
    whole = (
        pictures.webp(1),
        pictures.webp(1, lossless=True),
        pictures.webp(1, mode="RGBA"),
        pictures.animated_webp(1),
    )
    real = [piece for data in whole for piece in webp_chunks(data)]
    sizes = st.sampled_from([1, 2, 16, 24, 25, 16_384, 2**24])
    kinds = st.sampled_from([b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP", b"EXIF", b"RIFF"])
    canvas = st.builds(hostile_pictures.canvas, sizes, sizes, st.integers(0, 255))
    frame = st.builds(hostile_pictures.frame, st.sampled_from(whole), x=st.integers(0, 40), width=sizes, height=sizes)
    return st.sampled_from(real) | canvas | frame | st.tuples(kinds, SMALL)


BUILT = {
    "png": st.lists(pieces_of_png(), max_size=8).map(
        lambda pieces: PNG_SIGNATURE + pictures.png(1)[8:33] + b"".join(pieces) + chunk(b"IEND", b"")
    ),
    "jpg": st.lists(pieces_of_jpeg(), max_size=10).map(lambda pieces: b"\xff\xd8" + b"".join(pieces) + b"\xff\xd9"),
    "webp": st.lists(pieces_of_webp(), max_size=6).map(riff),
}


@pytest.mark.parametrize("kind", BUILT)
@settings(max_examples=300)
@given(data=st.data())
def test_a_picture_of_any_pieces_is_stripped_or_refused(kind: str, data: st.DataObject) -> None:
    taken = outcome(check_picture, data.draw(BUILT[kind]))
    if isinstance(taken, ApiError):
        assert (taken.status, taken.field) in [(415, "img"), (422, "img")]
    else:
        assert taken.extension == kind
        assert check_picture(taken.content) == taken


# -- forms, built of parts --------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["label", "img", "weight"]) | st.text(max_size=6)
QUOTED = NAMES.map(lambda text: f'"{text}"') | NAMES
PARAMETERS = st.sampled_from(["name", "filename", "filename*", "name*", "NAME", "charset"])
DISPOSITIONS = st.builds(
    lambda kind, pairs: "; ".join([kind, *(f"{name}={value}" for name, value in pairs)]),
    st.sampled_from(["form-data", "Form-Data", "attachment", ""]),
    st.lists(st.tuples(PARAMETERS, QUOTED), max_size=3),
)
HEADERS = st.builds(
    lambda name, value: f"{name}: {value}",
    st.sampled_from(["Content-Type", "Content-Length", "Content-Transfer-Encoding", "X", ""]) | st.text(max_size=4),
    st.sampled_from(["3", "base64", "text/plain; charset=utf-16"]) | st.text(max_size=8),
)
LINE_ENDS = st.sampled_from([b"\r\n"] * 8 + [b"\n", b"\r", b"", b"\r\n\r\n"])


@st.composite
def parts(draw: st.DrawFn) -> bytes:
    lines = [f"Content-Disposition: {draw(DISPOSITIONS)}", *draw(st.lists(HEADERS, max_size=2))]
    end = draw(LINE_ENDS)
    head = end.join(line.encode("utf-8", "surrogatepass") for line in lines)
    content = draw(SMALL | st.sampled_from([b"cat", TAKEN, b"0.5", b"--b", b"\r\n--b"]))
    return b"--b" + end + head + end + end + content + draw(LINE_ENDS)


@settings(max_examples=300)
@given(st.lists(parts(), max_size=5).map(b"".join), st.sampled_from([b"--b--\r\n", b"--b--", b"", b"--b--\r\n--b--"]))
def test_a_form_of_any_parts_is_accepted_or_refused(body: bytes, end: bytes) -> None:
    taken = outcome(form.parse, body + end, "multipart/form-data; boundary=b")
    if isinstance(taken, ApiError):
        assert taken.status in (400, 415)
        assert taken.detail.endswith(".")
    else:
        assert taken.img


@given(
    st.lists(
        st.sampled_from(["multipart/form-data", ";", " ", "boundary", "=", "b", '"', "\\", ",", "*", "''", "\0", "é"])
    )
)
def test_a_content_type_of_any_pieces_is_accepted_or_refused(pieces: list[str]) -> None:
    with suppress(ApiError):
        assert form.parse(b"--b\r\n" + hostile_pictures.EICAR, "multipart/form-data" + "".join(pieces))


# -- entity tags ------------------------------------------------------------------------------------------------------

ETAG = '"0123456789abcdef"'
TAGS = st.sampled_from([ETAG, f"W/{ETAG}", '"x"', 'W/"x"', '""', '"a, *, b"'])


@given(st.lists(TAGS, max_size=4), st.sampled_from([",", ", ", " ,\t"]), st.booleans())
def test_a_list_of_entity_tags_matches_its_members(tags: list[str], comma: str, weak: bool) -> None:
    named = ETAG in tags or (weak and f"W/{ETAG}" in tags)
    assert etags.matches(comma.join(tags), ETAG, weak=weak) == named


@given(st.text() | st.lists(st.sampled_from(['"', "W/", "*", ",", " ", "x"])).map("".join), st.booleans())
def test_only_a_star_and_entity_tags_match(text: str, weak: bool) -> None:
    assert etags.matches(text, ETAG, weak=weak) == (text.strip() == "*")


# -- whole events -----------------------------------------------------------------------------------------------------

TEXT = st.text(max_size=12) | st.sampled_from([LABEL, NAME, "", "..", "%2e%2e", "\0", "\ud800", "a" * 5000])
FIELDS = st.sampled_from(
    ["Host", "Accept", "Content-Type", "Content-Encoding", "If-Match", "If-None-Match", "X-Forwarded-Proto"]
).flatmap(lambda name: st.sampled_from([name, name.lower(), name.upper()]))
VALUES = (
    st.none()
    | TEXT
    | st.sampled_from(
        ["*", '"x"', "application/json", FORM_TYPE, "identity", "https", "pets.test", "application/json;q=0"]
    )
)
JSONS = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("weight") | TEXT, inner, max_size=3),
).map(json.dumps)
TOKENS = st.lists(st.sampled_from(["{", "}", "[", '"weight"', ":", ",", "0.5", "1e-9", "1e999", "NaN", "\\", "\ud800"]))
BODIES = st.one_of(
    st.none(),
    TEXT,
    JSONS,
    TOKENS.map("".join),
    st.sampled_from(['{"weight": 0.5}', '{"weight": 0.7}']),
    st.binary(max_size=60).map(lambda data: base64.b64encode(data).decode()),
    st.just(base64.b64encode(FORM).decode()),
    JSONS.map(lambda text: base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()),
)
NAMED = st.sampled_from([{"label": LABEL, "name": NAME}] * 2 + [{"label": LABEL, "name": "x"}])
VERSIONS = st.just(page_files.version()) | TEXT
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS", "PUT", "get", "", "\n"])


@st.composite
def events(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Draw an event, and return the function that API Gateway would call with it."""
    # The AWS in memory has no tables for /uploads. tests/uploads/test_presign.py tests it instead.
    known = [route for route in routes() if route[2] in MODULES]
    resource, method, module = draw(st.sampled_from(known))
    method = draw(METHODS) if method == "ANY" else method
    named = draw(NAMED | st.fixed_dictionaries({"label": TEXT, "name": TEXT})) | {"version": draw(VERSIONS)}
    path = draw(st.just(resource.replace("{label}", named["label"]).replace("{name}", named["name"])) | TEXT)
    queries = st.dictionaries(
        st.sampled_from(
            ["label", "format", "limit", "cursor", "tag", "filename", *sorted(random_image.EXTRA_PARAMETERS)]
        )
        | TEXT,
        st.lists(TEXT | st.sampled_from([LABEL, "json", "redirect", "0", "1", "2", "true"]), min_size=1, max_size=2),
        max_size=4,
    )
    plain_draw = st.just({"label": [LABEL]})
    event = {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": draw(st.none() | st.dictionaries(FIELDS | TEXT, VALUES, max_size=5)),
        "multiValueQueryStringParameters": draw(st.none() | plain_draw | queries),
        "pathParameters": named
        if re.search("{(label|name)}", resource)
        else draw(st.none() | st.just({"proxy": path})),
        "requestContext": {
            "path": draw(st.just(f"/Prod{path}") | TEXT),
            "requestId": draw(st.sampled_from([None, "an-id"])),
        },
        "body": draw(BODIES),
        "isBase64Encoded": draw(st.none() | st.booleans()),
    }
    left_out = draw(st.sets(st.sampled_from(["body", "isBase64Encoded", "multiValueQueryStringParameters", "headers"])))
    return module, {name: value for name, value in event.items() if name not in left_out}


@settings(max_examples=400)
@given(events())
def test_every_event_gets_an_answer_below_500(given_event: tuple[str, dict[str, Any]]) -> None:
    module, event = given_event
    with shipped_code_on(World(random.Random(7))):
        upload_image.handler(
            {
                "resource": "/upload",
                "path": "/upload",
                "httpMethod": "POST",
                "headers": {"Content-Type": FORM_TYPE},
                "body": base64.b64encode(FORM).decode(),
                "isBase64Encoded": True,
            },
            None,
        )
        answer = MODULES[module].handler(event, None)
    status, headers, body = answer["statusCode"], answer["headers"], answer["body"]
    assert 200 <= status < 500, answer
    json.dumps(answer).encode()
    assert all(value.isprintable() and value.isascii() for value in headers.values())
    if status >= 400:
        assert headers["Content-Type"] == "application/problem+json"
        assert not body or json.loads(body)["detail"].endswith(".")
        body.encode()
        assert len(body) < 5000
