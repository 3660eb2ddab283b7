"""A checked picture becomes an image of a label: stored in the bucket, then added to the tables."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from shared import images
from shared.errors import Conflict, Unavailable
from shared.images import Image
from shared.labels.store import CompanionWriteFailed, Store
from shared.labels.transactions import Write
from shared.pictures.bucket import Bucket
from shared.pictures.check import Picture


@dataclass(frozen=True, slots=True)
class NewImage:
    """What an uploader wants of the image; the weight in units, the owner empty for nobody's."""

    label: str
    weight: int
    tags: tuple[str, ...]
    owner: str
    filename: str
    allow_other_tags: bool = False  # whether the image may have others besides


@dataclass(frozen=True, slots=True)
class AddResult:
    """The image, the total weight of its label as read, and whether it is new."""

    image: Image
    total_weight: int
    is_new: bool


Companion = Callable[[Image], Write]  # the write that is to be done with this image's, or not at all


def add(
    picture: Picture, wanted: NewImage, bucket: Bucket, store: Store, *, companion: Companion | None = None
) -> AddResult:
    """The image, new or as it was there already; Conflict if that one has another weight, owner or tags.

    CompanionWriteFailed if the condition of `companion` fails; it is not done where the image was there already.
    """
    digest = sha256(picture.content).digest()
    name = images.name_of(digest, picture.extension)
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
        filename=images.file_name(wanted.filename),
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
    """The time as the interface has it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _refuse_another(stored: Image, wanted: NewImage) -> None:
    if stored.owner != wanted.owner:
        raise Conflict(f"This picture is {stored.id} already, and somebody else's.", field="img")
    if stored.weight != wanted.weight:
        raise Conflict(
            f"This picture is {stored.id} already, with weight {images.decimal(stored.weight)}; "
            "change its weight with PATCH, or upload it with that weight.",
            field="weight",
        )
    others = set(stored.tags) - set(wanted.tags) if wanted.allow_other_tags else set()
    if wanted.tags and set(stored.tags) - others != set(wanted.tags):
        raise Conflict(
            f"This picture is {stored.id} already, with the tags {', '.join(stored.tags) or '(none)'}; "
            "change its tags with PATCH.",
            field="tags",
        )


def _discard_version(image: Image, store: Store, bucket: Bucket) -> None:
    """Remove the version that was put in vain; not while a transaction that names it may yet be done."""
    if not store.may_still_commit:
        bucket.discard(image.id, image.version_id)
