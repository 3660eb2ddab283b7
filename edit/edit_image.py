"""PATCH /images/{label}/{name}: change the weight, the tags and the file name of an image."""

from dataclasses import replace
from typing import Any

import own_images
from shared import aws, writes
from shared.api import access, image_paths, image_responses, json_body
from shared.api.endpoint import Request, Response, endpoint
from shared.errors import BadRequest
from shared.labels.store import Store
from shared.settings import read_settings

JSON_TYPES = ("application/json", "application/merge-patch+json")
EXAMPLE = '{"weight": 0.7}'


def edit_image(request: Request) -> Response:
    """Change an image and return it.

    Raise NotFound if there is no such image, Forbidden if it has another owner, PreconditionFailed if If-Match differs.
    """
    caller = access.caller(request.authorizer, access.WRITE)
    label, name = image_paths.image_path(request)
    changes = _changes(request)
    settings = read_settings()
    writes.require_open(settings)
    store = Store(aws.dynamodb(), settings)
    check = access.permit(caller, request.headers.get("if-match", "*"))
    if not store.edit(label, name, lambda image: replace(image, **changes), check=check):
        raise image_paths.not_found(label, name)
    return image_responses.current_state(store, request, label, name, consistent=True)


def _changes(request: Request) -> dict[str, Any]:
    """Parse the body into the image's fields and their new values."""
    changes = json_body.read(request, MEMBERS, JSON_TYPES, EXAMPLE)
    if not changes:
        raise BadRequest(f"The body changes nothing; send weight, tags or filename, such as {EXAMPLE}.")
    return changes


MEMBERS = {"weight": json_body.weight, "tags": json_body.tags, "filename": json_body.filename}

handler = endpoint(
    {"/images/{label}/{name}": {"PATCH": edit_image}, "/mine": {"GET": own_images.list_own}},
    parameters={"/mine": own_images.PARAMETERS},
)
aws.make_now(aws.dynamodb, aws.ssm)
