"""JSON bodies: an object of known members, each at most once, with numbers as they were written."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from shared import images
from shared.api.endpoint import Request
from shared.errors import BadRequest, UnsupportedMediaType

Members = Mapping[str, Callable[[Any], Any]]  # name -> function that converts the JSON value, or refuses it


class Number(str):
    """A JSON number as a text, so that nothing is rounded and no exponent takes memory."""

    __slots__ = ()


def read(request: Request, members: Members, types: tuple[str, ...], example: str) -> dict[str, Any]:
    """Parse the body and convert its members. Raise BadRequest for a body or a member that is not expected."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in types:
        raise UnsupportedMediaType(f"Send JSON, such as curl -H \"Content-Type: application/json\" -d '{example}'.")
    document = _document(request.body, example)
    for member in document:
        if member not in members:
            raise BadRequest(f"The body has no member {member!r}; it may have: {', '.join(members)}.", field=member)
    return {member: members[member](value) for member, value in document.items()}


def weight(value: Any) -> int:
    """Convert the member `weight` to units."""
    if not isinstance(value, Number):
        raise BadRequest('weight must be a number; send it as {"weight": 0.7}.', field="weight")
    return images.parse_weight(value)


def tags(value: Any) -> tuple[str, ...]:
    """Convert the member `tags`."""
    if not isinstance(value, list) or not all(type(tag) is str for tag in value):
        raise BadRequest('tags must be a list of texts; send it as {"tags": ["fluffy"]}.', field="tags")
    return images.parse_tags(value)


def filename(value: Any) -> str:
    """Convert the member `filename`."""
    return images.parse_filename(text("filename")(value))


def text(name: str) -> Callable[[Any], str]:
    """Make the function that takes the member of this name if it is a text."""

    def take(value: Any) -> str:
        if type(value) is not str:
            raise BadRequest(f"{name} must be a text, in double quotes.", field=name)
        return value

    return take


def flag(name: str) -> Callable[[Any], bool]:
    """Make the function that takes the member of this name if it is true or false."""

    def take(value: Any) -> bool:
        if type(value) is not bool:
            raise BadRequest(f"{name} must be true or false, without quotes.", field=name)
        return value

    return take


def _document(body: bytes, example: str) -> dict[str, Any]:
    try:
        document = json.loads(body, parse_float=Number, parse_int=Number, object_pairs_hook=_members)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The body is not valid JSON; send an object such as {example}.") from error
    if not isinstance(document, dict):
        raise BadRequest(f"The body must be a JSON object; send one such as {example}.")
    return document


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of these members, or raise BadRequest if one is repeated."""
    members = dict(pairs)
    if len(members) < len(pairs):
        ((repeated, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise BadRequest(f"The member {repeated!r} is repeated; send it once.", field=repeated)
    return members
