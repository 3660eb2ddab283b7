"""Parse a form with a picture: a multipart/form-data body with the file `img`, and perhaps texts."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from multipart import MultipartError, MultipartSegment, PushMultipartParser

from shared.errors import BadRequest, UnsupportedMediaType
from shared.forms import boundary as boundaries
from shared.forms.file_names import sent_name
from shared.limits import EVENT_MAX

MAX_PART_HEADERS = 8  # lines of a part: RFC 7578 needs 3, and some clients add a length and an encoding
MAX_PART_HEADER = 8192  # bytes of a line: a name of 255 characters of 4 bytes, plain and percent-encoded, has 4,080
MAX_PART = EVENT_MAX  # bytes: no part is larger than the event that holds it
MAX_TEXT = 8192  # bytes: far more than a valid label, weight or list of tags; their own rules refuse shorter texts
PREAMBLE_MAX = 1024  # bytes before the first boundary: a line end, or a line of text as mail has it
MAIL_ENCODINGS = ("base64", "quoted-printable")  # the others (7bit, 8bit, binary) change nothing
WHITE_SPACE = b" \t\r\n"
BYTES = "latin-1"  # makes a character of each byte, so that a file name that is not in UTF-8 does not stop the parser


class Layout(NamedTuple):
    """The form that a route takes: its fields, `img` among them, and a command that sends a right one."""

    fields: tuple[str, ...]
    example: str

    @property
    def max_parts(self) -> int:
        """The fields, and one more so that the refusal can name an unknown or repeated field."""
        return len(self.fields) + 1

    @property
    def listed(self) -> str:
        """The fields as a sentence lists them."""
        *others, last = self.fields
        return f"{', '.join(others)} and {last}" if others else last


class Parts(NamedTuple):
    """The fields as sent, before their rules are checked. `filename` is the client's name for the file."""

    img: bytes
    texts: Mapping[str, str]
    filename: str


def parse(body: bytes, content_type: str, layout: Layout, *, required: tuple[str, ...] = ()) -> Parts:
    """Parse the body. `img` is required, and so are these texts.

    Raise UnsupportedMediaType for another content type, an encoded field or an empty file.  Raise BadRequest for an
    incomplete body, and for a field that is unknown, repeated, missing, a file instead of a text, or a text instead of
    a file.
    """
    boundary = boundaries.of_content_type(content_type, layout.example)
    _check_begin(body, boundary, layout)
    fields: dict[str, bytes] = {}
    filename = ""
    for part, content in _parts(body, boundary, layout):
        sent = sent_name(part["Content-Disposition"].encode(BYTES))
        name = _name(part, sent, fields, layout)
        _check_encoding(part, name)
        fields[name] = content
        filename = (sent or "") if name == "img" else filename
    _check_required(fields, required)
    _check_end(body, sum(map(len, fields.values())), boundary, layout)
    if not fields["img"]:
        raise UnsupportedMediaType("img is empty; send the bytes of a JPEG, PNG or WebP picture.", field="img")
    return Parts(
        fields["img"],
        {name: _text(fields, name) for name in layout.fields if name in fields and name != "img"},
        filename,
    )


def _parts(body: bytes, boundary: str, layout: Layout) -> Iterator[tuple[MultipartSegment, bytes]]:
    """Yield each part with its content. The parser gets the body as one chunk, so each content is one slice of it."""
    parser = PushMultipartParser(
        boundary,
        max_header_size=MAX_PART_HEADER,
        max_header_count=MAX_PART_HEADERS,
        max_segment_size=MAX_PART,
        max_segment_count=layout.max_parts,
        header_charset=BYTES,
        strict=True,
    )
    try:
        yield from _pairs(parser.parse(body))
        parser.close()
    except MultipartError as error:
        raise BadRequest(
            "The body must be complete multipart/form-data with the boundary of its content type, line ends of CR LF, "
            f"and at most {layout.max_parts} parts with short headers; let the HTTP client build it, such as "
            f"{layout.example}."
        ) from error


def _pairs(events: Iterator[MultipartSegment | bytes | None]) -> Iterator[tuple[MultipartSegment, bytes]]:
    for event in events:
        if isinstance(event, MultipartSegment):
            part, content = event, b""
        elif event is not None:
            content += event
        else:
            yield part, content


def _name(part: MultipartSegment, sent: str | None, fields: dict[str, bytes], layout: Layout) -> str:
    """Return the field that this part holds, or raise BadRequest if it is unknown, repeated or of the wrong kind."""
    try:
        name = str(part.name).encode(BYTES).decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"The name of a field is not UTF-8; send only {layout.listed}.") from error
    if name not in layout.fields:
        shown = name[:40]
        raise BadRequest(f"The form has no field {shown!r}; send only {layout.listed}.", field=shown)
    if name in fields:
        raise BadRequest(f"{name} occurs more than once; send it once.", field=name)
    if name == "img" and sent is None and not _has_type_of_file(part):
        raise BadRequest(
            "img must be a file; send it with a file name, such as curl -F img=@cat.jpg with the @.", field=name
        )
    if name != "img" and sent is not None:
        raise BadRequest(f"{name} must be a text; send it without a file name.", field=name)
    return name


def _check_encoding(part: MultipartSegment, name: str) -> None:
    """Refuse a field in an encoding of mail.  Forms have none (RFC 7578, section 4.7).  It would be another text."""
    encoding = str(part.header("Content-Transfer-Encoding", "")).strip().lower()
    if encoding in MAIL_ENCODINGS:
        raise UnsupportedMediaType(
            f"{name} has the Content-Transfer-Encoding {encoding}, which forms do not have; send it as it is.",
            field=name,
        )


def _has_type_of_file(part: MultipartSegment) -> bool:
    """Return whether a part without a file name is a picture: React Native and some programs in Go send it so."""
    content_type = part.content_type or ""
    return content_type.startswith("image/") or content_type == "application/octet-stream"


def _check_required(fields: dict[str, bytes], required: tuple[str, ...]) -> None:
    for name in required:
        if name not in fields:
            raise BadRequest(f"{name} is missing; send it as a text field, such as curl -F {name}=cat.", field=name)
    if "img" not in fields:
        raise BadRequest("img is missing; send it as a file, such as curl -F img=@cat.jpg.", field="img")


def _check_begin(body: bytes, boundary: str, layout: Layout) -> None:
    """Refuse more than a line of text before the first boundary.  The parser skips it without a limit."""
    before = body.find(b"--" + boundary.encode())
    if before > PREAMBLE_MAX:
        raise BadRequest(
            f"There are {before:,} bytes before the first boundary; begin the body with it, as {layout.example} does."
        )


def _check_end(body: bytes, least: int, boundary: str, layout: Layout) -> None:
    """Refuse bytes after the closing boundary, where the parser stops, but for white space.

    It comes after the contents of all fields, so not within the first `least` bytes.
    """
    closing = b"\r\n--" + boundary.encode() + b"--"
    if body[body.find(closing, least) + len(closing) :].strip(WHITE_SPACE):
        raise BadRequest(f"There are bytes after the closing boundary; end the body there, as {layout.example} does.")


def _text(fields: dict[str, bytes], name: str) -> str:
    if len(fields[name]) > MAX_TEXT:
        raise BadRequest(f"{name} is longer than {MAX_TEXT:,} bytes; send a short text.", field=name)
    try:
        return fields[name].decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"{name} must be text in UTF-8; encode it as UTF-8.", field=name) from error
