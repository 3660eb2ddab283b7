"""The images that a batch of the table's stream is about.

A record has the row before and after a change. Most changes are of a weight or of a chunk, which the index does not
know: such a record needs no call.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.images import is_image_path
from shared.index_queue import ToIndex

Record = Mapping[str, Any]

INDEXED = ("versionId", "tags", "filename")  # the attributes of a row that the index is made from


def changed_images(records: Iterable[Record]) -> list[ToIndex]:
    """Return the images that these records change for the index, each once, in the order of their first change."""
    return list(dict.fromkeys(image for record in records if _changes(record) and (image := _image(record))))


def _changes(record: Record) -> bool:
    """Return whether the change is one for the index. A record without both images may be one."""
    change = record["dynamodb"]
    return _state(change.get("OldImage")) != _state(change.get("NewImage")) or not change.get("NewImage")


def _state(row: Mapping[str, Any] | None) -> Any:
    """Return what the index knows of a row; a set has no order."""
    if row is None:
        return None
    return [sorted(value["SS"]) if "SS" in value else value for name in INDEXED if (value := row.get(name, {})) or True]


def _image(record: Record) -> ToIndex | None:
    """Return the image of a record; None if the row is no image's own, as those under tags."""
    keys = record["dynamodb"]["Keys"]
    label, name = keys["label"]["S"], keys["s3key"]["S"]
    return ToIndex(label, name) if is_image_path(label, name) else None
