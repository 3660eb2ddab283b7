"""The embedded AWS. Only this module and engine.py know ministack.

Its services listen on a second port of 127.0.0.1, for the functions, presigned URLs and scripts. AUTH=true makes it
check signatures, roles and policies. But it accepts an empty key, `test` and account numbers as the account's owner,
who may run any code. So `guarded` refuses those, and the owner's key is a secret of this run.
"""

import json
import logging
import os
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from shared.limits import FILE_MAX
from tools.local import engine
from tools.local.data_folder import DataFolder
from tools.local.refusals import Refusal

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
States = Mapping[str, Any]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

REGION = "us-east-1"
PASSED_ON = re.compile(r"PATH|HOME|LANG|TZ|LC_\w+|PYTHON\w+|LD_LIBRARY_PATH|DYLD_\w+")
EVENTS_MAX = 300  # of the stack; ministack would keep all, and a deployment of the whole stack has about 90
OWNERS_FOR_ALL = re.compile(r"(test|[0-9]{12})?")
LOOPBACK_IS_SECURE = (b"x-forwarded-proto", b"https")  # for bucket policies that require TLS
LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost)(:[0-9]+)?")
BUCKET = re.compile(r"/[a-z0-9.-]{3,63}/?")
FORM_KEY = re.compile(r"A[KS]IA[0-9A-Z]+")  # nothing that S3 expands, such as ${filename}
FORM_MAX = FILE_MAX + 1_000_000  # bytes of a form: the file, and far more than its fields have
READS = re.compile(r"(\w+\.)?(Batch)?(Get|Describe|List|Query|Scan)\w*")


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
        self._ministack = engine.load()
        for name in ("persistence", "ministack"):
            logging.getLogger(name).addHandler(self._losses)

    def refuse_lost_state(self) -> None:
        """Raise Refusal if a part of the state could not be loaded. ministack would go on and lose it."""
        if self._losses.messages:
            raise Refusal(
                f"The emulator cannot read the data in {self._folder.path} ({'; '.join(self._losses.messages)}). "
                "Start it with the versions of requirements/run.txt, or with other data: make run DATA=<folder>"
            )

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
        """Return the state of each service. Call it on the event loop, so that no call is half done in it."""
        for _, events in self._ministack.cloudformation._stack_events.all_items():
            del events[:-EVENTS_MAX]
        parts = self._ministack.app._build_persistence_save_dict()
        return {name: get_state() for name, get_state in parts.items()}

    def save(self, states: States) -> None:
        """Replace the content of the folder `state` by these states. Raise OSError if one cannot be written."""
        for old in self._folder.state.glob("*.json"):
            old.unlink()
        self._ministack.persistence.save_all({name: lambda state=state: state for name, state in states.items()})
        missing = [name for name in states if not (self._folder.state / f"{name}.json").exists()]
        if missing:
            raise OSError(f"the state of {', '.join(missing)} could not be written")

    def stop_functions(self) -> None:
        """End the processes of all functions."""
        self._ministack.lambda_runtime.reset()


class _Losses(logging.Handler):
    """The errors that ministack logs while it loads its state."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message."""
        self.messages.append(record.getMessage())


def guarded(app: App, written: Callable[[], None]) -> App:
    """Return the AWS endpoints for callers with a real key. `written` is called after each call that may write."""

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await app(scope, receive, send)
        if scope["type"] != "http" or scope["path"].startswith("/_"):
            return await _forbid(send)
        key = _key(scope)
        if _is_form(scope):
            body = await _body(receive)
            key, receive = _key_of_form(_header(scope, b"content-type"), body), _again(body)
        if _owners(scope, key):
            return await _forbid(send)
        try:
            await app({**scope, "headers": [*scope["headers"], LOOPBACK_IS_SECURE]}, receive, send)
        finally:
            if _may_write(scope):
                written()

    return guard


def _owners(scope: Scope, key: str) -> bool:
    """Return whether ministack would accept this key as the owner's. A browser's preflight of a form has no key."""
    asks_first = scope["method"] == "OPTIONS" and _header(scope, b"access-control-request-method") == "POST"
    return not (asks_first and _is_for_a_bucket(scope)) and bool(OWNERS_FOR_ALL.fullmatch(key))


def _is_form(scope: Scope) -> bool:
    """Return whether the request may be a form for S3, which is signed in its fields only."""
    form = _header(scope, b"content-type").startswith("multipart/form-data")
    signed = _header(scope, b"authorization") or scope["query_string"] or _header(scope, b"x-amz-target")
    return form and scope["method"] == "POST" and not signed and _is_for_a_bucket(scope)


def _is_for_a_bucket(scope: Scope) -> bool:
    """Return whether ministack gives the request to S3.

    Other services do not look for a key in a form, and accept a request without a key as the owner's. The choice of
    the service depends on the Host as well, and every name under localhost is this machine.
    """
    from ministack.core.router import detect_service

    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    is_bucket = LOOPBACK.fullmatch(headers.get("host", "")) and BUCKET.fullmatch(scope["path"])
    return bool(is_bucket) and detect_service(scope["method"], scope["path"], headers, {}) == "s3"


def _key_of_form(content_type: str, body: bytes) -> str:
    """Return the access key that a form for S3 names, read as ministack reads it. Empty if there is not exactly one."""
    from ministack.services import s3

    fields = s3._parse_multipart_form(content_type, body)
    found = [value for name, _, _, value in fields if name.lower() in ("x-amz-credential", "awsaccesskeyid")]
    key = found[0].partition(b"/")[0].decode("latin-1") if len(found) == 1 else ""
    return key if FORM_KEY.fullmatch(key) else ""


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while sum(map(len, parts)) <= FORM_MAX:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return b"".join(parts)


def _again(body: bytes) -> Receive:
    """Return a `receive` that gives this body."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


def _key(scope: Scope) -> str:
    """Return the access key that the request names, empty if none."""
    from ministack.core.router import extract_access_key_id

    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return str(extract_access_key_id({"authorization": _header(scope, b"authorization")}, query))


def _may_write(scope: Scope) -> bool:
    if scope["method"] == "POST":
        return not READS.fullmatch(_header(scope, b"x-amz-target").replace("_", ""))
    return scope["method"] not in ("GET", "HEAD")


def _header(scope: Scope, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), "")


async def _forbid(send: Send) -> None:
    body = json.dumps({"__type": "AccessDeniedException", "message": "Sign the request; see aws.env."}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})


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
    }


def _replace_environment(environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
