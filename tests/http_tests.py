"""`make http-test`: the HTTP tests on a petAPI that runs elsewhere, such as a stack of their own.

They know nothing but its address. Your account is out of their reach, whatever variables and files name it: a test that
looks into AWS, too, is skipped.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tests.support.cloud import ROOT
from tests.support.hosts import Remote

LEFT_OUT = (  # they start an issuer of tokens, or read the log
    "tests/api/test_authorize.py",
    "tests/unit/test_logs.py",
)
WANTED = {"writes": "open", "labels": None, "search": "none"}
PARAMETERS = {"writes": "PublicWrites=true", "labels": "Labels=*", "search": "Encoder=none"}


def main(url: str, *tests: str) -> int:
    """Run all HTTP tests, or those of these files. Return the exit code."""
    if urlsplit(url).scheme not in ("http", "https"):
        print("Name the petAPI to test: make http-test URL=https://…/Prod/", file=sys.stderr)
        return 2
    if missing := [PARAMETERS[name] for name, value in status(url).items() if value != WANTED[name]]:
        print(f"These tests need a stack of their own, with {' '.join(missing)}.", file=sys.stderr)
        return 2
    command = [sys.executable, "-m", "pytest", "-q", "-m", "also_in_make_run", "-k", "PETAPI_URL"]
    command += [f"--ignore={path}" for path in LEFT_OUT]
    environment = {**without_account(os.environ), "PETAPI_URL": url}
    return subprocess.run([*command, *(tests or ["tests"])], cwd=ROOT, env=environment, check=False).returncode


def status(url: str) -> dict[str, Any]:
    """Return what the petAPI says of itself, as far as the tests depend on it. Exit if it does not answer."""
    try:
        answer = Remote(url).request("GET", "/status")
        found = json.loads(answer.body)
        return {name: found[name] for name in WANTED}
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.exit(f"{url} is no petAPI that answers: {type(error).__name__} {error}")


def without_account(variables: Mapping[str, str]) -> dict[str, str]:
    """Return these variables without those that lead to an account of AWS, nor to the files that do."""
    files = {"AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_CONFIG_FILE": os.devnull}
    kept = {name: value for name, value in variables.items() if not name.startswith("AWS_")}
    return {**kept, **files, "AWS_EC2_METADATA_DISABLED": "true"}


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
