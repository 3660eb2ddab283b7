"""`make run` for tests: a process of its own on a free port, with the data that the test names.

with LocalService(tmp_path / "data") as service:
    answer = service.get("/random?label=cat")
"""

import ctypes
import http.client
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import boto3
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
CHELSEA = ROOT / "tests/images/chelsea.png"
# Seconds that a test waits before it fails: so many that they never pass because a machine is slow.
READY_MAX = 300.0
STOP_MAX = 120.0
ANSWER_MAX = 300.0
PATIENT = 300  # seconds that functions have, where a test is not about the seconds that they have
TOO_MUCH = "exceeded maximum allowed payload size"  # of Lambda's error
PR_SET_PDEATHSIG = 1  # of Linux, in sys/prctl.h

# Linux gives away ports from 32768 on, so from 12,000 on there are 1,000 for each of 20 workers of pytest-xdist.  Each
# process begins at a place of its own in them, because two runs of the tests may go on at a time.
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
PORTS = range(12_000 + WORKER % 20 * 1_000, 13_000 + WORKER % 20 * 1_000)
_PORTS = itertools.cycle([*PORTS[os.getpid() % len(PORTS) :], *PORTS[: os.getpid() % len(PORTS)]])


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NotReady(Exception):
    """The program ended instead of becoming ready."""


class LocalService:
    """One start of `make run` from `root` on `data`. As a context manager it is started, and stopped at the end.

    `output` is what it printed. `code` is its exit code once it has ended, as `subprocess` has it.
    """

    def __init__(
        self,
        data: Path,
        *,
        port: int = 0,
        root: Path = ROOT,
        variables: Mapping[str, str] | None = None,
        own_group: bool = False,
    ):
        self.data, self.port, self.root = data, port or free_port(), root
        patience = {"WARM": "0", "RESPONSE_SECONDS": f"{PATIENT}", "ENCODER": "none"}  # which is light
        self._variables = {**os.environ, **patience, **(variables or {}), "PORT": str(self.port), "DATA": str(data)}
        self._output = data.with_name(f"{data.name}-{self.port}-{uuid4().hex[:8]}.out")
        self._own_group = own_group
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.check_responses()

    def check_responses(self) -> None:
        """Fail if a function returned more than AWS takes, whichever client asked for it."""
        for log in (self.data / "emulator.log", self.data / "emulator.log.1"):
            text = log.read_text(errors="replace") if log.exists() else ""
            assert TOO_MUCH not in text, text[max(0, text.find(TOO_MUCH) - 300) :][:500]

    @property
    def url(self) -> str:
        """Where the API is, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        """What the program printed so far."""
        return self._output.read_text()

    @property
    def pid(self) -> int:
        """The program's process."""
        assert self._process
        return self._process.pid

    @property
    def code(self) -> int | None:
        """The exit code; None while it runs."""
        return self._process.poll() if self._process else None

    def start(self) -> Self:
        """Start the service and return it when it is ready. Raise NotReady if it ends or takes too long."""
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-X", "faulthandler", "-m", "tools.local"],
                cwd=self.root,
                env=self._variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=self._own_group,
                preexec_fn=_begin,
            )
        give_up = time.monotonic() + READY_MAX
        while "petAPI is ready at " not in self.output:
            if self.code is not None or time.monotonic() > give_up:
                self.kill()
                raise NotReady(self.output)
            time.sleep(0.01)
        return self

    def be_patient(self) -> Self:
        """Give the functions minutes instead of 15 s, so that no request fails because the machine is busy."""
        functions = self.aws().client("lambda", endpoint_url=self.aws_endpoint)
        for function in functions.list_functions()["Functions"]:
            functions.update_function_configuration(FunctionName=function["FunctionName"], Timeout=PATIENT)
        return self

    def refusal(self) -> str:
        """Return the line that it prints as it refuses to start, with exit code 1, after the one of each start."""
        with pytest.raises(NotReady) as refused:
            self.start()
        said = [line for line in str(refused.value).splitlines() if not line.startswith("Starting petAPI ")]
        assert (self.code, len(said)) == (1, 1), refused.value
        return said[0]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send this signal and return the exit code; a program that has ended gets no signal."""
        assert self._process
        if self.code is None:
            self._process.send_signal(number)
        try:
            return self._process.wait(STOP_MAX)
        except subprocess.TimeoutExpired as error:
            self._process.send_signal(signal.SIGABRT)  # it says where it stands
            self._process.wait()
            raise AssertionError(self.output) from error

    def kill(self) -> None:
        """End it as a power cut would, as far as a process can."""
        assert self._process
        self._process.kill()
        self._process.wait()

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a GET and return the answer."""
        return self.send("GET", path, headers=headers)

    def upload(
        self, content: bytes, *, label: str = "cat", weight: str = "0.5", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Upload this picture and return the answer."""
        boundary = uuid4().hex
        fields = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in {"label": label, "weight": weight}.items()
        )
        file = f'--{boundary}\r\nContent-Disposition: form-data; name="img"; filename="picture"\r\n\r\n'
        body = fields.encode() + file.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        form = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return self.send("POST", "/upload", body, {**form, **(headers or {})})

    def send(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Send any request on a new connection and return the answer; an iterable body goes without Content-Length."""
        return send(f"127.0.0.1:{self.port}", method, path, body, headers)

    def aws(self) -> boto3.Session:
        """Return a session of the account's owner; its clients need `endpoint_url=service.aws_endpoint`."""
        variables = self.aws_variables()
        return boto3.Session(
            variables["AWS_ACCESS_KEY_ID"],
            variables["AWS_SECRET_ACCESS_KEY"],
            region_name=variables["AWS_DEFAULT_REGION"],
        )

    @property
    def aws_endpoint(self) -> str:
        """Where the emulator's AWS services are."""
        return self.aws_variables()["AWS_ENDPOINT_URL"]

    def aws_variables(self) -> dict[str, str]:
        """Return the environment variables with which the account's owner reaches the emulator."""
        lines = (self.data / "aws.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)


def _begin() -> None:
    """Let this process heed signals as in a terminal, and let Linux stop it when the one that started it ends.

    A shell's background job ignores SIGINT, what `nohup` starts ignores SIGHUP, and both pass that on.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # also if that was killed: no server outlives it


def send(
    host: str,
    method: str,
    path: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    *,
    connect: type[http.client.HTTPConnection] = http.client.HTTPConnection,
) -> Answer:
    """Send any request to this host on a new connection and return the answer."""
    connection = connect(host, timeout=ANSWER_MAX)
    try:
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, names, response.read())
    finally:
        connection.close()


def free_port() -> int:
    """Return a free port that no other worker takes, below those that systems give away."""
    while True:
        port = next(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as those who will listen there
            probe.bind(("127.0.0.1", port))
            return port
