"""The calls of `aws` in blocks of commands: bash runs the blocks with a program that only notes its arguments.

They are judged by botocore's models, from which the AWS CLI makes its commands.
"""

import json
import os
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
from botocore import xform_name

from tests.support import documents, queries
from tests.support.documents import Block
from tests.support.option_values import option_value, value_faults

OTHERS = (  # do nothing, and answer a JSON
    *("curl", "sam", "make", "git", "sleep", "openssl", "petapi", "zip", "docker", "pip", "npm", "node"),
    *("openapi-python-client", "openapi-generator-cli"),
)
OWN = {  # of the CLI, which no model has: the options
    ("cloudformation", "deploy"): {"stack-name", "template-file", "capabilities", "parameter-overrides"},
    ("s3", "ls"): {"recursive", "human-readable", "summarize"},
    ("s3", "cp"): {"recursive", "exclude", "include", "content-type"},
}
ALIASES = {"s3api": "s3"}
SHORT = {"CreateInvalidation": ("paths", "InvalidationBatch")}  # the CLI's own option -> the member that it fills
RENAMED = {"Subscribe": {"endpoint": "notification-endpoint"}}  # of options that the CLI has for all operations
GLOBAL = {"query", "output", "region", "max-items", "page-size", "profile"}
NOTE = """#!/bin/sh
printf '%s\\0' {name} "$@" >>"$CALLS"
printf '\\n' >>"$CALLS"
case "$1" in sts) echo {account} ;; *) echo '{answer}' ;; esac
"""
ANSWER = json.dumps({"id": "cat/0.jpg", "images": [], "secret": "s", "expires": "2026-01-01T00:00:00Z", "url": "u"})
INVALIDATION = json.dumps({"Paths": {"Quantity": 1, "Items": ["/"]}, "CallerReference": "r"})
AN_ID = "01234567-89ab-cdef-0123-456789abcdef"  # what `aws` prints: as long as commands that use it want it
TEXTS = dict.fromkeys(("aws", "openssl"), AN_ID)  # of those that do not answer a JSON
ACCOUNT = "123456789012"
TIMEOUT = 900  # seconds; the programs do nothing, and a page that hangs ends


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a program, as bash parsed it."""

    program: str
    arguments: tuple[str, ...]


def calls(blocks: Iterable[Block], folder: Path) -> list[Call]:
    """Run the blocks, one after the other in one bash, and return the calls that they make.

    AssertionError if a block uses a variable that neither a line before it has set nor the page tells you to set.
    """
    noted = folder / "calls"
    noted.write_bytes(b"")
    programs = folder / "bin"
    programs.mkdir()
    for name in ("aws", *OTHERS):
        (programs / name).write_text(NOTE.format(name=name, account=ACCOUNT, answer=TEXTS.get(name, ANSWER)))
        (programs / name).chmod(0o755)
    done = subprocess.run(
        ["bash", "-c", "set -u\n" + "\n".join(_what_the_reader_sets(block) + block.text for block in blocks)],
        cwd=folder,
        env={"PATH": f"{programs}:{os.environ['PATH']}", "CALLS": str(noted), "HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    assert "command not found" not in done.stderr, done.stderr
    assert "unbound variable" not in done.stderr, done.stderr
    lines = noted.read_bytes().split(b"\0\n")[:-1]
    words = [tuple(word.decode() for word in line.split(b"\0")) for line in lines]
    return [Call(name, arguments) for name, *rest in words for arguments in [tuple(rest)]]


def _what_the_reader_sets(block: Block) -> str:
    """Return commands that set the variables of which the page has told by then, unless a line has set them."""
    return "".join(f': "${{{name}:={name.lower()}}}"\n' for name in sorted(documents.told(block)))


def faults(call: Call) -> list[str]:
    """Return what is wrong with a call of `aws`: an operation, an option, a value or a query that its model lacks."""
    service, operation, *rest = call.arguments
    if options := OWN.get((service, operation)):
        unknown = {name for name, _ in _options(rest)} - options - GLOBAL
        return [f"{service} {operation} has no --{name}" for name in sorted(unknown)]
    service = ALIASES.get(service, service)
    if service not in _session().get_available_services():
        return [f"there is no service {service}"]
    if operation == "wait":
        return _waiting(service, *rest)
    names = {xform_name(name, "-"): name for name in _model(service).operation_names}
    if operation not in names:
        return [f"{service} has no operation {operation}"]
    return list(_faults(_model(service).operation_model(names[operation]), rest))


def _waiting(service: str, name: str, *rest: str) -> list[str]:
    waiters = _session().get_waiter_model(service)
    names = {xform_name(each, "-"): each for each in waiters.waiter_names}
    if name not in names:
        return [f"{service} has no waiter {name}"]
    operation = waiters.get_waiter(names[name]).operation
    return list(_faults(_model(service).operation_model(operation), list(rest)))


def _faults(operation: Any, words: list[str]) -> Iterator[str]:
    if words and not words[0].startswith("--"):
        yield f"{operation.name} takes no {words[0]}"
    given = dict(_options(words))
    members = operation.input_shape.members if operation.input_shape else {}
    renamed = RENAMED.get(operation.name, {})
    known = {renamed.get(option := xform_name(name, "-"), option): name for name in members}
    if (short := SHORT.get(operation.name, ("", "")))[0] in given:
        known = {**known, short[0]: short[1]}
        given[short[0]] = INVALIDATION
    yield from (f"{operation.name} has no --{name}" for name in given if name not in {*known, *GLOBAL})
    values = {}
    for name in known.keys() & given.keys() - GLOBAL:
        try:
            values[known[name]] = option_value(given[name], members[known[name]])
        except ValueError as error:
            yield f"--{name} of {operation.name}: {error}"
    yield from value_faults(values, operation.input_shape)
    if query := given.get("query"):
        yield from _faults_of_query(query, operation)


def _faults_of_query(query: str, operation: Any) -> Iterator[str]:
    if operation.output_shape is None:
        yield f"{operation.name} answers nothing that {query} could find"
        return
    try:
        queries.found(query, operation.output_shape)
    except queries.Wrong as error:
        yield f"in the answer of {operation.name}, {error}: {query}"


def _options(words: Iterable[str]) -> Iterator[tuple[str, str | None]]:
    """Yield (name, value) of each option; a switch has no value. Several words after an option are a list."""
    name, values = "", list[str]()
    for word in [*words, "--"]:
        if word.startswith("--"):
            if name:
                yield name, "\0".join(values) if values else None
            name, values = word[2:], []
        elif name:
            values.append(word)


@cache
def _session() -> Any:
    return botocore.session.get_session()


@cache
def _model(service: str) -> Any:
    return _session().get_service_model(service)
