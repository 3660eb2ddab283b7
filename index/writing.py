"""The writes of a round: each tile, then all vectors in one call, then all vectors that are to be removed in another.

Tiles come first, so that a vector says that its tile is there, and a vector that is left says that there is something
to remove. S3 Vectors bills 128 KB for a put at least, whatever it has.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from botocore.exceptions import ClientError

from shared import logs
from shared.errors import Unavailable
from shared.images import Image
from shared.pictures.budget import TooMuchWork
from shared.recognition.detections import RecognitionUnavailable
from shared.tiles import Tile, Tiles
from shared.vectors.encoder import EncoderBusy
from shared.vectors.vector_index import IndexBusy, Vector, VectorIndex

logger = logging.getLogger("petapi")


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be written of an image. Without `image` there is no row, and tile and vector are removed."""

    id: str
    image: Image | None
    tile: Tile | None = None  # to put
    vector: Vector | None = None  # to put
    removes_vector: bool = False
    unlabelled: bool = False  # made without labels, which another call may find meanwhile

    @property
    def name(self) -> tuple[str, str]:
        """Label and name of the image."""
        label, _, name = self.id.partition("/")
        return label, name


class NoTime(Exception):
    """There is no time left for another picture in this call."""


class PictureMissing(Exception):
    """The bucket does not have the version that a row names."""


# What is no failure of the image, and no bug
LATER = (EncoderBusy, IndexBusy, RecognitionUnavailable, Unavailable, NoTime, PictureMissing, TooMuchWork)


class Failures:
    """The images of a call that failed, by their ids. The log says why."""

    def __init__(self) -> None:
        self.ids: set[str] = set()

    @contextmanager
    def of(self, *ids: str) -> Iterator[None]:
        """Let these images fail if anything is raised within this block, and go on."""
        try:
            yield
        except LATER as error:
            logger.warning("%s: later, because of %s", ", ".join(ids), type(error).__name__)
            self.ids.update(ids)
        except Exception as error:
            logs.failure(", ".join(ids), error)
            self.ids.update(ids)


class Writer:
    """Writes changes; `vectors` is None if there is no encoder. An image that fails is among the failures."""

    def __init__(self, tiles: Tiles, vectors: VectorIndex | None, failures: Failures) -> None:
        self._tiles, self._vectors, self._failures = tiles, vectors, failures

    def write(self, changes: Sequence[Change]) -> list[Change]:
        """Write the changes. Return those that are written: neither failed nor outrun by another call."""
        current = []
        for change in changes:
            with self._failures.of(change.id):
                if self._write_tile(change):
                    current.append(change)
        if self._vectors:
            self._put(self._vectors, self._left(current))
            self._delete(self._vectors, self._left(current))
        return self._left(current)

    def _left(self, changes: Sequence[Change]) -> list[Change]:
        return [change for change in changes if change.id not in self._failures.ids]

    def _write_tile(self, change: Change) -> bool:
        """Put the tile, or remove that of an image without a row.

        Return False if another call has recognised the picture meanwhile.
        """
        if change.tile:
            return self._tiles.put(change.tile)
        if change.image is None:
            self._tiles.delete(*change.name)
        return True

    def _put(self, index: VectorIndex, changes: Sequence[Change]) -> None:
        """Put all vectors in one call. If the index refuses it, find the vector that it refuses."""
        vectors = [change.vector for change in changes if change.vector]
        if not vectors:
            return
        with self._failures.of(*(vector.key for vector in vectors)):
            try:
                index.put(vectors)
            except ClientError:
                self._put_each(index, vectors)

    def _put_each(self, index: VectorIndex, vectors: Sequence[Vector]) -> None:
        for vector in vectors:
            with self._failures.of(vector.key):
                index.put([vector])

    def _delete(self, index: VectorIndex, changes: Sequence[Change]) -> None:
        keys = [change.id for change in changes if change.removes_vector]
        if keys:
            with self._failures.of(*keys):
                index.delete(keys)
