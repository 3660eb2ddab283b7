"""What benchmarks run on: dynoxide, a DynamoDB in one binary, and ministack for S3. Each is a separate process.

dynoxide charges capacity as DynamoDB does. Both listen on 127.0.0.1 and keep everything in memory.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from shared import aws
from tests.support import cloud
from tests.support.local_service import free_port

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

PACKAGE = "@dynoxide/linux-x64@1.2.1"
SESSION = boto3.Session("any", "any", region_name="us-east-1")
UNTIL_IT_LISTENS = Config(retries={"mode": "standard", "total_max_attempts": 10})


def dynoxide(folder: Path) -> str | None:
    """Return the program that DYNOXIDE or PATH names, or install npm's into the folder. None if that fails."""
    if found := os.environ.get("DYNOXIDE") or shutil.which("dynoxide"):
        return found
    npm = shutil.which("npm")
    command = [npm or "", "install", "--silent", "--no-save", "--ignore-scripts", "--prefix", str(folder), PACKAGE]
    if not npm or subprocess.run(command, capture_output=True, check=False).returncode:
        return None
    return str(folder / "node_modules/@dynoxide/linux-x64/dynoxide")


@contextmanager
def dynamodb_by(program: str, *, connections: int) -> Iterator["DynamoDBClient"]:
    """Run a dynoxide with petAPI's tables. Yield a client like the functions', but for many threads."""
    port = free_port()
    with _running([program, "serve", "--port", str(port)]):
        client = SESSION.client(
            "dynamodb",
            endpoint_url=f"http://127.0.0.1:{port}",
            config=aws.CONFIG.merge(Config(max_pool_connections=connections)),
        )
        for name in cloud.TABLES:
            client.create_table(TableName=name, **cloud.table(name))
        yield client


@contextmanager
def s3_by_ministack() -> Iterator["S3Client"]:
    """Run a ministack without buckets. Yield a client of its S3."""
    port = free_port()
    server = [sys.executable, "-m", "hypercorn", "--bind", f"127.0.0.1:{port}", "s3_emulator:app"]
    with _running(server, cwd=Path(__file__).parent, env={**os.environ, "SERVICES": "s3", "LOG_LEVEL": "ERROR"}):
        client = SESSION.client("s3", endpoint_url=f"http://127.0.0.1:{port}", config=UNTIL_IT_LISTENS)
        client.list_buckets()
        yield client


@contextmanager
def _running(command: list[str], **more: object) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)  # type: ignore[call-overload]
    try:
        yield
    finally:
        process.terminate()
        process.wait()
