"""The limits of bodies, files and tags: their arithmetic holds, and all places that state one state the same number."""

import base64
import json
import re
from pathlib import Path

import yaml

from shared.images import TAGS_MAX
from shared.limits import BODY_MAX, EVENT_MAX, FILE_MAX
from shared.pictures.check import MAX_PIXELS
from tests.support import cloud
from tests.support.cloud import FUNCTIONS, ROOT
from tests.support.hosts import proxy_event

GATEWAY_HEADERS_MAX = 10_240  # bytes: API Gateway's quota for names and values of all headers of a request
SOURCES = [path for folder in ("shared", "tools", "costs", *FUNCTIONS) for path in (ROOT / folder).rglob("*.py")]


def test_the_largest_body_fits_into_an_event_with_the_largest_headers() -> None:
    headers = {"X-Large": "h" * GATEWAY_HEADERS_MAX}
    _, event = proxy_event("POST", "/upload", bytes(BODY_MAX), headers)
    event["multiValueHeaders"] = {name: [value] for name, value in event["headers"].items()}
    assert len(json.dumps(event)) < EVENT_MAX


def test_the_largest_answer_fits_into_what_lambda_returns() -> None:
    answer = {"body": base64.b64encode(bytes(BODY_MAX)).decode(), "headers": {"X-Large": "h" * GATEWAY_HEADERS_MAX}}
    assert len(json.dumps(answer)) < EVENT_MAX


def test_a_direct_upload_has_room_for_a_picture_of_the_most_pixels() -> None:
    assert FILE_MAX * 8 / MAX_PIXELS == 3.2  # bits a pixel


def test_no_other_module_writes_these_numbers() -> None:
    writers = [path for path in SOURCES if numbers_in(path) & {BODY_MAX, FILE_MAX, EVENT_MAX}]
    assert writers == [ROOT / "shared/limits.py"]


def numbers_in(path: Path) -> set[int]:
    """Return the numbers of five digits and more in a file."""
    return {int(number.replace("_", "")) for number in re.findall(r"\b\d[\d_]{4,}\b", path.read_text())}


def test_the_answer_of_the_gateway_states_the_limit() -> None:
    _, _, body = cloud.gateway_response("REQUEST_TOO_LARGE")
    assert f"{BODY_MAX}" in json.loads(body)["detail"].replace(",", "")


def test_the_contract_states_the_limits() -> None:
    contract = yaml.safe_load((ROOT / "openapi.yaml").read_text())
    assert f"{BODY_MAX:,} bytes" in json.dumps(contract["paths"]["/upload"])
    assert f"{FILE_MAX / 10**6:g} MB" in json.dumps(contract["paths"]["/uploads"])


def test_the_contract_states_the_limit_of_tags() -> None:
    contract = yaml.safe_load((ROOT / "openapi.yaml").read_text())
    assert contract["components"]["schemas"]["Tags"]["maxItems"] == TAGS_MAX
    form = contract["paths"]["/upload"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    tags = form["properties"]["tags"]
    assert tags["description"].startswith(f"At most {TAGS_MAX} tags")
    allowed = [count for count in range(20) if re.search(tags["pattern"], ", ".join(["tag"] * count))]
    assert allowed == list(range(TAGS_MAX + 1))


def test_the_page_sends_no_larger_file() -> None:
    constants = dict(re.findall(r"const (\w+) = ([\d_]+);", (ROOT / "web/page.js").read_text()))
    assert int(constants["FILE_MAX"]) == FILE_MAX
    assert BODY_MAX - 1_000_000 < int(constants["DIRECT_MIN"]) < BODY_MAX  # the form has other fields, too


def test_the_reference_states_the_limits() -> None:
    table = (ROOT / "docs/reference/api.md").read_text().partition("## Limits")[2]
    assert f"| {BODY_MAX:,} bytes |" in table
    assert f"| {FILE_MAX:,} bytes |" in table
