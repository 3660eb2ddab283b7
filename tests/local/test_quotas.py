"""The quotas and throttles of the platform, as the front of `make run` enforces them."""

import errno
import io
import json
import os
import re
import shutil
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.limits import BODY_MAX, RESPONSE_MAX
from tests.support import cloud
from tests.support.cloud import ROOT
from tests.support.local_service import TOO_MUCH, LocalService
from tools.local import quotas
from tools.local.front import GatewayTimeout
from tools.local.throttles import Throttled, Throttles
from tools.local.unpacked import UnpackedFunctions
from tools.template import read_template

TEMPLATE = read_template(ROOT / "template.yaml")


def response(body: str, **members: object) -> dict[str, Any]:
    return {"statusCode": 200, "headers": {"Content-Type": "image/png"}, "body": body, **members}


@given(st.text(), st.booleans(), st.dictionaries(st.text(), st.text(), max_size=3))
def test_a_result_is_as_large_as_its_json(body: str, binary: bool, headers: dict[str, str]) -> None:
    """Base64 is counted without being written again, so a body of it has none of the characters that JSON escapes."""
    text = "".join(character for character in body if character.isascii() and character.isalnum()) if binary else body
    result = response(text, headers=headers, isBase64Encoded=binary)

    size = len(json.dumps(result, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    assert quotas._json_size(result) == size


@pytest.mark.parametrize("binary", [True, False])
def test_lambda_returns_so_much_and_no_more(binary: bool) -> None:
    frame = quotas._json_size(response("", isBase64Encoded=binary))

    assert not quotas.excess(response("A" * (RESPONSE_MAX - frame), isBase64Encoded=binary))
    error = quotas.excess(response("A" * (RESPONSE_MAX - frame + 1), isBase64Encoded=binary))
    assert f"({RESPONSE_MAX + 1} bytes) {TOO_MUCH} ({RESPONSE_MAX} bytes)" in error


@pytest.mark.parametrize("result", [None, [], "text", {"batchItemFailures": []}])
def test_results_of_other_functions_pass(result: object) -> None:
    assert not quotas.excess(result)


def test_a_body_that_a_function_takes_is_an_event_with_the_longest_head() -> None:
    quotas.check_event("POST", "/upload", b"", {"x": "h" * 10_000}, bytes(BODY_MAX))


# --- throttles ---


def admitted(throttles: Throttles, method: str, path: str, times: list[float]) -> int:
    count = 0
    for now in times:
        try:
            throttles.check(method, path, now)
        except Throttled:
            continue
        count += 1
    return count


def test_the_templates_rates_and_bursts_hold_for_each_method_of_each_path() -> None:
    throttles = Throttles(TEMPLATE, {})
    defaults = {name: int(each["Default"]) for name, each in TEMPLATE["Parameters"].items() if "Throttle" in name}
    at_once = [0.0] * 1_000

    for method, path in (
        ("POST", "/random"),
        ("POST", "/upload"),
        ("GET", "/labels"),
        ("GET", "/nowhere"),
        ("GET", "/web/0/library/x.js"),
    ):
        assert admitted(throttles, method, path, at_once) == defaults["ThrottleBurst"]
    for method, path in (("GET", "/random"), ("HEAD", "/random"), ("GET", "/random.json"), ("GET", "/random/cat")):
        assert admitted(throttles, method, path, at_once) == defaults["DrawThrottleBurst"]
    for path in ("/images", "/images/cat/x.png", "/web/0123456789abcdef/start.js"):
        assert admitted(throttles, "GET", path, at_once) == defaults["PictureThrottleBurst"]
        assert admitted(throttles, "DELETE", path, at_once) == defaults["ThrottleBurst"]
    later = [10 + second / 1_000 for second in range(10_000)]
    assert admitted(throttles, "GET", "/random", later) == pytest.approx(10 * defaults["DrawThrottleRate"] + 10, abs=2)


def test_searches_that_ask_a_model_have_a_slower_rate_of_their_own() -> None:
    throttles, at_once = Throttles(TEMPLATE, {}), [0.0] * 100
    later = [10 + second / 10 for second in range(100)]

    for method in ("GET", "HEAD", "POST"):
        assert admitted(throttles, method, "/search", at_once) == 5
        assert admitted(throttles, method, "/search", later) == pytest.approx(10 * 2 + 5, abs=2)
    assert admitted(throttles, "GET", "/images/cat/x.png/similar", at_once) == 10
    assert admitted(Throttles(TEMPLATE, {"SearchThrottleBurst": "3"}), "POST", "/search", at_once) == 3


def test_a_parameter_changes_a_throttle() -> None:
    throttles = Throttles(TEMPLATE, {"DrawThrottleBurst": "3"})

    assert admitted(throttles, "GET", "/random", [0.0] * 10) == 3


@pytest.mark.parametrize("resource", sorted({pattern for pattern, _, _ in cloud.routes()}))
def test_a_request_counts_for_the_path_that_api_gateway_chooses(resource: str) -> None:
    path = re.sub(r"\{(\w+)(\+?)\}", lambda found: f"{found[1]}/more" if found[2] else found[1], resource)

    assert Throttles(TEMPLATE, {})._pattern(path) == resource


@pytest.mark.parametrize(("refusal", "name"), [(Throttled(), "THROTTLED"), (GatewayTimeout(), "INTEGRATION_TIMEOUT")])
def test_a_refusal_is_worded_as_the_gateway_response_of_the_template(refusal: Any, name: str) -> None:
    status, headers, body = cloud.gateway_response(name)

    assert (refusal.status, refusal.detail) == (status, json.loads(body)["detail"])
    assert refusal.headers["Retry-After"] == headers["Retry-After"]


@pytest.mark.usefixtures("slow_tier")
def test_a_running_service_throttles_if_that_is_wanted(tmp_path: Path) -> None:
    """A burst of 10, and 20 a second, are answered. Another path is not throttled with it."""
    many = 120  # which even a busy machine receives faster than 20 a second
    with LocalService(tmp_path / "data", variables={"THROTTLE": "1"}) as service:
        begun = time.monotonic()
        with ThreadPoolExecutor(many) as clients:
            answers = list(clients.map(service.get, ["/random?label=cat"] * many))
        most = 10 + 20 * (time.monotonic() - begun)
        refused = [answer for answer in answers if answer.status == 429]
        assert 10 <= many - len(refused) <= most
        assert refused
        assert {answer.status for answer in answers} == {404, 429}
        assert {answer.headers["retry-after"] for answer in refused} == {"1"}
        assert service.get("/labels").status == 200, "it has tokens of its own"
        with ThreadPoolExecutor(many) as clients:  # more at once than the stage's burst
            files = list(clients.map(service.get, ["/web/0123456789abcdef/none.js"] * 50))
        assert {answer.status for answer in files} == {404}


# --- the code of functions ---


def test_all_processes_of_a_function_use_one_folder_which_is_written_once(tmp_path: Path) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("handler.py", "pass")
    unpacked = UnpackedFunctions(tmp_path, "the script", lambda layer: archive.getvalue())
    folders = []
    spawn = unpacked.spawning(lambda worker: folders.append(unpacked.mkdtemp()))
    workers = [SimpleNamespace(func_name="f", config={"Layers": ["l"]}, code_zip=archive.getvalue()) for _ in range(3)]

    spawn(workers[0])
    before = sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*"))
    for worker in workers[1:]:
        spawn(worker)

    (folder,) = {Path(folder) for folder in folders}
    assert sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*")) == before
    assert (folder / "code/handler.py").read_text() == (folder / "layer_0/handler.py").read_text() == "pass"
    assert (folder / "_worker.py").read_text() == "the script"
    unpacked.close()
    with pytest.raises(RuntimeError, match="stopping"):
        spawn(workers[0])


def test_what_functions_have_in_common_is_unpacked_once(tmp_path: Path) -> None:
    def worker(name: str, shared: str) -> SimpleNamespace:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as code:
            code.writestr("handler.py", name)
            code.writestr("shared/api/a.py", shared)
        return SimpleNamespace(func_name=name, config={}, code_zip=archive.getvalue())

    unpacked = UnpackedFunctions(tmp_path, "the script", lambda layer: None)
    first, second, third = (unpacked.folder(worker(*each)) / "code" for each in (("f", "x"), ("g", "x"), ("h", "y")))

    assert [(folder / "shared/api/a.py").read_text() for folder in (first, second, third)] == ["x", "x", "y"]
    assert [(folder / "handler.py").read_text() for folder in (first, second, third)] == ["f", "g", "h"]
    assert (first / "shared").resolve() == (second / "shared").resolve() != (third / "shared").resolve()


def test_nothing_is_left_of_what_cannot_be_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("shared/a.py", "pass")
    unpacked = UnpackedFunctions(tmp_path, "the script", lambda layer: archive.getvalue())
    worker = SimpleNamespace(func_name="f", config={"Layers": ["l"]}, code_zip=archive.getvalue())
    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(OSError, match="No space left"):
        unpacked.folder(worker)
    assert list(tmp_path.iterdir()) == []
