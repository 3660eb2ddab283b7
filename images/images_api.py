"""/images/{label}/{name}: the picture, its info, and a new weight for it."""

import json
import logging
from collections import Counter
from typing import Any

from shared import access, aws, images, settings
from shared.api import Request, Response, as_json, elsewhere, endpoint
from shared.bucket import Bucket
from shared.errors import BadRequest, NotFound, UnsupportedMediaType
from shared.store import Store

logger = logging.getLogger("petapi")

RESPONSE_MAX = 4_500_000  # bytes of a picture; in base64 it still fits into Lambda's answer of 6 MiB
JSON_TYPES = ("application/json", "application/merge-patch+json")


class Number(str):
    """A JSON number as it was written: nothing is rounded, and no exponent is too large to look at."""

    __slots__ = ()


def download(request: Request) -> Response:
    """The picture's bytes; 304 if the caller has them; 302 to S3 if they do not fit into an answer."""
    label, name = _path(request)
    names = settings.read()
    image = Store(aws.dynamodb(), names).image(label, name)
    if image is None:
        raise _not_found(label, name)
    headers = {
        "ETag": f'"{name.partition(".")[0]}"',
        "Cache-Control": f"public, max-age={names.image_max_age}, immutable",
    }
    if images.matches(request.headers.get("if-none-match", ""), headers["ETag"], weak=True):
        return Response(304, headers=headers)
    bucket = Bucket(aws.s3(), names.bucket)
    if image.size > RESPONSE_MAX:
        return Response(302, headers={"Location": bucket.url(image.id), "Cache-Control": "no-store"})
    content = bucket.get(image.id)
    if content is None:  # deleted between the two reads, or not for us to read
        logger.warning("%s %s is there, but its picture is not", request.id, image.id)
        raise _not_found(label, name)
    return Response(200, content, {"Content-Type": images.content_type(name), **headers})


def info(request: Request) -> Response:
    """The image and its probability; the ETag is for a PATCH's or DELETE's If-Match."""
    label, name = _path(request)
    return _answer(Store(aws.dynamodb(), settings.read()), request, label, name, consistent=False)


def reweigh(request: Request) -> Response:
    """Give the image another weight; Forbidden if it is another's, PreconditionFailed if it has changed."""
    caller = access.caller(request.authorizer, access.WRITE)
    label, name = _path(request)
    weight = _weight(request)
    store = Store(aws.dynamodb(), settings.read())
    permit = access.Permit(caller, request.headers.get("if-match", "*"))
    if not store.reweigh(label, name, weight, check=permit.check):
        raise _not_found(label, name)
    return _answer(store, request, label, name, consistent=True)


def _path(request: Request) -> tuple[str, str]:
    label, name = request.path_parameters["label"], request.path_parameters["name"]
    if not images.is_image_path(label, name):
        raise _not_found(label, name)
    return label, name


def _not_found(label: str, name: str) -> NotFound:
    return NotFound(f"There is no image {label}/{name}.")


def _answer(store: Store, request: Request, label: str, name: str, *, consistent: bool) -> Response:
    seen = store.weighed(label, name, consistent=consistent)
    if seen is None:
        raise _not_found(label, name)
    image, total_weight = seen
    shown = images.as_dict(image, request.base_url)
    probability = images.probability(image.weight, total_weight)
    return as_json({**shown, "probability": probability}, headers={"ETag": image.etag})


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
    {
        "/images/{label}/{name}": {"GET": download, "PATCH": reweigh, "DELETE": elsewhere},
        "/images/{label}/{name}/info": {"GET": info},
    }
)
