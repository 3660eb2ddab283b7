"""The boundary of a form, as its content type names it (RFC 9110, section 8.3; RFC 2046, section 5.1.1)."""

import re
from collections.abc import Iterator

from shared.errors import BadRequest, UnsupportedMediaType

BOUNDARY_MAX = 70  # characters, as in RFC 2046

# A parameter up to the next semicolon: its name, its value in quotes or up to white space, and what should not follow.
# Each group may be empty, so this matches at once wherever it is tried.
_PARAMETER = re.compile(
    r'\s*(?P<name>[^\s;=]*)\s*(?:=\s*(?P<value>"(?:\\[^\n]|[^"\\])*"|[^\s;]*)\s*)?(?P<rest>[^;]*)(?:;|\Z)', re.ASCII
)
# RFC 2046 and the tokens of RFC 9110 allow fewer characters; old clients draw from all that can be seen.
_VISIBLE = re.compile(r"[ -~]*")


def of_content_type(content_type: str, example: str) -> str:
    """Return the boundary: 1 to 70 visible characters of ASCII, without quotes; only in quotes with spaces, none last.

    Raise UnsupportedMediaType for another type than multipart/form-data.  Raise BadRequest if the boundary is missing
    or cannot be used, and say what is wrong with it.  `example` is a command that sends a right form.
    """
    media_type, _, parameters = content_type.partition(";")
    if media_type.strip().lower() != "multipart/form-data":
        raise UnsupportedMediaType(f"The content type must be multipart/form-data; send a form, such as {example}.")
    found = list(_boundaries(parameters))
    if len(found) != 1:
        problem = f"has {len(found)} boundaries instead of one" if found else "has no boundary"
        raise _refusal(problem, example)
    ((text, rest),) = found
    boundary = _unquoted(text)
    if problem := _problem(boundary, text, rest):
        raise _refusal(f"has a boundary that {problem}", example)
    return boundary


def _boundaries(parameters: str) -> Iterator[tuple[str, str]]:
    """Yield the value of each parameter `boundary`, and what follows it up to the next semicolon."""
    for found in _PARAMETER.finditer(parameters):
        if found["name"].lower() == "boundary" and found["value"] is not None:
            yield found["value"], found["rest"]


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _problem(boundary: str, text: str, rest: str) -> str:
    """Return what is wrong with a boundary, or an empty text."""
    if text.startswith('"') and boundary == text:
        return "begins with a quotation mark, but does not end with one"
    if rest:
        return "goes on after its end; put a boundary with spaces into quotation marks"
    if not boundary:
        return "is empty"
    if len(boundary) > BOUNDARY_MAX:
        return f"has {len(boundary)} characters, but may have at most {BOUNDARY_MAX}"
    if not _VISIBLE.fullmatch(boundary):
        return "has characters that are not visible ASCII"
    return "ends in a space" if boundary.endswith(" ") else ""


def _refusal(problem: str, example: str) -> BadRequest:
    return BadRequest(f"The content type {problem}. Let the HTTP client set this header, such as {example}.")
