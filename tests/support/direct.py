"""Direct uploads in tests: ask for a form, send a file by curl, follow the upload."""

import json
import subprocess
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support.hosts import json_of
from tests.support.local_service import LocalService

# Seconds that an upload or its callback may take: after a failed call of IngestFunction its message is hidden for 360.
PATIENCE = 420.0


def ask(service: LocalService, **document: Any) -> Any:
    answer = service.send("POST", "/uploads", json.dumps(document).encode(), {"Content-Type": "application/json"})
    assert answer.status == 201, answer.body
    return json_of(answer)


def state_of(service: LocalService, upload: Any) -> Any:
    answer = service.get(urlsplit(upload["status_url"]).path)
    assert answer.status == 200
    return json_of(answer)


def ended(service: LocalService, upload: Any) -> Any:
    """Wait until the upload has ended and its file is gone, and return it."""
    until = time.monotonic() + PATIENCE
    while (shown := state_of(service, upload))["state"] not in ("recognised", "failed"):
        assert time.monotonic() < until, shown
        time.sleep(0.1)
    while f"incoming/{upload['id']}" in files(service):
        assert time.monotonic() < until, "its file is still there"
        time.sleep(0.1)
    return shown


def curl(url: str, fields: Mapping[str, str], content: bytes, folder: Path) -> tuple[int, str]:
    """Send the file by this form. Return the status and the body of S3's response."""
    file = folder / "file"
    file.write_bytes(content)
    given = [part for name, value in fields.items() for part in ("--form-string", f"{name}={value}")]
    command = ["curl", "-sS", "--max-time", "30", "-w", "\n%{http_code}", *given, "-F", f"file=@{file}", url]
    body, _, status = subprocess.run(command, check=True, capture_output=True, text=True).stdout.rpartition("\n")
    return int(status), body


@cache
def client(service: LocalService, name: Any) -> Any:
    """Return a client of the account's owner."""
    return service.aws().client(name, endpoint_url=service.aws_endpoint)


@cache
def resource(service: LocalService, logical_id: str) -> str:
    found = client(service, "cloudformation").describe_stack_resource(StackName="petapi", LogicalResourceId=logical_id)
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


def files(service: LocalService) -> list[str]:
    """Return the keys in the bucket of incoming files."""
    found = client(service, "s3").list_objects_v2(Bucket=resource(service, "IncomingBucket"))
    return [each["Key"] for each in found.get("Contents", [])]
