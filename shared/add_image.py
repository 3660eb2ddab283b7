"""Add a checked picture to a label: store it in the bucket, then write it to the tables."""

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

from shared import images
from shared.api.image_json import image_json
from shared.errors import Conflict, Unavailable
from shared.images import Image
from shared.labels.store import CompanionWriteFailed, Store
from shared.labels.transactions import Write
from shared.pictures.bucket import Bucket
from shared.pictures.check import Picture


class NewImage(NamedTuple):
    """The properties that an uploader asked for. The weight is in units; the owner is empty if the image has none."""

    label: str
    weight: int
    tags: tuple[str, ...]
    owner: str
    filename: str
    base_url: str  # with which links in a refusal begin
    allow_other_tags: bool = False  # whether an image that exists may have tags that are not in `tags`


class AddResult(NamedTuple):
    """The stored image, the total weight of its label as it was read, and whether the image is new."""

    image: Image
    total_weight: int
    is_new: bool


Companion = Callable[[Image], Write]  # makes a write for the same transaction as the image's


def add(
    picture: Picture, wanted: NewImage, bucket: Bucket, store: Store, *, companion: Companion | None = None
) -> AddResult:
    """Store the picture and add it as an image, or return the image if it exists.

    Raise Conflict, which shows the image, if it exists with another weight, owner or tags.  Raise CompanionWriteFailed
    if the condition of `companion` fails.  If the image exists, `companion` is not written.
    """
    digest = sha256(picture.content).digest()
    name = images.name_of(digest, picture.extension)
    with store.before_adding(images.pools_of(wanted.label, wanted.tags)):
        version_id = bucket.put(f"{wanted.label}/{name}", picture.content, images.content_type(name), digest)
    image = Image(
        wanted.label,
        name,
        wanted.weight,
        version_id,
        size=len(picture.content),
        width=picture.width,
        height=picture.height,
        created=now(),
        owner=wanted.owner,
        tags=wanted.tags,
        filename=images.clean_filename(wanted.filename),
    )
    try:
        stored, total_weight = store.add(image, companion=companion(image) if companion else None)
    except (Unavailable, CompanionWriteFailed):
        _discard_version(image, store, bucket)
        raise
    if stored.version_id == version_id:
        return AddResult(stored, total_weight, is_new=True)
    _discard_version(image, store, bucket)
    _refuse_another(stored, wanted)
    return AddResult(stored, total_weight, is_new=False)


def now() -> str:
    """Return the time as the API writes it: UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _refuse_another(stored: Image, wanted: NewImage) -> None:
    if stored.owner != wanted.owner:
        raise _conflict(stored, wanted, "and belongs to another owner; only that owner may change it.", field="img")
    if stored.weight != wanted.weight:
        way_out = "change the weight with PATCH, or upload the picture with this weight."
        raise _conflict(stored, wanted, f"with weight {images.decimal(stored.weight)}; {way_out}", field="weight")
    others = set(stored.tags) - set(wanted.tags) if wanted.allow_other_tags else set()
    if wanted.tags and set(stored.tags) - others != set(wanted.tags):
        tags = ", ".join(stored.tags) or "(none)"
        raise _conflict(stored, wanted, f"with the tags {tags}; change the tags with PATCH.", field="tags")


def _conflict(stored: Image, wanted: NewImage, what: str, *, field: str) -> Conflict:
    """Return the refusal, with the JSON of the image that exists."""
    existing = {"existing": image_json(stored, wanted.base_url)}
    return Conflict(f"This picture already exists as {stored.id} {what}", field=field, members=existing)


def _discard_version(image: Image, store: Store, bucket: Bucket) -> None:
    """Remove the stored version, unless a transaction that names it may still commit."""
    if not store.may_still_commit:
        bucket.discard(image.id, image.version_id)
