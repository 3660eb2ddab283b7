"""The embedded AWS. Only this module, guard.py and engine.py know ministack.

Its services listen on a second port of 127.0.0.1, for the functions, presigned URLs and scripts. AUTH=true makes it
check signatures, roles and policies; guard.py lets only callers with a key come so far.
"""

import asyncio
import logging
import os
import re
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from tools.local import engine
from tools.local.data_folder import DataFolder
from tools.local.guard import Receive, Scope, Send
from tools.local.refusals import Refusal
from tools.local.vectors import installation, mending
from tools.local.vectors.refused import Refused
from tools.models import folder as models

States = Mapping[str, Any]

REGION = "us-east-1"
PASSED_ON = re.compile(r"PATH|HOME|LANG|TZ|LC_\w+|PYTHON\w+|LD_LIBRARY_PATH|DYLD_\w+")
POLL = 0.02  # seconds between two looks at the functions at work
EVENTS_MAX = 300  # of the stack; ministack would keep all, and a deployment of the whole stack has about 90


class Emulator:
    """The ministack of this process, with its state in one data folder. Its modules hold the state: one per process.

    `variables` are for AWS clients: its address and the owner's key. They are in this process's environment, too.
    """

    def __init__(self, folder: DataFolder, port: int) -> None:
        self.variables = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "AKIA" + secrets.token_hex(16).upper(),
            "AWS_SECRET_ACCESS_KEY": secrets.token_hex(20),
        }
        self._folder = folder
        self._losses = _Losses(logging.ERROR)
        _replace_environment(_environment(folder, port) | self.variables)
        self._ministack = engine.load(folder.vectors)
        for name in ("persistence", "ministack"):
            logging.getLogger(name).addHandler(self._losses)

    def refuse_lost_state(self) -> None:
        """Raise Refusal if a part of the state could not be loaded. ministack would go on and lose it."""
        if self._losses.messages:
            raise Refusal(
                f"The emulator cannot read the data in {self._folder.path} ({'; '.join(self._losses.messages)}). "
                "Start it with the versions of requirements/run.txt, or with other data: make run DATA=<folder>"
            )

    def mend_vectors(self) -> str:
        """Make the buckets and indexes of vectors those of the stacks. Return what is to be said of it, if anything.

        A start does not fail because of vectors: they are a hint.
        """
        vectors, resources = self._ministack.vectors, installation.resources(self._ministack.cloudformation)
        try:
            were_missing = vectors is not None and mending.mend(vectors, resources)
        except Refused as refused:
            return f"{refused} Until that is corrected, pictures are neither indexed nor found by what they show."
        lost = "The vectors that pictures are found by are missing. They are made again from the pictures."
        return lost if were_missing else ""

    def close_vectors(self) -> None:
        """Close the file of vectors, after the last request."""
        if self._ministack.vectors:
            self._ministack.vectors.close()

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request to the AWS endpoints."""
        await self._ministack.app.app(scope, receive, send)

    async def call_api(
        self, api_id: str, method: str, path: str, query: bytes, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, Any], bytes]:
        """Call stage Prod of the API. Return status, headers and body.

        ministack's own address for APIs ends in the same call, after guesses from the Host header.
        """
        answer: tuple[int, dict[str, Any], bytes] = await self._ministack.gateway.handle_execute(
            api_id, "Prod", method, path, headers, body, parse_qs(query.decode("latin-1"), keep_blank_values=True)
        )
        return answer

    def states(self) -> States:
        """Return the state of each service that has any. Call it on the event loop, so that no call is half done."""
        for _, events in self._ministack.cloudformation._stack_events.all_items():
            del events[:-EVENTS_MAX]
        parts = self._ministack.app._build_persistence_save_dict()
        states = {name: get_state() for name, get_state in parts.items()}
        return {name: state for name, state in states.items() if not _is_empty(state)}

    def save(self, states: States) -> None:
        """Replace the content of the folder `state` by these states. Raise OSError if one cannot be written."""
        for old in self._folder.state.glob("*.json"):
            old.unlink()
        self._ministack.persistence.save_all({name: lambda state=state: state for name, state in states.items()})
        missing = [name for name in states if not (self._folder.state / f"{name}.json").exists()]
        if missing:
            raise OSError(f"the state of {', '.join(missing)} could not be written")

    def unpack_functions(self) -> None:
        """Unpack the code of all functions, so that later calls need no room on the disk."""
        for function in list(self._ministack.lambda_svc._functions._data.values()):
            config = function["config"]
            worker = self._ministack.lambda_runtime.Worker(config["FunctionName"], config, function["code_zip"])
            self._ministack.unpacked.folder(worker)

    async def functions_end(self, seconds: float) -> bool:
        """Let queues and streams call no more functions, and wait for those at work.

        Return whether they end in this time.
        """
        self._ministack.lambda_svc._poll_sqs = self._ministack.lambda_svc._poll_dynamodb_streams = lambda: False
        give_up = time.monotonic() + seconds
        while self._ministack.lambda_runtime.workers_in_use() and time.monotonic() < give_up:
            await asyncio.sleep(POLL)
        return not self._ministack.lambda_runtime.workers_in_use()

    def stop_functions(self) -> None:
        """End the processes of all functions, and start no more."""
        self._ministack.unpacked.close()
        self._ministack.lambda_runtime.reset()


class _Losses(logging.Handler):
    """The errors that ministack logs while it loads its state."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message."""
        self.messages.append(record.getMessage())


def _is_empty(state: Any) -> bool:
    """Return whether a state holds nothing. Most services are never used, and a start need not load those."""
    values = getattr(state, "_data", state)  # of ministack's dictionaries, which have the values of all accounts
    if isinstance(values, dict):
        return all(map(_is_empty, values.values()))
    return isinstance(values, list | set | tuple) and not values


def _environment(folder: DataFolder, port: int) -> dict[str, str]:
    """Return the environment for ministack and the functions, without your settings for AWS, proxies or ministack."""
    return {
        **{name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)},
        "TMPDIR": str(folder.tmp),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "AUTH": "true",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": f"unix://{folder.tmp}/no-docker",
        "LOG_LEVEL": "WARNING",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(folder.state),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(folder.objects),
        "MINISTACK_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "*",
        "LITE0_MODELS": str(models.chosen(os.environ)),
        "OPENBLAS_NUM_THREADS": "1",  # of numpy; more threads spin while they wait for each other
    }


def _replace_environment(environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
