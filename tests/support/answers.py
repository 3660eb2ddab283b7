"""What answers must look like: a refusal by RFC 9457, and each document by its schema in openapi.yaml."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError, validators

from tests.support.cloud import ROOT
from tests.support.hosts import json_of
from tests.support.local_service import Answer

CONTRACT: dict[str, Any] = yaml.safe_load((ROOT / "openapi.yaml").read_text())


WEIGHT_STEP = 1e-9  # a description says so in the contract


def at(*keys: str) -> Any:
    """Return a part of the contract by its keys. References on the way, and to the part itself, are followed."""
    part: Any = CONTRACT
    for key in keys:
        part = followed(part[key])
    return part


def followed(part: Any) -> Any:
    """Return the component that a reference names, with the reference's own members over it; or the part itself."""
    if not isinstance(part, dict) or "$ref" not in part:
        return part
    own = {name: value for name, value in part.items() if name != "$ref"}
    component: dict[str, Any] = at(*part["$ref"].removeprefix("#/").split("/"))
    return {**component, **own}


def parameters(path: str, method: str) -> list[dict[str, Any]]:
    """Return the parameters of an operation's path and of itself."""
    return [
        followed(each) for part in (at("paths", path), at("paths", path, method)) for each in part.get("parameters", ())
    ]


def problem(answer: Answer, status: int, *, field: str | None = None) -> str:
    """Return the detail of a refusal, after checking that it is problem+json with this status."""
    assert answer.status == status, answer
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["access-control-allow-origin"] == "*"
    document = json_of(answer)
    assert (document["status"], document["type"]) == (status, "about:blank")
    assert document["title"]
    assert document["requestId"]
    detail = str(document["detail"])
    assert detail.endswith(".")
    assert "Traceback" not in detail
    if field is not None:
        assert document["errors"] == [{"field": field, "detail": detail}]
    return detail


def _multiple_of(_: Any, of: float, number: Any, __: Any) -> Iterator[ValidationError]:
    """Check in decimals: as doubles, 0.5 is no multiple of 1e-9."""
    if isinstance(number, int | float) and Decimal(repr(number)) % Decimal(repr(of)):
        yield ValidationError(f"{number} is no multiple of {of}")


Validator = validators.extend(Draft202012Validator, {"multipleOf": _multiple_of})


def conforms(document: Any, name: str) -> None:
    """Raise ValidationError if the document does not follow the schema of this name, or a weight has 10 decimals."""
    schemas = {**CONTRACT["components"]["schemas"]}
    schemas["Weight"] = {**schemas["Weight"], "multipleOf": WEIGHT_STEP}
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
    Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(document)
