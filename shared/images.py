"""What an image is: its label, name, weight, tags and file name, and the rules that they follow."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from shared import errors

UNITS = 10**9  # a weight has at most 9 decimals and is kept as a whole number of these
DEFAULT_WEIGHT = UNITS // 2

CONTENT_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}

LABEL = re.compile(r"[a-z][a-z0-9-]{0,31}")
NAME = re.compile(r"[0-9a-f]{32}\.(jpg|png|webp)")
DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
DECIMAL_MAX = 24  # characters; fewer digits than Decimal's 28, so nothing is rounded on the way to units
TAGS_MAX = 5  # each costs an upload 6 write units
FILENAME_MAX = 255  # characters; in UTF-8 at most 1,020 bytes, of the 1,024 that a sort key may have
WEIGHT_RULE = "weight must be a decimal number above 0 and below 1 with at most 9 decimals, such as 0.5."


class Pool(NamedTuple):
    """The images that a draw may choose from: those of a label, or those of the label that have a tag.

    It is a named tuple, because a dataclass takes five times as long to import.
    """

    label: str
    tag: str = ""

    @classmethod
    def of_key(cls, key: str) -> "Pool":
        """Return the pool that is stored under this key."""
        label, _, tag = key.partition("#")
        return cls(label, tag)

    @property
    def key(self) -> str:
        """What the pool is stored under: its label, or label#tag."""
        return f"{self.label}#{self.tag}" if self.tag else self.label

    def __str__(self) -> str:
        return f"{self.label} with the tag {self.tag}" if self.tag else self.label


@dataclass(frozen=True, slots=True)
class Image:
    """A stored picture and its weight in units of 10^-9. `size` is in bytes, `width` and `height` in pixels."""

    label: str
    name: str
    weight: int
    version_id: str
    size: int
    width: int
    height: int
    created: str
    owner: str = ""  # the subject of the uploader's token; empty where everyone may upload
    tags: tuple[str, ...] = ()  # sorted
    filename: str = ""  # as the uploader had it; empty if unknown

    @property
    def id(self) -> str:
        """The image's id, which is its key in the bucket, too."""
        return f"{self.label}/{self.name}"

    @property
    def pools(self) -> tuple[Pool, ...]:
        """The pools that the image is in: its label, and its label with each of its tags."""
        return (Pool(self.label), *(Pool(self.label, tag) for tag in self.tags))


def name_of(digest: bytes, extension: str) -> str:
    """The name of a picture with this SHA-256: the same has the same name, so a retry and a duplicate are seen."""
    return f"{digest[:16].hex()}.{extension}"


def content_type(name: str) -> str:
    """The media type that a name ends in."""
    return CONTENT_TYPES[name.rpartition(".")[2]]


def is_image_path(label: str, name: str) -> bool:
    """Whether an image can have this label and name at all."""
    return bool(LABEL.fullmatch(label) and NAME.fullmatch(name))


def parse_label(text: str) -> str:
    """The label as it is stored; UnprocessableValue if it breaks the rule."""
    label = text.strip(" \t\r\n").lower()
    if not (text.isascii() and LABEL.fullmatch(label)):
        raise errors.UnprocessableValue(
            "label must begin with a letter and have at most 32 letters, digits and hyphens, such as cat.",
            field="label",
        )
    return label


def parse_allowed_label(text: str, allowed: Collection[str]) -> str:
    """The label as it is stored; UnprocessableValue if it breaks the rule or is not on the allow-list."""
    label = parse_label(text)
    if label not in allowed and "*" not in allowed:
        raise errors.UnprocessableValue(
            f"label {label} is not taken here; use one of {', '.join(sorted(allowed))}.", field="label"
        )
    return label


def parse_tag(text: str, *, field: str = "tag") -> str:
    """The tag as it is stored; UnprocessableValue if it breaks the rule, which is that of labels."""
    tag = text.strip(" \t\r\n").lower()
    if not (tag.isascii() and LABEL.fullmatch(tag)):
        raise errors.UnprocessableValue(
            "A tag must begin with a letter and have at most 32 letters, digits and hyphens, such as fluffy.",
            field=field,
        )
    return tag


def parse_tags(texts: Iterable[str]) -> tuple[str, ...]:
    """The tags as they are stored; UnprocessableValue if one breaks the rule of labels, or is there twice."""
    tags = [parse_tag(text, field="tags") for text in texts]
    if len(tags) > TAGS_MAX or len(tags) > len(set(tags)):
        raise errors.UnprocessableValue(f"There may be at most {TAGS_MAX} tags, each once.", field="tags")
    return tuple(sorted(tags))


def parse_filename(text: str) -> str:
    """The file name as it is stored; UnprocessableValue if it has a folder in it or cannot be shown."""
    if len(text) > FILENAME_MAX or not text.isprintable() or "/" in text or "\\" in text:
        raise errors.UnprocessableValue(
            f"filename must be at most {FILENAME_MAX} printable characters without a folder.", field="filename"
        )
    return text


def file_name(sent: str) -> str:
    """The last part of a file's name as an uploader sent it, folders left out; empty if that cannot be kept."""
    last = re.split(r"[/\\]", sent)[-1]
    return last if len(last) <= FILENAME_MAX and last.isprintable() else ""


def parse_weight(text: str) -> int:
    """The weight in units, 1 .. 10^9 - 1; UnprocessableValue if it breaks the rule."""
    text = text.strip(" \t\r\n")
    if len(text) <= DECIMAL_MAX and DECIMAL.fullmatch(text):
        units = Decimal(text) * UNITS
        if 0 < units < UNITS and units == int(units):
            return int(units)
    raise errors.UnprocessableValue(WEIGHT_RULE, field="weight")


def probability(weight: int, total_weight: int) -> float:
    """The weight / total_weight, as the nearest floating-point number."""
    return weight / total_weight


def decimal(units: int) -> str:
    """A weight or total in units as an exact decimal without exponent: 500000000 -> 0.5."""
    whole, part = divmod(units, UNITS)
    return f"{whole}.{part:09d}".rstrip("0").rstrip(".")
