"""Sorted streams of rows and versions, merged by name: pure."""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Protocol, TypeVar

from shared.images import Image
from shared.labels import items
from shared.labels.items import Item
from shared.pictures.bucket import Version


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of an image as they are stored: `own`, that of its label, may be missing; `tagged` are those of tags."""

    label: str
    name: str
    own: Item | None = None
    tagged: Mapping[str, Item] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The image's id, which is also its key in the bucket."""
        return f"{self.label}/{self.name}"

    @property
    def image(self) -> Image | None:
        """The image; None if its label has no row of it."""
        return items.image(self.own) if self.own else None


class Named(Protocol):
    """What has an image's id."""

    @property
    def id(self) -> str:
        """The image's id."""


T = TypeVar("T", bound=Named)


def by_name(label: str, own: Iterable[Item], tagged: Mapping[str, Iterable[Item]]) -> Iterator[Rows]:
    """Yield the rows of each image of a label.  All streams are sorted by name."""
    streams = [_of(tag, rows) for tag, rows in {"": own, **tagged}.items()]
    for name, group in groupby(heapq.merge(*streams, key=itemgetter(0)), key=itemgetter(0)):
        found = {tag: item for _, tag, item in group}
        yield Rows(label, name, found.pop("", None), found)


def _of(tag: str, rows: Iterable[Item]) -> Iterator[tuple[str, str, Item]]:
    for item in rows:
        yield item["s3key"]["S"], tag, item


def merged(versions: Iterable[Version], rows: Iterable[T]) -> Iterator[tuple[str, list[Version], T | None]]:
    """Yield each key once, with its versions and its rows.  Both inputs are sorted by key."""
    waiting = iter(rows)
    row = next(waiting, None)
    for key, group in groupby(versions, key=lambda version: version.key):
        while row and row.id < key:
            yield row.id, [], row
            row = next(waiting, None)
        if row and row.id == key:
            yield key, list(group), row
            row = next(waiting, None)
        else:
            yield key, list(group), None
    while row:
        yield row.id, [], row
        row = next(waiting, None)


def differences(rows: Rows) -> list[str]:
    """Return how the rows of an image under tags differ from its own row, in a sentence each."""
    image = rows.image
    found = []
    for tag in sorted({*rows.tagged, *(image.tags if image else ())}):
        stands, wanted = rows.tagged.get(tag), image if image and tag in image.tags else None
        if stands is None:
            found.append(f"it has no row under its tag {tag}")
        elif wanted is None:
            found.append(f"it has a row under {tag}, which is no tag of an image of this name")
        elif (entry := items.entry(stands)).version_id != wanted.version_id:
            found.append(f"its row under the tag {tag} names version {entry.version_id}, not {wanted.version_id}")
        elif entry.weight != wanted.weight:
            found.append(f"its row under the tag {tag} has another weight than the image")
    return found
