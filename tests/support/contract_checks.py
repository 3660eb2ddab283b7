"""Hooks for Schemathesis: what a picture is, narrower patterns for requests, and two more checks."""

import json
import zlib
from collections.abc import Iterator
from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response
from schemathesis.core.parameters import ParameterLocation
from schemathesis.transport import SerializationContext, register_serializer

from tests.support import pictures
from tests.support.answers import CONTRACT, WEIGHT_STEP, Validator, parameters
from tests.support.pictures import File, multipart_body

OF_HTTP = {"connection", "content-length", "content-type", "date", "transfer-encoding"}  # the contract omits them
MAKERS = (pictures.tiny, pictures.jpeg, pictures.webp, pictures.animated_png)

# Patterns of the contract allow some values that other rules of the service refuse: repeated tags, hosts that are not
# public, file names in characters that tell nothing new.  Requests follow these narrower patterns.
NARROWER = {
    "^ *$|^ *[A-Za-z][A-Za-z0-9-]{0,31} *(, *[A-Za-z][A-Za-z0-9-]{0,31} *){0,4}$": "^$|^[a-z][a-z0-9-]{0,31}$",
    "^[Hh][Tt][Tt][Pp][Ss]?://[A-Za-z0-9.:\\[\\]-]+([/?][A-Za-z0-9._~:/?\\[\\]@!$&'()*+,;=%-]*)?$": (
        r"^https://([a-z0-9]{1,20}\.){1,3}(com|org|net|dev|io)(/[A-Za-z0-9._~-]{0,20}){0,5}$"
    ),
    r"^[^\u0000-\u001f/\\\u007f-\u009f\u202a-\u202e\u2066-\u2069]*$": r"^[ -.0-9:-\[\]-~]*$",
}


@schemathesis.hook
def before_load_schema(ctx: HookContext, raw_schema: dict[str, Any]) -> None:
    found = set(narrow(raw_schema))
    assert found == NARROWER.keys(), f"no longer in openapi.yaml: {NARROWER.keys() - found}"
    texts_for_pictures(raw_schema)
    raw_schema["components"]["schemas"]["Weight"]["multipleOf"] = WEIGHT_STEP


def narrow(schema: Any) -> Iterator[str]:
    """Replace patterns by the narrower ones, wherever they are, and yield the replaced ones."""
    if isinstance(schema, dict) and schema.get("pattern") in NARROWER:
        yield schema["pattern"]
        schema["pattern"] = NARROWER[schema["pattern"]]
    for each in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from narrow(each)


def texts_for_pictures(raw_schema: dict[str, Any]) -> None:
    """Let Schemathesis make texts for `img`, from which `form` makes pictures.

    Beside bytes it would not check whether the other fields, once they are text, break the contract.
    """
    schemas = raw_schema["components"]["schemas"]
    for name in ("UploadForm", "SearchForm"):
        assert schemas[name]["properties"]["img"].pop("format") == "binary"


@schemathesis.hook
def filter_case(ctx: HookContext, case: Case) -> bool:
    """Drop a wrong request that breaks only a narrower pattern: the contract allows it, so the service accepts it."""
    operation = CONTRACT["paths"][case.operation.path].get(case.method.lower())
    if case.meta is None or operation is None:  # a method that this path does not have
        return True
    if case.meta.is_negative_at(ParameterLocation.BODY) and "requestBody" in operation:
        content = operation["requestBody"]["content"].get(case.media_type)
        return content is None or not is_valid(case.body, content["schema"])
    if case.meta.is_negative_at(ParameterLocation.QUERY):
        given = [each for each in parameters(case.operation.path, case.method.lower()) if each["in"] == "query"]
        schema = {
            "type": "object",
            "properties": {each["name"]: each["schema"] for each in given},
            "required": [each["name"] for each in given if each.get("required")],
            "additionalProperties": False,
        }
        return not is_valid(case.query or {}, schema)
    return True


@schemathesis.hook
def before_call(ctx: HookContext, case: Case, kwargs: Any) -> None:
    """Send each option of a search by picture once. The contract cannot say that it is in the form or in the query."""
    if case.operation.path == "/search" and isinstance(case.body, dict) and case.query:
        case.query = {name: value for name, value in case.query.items() if name not in case.body}


def is_valid(value: Any, schema: dict[str, Any]) -> bool:
    """Return whether a value has this schema of the contract."""
    return bool(Validator({**schema, "components": CONTRACT["components"]}).is_valid(value))


def form(ctx: SerializationContext, value: Any) -> dict[str, Any]:
    """Make an upload form, with a different picture for each text in `img`, because the contract cannot describe one.

    Send a value that is no form as a text, or as JSON.
    """
    if not isinstance(value, dict):
        return {"data": text(value), "headers": {"Content-Type": "multipart/form-data; boundary=b"}}
    fields = [(name, picture(given) if name == "img" else text(given)) for name, given in value.items()]
    body, content_type = multipart_body(fields)
    return {"data": body, "headers": {"Content-Type": content_type}}


def picture(given: Any) -> File | bytes:
    seed = zlib.crc32(text(given))
    return File(MAKERS[seed % len(MAKERS)](seed >> 8)) if isinstance(given, str) else text(given)


def text(given: Any) -> bytes:
    return given.encode("utf-8", "surrogatepass") if isinstance(given, str) else json.dumps(given, default=str).encode()


register_serializer(form, "multipart/form-data")


@schemathesis.check
def documented_headers(ctx: CheckContext, response: Response, case: Case) -> None:
    """Check that the contract has each header of the answer."""
    documented = case.operation.responses.find_by_status_code(response.status_code)
    if documented:
        names = {name.lower() for name, _ in documented.headers.items()} | OF_HTTP
        undocumented = {name.lower() for name in response.headers} - names
        assert not undocumented, f"undocumented headers: {', '.join(sorted(undocumented))}"


@schemathesis.check
def problems_name_their_request(ctx: CheckContext, response: Response, case: Case) -> None:
    """Check that each refusal is a problem with the status and the request id of its answer."""
    if response.status_code >= 400 and case.method != "HEAD":
        assert response.headers["content-type"] == ["application/problem+json"]
        problem = json.loads(response.content)
        assert problem["status"] == response.status_code
        assert [problem["requestId"]] == response.headers["x-request-id"]
