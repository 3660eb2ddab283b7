"""Start a process of each function before the first request, so that the first request is as fast as later ones."""

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config

# An event that no function acts on: a path that it does not serve, and no token.
EVENT = {
    "httpMethod": "OPTIONS",
    "resource": "/warm",
    "path": "/warm",
    "methodArn": "arn:aws:execute-api:::api/Prod/OPTIONS/warm",
    "requestContext": {"requestId": "warm"},
}


def start_functions(names: Sequence[str]) -> None:
    """Call each function once, except those that a queue calls, for which no client waits.

    Return when all have answered. If one fails, the log has the reason.
    """
    client: Any = boto3.Session().client("lambda", config=Config(retries={"total_max_attempts": 1}))
    mappings = client.list_event_source_mappings()["EventSourceMappings"]
    called_by_queues = {mapping["FunctionArn"].rpartition(":")[2] for mapping in mappings}
    waited_for = [name for name in names if name not in called_by_queues]
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        list(threads.map(lambda name: client.invoke(FunctionName=name, Payload=json.dumps(EVENT)), waited_for))
