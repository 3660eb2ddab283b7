"""The embedded AWS: everything that knows ministack is here.

Its services listen on a port of their own on 127.0.0.1, for the functions, presigned URLs and scripts.  AUTH=true
makes it check signatures, roles and policies, but it takes an empty key, `test` and account numbers for the
account's owner, who may run any code; so `guarded` lets nobody in with those, and the owner's key is a secret of
this run.
"""

import json
import logging
import os
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

from local.data_folder import DataFolder
from local.refusals import Refusal

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
States = Mapping[str, Any]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

REGION = "us-east-1"
PASSED_ON = re.compile(r"PATH|HOME|LANG|TZ|LC_\w+|PYTHON\w+|LD_LIBRARY_PATH|DYLD_\w+")
EVENTS_MAX = 300  # of the stack, which ministack keeps for ever; a deployment of all of it has about 90
OWNERS_FOR_ALL = re.compile(r"(test|[0-9]{12})?")
LOOPBACK_IS_SECURE = (b"x-forwarded-proto", b"https")  # for bucket policies that ask for TLS
READS = re.compile(r"(\w+\.)?(Batch)?(Get|Describe|List|Query|Scan)\w*")

functions_log = logging.getLogger("functions")


class Emulator:
    """One ministack in this process, with its state under one data folder. Its modules hold the state: one a process.

    `variables` tell AWS clients where it is and who its owner is; they are in this process's environment, too.
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
        self._ministack = _import_ministack()
        for name in ("persistence", "ministack"):
            logging.getLogger(name).addHandler(self._losses)

    def refuse_lost_state(self) -> None:
        """Refusal if a part of the state could not be loaded; ministack goes on without it, and would lose it."""
        if self._losses.messages:
            raise Refusal(
                f"The emulator cannot read the data in {self._folder.path} ({'; '.join(self._losses.messages)}). "
                "Start it with the versions of requirements/run.txt, or with other data: make run DATA=<folder>"
            )

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The AWS endpoints."""
        await self._ministack.app.app(scope, receive, send)

    async def call_api(
        self, api_id: str, method: str, path: str, query: bytes, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, Any], bytes]:
        """Status, headers and body of the answer of the API's stage Prod to this request.

        The same call that ministack's own address for APIs ends in, without its guesses from the Host header.
        """
        answer: tuple[int, dict[str, Any], bytes] = await self._ministack.gateway.handle_execute(
            api_id, "Prod", method, path, headers, body, parse_qs(query.decode("latin-1"), keep_blank_values=True)
        )
        return answer

    def states(self) -> States:
        """The state of each service; to be called on the event loop, so that no call is half done in it."""
        for _, events in self._ministack.cloudformation._stack_events.all_items():
            del events[:-EVENTS_MAX]
        parts = self._ministack.app._build_persistence_save_dict()
        return {name: get_state() for name, get_state in parts.items()}

    def save(self, states: States) -> None:
        """Writes these states to the folder `state` in place of what is there. OSError if one could not be written."""
        for old in self._folder.state.glob("*.json"):
            old.unlink()
        self._ministack.persistence.save_all({name: lambda state=state: state for name, state in states.items()})
        missing = [name for name in states if not (self._folder.state / f"{name}.json").exists()]
        if missing:
            raise OSError(f"the state of {', '.join(missing)} could not be written")

    def stop_functions(self) -> None:
        """No process of a function is left when this returns."""
        self._ministack.lambda_runtime.reset()


class _Losses(logging.Handler):
    """Keeps what ministack complains of while it loads its state."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the message."""
        self.messages.append(record.getMessage())


def guarded(app: App, written: Callable[[], None]) -> App:
    """The AWS endpoints for those who show a key of their own; calls `written` after each call that may write."""

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await app(scope, receive, send)
        if scope["type"] != "http" or scope["path"].startswith("/_") or OWNERS_FOR_ALL.fullmatch(_key(scope)):
            return await _forbid(send)
        try:
            await app({**scope, "headers": [*scope["headers"], LOOPBACK_IS_SECURE]}, receive, send)
        finally:
            if _may_write(scope):
                written()

    return guard


def _key(scope: Scope) -> str:
    """The access key that the request names, empty if none."""
    from ministack.core.router import extract_access_key_id  # type: ignore[import-untyped]

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
    """What ministack and the functions see: nothing of the user's AWS, proxy or ministack settings."""
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


def _import_ministack() -> Any:
    """The modules of ministack, which read the environment as they are imported; with three changes.

    Its Lambda waits up to 50 ms for a call's first log line, and keeps each call's lines as a log stream for ever:
    here lines go to the log file as they are written, and nobody waits for them.  Its API Gateway leaves methods ANY
    out when it imports an API, as every SAM API is.  Its IAM asks for `*` when a call names several SSM parameters:
    here for what their names have in common, so that the policies of template.yaml hold.
    tests/test_local_emulator.py guards all three.
    """
    from ministack import app  # type: ignore[import-untyped]
    from ministack.core import iam_actions, lambda_runtime, persistence  # type: ignore[import-untyped]
    from ministack.services import apigateway_v1, cloudformation, lambda_svc  # type: ignore[import-untyped]

    lambda_runtime.Worker._read_stderr = _log_stderr
    lambda_runtime.Worker._drain_stderr_bounded = lambda worker: ""
    lambda_svc._emit_lambda_logs = _log_crash
    apigateway_v1._OPENAPI_HTTP_METHODS.add("any")
    apigateway_v1._import_path_item = _with_any(apigateway_v1._import_path_item)
    iam_actions.extract_resource_arn = _with_parameters(iam_actions.extract_resource_arn)
    return SimpleNamespace(
        app=app,
        cloudformation=cloudformation,
        gateway=apigateway_v1,
        lambda_runtime=lambda_runtime,
        persistence=persistence,
    )


def _with_any(import_path_item: Callable[..., None]) -> Callable[..., None]:
    def import_with_any(api_id: str, path: str, path_item: Mapping[str, Any], *rest: object) -> None:
        methods = {name.replace("x-amazon-apigateway-any-method", "any"): item for name, item in path_item.items()}
        import_path_item(api_id, path, methods, *rest)

    return import_with_any


def _with_parameters(extract_resource_arn: Callable[..., str]) -> Callable[..., str]:
    def extract(service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any) -> str:
        if service == "ssm" and headers.get("x-amz-target", "").endswith(".GetParameters"):
            _, region, account = rest
            common = os.path.commonprefix(json.loads(body)["Names"])  # noqa: RUF071 (a prefix of text is meant)
            return f"arn:aws:ssm:{region}:{account}:parameter{common}"
        return extract_resource_arn(service, method, path, headers, body, *rest)

    return extract


def _log_stderr(worker: Any) -> None:
    """Runs in a thread for each process of a function: its lines to the log, until it ends."""
    for line in worker._proc.stderr:
        functions_log.info("%s %s", worker.func_name, line.rstrip())


def _log_crash(func: Mapping[str, Any], request_id: str, text: str, *_: object, **__: object) -> None:
    """`text` is the trace of a call that raised, empty otherwise."""
    if text:
        functions_log.error("%s %s %s", func["config"]["FunctionName"], request_id, text)
