"""PATCH /images/{label}/{name}: give an image another weight, other tags, another file name."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import own_images
from shared import access, answers, aws, images, settings
from shared.api import Request, Response, endpoint
from shared.errors import BadRequest, UnsupportedMediaType
from shared.store import Store

JSON_TYPES = ("application/json", "application/merge-patch+json")


class Number(str):
    """A JSON number as it was written: nothing is rounded, and no exponent is too large to look at."""

    __slots__ = ()


def edit_image(request: Request) -> Response:
    """The image as changed; Forbidden if it is another's, PreconditionFailed if it is not as If-Match says."""
    caller = access.caller(request.authorizer, access.WRITE)
    label, name = answers.image_path(request)
    changes = _changes(request)
    store = Store(aws.dynamodb(), settings.read())
    check = access.permit(caller, request.headers.get("if-match", "*"))
    if not store.edit(label, name, lambda image: replace(image, **changes), check=check):
        raise answers.not_found(label, name)
    return answers.state(store, request, label, name, consistent=True)


def _changes(request: Request) -> dict[str, Any]:
    """The fields of an image that the body asks for, with their new values."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in JSON_TYPES:
        raise UnsupportedMediaType('Send JSON: -H "Content-Type: application/json" -d \'{"weight": 0.7}\'.')
    document = _document(request.body)
    for member in document:
        if member not in MEMBERS:
            known = ", ".join(MEMBERS)
            raise BadRequest(f"There is no member {member!r} that can be changed; known: {known}.", field=member)
    if not document:
        raise BadRequest('There is nothing to change; send {"weight": 0.7}, or tags, or filename.')
    return {member: MEMBERS[member](value) for member, value in document.items()}


def _weight(value: Any) -> int:
    if not isinstance(value, Number):
        raise BadRequest('weight is not a number; send {"weight": 0.7}.', field="weight")
    return images.parse_weight(value)


def _tags(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(type(tag) is str for tag in value):
        raise BadRequest('tags is not a list of texts; send {"tags": ["fluffy"]}.', field="tags")
    return images.parse_tags(value)


def _filename(value: Any) -> str:
    if type(value) is not str:
        raise BadRequest('filename is not a text; send {"filename": "cat.jpg"}.', field="filename")
    return images.parse_filename(value)


MEMBERS = {"weight": _weight, "tags": _tags, "filename": _filename}


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body, parse_float=Number, parse_int=Number, object_pairs_hook=_members)
    except (ValueError, RecursionError) as error:
        raise BadRequest('The body is not JSON; send {"weight": 0.7}.') from error
    if not isinstance(document, dict):
        raise BadRequest('The body must be a JSON object; send {"weight": 0.7}.')
    return document


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these members; BadRequest if one is repeated."""
    members = dict(pairs)
    if len(members) < len(pairs):
        ((repeated, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise BadRequest(f"The member {repeated!r} is repeated; give it once.", field=repeated)
    return members


handler = endpoint(
    {"/images/{label}/{name}": {"PATCH": edit_image}, "/mine": {"GET": own_images.list_own}},
    parameters={"/mine": own_images.PARAMETERS},
)
