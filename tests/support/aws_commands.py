"""The calls of `aws` in blocks of commands: bash runs the blocks with a program that only notes its arguments.

They are judged by botocore's models, from which the AWS CLI makes its commands.
"""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import jmespath
from botocore import xform_name
from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.validate import ParamValidator

from tests.support.documents import Block

OTHERS = ("curl", "sam", "make", "git", "sleep", "openssl", "petapi", "zip", "docker")  # do nothing, and answer a JSON
# Of the CLI, which no model has
OWN = {("cloudformation", "deploy"), ("configure", "get"), ("s3", "ls"), ("s3", "cp"), ("s3", "sync")}
ALIASES = {"s3api": "s3"}
SHORT = {"CreateInvalidation": ("paths", "InvalidationBatch")}  # the CLI's own option -> the member that it fills
GLOBAL = {"query", "output", "region", "max-items", "page-size", "profile"}
NOTE = """#!/bin/sh
printf '%s\\0' {name} "$@" >>"$CALLS"
printf '\\n' >>"$CALLS"
case "$1" in sts) echo {account} ;; *) echo '{answer}' ;; esac
"""
ANSWER = json.dumps({"id": "cat/0.jpg", "images": [], "secret": "s", "expires": "2026-01-01T00:00:00Z", "url": "u"})
INVALIDATION = json.dumps({"Paths": {"Quantity": 1, "Items": ["/"]}, "CallerReference": "r"})
AN_ID = "01234567-89ab-cdef-0123-456789abcdef"  # what `aws` prints: as long as commands that use it want it
ACCOUNT = "123456789012"
TIMEOUT = 60  # seconds; the programs do nothing


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a program, as bash parsed it."""

    program: str
    arguments: tuple[str, ...]


def calls(blocks: Iterable[Block], folder: Path) -> list[Call]:
    """Run the blocks, one after the other in one bash, and return the calls that they make."""
    noted = folder / "calls"
    noted.write_bytes(b"")
    programs = folder / "bin"
    programs.mkdir()
    for name in ("aws", *OTHERS):
        (programs / name).write_text(NOTE.format(name=name, account=ACCOUNT, answer=AN_ID if name == "aws" else ANSWER))
        (programs / name).chmod(0o755)
    unset = {name: name.lower() for block in blocks for name in re.findall(r"\$\{?([A-Z_]+)", block.text)}
    done = subprocess.run(
        ["bash", "-c", "set -u\n" + "\n".join(block.text for block in blocks)],
        cwd=folder,
        env={**unset, "PATH": f"{programs}:{os.environ['PATH']}", "CALLS": str(noted)},
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


def faults(call: Call) -> list[str]:
    """Return what is wrong with a call of `aws`: an operation, an option, a value or a query that its model lacks."""
    service, operation, *rest = call.arguments
    if (service, operation) in OWN:
        return []
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
    given = dict(_options(words))
    members = operation.input_shape.members if operation.input_shape else {}
    known = {xform_name(name, "-"): name for name in members}
    if (short := SHORT.get(operation.name, ("", "")))[0] in given:
        known = {**known, short[0]: short[1]}
        given[short[0]] = INVALIDATION
    yield from (f"{operation.name} has no --{name}" for name in given if name not in {*known, *GLOBAL})
    values = {
        known[name]: _value(text, members[known[name]])
        for name, text in given.items()
        if name in known and name not in GLOBAL
    }
    report = ParamValidator().validate(values, operation.input_shape)
    if report.has_errors():
        yield report.generate_report()
    yield from _unknown_texts(values, operation.input_shape)
    if query := given.get("query"):
        try:
            _walk(jmespath.compile(query).parsed, operation.output_shape)
        except LookupError as error:
            yield f"the answer of {operation.name} has no {error.args[0]}: {query}"


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


def _value(text: str | None, shape: Shape) -> Any:
    """Convert the text of an option to what botocore takes."""
    if shape.type_name == "boolean":
        return text is None
    assert text is not None, shape.name
    if shape.type_name in ("integer", "long"):
        return int(text)
    if shape.type_name in ("double", "float"):
        return float(text)
    if shape.type_name == "timestamp":
        return text
    if text.startswith(("{", "[")) and shape.type_name != "string":
        return json.loads(text)
    if isinstance(shape, ListShape):
        return [_value(each, shape.member) for each in text.split("\0")]
    if isinstance(shape, StructureShape):
        pairs = dict(pair.split("=", 1) for pair in text.split(","))
        unknown = {name: name for name in pairs if name not in shape.members}
        return {
            name: _value(each, shape.members[name]) if name not in unknown else each for name, each in pairs.items()
        }
    return text


def _unknown_texts(values: Any, shape: Shape) -> Iterator[str]:
    """Yield the texts that no enumeration of the model has, and names that a structure lacks: botocore sends both."""
    if isinstance(shape, StructureShape):
        for name, value in values.items():
            if name not in shape.members:
                yield f"{shape.name} has no {name}"
            else:
                yield from _unknown_texts(value, shape.members[name])
    elif isinstance(shape, ListShape):
        for each in values:
            yield from _unknown_texts(each, shape.member)
    elif getattr(shape, "enum", None) and values not in shape.enum:  # type: ignore[attr-defined]
        yield f"{shape.name} has no {values}"


def _walk(node: dict[str, Any], shape: Any) -> Any:
    """Return the shape of a query's result: None is any, [shape] a list. LookupError for a name that is not there."""
    kind, children = node["type"], node["children"]
    if kind == "function_expression":
        for child in children:
            _walk(child, shape)
        return None
    if shape is None or kind in ("literal", "comparator"):
        return None
    if kind in ("subexpression", "index_expression", "pipe", "identity", "current", "flatten"):
        for child in children:
            shape = _walk(child, shape)
        return shape
    return _STEPS[kind](node, shape)


def _projected(node: dict[str, Any], shape: Any) -> Any:
    left, right, *conditions = node["children"]
    element = _element(_walk(left, shape))
    for condition in conditions:
        _check_condition(condition, element)
    return [_walk(right, element)]


def _selected(node: dict[str, Any], shape: Any) -> None:
    for child in node["children"]:
        _walk(child, shape)


def _check_condition(condition: dict[str, Any], element: Any) -> None:
    for child in condition["children"]:
        if child["type"] != "literal":
            _walk(child, element)


def _member(shape: Any, name: str) -> Any:
    if isinstance(shape, StructureShape):
        if name not in shape.members:
            raise LookupError(name)
        return shape.members[name]
    if isinstance(shape, MapShape):
        return shape.value
    raise LookupError(name)


def _element(shape: Any) -> Any:
    if isinstance(shape, list):
        return shape[0]
    if isinstance(shape, ListShape):
        return shape.member
    if shape is None:
        return None
    raise LookupError(shape.name)


_STEPS: dict[str, Callable[[dict[str, Any], Any], Any]] = {  # by the kind of a node of JMESPath
    "field": lambda node, shape: _member(shape, node["value"]),
    "index": lambda _, shape: _element(shape),
    "projection": _projected,
    "filter_projection": _projected,
    "multi_select_list": _selected,
}


@cache
def _session() -> Any:
    return botocore.session.get_session()


@cache
def _model(service: str) -> Any:
    return _session().get_service_model(service)
