"""An image: its label, name, weight, tags and file name, and the rules for each of them."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from shared import errors

UNITS = 10**9  # a weight has at most 9 decimals; it is stored as a whole number of units of 10^-9
DEFAULT_WEIGHT = UNITS // 2

# The types of pictures.  tests/unit/test_picture_types.py compares all lists of them.
CONTENT_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}

LABEL = re.compile(r"[a-z][a-z0-9-]{0,31}")
NAME = re.compile(r"[0-9a-f]{32}\.(jpg|png|webp)")
DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
DECIMAL_MAX = 24  # characters; fewer digits than Decimal's 28, so nothing is rounded on the way to units
# Each tag costs an upload 6 write units.  TransactWriteItems takes 100 writes, and a change of the weight and of all
# tags needs at most 6 + 8 for each tag, so there could be at most 11.
TAGS_MAX = 5
FILENAME_MAX = 255  # characters; at most 1,020 bytes in UTF-8, and a sort key may have 1,024
# Anything that a file may be called, also with spaces of any width, accents in one or two characters, and the marks of
# scripts that run from right to left.  Not: folders, control characters, halves of characters in UTF-16, and the
# characters that turn the direction of what follows, with which gpj.exe is shown as exe.jpg.
# A text, because most functions do not need it, and it takes a millisecond to compile.
FILENAME = r"[^/\\\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]{0,255}"
WEIGHT_RULE = (
    "weight must be a decimal number above 0 and below 1 with at most 9 decimals, such as 0.5. "
    "Only its ratio to the other weights of the label counts: for 5 to 1, send 0.5 and 0.1."
)


class Pool(NamedTuple):
    """The images that a draw chooses from: all images of a label, or those of the label that have a tag.

    A named tuple, because it takes a fifth of a dataclass's time to define at a cold start.
    """

    label: str
    tag: str = ""

    @classmethod
    def of_key(cls, key: str) -> "Pool":
        """Return the pool whose items have this partition key."""
        label, _, tag = key.partition("#")
        return cls(label, tag)

    @property
    def key(self) -> str:
        """The partition key of the pool's items: the label, or label#tag."""
        return f"{self.label}#{self.tag}" if self.tag else self.label

    def __str__(self) -> str:
        return f"{self.label} with the tag {self.tag}" if self.tag else self.label


@dataclass(frozen=True, slots=True)
class Image:
    """A stored picture with its weight in units of 10^-9.  `size` is in bytes, `width` and `height` in pixels."""

    label: str
    name: str
    weight: int
    version_id: str
    size: int
    width: int
    height: int
    created: str
    owner: str = ""  # the subject of the uploader's token; empty if the upload needed no token
    tags: tuple[str, ...] = ()  # sorted
    filename: str = ""  # the uploader's name for the file; empty if unknown

    @property
    def id(self) -> str:
        """The image's id, which is also its key in the bucket."""
        return f"{self.label}/{self.name}"

    @property
    def pools(self) -> tuple[Pool, ...]:
        """The pools of the image."""
        return pools_of(self.label, self.tags)


def pools_of(label: str, tags: Iterable[str]) -> tuple[Pool, ...]:
    """Return the pools of an image with this label and these tags: its label first, then its label with each tag."""
    return (Pool(label), *(Pool(label, tag) for tag in tags))


def name_of(digest: bytes, extension: str) -> str:
    """Return the name of the picture with this SHA-256.

    Equal pictures have equal names, so a retry and a duplicate upload are recognised.
    """
    return f"{digest[:16].hex()}.{extension}"


def content_type(name: str) -> str:
    """Return the media type for the extension of a name."""
    return CONTENT_TYPES[name.rpartition(".")[2]]


def is_image_path(label: str, name: str) -> bool:
    """Return whether an image can have this label and name."""
    return bool(LABEL.fullmatch(label) and NAME.fullmatch(name))


def parse_label(text: str) -> str:
    """Parse a label into its stored form.  Raise UnprocessableValue if it breaks the rule."""
    label = text.strip(" \t\r\n").lower()
    if not (text.isascii() and LABEL.fullmatch(label)):
        raise errors.UnprocessableValue(
            "label must begin with a letter and have at most 32 letters, digits and hyphens, "
            "and no spaces, such as cat.",
            field="label",
        )
    return label


def label_of_path(text: str) -> str:
    """Return a label in a path in its stored form.  A text that is no label remains one."""
    return text.lower() if text.isascii() else text


def parse_allowed_label(text: str, allowed: Collection[str]) -> str:
    """Parse a label and check that it is allowed; `*` allows every label.  Raise UnprocessableValue if it is not."""
    label = parse_label(text)
    if label not in allowed and "*" not in allowed:
        raise errors.UnprocessableValue(
            f"label {label} is not allowed here; use one of {', '.join(sorted(allowed))}.", field="label"
        )
    return label


def parse_tag(text: str, *, field: str = "tag") -> str:
    """Parse a tag into its stored form.  Raise UnprocessableValue if it breaks the rule, which is that of labels."""
    tag = text.strip(" \t\r\n").lower()
    if not (tag.isascii() and LABEL.fullmatch(tag)):
        raise errors.UnprocessableValue(
            "A tag must begin with a letter and have at most 32 letters, digits and hyphens, "
            "and no spaces, such as fluffy.",
            field=field,
        )
    return tag


def parse_tags(texts: Iterable[str]) -> tuple[str, ...]:
    """Parse tags into their stored form, sorted.

    Raise UnprocessableValue if one breaks the rule, if one occurs twice, or if there are too many.
    """
    tags = [parse_tag(text, field="tags") for text in texts]
    if len(tags) > TAGS_MAX or len(tags) > len(set(tags)):
        raise errors.UnprocessableValue(f"tags must be at most {TAGS_MAX} different tags; remove some.", field="tags")
    return tuple(sorted(tags))


def is_filename(text: str) -> bool:
    """Return whether a file can have this name, or its name can begin so; an empty text stands for no name."""
    return bool(re.fullmatch(FILENAME, text))


def parse_filename(text: str) -> str:
    """Parse a file name, or the beginning of one, which stays as it is.

    Raise UnprocessableValue if it breaks the rule.
    """
    if not is_filename(text):
        raise errors.UnprocessableValue(
            f"filename must have at most {FILENAME_MAX} characters, without /, \\, control characters and characters "
            "that turn the direction of text, such as tom.jpg.",
            field="filename",
        )
    return text


def clean_filename(sent: str) -> str:
    """Return the last part of a file name that an uploader sent, without folders; empty if it breaks the rule."""
    last = re.split(r"[/\\]", sent)[-1]
    return last if is_filename(last) else ""


def parse_weight(text: str) -> int:
    """Parse a weight into units, 1 .. 10^9 - 1.  Raise UnprocessableValue if it breaks the rule."""
    text = text.strip(" \t\r\n")
    if len(text) <= DECIMAL_MAX and DECIMAL.fullmatch(text):
        units = Decimal(text) * UNITS
        if 0 < units < UNITS and units == int(units):
            return int(units)
    raise errors.UnprocessableValue(WEIGHT_RULE, field="weight")


def probability(weight: int, total_weight: int) -> float:
    """Return weight / total_weight, rounded to the nearest floating-point number."""
    return weight / total_weight


def decimal(units: int) -> str:
    """Format units as an exact decimal without exponent: 500000000 -> 0.5."""
    whole, part = divmod(units, UNITS)
    return f"{whole}.{part:09d}".rstrip("0").rstrip(".")
