"""Calls of functions: what `make run` and the processes of functions send each other."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.limits import RESPONSE_MAX
from tests.support.local_service import TOO_MUCH, LocalService
from tools.local import calls, function_process

HANDLER = """
import os, subprocess, sys, time

def handler(event, context):
    if "answer" in event:
        return event["answer"]
    if "answer_bytes" in event:
        return {"statusCode": 200, "body": "A" * event["answer_bytes"], "isBase64Encoded": True}
    if "seconds" in event:
        time.sleep(event["seconds"])
    if "raises" in event:
        raise KeyError(event["raises"])
    if "code" in event:
        os._exit(event["code"])
    if "prints" in event:
        print(event["prints"])
        subprocess.run([sys.executable, "-c", "import sys; print('child', sys.stdin.read())"], check=True)
        os.write(1, b"not JSON\\n")
    left = context.get_remaining_time_in_millis()
    return {"event": event, "id": context.aws_request_id, "arn": context.invoked_function_arn, "left": left}
"""
FUNCTION = {
    "env": {"FROM": "template"},
    "function_name": "f",
    "memory": 512,
    "module": "a_handler",
    "handler": "handler",
}
VARIABLES = {"AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_LOG_STREAM_NAME": "s", "_LAMBDA_TIMEOUT": "30"}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


class Worker:
    """A Worker as ministack has them: with a process that starts at the first call."""

    func_name = "f"

    def __init__(self, folder: Path, timeout: int = 30) -> None:
        self.config = {"Timeout": timeout, "FunctionArn": "arn:f"}
        self._folder, self._lock, self.starts = folder, threading.Lock(), 0
        self._proc: subprocess.Popen[str] | None = None
        (folder / "a_handler.py").write_text(HANDLER)
        (folder / "_worker.py").write_text(calls.SCRIPT)

    def _spawn(self) -> None:
        self.starts += 1
        with (self._folder / "log").open("a") as log:
            self._proc = subprocess.Popen(
                [sys.executable, str(self._folder / "_worker.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                bufsize=1,
                env={**os.environ, **VARIABLES, "_LAMBDA_LAYERS_DIRS": str(self._folder / "layer")},
            )
        assert self._proc.stdin and self._proc.stdout  # noqa: PT018
        self._proc.stdin.write(json.dumps({**FUNCTION, "code_dir": str(self._folder)}) + "\n")
        assert json.loads(self._proc.stdout.readline()) == {"status": "ready"}

    def kill(self) -> None:
        process, self._proc = self._proc, None
        if process:
            process.kill()
            process.communicate()

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text()

    def call(self, event: object) -> dict[str, Any]:
        return calls.invoke(self, event, "request", invoked_function_arn="arn:f:1", trace_id=None, durable={})


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    worker = Worker(tmp_path_factory.mktemp("function"))
    yield worker
    worker.kill()


@settings(max_examples=50)
@given(VALUES, VALUES)
def test_events_and_answers_arrive_as_their_json_says(worker: Worker, value: Any, body: Any) -> None:
    answer = {"statusCode": 200, "headers": value, "body": body, "isBase64Encoded": False}

    assert worker.call({"answer": answer, "body": body})["result"] == answer
    assert worker.call({"value": value, "body": body})["result"]["event"] == {"value": value, "body": body}
    assert worker.call({"answer": value})["result"] == value


@pytest.mark.parametrize("body", ["A" * 5_000_000, "\n" * 100_000, "ä\ud800" * 100_000, ""], ids=len)
def test_a_body_of_any_size_and_with_any_character_arrives(worker: Worker, body: str) -> None:
    assert worker.call({"body": body})["result"]["event"] == {"body": body}
    assert worker.call({"answer": {"body": body}})["result"] == {"body": body}


def test_a_call_has_its_context_and_uses_the_process_that_is_there(worker: Worker) -> None:
    first, second = worker.call({}), worker.call({})

    assert (second["status"], second["cold_start"], second["log"]) == ("ok", False, "")
    assert (second["result"]["id"], second["result"]["arn"]) == ("request", "arn:f:1")
    assert 0 < second["result"]["left"] <= 30_000
    assert first["result"]["event"] == {}


def test_modules_are_found_in_the_code_and_then_in_the_layers(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    (tmp_path / "layer/python").mkdir(parents=True)
    for folder, name in ((".", "of_both"), ("layer/python", "of_both"), ("layer/python", "of_layer")):
        (tmp_path / folder / f"{name}.py").write_text(f"PLACE = {folder!r}")
    (tmp_path / "a_handler.py").write_text(
        "import of_both, of_layer\n\ndef handler(event, context):\n    return [of_both.PLACE, of_layer.PLACE]\n"
    )

    answer = worker.call({})
    worker.kill()

    assert answer["result"] == [".", "layer/python"]


def test_what_is_printed_goes_to_the_log(worker: Worker) -> None:
    assert worker.call({"prints": "a line"})["status"] == "ok"

    assert worker.call({})["result"]["event"] == {}
    assert worker.log.splitlines()[-3:] == ["a line", "child ", "not JSON"]


@pytest.mark.parametrize(
    ("event", "error"),
    [({"raises": "no such"}, "'no such'"), ({"code": 3}, "Worker process died"), ({"answer": {1, 2}}, "not JSON")],
)
def test_a_call_that_fails_says_why_and_the_next_one_has_a_new_process(
    tmp_path: Path, event: dict[str, Any], error: str
) -> None:
    worker = Worker(tmp_path)
    if error == "not JSON":
        (tmp_path / "a_handler.py").write_text("def handler(event, context):\n    return {1, 2} if event else 'fine'\n")
        event, error = {"a": 1}, "Object of type set is not JSON serializable"

    failed, good = worker.call(event), worker.call({})
    worker.kill()

    assert (failed["status"], failed["error"]) == ("error", error)
    assert ("Traceback" in failed.get("trace", "")) == ("code" not in event)
    assert (good["status"], good["cold_start"], worker.starts) == ("ok", True, 2)


@pytest.mark.parametrize("event", [{"seconds": 60}, {"seconds": 60, "body": "A" * 5_000_000}], ids=["small", "large"])
def test_a_function_that_takes_too_long_is_ended(tmp_path: Path, event: dict[str, Any]) -> None:
    worker = Worker(tmp_path, timeout=1)

    answer = worker.call(event)

    assert (answer["status"], answer["error"]) == ("error", "Task timed out after 1.00 seconds")
    assert worker._proc is None


def test_a_process_that_does_not_read_ends_like_one_that_takes_too_long(tmp_path: Path) -> None:
    worker = Worker(tmp_path, timeout=1)
    worker.call({})
    assert worker._proc
    os.kill(worker._proc.pid, signal.SIGSTOP)

    started = time.monotonic()
    assert worker.call({"body": "A" * 5_000_000})["error"] == "Task timed out after 1.00 seconds"
    assert time.monotonic() - started >= 1


def test_a_module_that_cannot_be_imported_is_named(tmp_path: Path) -> None:
    function = {**FUNCTION, "code_dir": str(tmp_path), "module": "missing"}

    ended = subprocess.run(
        [sys.executable, function_process.__file__],
        input=json.dumps(function) + "\n",
        env={**os.environ, **VARIABLES},
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(ended.stdout) == {"status": "error", "error": "No module named 'missing'"}


def test_a_function_that_returns_too_much_fails_as_on_lambda_and_fails_the_tests(
    worker: Worker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        large, small = (worker.call({"answer_bytes": size}) for size in (RESPONSE_MAX, 4))

    assert (large["status"], large["result"]) == ("error", None)
    assert (small["status"], small["result"]["body"]) == ("ok", "AAAA")
    assert TOO_MUCH in caplog.text
    (tmp_path / "data").mkdir()
    (tmp_path / "data/emulator.log").write_text(caplog.text)
    with pytest.raises(AssertionError, match=TOO_MUCH):
        LocalService(tmp_path / "data").check_responses()
