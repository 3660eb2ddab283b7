"""JSON bodies: an object whose members are known, each given once, with numbers as they were written."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from shared import images
from shared.api.endpoint import Request
from shared.errors import BadRequest, UnsupportedMediaType

Members = Mapping[str, Callable[[Any], Any]]  # name -> what turns its value into ours, or refuses it


class Number(str):
    """A JSON number as it was written: nothing is rounded, and no exponent is too large to look at."""

    __slots__ = ()


def read(request: Request, members: Members, types: tuple[str, ...], example: str) -> dict[str, Any]:
    """The members that the body has, as `members` turn them; BadRequest for others, with the example."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in types:
        raise UnsupportedMediaType(f"Send JSON: -H \"Content-Type: application/json\" -d '{example}'.")
    document = _document(request.body, example)
    for member in document:
        if member not in members:
            raise BadRequest(f"There is no member {member!r} here; known: {', '.join(members)}.", field=member)
    return {member: members[member](value) for member, value in document.items()}


def weight(value: Any) -> int:
    """The member `weight`, in units."""
    if not isinstance(value, Number):
        raise BadRequest('weight is not a number; send {"weight": 0.7}.', field="weight")
    return images.parse_weight(value)


def tags(value: Any) -> tuple[str, ...]:
    """The member `tags`."""
    if not isinstance(value, list) or not all(type(tag) is str for tag in value):
        raise BadRequest('tags is not a list of texts; send {"tags": ["fluffy"]}.', field="tags")
    return images.parse_tags(value)


def filename(value: Any) -> str:
    """The member `filename`."""
    return images.parse_filename(text("filename")(value))


def text(name: str) -> Callable[[Any], str]:
    """What takes the member of this name if it is a text."""

    def take(value: Any) -> str:
        if type(value) is not str:
            raise BadRequest(f"{name} is not a text.", field=name)
        return value

    return take


def flag(name: str) -> Callable[[Any], bool]:
    """What takes the member of this name if it is true or false."""

    def take(value: Any) -> bool:
        if type(value) is not bool:
            raise BadRequest(f"{name} is neither true nor false.", field=name)
        return value

    return take


def _document(body: bytes, example: str) -> dict[str, Any]:
    try:
        document = json.loads(body, parse_float=Number, parse_int=Number, object_pairs_hook=_members)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The body is not JSON; send {example}.") from error
    if not isinstance(document, dict):
        raise BadRequest(f"The body must be a JSON object; send {example}.")
    return document


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these members; BadRequest if one is repeated."""
    members = dict(pairs)
    if len(members) < len(pairs):
        ((repeated, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise BadRequest(f"The member {repeated!r} is repeated; give it once.", field=repeated)
    return members
