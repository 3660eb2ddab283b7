"""Conversion between DynamoDB items and values.

| table        | key                      | attributes                                              |
|--------------|--------------------------|---------------------------------------------------------|
| image-chunks | label, s3key             | an image: chunkNumber, weight, versionId, bytes, width, height, created |
| image-chunks | label#tag, s3key         | an image with the tag: chunkNumber, weight, versionId   |
| image-chunks | "#labels", s3key = label | none: a label that ever had an image                    |
| chunk-info   | label, chunkNumber       | a chunk: images, a map s3key -> weight                  |
| chunk-info   | label, chunkNumber 0..3  | a lane: totalWeight, chunksOpened, chunkVolume<class> = its images of it |

An image may also have owner, tags and filename.  Each pool has its own chunks and lanes; the key of a label with a tag
is label#tag.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.images import Image, Pool
from shared.labels.chunks import Lane

Item = dict[str, Any]
Chunk = tuple[Pool, int]  # a chunk, or a lane: its pool and its number

VOLUME = "chunkVolume"
CLASSES = {f"{VOLUME}{weight_class}": weight_class for weight_class in range(1, 31)}  # 10^9 - 1 has 30 bits
OPENED = "chunksOpened"
LABELS = "#labels"  # the partition that lists the labels; # cannot occur in a label


@dataclass(frozen=True, slots=True)
class Entry:
    """The place of an image in a pool: its chunk, its weight there, and the version that its item names.

    The version is empty where only the chunk was read.
    """

    pool: Pool
    name: str
    weight: int
    chunk_number: int
    version_id: str = ""


def number(value: int) -> Item:
    """Return the attribute value of a whole number."""
    return {"N": str(value)}


def image_key(label: str, name: str) -> Item:
    """Return the key of an image's item."""
    return {"label": {"S": label}, "s3key": {"S": name}}


def chunk_key(pool: Pool, chunk_number: int) -> Item:
    """Return the key of the item of a chunk or a lane."""
    return {"label": {"S": pool.key}, "chunkNumber": number(chunk_number)}


def image_item(image: Image, chunk_number: int) -> Item:
    """Return the item of an image that is in this chunk."""
    item: Item = {
        **image_key(image.label, image.name),
        "chunkNumber": number(chunk_number),
        "weight": number(image.weight),
        "versionId": {"S": image.version_id},
        "bytes": number(image.size),
        "width": number(image.width),
        "height": number(image.height),
        "created": {"S": image.created},
    }
    if image.owner:
        item["owner"] = {"S": image.owner}
    return item | description(image)


def description(image: Image) -> Item:
    """Return the attributes for tags and file name.  An empty one is left out, because DynamoDB has no empty set."""
    tags: Item = {"tags": {"SS": list(image.tags)}} if image.tags else {}
    filename: Item = {"filename": {"S": image.filename}} if image.filename else {}
    return tags | filename


def tag_item(image: Image, pool: Pool, chunk_number: int) -> Item:
    """Return the item of an image under its label and a tag.  It has the place; the image's own item has the rest."""
    return {
        **image_key(pool.key, image.name),
        "chunkNumber": number(chunk_number),
        "weight": number(image.weight),
        "versionId": {"S": image.version_id},
    }


def image(item: Mapping[str, Any]) -> Image:
    """Return the image of an item of the image table."""
    return Image(
        label=item["label"]["S"],
        name=item["s3key"]["S"],
        weight=int(item["weight"]["N"]),
        version_id=item["versionId"]["S"],
        size=int(item["bytes"]["N"]),
        width=int(item["width"]["N"]),
        height=int(item["height"]["N"]),
        created=item["created"]["S"],
        owner=_text(item, "owner"),
        tags=tuple(sorted(item["tags"]["SS"])) if "tags" in item else (),
        filename=_text(item, "filename"),
    )


def _text(item: Mapping[str, Any], name: str) -> str:
    return str(item[name]["S"]) if name in item else ""


def entry(item: Mapping[str, Any]) -> Entry:
    """Return the entry of an item of the image table."""
    return Entry(
        Pool.of_key(item["label"]["S"]),
        item["s3key"]["S"],
        int(item["weight"]["N"]),
        int(item["chunkNumber"]["N"]),
        item["versionId"]["S"],
    )


def lane(item: Mapping[str, Any]) -> Lane:
    """Return the lane of an item of the chunk table."""
    volumes = {CLASSES[name]: int(value["N"]) for name, value in item.items() if name in CLASSES}
    opened = int(item[OPENED]["N"]) if OPENED in item else 0  # data of before has none
    return Lane(int(item["chunkNumber"]["N"]), int(item["totalWeight"]["N"]), volumes, opened)


def lane_item(pool: Pool, lane: Lane) -> Item:
    """Return the item of a lane."""
    volumes = {f"{VOLUME}{weight_class}": number(volume) for weight_class, volume in lane.volumes.items()}
    opened = {OPENED: number(lane.opened)} if lane.opened else {}
    return {**chunk_key(pool, lane.number), "totalWeight": number(lane.total_weight), **volumes, **opened}


def chunk_item(pool: Pool, chunk_number: int, weights: Mapping[str, int]) -> Item:
    """Return the item of a chunk with these images, name -> weight."""
    images = {"M": {name: number(weight) for name, weight in weights.items()}}
    return {**chunk_key(pool, chunk_number), "images": images}


def chunk(item: Mapping[str, Any]) -> Chunk:
    """Return the chunk or lane of an item of the chunk table, or of its key."""
    return Pool.of_key(item["label"]["S"]), int(item["chunkNumber"]["N"])


def weights(item: Mapping[str, Any]) -> dict[str, int]:
    """Return name -> weight of the images in a chunk's item."""
    return {name: int(weight["N"]) for name, weight in item["images"]["M"].items()}
