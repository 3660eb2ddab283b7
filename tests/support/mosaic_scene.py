"""A label with an image and with tiles, in every host: the tiles are written as the index writes them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from shared import aws
from shared.tiles import TILE_BYTES, Tile, Tiles
from tests.support import tile_pictures
from tests.support.hosts import Api, Running, json_of, needs_aws
from tests.support.index_view import IndexView
from tests.support.local_service import Answer
from tests.support.pictures import jpeg


def name_of(number: int) -> str:
    """Return the name of the image that a tile of this number belongs to."""
    return f"{number:032x}.jpg"


@dataclass
class MosaicScene:
    """petAPI with a picture whose mosaics are asked for. It is uploaded when a test first needs it."""

    api: Api
    picture: bytes = field(default_factory=lambda: jpeg(1, (60, 40)))

    @cached_property
    def image(self) -> Any:
        """The JSON of the image."""
        return json_of(self.api.upload(self.picture))

    @property
    def path(self) -> str:
        """The path of the mosaic."""
        return f"/images/{self.image['id']}/mosaic"

    @property
    def tiles(self) -> Tiles:
        """The table of tiles in this host."""
        needs_aws(self.api.host)
        if isinstance(self.api.host, Running):
            view = IndexView(self.api.host.service)
            return Tiles(view.client("dynamodb"), view.outputs["TilesTableName"])
        return Tiles(aws.dynamodb(), "TilesTable")

    def add(self, numbers: Sequence[int], label: str = "", version: str = "v1") -> None:
        """Write tiles of crops of the sample photographs."""
        pictures, tiles = tile_pictures.crops(40), self.tiles
        for number in numbers:
            tile = pictures[number % len(pictures)]
            assert len(tile) == TILE_BYTES
            tiles.put(Tile(label or self.api.label, name_of(number), version, tile))

    def mosaic(self, query: str = "", **headers: str) -> Answer:
        """Ask for the mosaic."""
        return self.api.get(f"{self.path}{query}", **headers)

    def etag(self, query: str = "") -> str:
        """Return the entity tag of a mosaic, which is not computed."""
        answer = self.mosaic(query, if_none_match="*")
        assert answer.status == 304, answer
        return answer.headers["etag"]
