"""Parse the upload form: a multipart/form-data body with the fields label, img, weight and tags."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from multipart import (
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)

from shared.errors import BadRequest, UnsupportedMediaType
from shared.limits import EVENT_MAX

FIELDS = ("label", "img", "weight", "tags")
MAX_PARTS = 5  # parts: the four fields, and one more so that the refusal can name an unknown or repeated field
MAX_PART_HEADERS = 8  # lines of a part: RFC 7578 needs 3, and some clients add a length and an encoding
MAX_PART_HEADER = 4096  # bytes of a line: a file name of 255 characters, each 3 bytes in percent-encoding, and room
MAX_PART = EVENT_MAX  # bytes: no part is larger than the event that holds it
MAX_TEXT = 8192  # bytes: far more than a valid label, weight or list of tags; their own rules refuse shorter texts

EXAMPLE = "curl -F label=cat -F weight=0.5 -F img=@cat.jpg"

# RFC 2046, section 5.1.1: 1 to 70 characters, and the last is no space.
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_QUOTED = re.compile(r'"[^"]*"')
# Some clients send the file name only in this form (RFC 5987), which the parser does not read.
_EXTENDED_FILENAME = re.compile(r";\s*filename\*\s*=", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Form:
    """The fields as sent, before their rules are checked. `filename` is the client's name for the file."""

    img: bytes
    label: str
    weight: str | None
    tags: str = ""
    filename: str = ""


def parse(body: bytes, content_type: str) -> Form:
    """Parse the body of an upload.

    Raise UnsupportedMediaType for another content type or an empty file.  Raise BadRequest for an incomplete body, and
    for a field that is unknown, repeated, missing, a file instead of a text, or a text instead of a file.
    """
    boundary = _boundary(content_type)
    fields: dict[str, bytes] = {}
    filename = ""
    for part, content in _parts(body, boundary):
        name = _name(part, fields)
        fields[name] = content
        filename = (part.filename or "") if name == "img" else filename
    _check_required(fields)
    _check_end(body, boundary)
    if not fields["img"]:
        raise UnsupportedMediaType("img is empty; send the bytes of a JPEG, PNG or WebP picture.", field="img")
    weight = _text(fields, "weight") if "weight" in fields else None
    tags = _text(fields, "tags") if "tags" in fields else ""
    return Form(fields["img"], _text(fields, "label"), weight, tags, filename)


def _boundary(content_type: str) -> str:
    media_type, options = parse_options_header(content_type)
    if media_type != "multipart/form-data":
        raise UnsupportedMediaType(f"The content type must be multipart/form-data; send a form, such as {EXAMPLE}.")
    boundary: str = options.get("boundary", "")
    bare = _QUOTED.sub("", content_type).lower()
    if "," in bare or bare.count("boundary=") > 1:
        raise BadRequest("The content type or its boundary occurs more than once; send one of each.")
    if not _BOUNDARY.fullmatch(boundary):
        raise BadRequest(
            "The content type must have a boundary of 1 to 70 characters (RFC 2046); "
            f"let the HTTP client set this header, such as {EXAMPLE}."
        )
    return boundary


def _parts(body: bytes, boundary: str) -> Iterator[tuple[MultipartSegment, bytes]]:
    """Yield each part with its content. The parser gets the body as one chunk, so each content is one slice of it."""
    parser = PushMultipartParser(
        boundary,
        max_header_size=MAX_PART_HEADER,
        max_header_count=MAX_PART_HEADERS,
        max_segment_size=MAX_PART,
        max_segment_count=MAX_PARTS,
        strict=True,
    )
    try:
        yield from _pairs(parser.parse(body))
        parser.close()
    except MultipartError as error:
        raise BadRequest(
            "The body must be complete multipart/form-data with the boundary of its content type and at most "
            f"{MAX_PARTS} parts with short headers; let the HTTP client build it, such as {EXAMPLE}."
        ) from error


def _pairs(events: Iterator[MultipartSegment | bytes | None]) -> Iterator[tuple[MultipartSegment, bytes]]:
    for event in events:
        if isinstance(event, MultipartSegment):
            part, content = event, b""
        elif event is not None:
            content += event
        else:
            yield part, content


def _name(part: MultipartSegment, fields: dict[str, bytes]) -> str:
    """Return the field that this part holds, or raise BadRequest if it is unknown, repeated or of the wrong kind."""
    name = str(part.name)
    if name not in FIELDS:
        shown = name[:40]
        raise BadRequest(f"The form has no field {shown!r}; send only label, img, weight and tags.", field=shown)
    if name in fields:
        raise BadRequest(f"{name} occurs more than once; send it once.", field=name)
    if name == "img" and not _is_file(part):
        raise BadRequest(
            "img must be a file; send it with a file name, such as curl -F img=@cat.jpg with the @.", field=name
        )
    if name != "img" and _is_file(part):
        raise BadRequest(f"{name} must be a text; send it without a file name.", field=name)
    return name


def _is_file(part: MultipartSegment) -> bool:
    return part.filename is not None or bool(_EXTENDED_FILENAME.search(part["Content-Disposition"]))


def _check_required(fields: dict[str, bytes]) -> None:
    if "label" not in fields:
        raise BadRequest("label is missing; send it as a text field, such as curl -F label=cat.", field="label")
    if "img" not in fields:
        raise BadRequest("img is missing; send it as a file, such as curl -F img=@cat.jpg.", field="img")


def _check_end(body: bytes, boundary: str) -> None:
    """Refuse bytes after the closing boundary, where the parser stops."""
    closing = b"\r\n--" + boundary.encode() + b"--"
    if body[body.find(closing) + len(closing) :] not in (b"", b"\r\n"):
        raise BadRequest(f"There are bytes after the closing boundary; end the body there, as {EXAMPLE} does.")


def _text(fields: dict[str, bytes], name: str) -> str:
    if len(fields[name]) > MAX_TEXT:
        raise BadRequest(f"{name} is longer than {MAX_TEXT:,} bytes; send a short text.", field=name)
    try:
        return fields[name].decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"{name} must be text in UTF-8; encode it as UTF-8.", field=name) from error
