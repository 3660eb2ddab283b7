"""POST /upload: check a picture, store it, add it to its label."""

from datetime import UTC, datetime
from hashlib import sha256

import form
import picture
from shared import access, answers, aws, images, settings
from shared.api import Request, Response, endpoint
from shared.bucket import Bucket
from shared.errors import Conflict, PayloadTooLarge, Unavailable
from shared.images import Image
from shared.store import Store

BODY_MAX = 4_500_000  # bytes; in base64 and with its headers it still fits into Lambda's event of 6 MiB


def upload(request: Request) -> Response:
    """201 and the image; 200 if the very image was there already; Conflict if its weight or owner is another."""
    caller = access.caller(request.authorizer, access.WRITE)
    if len(request.body) > BODY_MAX:
        raise PayloadTooLarge(f"The upload has {len(request.body)} bytes; at most {BODY_MAX} are taken here.")
    fields = form.parse(request.body, request.headers.get("content-type", ""))
    names = settings.read()
    label = images.parse_allowed_label(fields.label, names.labels)
    weight = images.DEFAULT_WEIGHT if fields.weight is None else images.parse_weight(fields.weight)
    tags = images.parse_tags(fields.tags.split(",") if fields.tags.strip() else [])
    checked = picture.check(fields.img)
    bucket, store = Bucket(aws.s3(), names.bucket), Store(aws.dynamodb(), names)

    digest = sha256(checked.content).digest()
    name = images.name_of(digest, checked.extension)
    version_id = bucket.put(f"{label}/{name}", checked.content, images.content_type(name), digest)
    image = Image(
        label,
        name,
        weight,
        version_id,
        size=len(checked.content),
        width=checked.width,
        height=checked.height,
        created=_now(),
        owner=caller.subject,
        tags=tags,
        filename=images.file_name(fields.filename),
    )
    try:
        stored, total_weight = store.add(image)
    except Unavailable:
        _take_back(image, store, bucket)
        raise
    location = {"Location": images.url(stored, request.base_url)}
    if stored.version_id == version_id:
        return answers.weighed(stored, total_weight, request, status=201, headers=location)
    _take_back(image, store, bucket)
    if stored.owner != image.owner:
        raise Conflict(f"This picture is {stored.id} already, and somebody else's.", field="img")
    if stored.weight != weight:
        raise Conflict(
            f"This picture is {stored.id} already, with weight {images.decimal(stored.weight)}; "
            "change its weight with PATCH, or upload it with that weight.",
            field="weight",
        )
    if tags and stored.tags != tags:
        raise Conflict(
            f"This picture is {stored.id} already, with the tags {', '.join(stored.tags) or '(none)'}; "
            "change its tags with PATCH.",
            field="tags",
        )
    return answers.weighed(stored, total_weight, request, headers=location)


def _take_back(image: Image, store: Store, bucket: Bucket) -> None:
    """Remove the version that was put in vain; not while a transaction that names it may yet be done."""
    if store.settled:
        bucket.discard(image.id, image.version_id)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


handler = endpoint({"/upload": {"POST": upload}})
