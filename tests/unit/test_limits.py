"""The limits of bodies, files and tags: their arithmetic holds, and all places that state one state the same number."""

import base64
import json
import re
from pathlib import Path

from options import COUNT
from shared.api import paging
from shared.api.image_json import image_json
from shared.images import FILENAME_MAX, TAGS_MAX, Image
from shared.limits import BODY_MAX, EVENT_MAX, FILE_MAX, HEAD_MAX, RESPONSE_MAX
from shared.pictures.sizes import MAX_PIXELS, MAX_WEBP_PIXELS
from tests.support import cloud
from tests.support.answers import at
from tests.support.cloud import FUNCTIONS, ROOT
from tests.support.hosts import proxy_event

COUNT_MAX = max(int(text) for text in map(str, range(1_000)) if COUNT.fullmatch(text))  # images of one draw
SOURCES = [path for folder in ("shared", "tools", "costs", *FUNCTIONS) for path in (ROOT / folder).rglob("*.py")]


def test_the_largest_body_fits_into_an_event_with_the_largest_headers() -> None:
    headers = {"X-Large": "h" * HEAD_MAX}
    _, event = proxy_event("POST", "/upload", bytes(BODY_MAX), headers)
    event["multiValueHeaders"] = {name: [value] for name, value in event["headers"].items()}
    assert len(json.dumps(event)) < EVENT_MAX


def test_the_largest_answer_fits_into_what_lambda_returns() -> None:
    answer = {"body": base64.b64encode(bytes(BODY_MAX)).decode(), "headers": {"X-Large": "h" * HEAD_MAX}}
    assert len(json.dumps(answer)) < RESPONSE_MAX


def test_the_largest_page_of_a_list_fits_into_what_lambda_returns() -> None:
    """The text of the page is escaped twice: as JSON, and as a text in Lambda's JSON."""
    longest = Image(
        label="l" * 32,
        name="f" * 32 + ".webp",
        weight=123_456_789,
        version_id="",
        size=FILE_MAX,
        width=65_535,
        height=65_535,
        created="2026-11-28T16:31:08.931Z",
        tags=("t" * 32,) * TAGS_MAX,
        filename="\U0001f431" * FILENAME_MAX,
    )
    shown = {**image_json(longest, f"https://{'h' * 253}/Prod/"), "probability": 0.1234567890123456}
    assert len(shown["filename"].encode()) == FILENAME_MAX * 4
    for entries in (paging.LIMIT_MAX, COUNT_MAX):
        answer = {
            "headers": {"Link": "h" * HEAD_MAX},
            "body": json.dumps({"images": [shown] * entries, "cursor": "c" * 2_000}),
        }
        assert len(json.dumps(answer)) < RESPONSE_MAX / 10


def test_a_direct_upload_has_room_for_a_telephones_picture_of_50_megapixels() -> None:
    assert FILE_MAX * 8 / 50_000_000 == 3.2  # bits a pixel
    assert min(MAX_PIXELS, MAX_WEBP_PIXELS) >= 8_192 * 6_144


def test_no_other_module_writes_these_numbers() -> None:
    writers = [path for path in SOURCES if numbers_in(path) & {BODY_MAX, FILE_MAX, EVENT_MAX, RESPONSE_MAX}]
    assert writers == [ROOT / "shared/limits.py"]


def numbers_in(path: Path) -> set[int]:
    """Return the numbers of five digits and more in a file."""
    return {int(number.replace("_", "")) for number in re.findall(r"\b\d[\d_]{4,}\b", path.read_text())}


def test_the_answer_of_the_gateway_states_the_limit() -> None:
    _, _, body = cloud.gateway_response("REQUEST_TOO_LARGE")
    assert f"{BODY_MAX}" in json.loads(body)["detail"].replace(",", "")


def test_the_contract_states_the_limits() -> None:
    for form in ("UploadForm", "SearchForm"):
        assert f"{BODY_MAX:,} bytes" in at("components", "schemas", form, "properties", "img")["description"]
    assert f"{FILE_MAX / 10**6:g} MB" in at("paths", "/uploads", "post")["summary"]


def test_the_contract_states_the_limit_of_tags() -> None:
    assert at("components", "schemas", "Tags")["maxItems"] == TAGS_MAX
    tags = at("components", "schemas", "UploadForm", "properties", "tags")
    assert tags["description"].startswith(f"At most {TAGS_MAX} tags")
    allowed = [count for count in range(20) if re.search(tags["pattern"], ", ".join(["tag"] * count))]
    assert allowed == list(range(TAGS_MAX + 1))


def test_the_page_leaves_place_for_the_other_fields_of_a_form() -> None:
    """It knows `formMax` from GET /status, and sends a file straight to S3 if the form would be larger."""
    (others,) = re.findall(r"file\.size \+ ([\d_]+) > formMax", (ROOT / "web/page/api.js").read_text())
    assert 2048 <= int(others) < 100_000


def test_the_reference_states_the_limits() -> None:
    table = (ROOT / "docs/reference/api.md").read_text().partition("## Limits")[2]
    assert f"| {BODY_MAX:,} bytes |" in table
    assert f"| {FILE_MAX:,} bytes |" in table
