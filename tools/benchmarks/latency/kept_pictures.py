"""What it would bring to keep pictures in the memory of a container: how often one is there, and how a draw then is.

They would have the names of their content, so none is ever out of date.  The function does not do it; docs/decisions.md
says why.
"""

import random
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from typing import Any
from unittest import mock

import formats
from tools.benchmarks.weights import weights

BYTES_MAX = 256_000_000  # that a container would keep
PICTURE_BYTES = (257_000, 2_000_000)  # a photograph for the web, and one from a telephone
IMAGES = (1_000, 10_000)
DRAWS = (100, 1_000, 10_000)  # of a container, until it ends


class Kept:
    """The values that were used last, of at most so many bytes."""

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self._bytes_max, self._bytes = bytes_max, 0
        self._values: OrderedDict[str, tuple[Any, int]] = OrderedDict()

    def get(self, name: str) -> Any:
        """Return a value, or None."""
        if name not in self._values:
            return None
        self._values.move_to_end(name)
        return self._values[name][0]

    def put(self, name: str, value: Any, size: int) -> None:
        """Keep a value that is not there."""
        self._values[name] = value, size
        self._bytes += size
        while self._bytes > self._bytes_max:
            _, (_, freed) = self._values.popitem(last=False)
            self._bytes -= freed


@contextmanager
def keeping() -> Iterator[None]:
    """Let draws of this process keep pictures."""
    kept, (fetch, respond) = Kept(), formats.FORMATS["image"]

    def fetch_or_keep(sources: Any, label: str, name: str) -> Any:
        found = kept.get(name)
        if found is None:
            found = fetch(sources, label, name)
            kept.put(name, found, len(found.body))
        return found

    with mock.patch.dict(formats.FORMATS, image=(fetch_or_keep, respond)):
        yield


def hit_ratio(kind: str, images: int, picture_bytes: int, draws: int) -> float:
    """Return the share of a new container's first draws that find their picture, of a label with weights of a kind.

    All pictures have the same size.
    """
    rng, kept, hits = random.Random(images), Kept(), 0
    made = weights(kind, images, rng)
    for name in rng.choices(list(made), cum_weights=list(accumulate(made.values())), k=draws):
        if kept.get(name):
            hits += 1
        else:
            kept.put(name, True, picture_bytes)
    return hits / draws


def hit_ratios() -> dict[str, Any]:
    """Return the shares by picture size, number of images and draws of the container."""
    return {
        str(size): {
            str(images): {str(draws): hit_ratio("uniform", images, size, draws) for draws in DRAWS} for images in IMAGES
        }
        for size in PICTURE_BYTES
    }
