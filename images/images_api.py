"""/images/{label}/{name}: the picture, its info, and a new weight for it."""

import json
from decimal import Decimal
from typing import Any

from shared import aws, images, settings
from shared.api import Request, Response, as_json, elsewhere, endpoint
from shared.bucket import Bucket
from shared.errors import BadRequest, NotFound, PreconditionFailed, UnsupportedMediaType
from shared.images import Image
from shared.store import Store

RESPONSE_MAX = 4_500_000  # bytes of a picture; in base64 it still fits into Lambda's answer of 6 MiB
FOR_EVER = "public, max-age=31536000, immutable"  # a year: under its name a picture never changes
JSON_TYPES = ("application/json", "application/merge-patch+json")


def download(request: Request) -> Response:
    """The picture's bytes; 304 if the caller has them; 302 to S3 if they do not fit into an answer."""
    label, name = _path(request)
    image = _store().image(label, name)
    if image is None:
        raise _not_found(label, name)
    headers = {"ETag": f'"{name.partition(".")[0]}"', "Cache-Control": FOR_EVER}
    if _matches(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(304, headers=headers)
    bucket = Bucket(aws.s3(), settings.read().bucket)
    if image.size > RESPONSE_MAX:
        return Response(302, headers={"Location": bucket.url(image.id), "Cache-Control": "no-store"})
    content = bucket.get(image.id)
    if content is None:  # deleted between the two reads
        raise _not_found(label, name)
    return Response(200, content, {"Content-Type": images.content_type(name), **headers})


def info(request: Request) -> Response:
    """The image and its probability; the ETag is for a PATCH's If-Match."""
    label, name = _path(request)
    return _answer(request, label, name, consistent=False)


def reweigh(request: Request) -> Response:
    """Give the image another weight; PreconditionFailed if If-Match names another state than the present one."""
    label, name = _path(request)
    weight = _weight(request)
    if_match = request.headers.get("if-match", "*")

    def check(image: Image) -> None:
        if not _matches(if_match, image.etag):
            raise PreconditionFailed(
                "The image has changed since; read its info again and decide anew.", field="If-Match"
            )

    if not _store().reweigh(label, name, weight, check=check):
        raise _not_found(label, name)
    return _answer(request, label, name, consistent=True)


def _path(request: Request) -> tuple[str, str]:
    label, name = request.path_parameters["label"], request.path_parameters["name"]
    if not images.is_image_path(label, name):
        raise _not_found(label, name)
    return label, name


def _store() -> Store:
    return Store(aws.dynamodb(), settings.read())


def _not_found(label: str, name: str) -> NotFound:
    return NotFound(f"There is no image {label}/{name}.")


def _answer(request: Request, label: str, name: str, *, consistent: bool) -> Response:
    seen = _store().weighed(label, name, consistent=consistent)
    if seen is None:
        raise _not_found(label, name)
    image, total_weight = seen
    shown = images.as_dict(image, request.base_url)
    probability = images.probability(image.weight, total_weight)
    return as_json({**shown, "probability": probability}, headers={"ETag": image.etag})


def _matches(header: str, etag: str) -> bool:
    """Whether a list of entity tags names this one (RFC 9110, section 13.1)."""
    return any(tag.strip().removeprefix("W/") in ("*", etag) for tag in header.split(","))


def _weight(request: Request) -> int:
    """The weight that the body asks for."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in JSON_TYPES:
        raise UnsupportedMediaType('Send JSON: -H "Content-Type: application/json" -d \'{"weight": 0.7}\'.')
    document = _document(request.body)
    for member in document:
        if member != "weight":
            raise BadRequest(f"There is no member {member!r} that can be changed; known: weight.", field=member)
    if not isinstance(document.get("weight"), Decimal):
        raise BadRequest('weight is missing or not a number; send {"weight": 0.7}.', field="weight")
    return images.parse_weight(str(document["weight"]))


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body, parse_float=Decimal, parse_int=Decimal, object_pairs_hook=_members)
    except (ValueError, RecursionError) as error:
        raise BadRequest('The body is not JSON; send {"weight": 0.7}.') from error
    if not isinstance(document, dict):
        raise BadRequest('The body must be a JSON object; send {"weight": 0.7}.')
    return document


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these members; BadRequest if one is repeated."""
    members = dict(pairs)
    if len(members) < len(pairs):
        repeated = next(name for name in members if [pair[0] for pair in pairs].count(name) > 1)
        raise BadRequest(f"The member {repeated} is repeated; give it once.", field=repeated)
    return members


handler = endpoint(
    {
        "/images/{label}/{name}": {"GET": download, "PATCH": reweigh, "DELETE": elsewhere},
        "/images/{label}/{name}/info": {"GET": info},
    }
)
