"""Start a process of each function before the first request, so that the first request is as fast as later ones."""

import json
import logging
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

logger = logging.getLogger(__name__)

# An event that no function acts on: a path that it does not serve, and no token.
EVENT = {
    "httpMethod": "OPTIONS",
    "resource": "/warm",
    "path": "/warm",
    "methodArn": "arn:aws:execute-api:::api/Prod/OPTIONS/warm",
    "requestContext": {"requestId": "warm"},
}


def start_functions(names: Sequence[str]) -> None:
    """Call each of these functions once, except those that load models, and those that a queue or a stream calls.

    No client waits for the latter.  Return when all have answered.  If one fails, the log has the reason.
    """
    _call(lambda name, has_models: name in names and not has_models)


def load_models() -> None:
    """Call those that load the models of lite0, which takes a second and more, in a thread that nothing waits for."""
    threading.Thread(target=_try_to_load_models, daemon=True).start()


def _try_to_load_models() -> None:
    try:
        _call(lambda _, has_models: has_models)
    except (BotoCoreError, ClientError) as error:  # perhaps the service stops
        logger.info("the models are loaded when they are needed: %s", error)


def _call(is_wanted: Callable[[str, bool], bool]) -> None:
    """Call the functions that are wanted, by their name and whether they load models."""
    client: Any = boto3.Session().client("lambda", config=Config(retries={"total_max_attempts": 1}))
    mappings = client.list_event_source_mappings()["EventSourceMappings"]
    called_by_queues = {mapping["FunctionArn"].rpartition(":")[2] for mapping in mappings}
    functions = client.get_paginator("list_functions").paginate().build_full_result()["Functions"]
    has_models = {
        each["FunctionName"]: each["Environment"]["Variables"].get("ENCODER") == "lite0" for each in functions
    }
    called = [name for name in has_models if name not in called_by_queues and is_wanted(name, has_models[name])]
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        list(threads.map(lambda name: client.invoke(FunctionName=name, Payload=json.dumps(EVENT)), called))
