"""The values of options of `aws`, as the CLI makes them of texts, and what botocore's models find wrong with them."""

import json
import re
from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.validate import ParamValidator
from moto.iam.exceptions import MalformedPolicyDocument
from moto.iam.policy_validation import IAMPolicyDocumentValidator

POLICY = re.compile(r"(?i)policy(document)?(type)?$")  # the shapes of texts that are policies
OBJECT = re.compile(r"\s*\{\s*\"")  # begins what can only be JSON; a pattern for logs has no quotation mark there


def option_value(text: str | None, shape: Shape) -> Any:
    """Convert the text of an option to what botocore takes. Raise ValueError if the CLI could not."""
    if shape.type_name == "boolean":
        return text is None
    if text is None:
        raise ValueError("it has no value")
    if shape.type_name in ("integer", "long"):
        return int(text)
    if shape.type_name in ("double", "float"):
        return float(text)
    if isinstance(shape, ListShape | StructureShape | MapShape) and text.startswith(("{", "[")):
        return _listed(_json(text), shape)
    if isinstance(shape, ListShape):
        return [option_value(each, shape.member) for each in text.split("\0")]
    if isinstance(shape, StructureShape | MapShape):
        return {name: option_value(each, _member(shape, name)) for name, each in _pairs(text)}
    return text


def value_faults(values: dict[str, Any], shape: Shape | None) -> Iterator[str]:
    """Yield what is wrong with the values: what botocore refuses, and what it would send although AWS refuses it."""
    if shape is None:
        return
    report = ParamValidator().validate(values, shape)
    if report.has_errors():
        yield report.generate_report()
    else:
        yield from _refused(values, shape)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{text} is no JSON: {error}") from error


def _listed(value: Any, shape: Shape) -> Any:
    """Return the value as a list where one is wanted: the CLI takes a single object, too."""
    return [value] if isinstance(shape, ListShape) and isinstance(value, dict) else value


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for pair in text.split(","):
        name, sign, value = pair.partition("=")
        if not sign:
            raise ValueError(f"{pair} is no name=value")
        yield name, value


def _member(shape: StructureShape | MapShape, name: str) -> Shape:
    if isinstance(shape, MapShape):
        return shape.value  # type: ignore[no-any-return]
    if name not in shape.members:
        raise ValueError(f"{shape.name} has no {name}")
    return shape.members[name]  # type: ignore[no-any-return]


def _refused(value: Any, shape: Shape) -> Iterator[str]:
    """Yield texts that no enumeration of the model has, that should be JSON and are not, or that are no policy."""
    if isinstance(shape, StructureShape):
        for name, each in value.items():
            yield from _refused(each, shape.members[name])
    elif isinstance(shape, MapShape):
        for name, each in value.items():
            yield from _refused(name, shape.key)
            yield from _refused(each, shape.value)
    elif isinstance(shape, ListShape):
        for each in value:
            yield from _refused(each, shape.member)
    elif getattr(shape, "enum", None):
        if value not in shape.enum:  # type: ignore[attr-defined]
            yield f"{shape.name} has no {value}"
    elif isinstance(value, str):
        yield from _faults_of_text(value, shape)


def _faults_of_text(text: str, shape: Shape) -> Iterator[str]:
    try:
        if OBJECT.match(text):
            _json(text)
        if POLICY.search(shape.name):
            IAMPolicyDocumentValidator(text).validate()
    except (ValueError, MalformedPolicyDocument) as error:
        yield f"{shape.name} {text}: {error}"
