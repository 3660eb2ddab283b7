"""Writes with If-Match that meet a new file name, on a label without pictures."""

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from shared.api.etags import etag_of, require_match
from shared.errors import PreconditionFailed
from shared.images import Image
from shared.labels.store import Store
from tests.support import memory_label
from tests.support.memory_aws import DynamoDB, World
from tests.support.simulation import LABEL, SETTINGS, shipped_code_on

NAME = memory_label.image(0, 1).name

Check = Callable[[Image], None]
Write = Callable[[Store, Check], object]


def _edit(**change: Any) -> Write:
    return lambda store, check: store.edit(LABEL, NAME, partial(replace, **change), check=check)


WRITES: dict[str, Write] = {
    "a weight of its class": _edit(weight=400_000_000),
    "a weight of another class": _edit(weight=1),
    "a tag": _edit(tags=("red",)),
    "a file name": _edit(filename="mine.jpg"),
    "a delete": lambda store, check: store.remove(LABEL, NAME, check=check),
}
NAMES = (("", "new.jpg"), ("old.jpg", "new.jpg"), ("old.jpg", ""))  # before and after


def check(write: Write, before: str, after: str) -> None:
    """Check that a write does nothing if the file name changes just after the write has compared the entity tag."""
    world = World(random.Random(0))
    with shipped_code_on(world):
        store = Store(DynamoDB(world), SETTINGS)  # type: ignore[arg-type]
        store.add(replace(memory_label.image(0, 500_000_000), filename=before))
        seen = store.image(LABEL, NAME)
        assert seen
        names = [after]

        def compare(image: Image) -> None:
            require_match(image, etag_of(seen))
            while names:
                other = Store(DynamoDB(world), SETTINGS)  # type: ignore[arg-type]
                other.edit(LABEL, NAME, partial(replace, filename=names.pop()))

        try:
            write(store, compare)
        except PreconditionFailed:
            pass
        else:
            raise AssertionError("a file name that the caller has not seen is passed over")
        assert store.image(LABEL, NAME) == replace(seen, filename=after)


def check_all() -> None:
    """Check each write with each change of the name."""
    for write in WRITES.values():
        for before, after in NAMES:
            check(write, before, after)
