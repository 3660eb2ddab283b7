"""PATCH /images/{label}/{name}: give an image another weight, other tags, another file name."""

from dataclasses import replace
from typing import Any

import own_images
from shared import access, answers, aws, documents, settings
from shared.api import Request, Response, endpoint
from shared.errors import BadRequest
from shared.store import Store

JSON_TYPES = ("application/json", "application/merge-patch+json")


EXAMPLE = '{"weight": 0.7}'


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
    changes = documents.read(request, MEMBERS, JSON_TYPES, EXAMPLE)
    if not changes:
        raise BadRequest(f"There is nothing to change; send {EXAMPLE}, or tags, or filename.")
    return changes


MEMBERS = {"weight": documents.weight, "tags": documents.tags, "filename": documents.filename}

handler = endpoint(
    {"/images/{label}/{name}": {"PATCH": edit_image}, "/mine": {"GET": own_images.list_own}},
    parameters={"/mine": own_images.PARAMETERS},
)
