"""What Schemathesis knows of petAPI besides openapi.yaml: what a picture is, and two checks more."""

import json
import zlib
from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, Response
from schemathesis.transport import SerializationContext, register_serializer

import pictures
from pictures import File, multipart_body

OF_HTTP = {"connection", "content-length", "content-type", "date", "transfer-encoding"}  # and of no contract
MAKERS = (pictures.tiny, pictures.jpeg, pictures.webp, pictures.animated_png)


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
