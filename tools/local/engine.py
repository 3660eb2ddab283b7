"""ministack's modules, with the changes that `make run` needs."""

import json
import logging
import os
import signal
import string
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tools.local import calls, durable, shortcuts
from tools.local import unpacked as unpacking
from tools.local.unpacked import UnpackedFunctions
from tools.local.vectors import installation
from tools.local.vectors.service import Vectors

QUEUES_PORT = "4566"  # in the URLs of queues only

functions_log = logging.getLogger("functions")


def load(vectors: Path) -> Any:
    """Import ministack's modules, which read the environment then, and change what `make run` cannot use.

    The file `vectors` has the data of S3 Vectors, which is served by ours (vectors/), because ministack lacks it.

    - Lambda waits up to 50 ms for a call's first log line and keeps all lines as log streams. Here lines go to the log
      file as they are written, and no call waits for them. It sends events and receives answers as lines of JSON; here
      they are messages (calls.py).
    - API Gateway ignores methods ANY and gateway responses when it imports an API, as every SAM API is. Here it takes
      both.
    - IAM requires `*` when a call names several SSM parameters. Here it requires the common prefix of their names, so
      that the policies of template.yaml work.
    - IAM wants actions of their own for batches of messages. Here, as in AWS, who may send one message may send ten.
    - Ctrl-C in a terminal reaches the processes of the functions in the middle of their work. Here they are in process
      groups of their own.
    - S3 reports success when the disk had no room for an object, and before the object is on the disk. Here the first
      fails, and the second waits.
    - Lambda unpacks a function for each of its processes. Here it unpacks it once (unpacked.py).
    - Lambda returns responses of any size. Here a larger one than AWS returns is an error.
    - SQS knows queues by the port that it listens on, which differs at each start. Here the port in a name stays.
    - CloudFormation ignores ExcludePunctuation when it generates a secret. Here it heeds it.
    - CloudFormation keeps the alias in an event source mapping that is updated to a function without one. Here it
      removes it.
    - CloudFormation hands on a number that is a parameter's value as a text, which Lambda cannot compare. Here an event
      source mapping has a number.

    What only saves time is in shortcuts.py.  tests/local/test_emulator.py, tests/local/test_running.py and
    tests/local/test_old_data.py test the rest.
    """
    from ministack import app
    from ministack.core import iam_actions, iam_evaluator, lambda_runtime, persistence, responses, router
    from ministack.services import apigateway_v1, cloudformation, dynamodb, lambda_svc, s3, sqs
    from ministack.services.cloudformation import provisioners

    lambda_runtime.subprocess = _OwnGroup()
    logging.getLogger("s3").addHandler(_Raise())
    s3._atomic_write = _write_durably
    unpacked = UnpackedFunctions(Path(os.environ["TMPDIR"]), calls.SCRIPT, lambda_svc._resolve_layer_zip)
    unpacking.install(lambda_runtime, unpacked)
    lambda_runtime.Worker.invoke = calls.invoke
    lambda_runtime.Worker._read_stderr = _log_stderr
    lambda_svc._emit_lambda_logs = _log_crash
    apigateway_v1._OPENAPI_HTTP_METHODS.add("any")
    apigateway_v1._import_path_item = _with_any(apigateway_v1._import_path_item)
    shortcuts.install(apigateway_v1, iam_evaluator, dynamodb, cloudformation.handlers)
    sqs.DEFAULT_PORT, sqs._CANONICAL_NETLOC = QUEUES_PORT, f"{sqs.DEFAULT_HOST}:{QUEUES_PORT}"
    apigateway_v1._import_rest_api = _with_gateway_responses(
        apigateway_v1._import_rest_api, apigateway_v1._put_gateway_response
    )
    provisioners._sm_secret_string = _without_punctuation(provisioners._sm_secret_string)
    mappings = provisioners._RESOURCE_HANDLERS["AWS::Lambda::EventSourceMapping"]
    mappings["update"] = _with_present_alias(mappings["update"], lambda_svc)
    mappings["create"] = _with_number(mappings["create"], 1)
    mappings["update"] = _with_number(mappings["update"], 2)
    iam_actions.extract_resource_arn = _with_parameters(iam_actions.extract_resource_arn)
    iam_actions.extract_iam_action = _with_batches(iam_actions.extract_iam_action)
    loaded = SimpleNamespace(
        app=app,
        cloudformation=cloudformation,
        iam_actions=iam_actions,
        iam_evaluator=iam_evaluator,
        lambda_svc=lambda_svc,
        gateway=apigateway_v1,
        provisioners=provisioners,
        responses=responses,
        router=router,
        unpacked=unpacked,
        lambda_runtime=lambda_runtime,
        persistence=persistence,
    )
    account = f"arn:aws:s3vectors:{responses.get_region()}:{responses.get_account_id()}"
    loaded.vectors = installation.install(loaded, Vectors(vectors, account))
    return loaded


def _with_any(import_path_item: Callable[..., None]) -> Callable[..., None]:
    def import_with_any(api_id: str, path: str, path_item: Mapping[str, Any], *rest: object) -> None:
        methods = {name.replace("x-amazon-apigateway-any-method", "any"): item for name, item in path_item.items()}
        import_path_item(api_id, path, methods, *rest)

    return import_with_any


def _with_gateway_responses(import_rest_api: Callable[..., str], put: Callable[..., Any]) -> Callable[..., str]:
    def import_with_responses(spec: Mapping[str, Any], *rest: object) -> str:
        api_id = import_rest_api(spec, *rest)
        for name, response in spec.get("x-amazon-apigateway-gateway-responses", {}).items():
            put(api_id, name, response)
        return api_id

    return import_with_responses


def _without_punctuation(secret_string: Callable[..., str]) -> Callable[..., str]:
    def generate(properties: Mapping[str, Any]) -> str:
        wanted = properties.get("GenerateSecretString", {})
        if wanted.get("ExcludePunctuation"):
            wanted = {**wanted, "ExcludeCharacters": string.punctuation}
        return secret_string({**properties, "GenerateSecretString": wanted})

    return generate


def _with_present_alias(update: Callable[..., Any], lambda_svc: Any) -> Callable[..., Any]:
    """Let an updated event source mapping call the alias that its new FunctionName has, or none."""

    def update_with_alias(physical_id: str, old: Any, new: Mapping[str, Any], *rest: object) -> Any:
        mapping_id, attributes = update(physical_id, old, new, *rest)
        _, alias = lambda_svc._resolve_name_and_qualifier(new["FunctionName"])
        lambda_svc._esms[mapping_id]["Qualifier"] = alias
        return mapping_id, attributes

    return update_with_alias


def _with_number(handler: Callable[..., Any], position: int) -> Callable[..., Any]:
    """Let the properties of an event source mapping, the argument at this position, have a number as the bound."""

    def handle(*arguments: Any) -> Any:
        properties = arguments[position]
        bounds = {name: int(bound) for name, bound in properties.get("ScalingConfig", {}).items()}
        with_number = {**properties, **({"ScalingConfig": bounds} if bounds else {})}
        return handler(*arguments[:position], with_number, *arguments[position + 1 :])

    return handle


def _with_parameters(extract_resource_arn: Callable[..., str]) -> Callable[..., str]:
    def extract(service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any) -> str:
        if service == "ssm" and headers.get("x-amz-target", "").endswith(".GetParameters"):
            _, region, account = rest
            common = os.path.commonprefix(json.loads(body)["Names"])  # noqa: RUF071 (a prefix of text is meant)
            return f"arn:aws:ssm:{region}:{account}:parameter{common}"
        return extract_resource_arn(service, method, path, headers, body, *rest)

    return extract


def _with_batches(extract_iam_action: Callable[..., str | None]) -> Callable[..., str | None]:
    """Let SQS ask for the action of one message where a call has several. IAM has no others.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
    """

    def extract(service: str, *rest: Any) -> str | None:
        action = extract_iam_action(service, *rest)
        return action.removesuffix("Batch") if action and service == "sqs" else action

    return extract


def _write_durably(path: str, content: bytes | str, *, text: bool = False) -> None:
    durable.write(Path(path), content.encode() if isinstance(content, str) else content)


def _log_stderr(worker: Any) -> None:
    """Copy the lines of a function's process to the log until it ends. Each process has a thread for this."""
    for line in worker._proc.stderr:
        functions_log.info("%s %s", worker.func_name, line.rstrip())


def _log_crash(func: Mapping[str, Any], request_id: str, text: str, *_: object, **__: object) -> None:
    """Log the trace of a call that raised. `text` is empty for others."""
    if text:
        functions_log.error("%s %s %s", func["config"]["FunctionName"], request_id, text)


class _OwnGroup:
    """The module subprocess, with processes in process groups of their own."""

    @staticmethod
    def Popen(*arguments: Any, **options: Any) -> "subprocess.Popen[str]":
        """Start a process that no SIGINT to our group reaches, because it inherits that the signal is blocked."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return subprocess.Popen(*arguments, process_group=0, **options)  # noqa: S603 (ministack's own)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)


class _Raise(logging.Handler):
    """A log handler that turns a warning of ministack's S3 into an error."""

    def emit(self, record: logging.LogRecord) -> None:
        """Raise OSError for an object that is not on the disk."""
        if record.msg.startswith("Failed to persist"):
            raise OSError(record.getMessage())
