"""What the API returns, as typed values.  Unknown members are ignored, because a later version may add some."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Self

IMAGE_ID = re.compile(r"(?P<label>[a-z][a-z0-9-]{0,31})/(?P<name>[0-9a-f]{32}\.(jpg|png|webp))")

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Image:
    """A stored picture.  The weight is exact, `size` is in bytes, and `filename` is empty if it has none.

    `labels` are what was recognised, with confidences in percent, where that is known; it does not count for equality.
    """

    id: str
    label: str
    weight: Decimal
    content_type: str
    size: int
    width: int
    height: int
    created: str
    tags: tuple[str, ...]
    filename: str
    url: str
    labels: tuple[tuple[str, float], ...] = field(default=(), compare=False)

    @property
    def name(self) -> str:
        """The part of the id behind the label: 32 hex digits of the bytes' SHA-256, and the extension."""
        return self.id.partition("/")[2]

    @classmethod
    def of_json(cls, json: Json) -> Self:
        """Read an image.  Raise ValueError if its id is none, because files are named after it."""
        if not IMAGE_ID.fullmatch(json["id"]):
            raise ValueError(json["id"])
        return cls(
            id=json["id"],
            label=json["label"],
            weight=Decimal(json["weight"]),
            content_type=json["contentType"],
            size=json["bytes"],
            width=json["width"],
            height=json["height"],
            created=json["created"],
            tags=tuple(sorted(json["tags"])),
            filename=json.get("filename", ""),
            url=json["url"],
            labels=tuple((each["name"], float(each["confidence"])) for each in json.get("labels", ())),
        )


def image_or_none(json: Json | None) -> Image | None:
    """Read an image that may be missing; one that is none is missing, too."""
    try:
        return Image.of_json(json) if json else None
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None


@dataclass(frozen=True, slots=True)
class Uploaded:
    """An image after its upload.  `is_new` is false if it was there before, None if the API does not say."""

    image: Image
    is_new: bool | None


@dataclass(frozen=True, slots=True)
class State:
    """An image with its present probability, and the entity tag to send with a change."""

    image: Image
    probability: float
    etag: str


@dataclass(frozen=True, slots=True)
class Draw:
    """A drawn image with the probability that it had, and the total weight that it was drawn from."""

    image: Image
    probability: float
    total_weight: Decimal


@dataclass(frozen=True, slots=True)
class Hit:
    """An image that a search found: how similar it is, by what it was found, and the words that matched."""

    image: Image
    similarity: float
    by: str
    matched: tuple[str, ...]

    @classmethod
    def of_json(cls, json: Json) -> Self:
        """Read a hit."""
        return cls(Image.of_json(json), float(json["similarity"]), json["by"], tuple(json.get("matched", ())))


@dataclass(frozen=True, slots=True)
class Label:
    """A label that has images: how many, and the sum of their weights."""

    label: str
    count: int
    total_weight: Decimal

    @classmethod
    def of_json(cls, json: Json) -> Self:
        """Read a label."""
        return cls(json["label"], json["count"], Decimal(json["totalWeight"]))


@dataclass(frozen=True, slots=True)
class LawPage:
    """A page of a label's distribution: the label as a whole, and weight and probability of some images by id."""

    label: Label
    images: Mapping[str, tuple[Decimal, float]]

    @classmethod
    def of_json(cls, json: Json) -> Self:
        """Read a page."""
        images = {each["id"]: (Decimal(each["weight"]), float(each["probability"])) for each in json["images"]}
        return cls(Label.of_json(json), images)
