"""What rows, tiles and vectors have of images, read together, and what each image needs so that they agree.

The rows are the truth. Tiles and vectors follow them, and may be late.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from shared.images import Image
from shared.labels import batch_get, items
from shared.settings import NO_INDEX, Settings
from shared.tiles import Tile, Tiles
from shared.vectors.entry import state_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from shared.vectors.vector_index import VectorIndex


class Need(Enum):
    """What is to do for an image."""

    NOTHING = "nothing"
    REMOVAL = "removal"  # there is no row, but a tile or a vector
    WORDS = "words"  # the picture is the same, but not its tags, file name or labels
    LABELS = "labels"  # all is there but the labels, which are wanted: the bytes must be read
    PICTURE = "picture"  # the bytes must be read, and a model asked


@dataclass(frozen=True, slots=True)
class Seen:
    """What is stored of an image: its row, its tile and the metadata of its vector; None for what is missing.

    `damage` says why the row cannot be read, if it cannot.
    """

    id: str
    image: Image | None = None
    tile: Tile | None = None
    metadata: Mapping[str, Any] | None = None
    damage: str = ""

    def need(self, index: str, *, wants_labels: bool = False) -> Need:
        """Return what is to do for the image in the index of this name; it is empty if there is no encoder."""
        if self.image is None:
            return Need.NOTHING if self.tile is None and self.metadata is None else Need.REMOVAL
        tile = self.tile if self.tile and self.tile.version == self.image.version_id else None
        if tile is None or self._of_vector(tile, index) != self._version:
            return Need.PICTURE
        if wants_labels and tile.labels is None and tile.tile:
            return Need.LABELS
        same = self.metadata is None or self.metadata.get("state") == state_of(self.image, tile.labels)
        return Need.NOTHING if same else Need.WORDS

    @property
    def _version(self) -> str | None:
        """The version of the vector; None without one."""
        return None if self.metadata is None else self.metadata.get("version", "")

    def _of_vector(self, tile: Tile, index: str) -> str | None:
        """Return the version that the vector should have; None if there should be none."""
        return None if not index or is_refused(tile, index) else tile.version


def is_refused(tile: Tile, index: str) -> bool:
    """Return whether no vector can be made of the tile's picture for the index of this name."""
    return bool(tile.refused) and tile.refused_by in ("", index)


def name_of(index_arn: str) -> str:
    """Return the name of the index with this ARN, which names the encoder; empty if there is none."""
    return "" if index_arn == NO_INDEX else index_arn.rpartition("/")[2]


class Observer:
    """Reads rows, tiles and vectors; `vectors` is None if there is no encoder."""

    def __init__(
        self, client: "DynamoDBClient", settings: Settings, tiles: Tiles, vectors: "VectorIndex | None"
    ) -> None:
        self._client, self._table = client, settings.image_chunks_table
        self._tiles, self._vectors = tiles, vectors

    def look(self, ids: Iterable[str]) -> list[Seen]:
        """Read all that is stored of these images, consistently."""
        ids = list(ids)
        rows, tiles = self.rows(ids), self._tiles.batch(ids)
        vectors = self._vectors.get(ids) if self._vectors and ids else {}
        return [_seen(each, rows.get(each), tiles.get(each), vectors.get(each)) for each in ids]

    def recognised(self, ids: Iterable[str]) -> set[str]:
        """Return which of these images have a tile with labels, consistently."""
        ids = list(ids)
        tiles = self._tiles.batch(ids) if ids else {}
        return {key for key, tile in tiles.items() if tile.labels is not None}

    def rows(self, ids: Iterable[str]) -> dict[str, items.Item]:
        """Read the rows of these images, consistently; those that do not exist are missing."""
        keys = [items.image_key(*image_id.split("/", 1)) for image_id in ids]
        found = batch_get.read(self._client, self._table, keys, consistent=True)
        return {f"{row['label']['S']}/{row['s3key']['S']}": row for row in found}


def image_of(row: items.Item | None) -> Image | None:
    """Return the image of a row, or None without one. Raise DamagedRow if it cannot be read."""
    try:
        return items.image(row) if row else None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DamagedRow(f"{type(error).__name__} {error}") from error


class DamagedRow(Exception):
    """A row that is no image's."""


def _seen(image_id: str, row: items.Item | None, tile: Tile | None, vector: Any) -> Seen:
    metadata = vector.metadata if vector else None
    try:
        return Seen(image_id, image_of(row), tile, metadata)
    except DamagedRow as damage:
        return Seen(image_id, None, tile, metadata, str(damage))
