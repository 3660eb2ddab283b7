"""PATCH /images/{label}/{name}: give an image another weight."""

import json
from collections import Counter
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
    """The image with its new weight; Forbidden if it is another's, PreconditionFailed if it is not as If-Match says."""
    caller = access.caller(request.authorizer, access.WRITE)
    label, name = answers.image_path(request)
    weight = _weight(request)
    store = Store(aws.dynamodb(), settings.read())
    permit = access.Permit(caller, request.headers.get("if-match", "*"))
    if not store.reweigh(label, name, weight, check=permit.check):
        raise answers.not_found(label, name)
    return answers.state(store, request, label, name, consistent=True)


def _weight(request: Request) -> int:
    """The weight that the body asks for."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in JSON_TYPES:
        raise UnsupportedMediaType('Send JSON: -H "Content-Type: application/json" -d \'{"weight": 0.7}\'.')
    document = _document(request.body)
    for member in document:
        if member != "weight":
            raise BadRequest(f"There is no member {member!r} that can be changed; known: weight.", field=member)
    if not isinstance(document.get("weight"), Number):
        raise BadRequest('weight is missing or not a number; send {"weight": 0.7}.', field="weight")
    return images.parse_weight(document["weight"])


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
