"""The vectors of one index in memory, for exact nearest neighbours: one product of a matrix and a vector each.

numpy is imported with this module, which takes a tenth of a second and 13 MB. So the module itself is imported when the
first vector comes.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.local.vectors.database import VectorRow
from tools.local.vectors.filters import Condition
from tools.local.vectors.refused import Invalid

FLOAT32 = np.dtype("<f4")
FIRST_ROWS = 256
Numbers = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Hit:
    """A vector that a query found."""

    key: str
    distance: float
    metadata: Mapping[str, Any]


class LoadedIndex:
    """The vectors of an index: a row of the matrix for each, in no order."""

    def __init__(self, dimension: int, metric: str, rows: Iterable[VectorRow]) -> None:
        self._metric = metric
        self._matrix = np.empty((FIRST_ROWS, dimension), FLOAT32)  # for cosine, the vectors scaled to length 1
        self._keys: list[str] = []
        self._metadata: list[Mapping[str, Any]] = []
        self._row_of: dict[str, int] = {}
        self.put(rows)

    def put(self, rows: Iterable[VectorRow]) -> None:
        """Add vectors. One whose key exists is replaced."""
        for row in rows:
            at = self._row_of.setdefault(row.key, len(self._keys))
            if at == len(self._keys):
                self._make_room(at + 1)
                self._keys.append(row.key)
                self._metadata.append({})
            self._metadata[at] = json.loads(row.metadata)
            self._matrix[at] = self._scaled(np.frombuffer(row.data, FLOAT32))

    def delete(self, keys: Iterable[str]) -> None:
        """Remove the vectors with these keys. The last row takes the place of one that goes."""
        for key in keys:
            if (at := self._row_of.pop(key, None)) is None:
                continue
            last_key, last_metadata = self._keys.pop(), self._metadata.pop()
            if last_key != key:
                last = len(self._keys)
                self._keys[at], self._metadata[at] = last_key, last_metadata
                self._matrix[at] = self._matrix[last]
                self._row_of[last_key] = at

    def nearest(self, query: Numbers, count: int, holds: Condition) -> list[Hit]:
        """Return the nearest vectors whose metadata hold the condition, the nearest first, and by key if equally near.

        The condition is checked in the order of the distance, so only as often as it takes.
        """
        distances = self._distances(query)
        found: list[Hit] = []
        for at in np.argsort(distances, kind="stable").tolist():
            if len(found) >= count and distances[at] > found[-1].distance:
                break
            if holds(self._metadata[at]):
                found.append(Hit(self._keys[at], float(distances[at]), self._metadata[at]))
        return sorted(found, key=lambda hit: (hit.distance, hit.key))[:count]

    def _distances(self, query: Numbers) -> NDArray[np.floating[Any]]:
        matrix = self._matrix[: len(self._keys)]
        if self._metric == "cosine":
            distances: Numbers = np.clip(1 - matrix @ self._scaled(query), 0, 2)
            return distances
        return np.fromiter((np.linalg.norm(row.astype(float) - query) for row in matrix), float, len(matrix))

    def _scaled(self, numbers: Numbers) -> Numbers:
        """Return the vector as it is compared. Its length is computed in double, where no square of it is lost."""
        if self._metric != "cosine":
            return numbers
        wide = numbers.astype(float)
        scaled: Numbers = (wide / np.linalg.norm(wide)).astype(FLOAT32)
        return scaled

    def _make_room(self, rows: int) -> None:
        """Make the matrix larger if it is full. Rows that were not written take no memory yet."""
        if rows > len(self._matrix):
            larger = np.empty((len(self._matrix) * 3 // 2, self._matrix.shape[1]), FLOAT32)
            larger[: rows - 1] = self._matrix[: rows - 1]
            self._matrix = larger


def vector(data: Any, dimension: int, metric: str, field: str) -> Numbers:
    """Return the numbers of a request as float32. Raise Invalid if they are no vector of this index."""
    numbers = data.get("float32") if isinstance(data, dict) and data.keys() == {"float32"} else None
    if not isinstance(numbers, list) or len(numbers) != dimension:
        raise Invalid(f"{field} has a list float32 with the index's {dimension} numbers.", field)
    return _float32(numbers, metric, field)


def _float32(numbers: Sequence[Any], metric: str, field: str) -> Numbers:
    if not {type(number) for number in numbers} <= {int, float}:
        raise Invalid(f"{field} has numbers only.", field)
    try:
        with np.errstate(over="ignore"):
            found = np.array(numbers, FLOAT32)
    except OverflowError:
        found = np.array([np.inf], FLOAT32)
    if not np.isfinite(found).all():
        raise Invalid(f"{field} has a number that is not finite as float32.", field)
    if metric == "cosine" and not found.any():
        raise Invalid(f"{field} is zero, which has no direction for the cosine.", field)
    return found


def numbers(data: bytes) -> list[float]:
    """Return stored numbers for a response."""
    return np.frombuffer(data, FLOAT32).tolist()  # type: ignore[no-any-return]
