"""How many bytes an image takes in DynamoDB: the items of the shipped code, counted by AWS's rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from shared.images import UNITS, Image, Pool
from shared.labels.chunks import CHUNK_MAX, LANES
from shared.labels.items import VOLUME, Item, chunk_key, image_item, number, tag_item
from shared.tiles import TILE_BYTES

CHARGED_BESIDE = 100  # bytes for each item and for each entry of an index
OF_A_MAP = 3  # bytes of a map, and one more for each of its entries
INDEXES = (("label", "s3key", "filename"), ("label", "s3key", "owner"))  # they keep the keys of a row only
CHUNK_NUMBER = 430_000_000_625  # of lane 3, class 30 and some 10^4 images
TYPICAL = Image(
    label="cat",
    name="0123456789abcdef0123456789abcdef.jpg",
    weight=UNITS // 2 + 1,  # all nine digits
    version_id="3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrH",
    size=312_345,
    width=1_312,
    height=912,
    created="2026-01-01T00:00:00.000Z",
    owner="auth0|0123456789abcdef01234567",
    filename="IMG_20260101_000000.jpg",
)


@dataclass(frozen=True, slots=True)
class Rows:
    """The charged bytes."""

    image: Decimal  # its row and its share of a full chunk
    entries: Decimal  # its entries in the indexes
    tag: Decimal  # its row and its share of a full chunk of a tag
    lanes: Decimal  # of a label or of a tag of it


def rows() -> Rows:
    """Return the bytes of a picture with an owner and a file name, if all chunks are full and all classes used."""
    row, tagged = image_item(TYPICAL, CHUNK_NUMBER), tag_item(TYPICAL, Pool("cat", "fluffy"), CHUNK_NUMBER)
    chunk = chunk_key(Pool("cat"), CHUNK_NUMBER) | {"images": {"M": dict.fromkeys(_names(), number(TYPICAL.weight))}}
    share = Decimal(_charged(chunk)) / CHUNK_MAX
    entries = sum(_charged({name: row[name] for name in names}) for names in INDEXES)
    lane = chunk_key(Pool("cat"), LANES - 1) | {"totalWeight": number(UNITS**2 + 1)} | _volumes()
    return Rows(_charged(row) + share, Decimal(entries), _charged(tagged) + share, Decimal(LANES * _charged(lane)))


def tile_bytes() -> Decimal:
    """Return the bytes of an image's row in the table of tiles, without recognised labels."""
    key = {"label": {"S": TYPICAL.label}, "name": {"S": TYPICAL.name}, "version": {"S": TYPICAL.version_id}}
    return Decimal(_charged(key) + len("tile") + TILE_BYTES)


def _names() -> list[str]:
    return [f"{place:032x}.jpg" for place in range(CHUNK_MAX)]


def _volumes() -> Item:
    return {f"{VOLUME}{weight_class}": number(12_345) for weight_class in range(1, UNITS.bit_length() + 1)}


def _charged(item: Item) -> int:
    return size(item) + CHARGED_BESIDE


def size(item: Mapping[str, Any]) -> int:
    """Return the bytes of an item's names and values (AWS: "DynamoDB item sizes and formats")."""
    return sum(len(name.encode()) + _value(value) for name, value in item.items())


def _value(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "M":
        return OF_A_MAP + len(content) + size(content)
    if kind == "N":
        return (len(content.strip("0")) + 1) // 2 + 1
    if kind == "SS":
        return sum(len(text.encode()) for text in content)
    return len(content.encode())
