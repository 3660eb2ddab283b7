"""What Schemathesis knows of petAPI besides openapi.yaml: what a picture is, and two checks more."""

import json
import zlib
from collections.abc import Iterator
from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response
from schemathesis.transport import SerializationContext, register_serializer

from tests.support import pictures
from tests.support.pictures import File, multipart_body

OF_HTTP = {"connection", "content-length", "content-type", "date", "transfer-encoding"}  # and of no contract
MAKERS = (pictures.tiny, pictures.jpeg, pictures.webp, pictures.animated_png)

# What a pattern allows but other rules of the service refuse: tags that come twice, hosts that are not public, what
# cannot be printed.  Requests are made by the narrower one.
NARROWER = {
    "^ *$|^ *[A-Za-z][A-Za-z0-9-]{0,31} *(, *[A-Za-z][A-Za-z0-9-]{0,31} *){0,4}$": "^$|^[a-z][a-z0-9-]{0,31}$",
    "^[Hh][Tt][Tt][Pp][Ss]?://[A-Za-z0-9.:\\[\\]-]+([/?][A-Za-z0-9._~:/?\\[\\]@!$&'()*+,;=%-]*)?$": (
        r"^https://([a-z0-9]{1,20}\.){1,3}(com|org|net|dev|io)(/[A-Za-z0-9._~-]{0,20}){0,5}$"
    ),
    r"^[^/\\\x00-\x1f\x7f]*$": r"^[ -.0-9:-\[\]-~]*$",
    r"^[^/\\\x00-\x1f\x7f]+$": r"^[ -.0-9:-\[\]-~]+$",
}


@schemathesis.hook
def before_load_schema(ctx: HookContext, raw_schema: dict[str, Any]) -> None:
    found = set(narrow(raw_schema))
    assert found == NARROWER.keys(), f"no longer in openapi.yaml: {NARROWER.keys() - found}"


def narrow(schema: Any) -> Iterator[str]:
    """The patterns that were made narrower, wherever they are."""
    if isinstance(schema, dict) and schema.get("pattern") in NARROWER:
        yield schema["pattern"]
        schema["pattern"] = NARROWER[schema["pattern"]]
    for each in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from narrow(each)


def form(ctx: SerializationContext, value: Any) -> dict[str, Any]:
    """The upload form, in which each text for `img` becomes a picture of its own: the contract cannot say what one is.

    What is no form goes as JSON, as a text does that is none.
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
    """Each header of an answer is in the contract."""
    documented = case.operation.responses.find_by_status_code(response.status_code)
    if documented:
        names = {name.lower() for name, _ in documented.headers.items()} | OF_HTTP
        undocumented = {name.lower() for name in response.headers} - names
        assert not undocumented, f"undocumented headers: {', '.join(sorted(undocumented))}"


@schemathesis.check
def problems_name_their_request(ctx: CheckContext, response: Response, case: Case) -> None:
    """Each refusal is a problem with the status and the id of its answer."""
    if response.status_code >= 400 and case.method != "HEAD":
        assert response.headers["content-type"] == ["application/problem+json"]
        problem = json.loads(response.content)
        assert problem["status"] == response.status_code
        assert [problem["requestId"]] == response.headers["x-request-id"]
