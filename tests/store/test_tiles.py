"""The table of tiles: what is put is read again, alone and in batches."""

import pytest

from shared import aws
from shared.tiles import TILE_BYTES, Tile, Tiles

WHOLE = Tile("cat", f"{1:032x}.jpg", "v1", b"\x07" * TILE_BYTES, (("Tabby", 61.5), ("cat", 2.25)))
REFUSED = Tile("cat", f"{2:032x}.jpg", "v2", refused="Its pixels cannot be decoded.")
NOT_RECOGNISED = Tile("dog", f"{3:032x}.png", "v3", b"\x00" * TILE_BYTES)
NOTHING_FOUND = Tile("dog", f"{4:032x}.png", "v4", b"\xff" * TILE_BYTES, (), "The model refuses it.", "titan-1024-1")
ALL = (WHOLE, REFUSED, NOT_RECOGNISED, NOTHING_FOUND)


@pytest.fixture
def tiles(moto_aws: None) -> Tiles:
    return Tiles(aws.dynamodb(), "TilesTable")


def test_what_is_put_is_read_and_a_later_put_replaces_it(tiles: Tiles) -> None:
    for tile in ALL:
        tiles.put(tile)
        assert tiles.get(tile.label, tile.name) == tile
    tiles.put(Tile("cat", WHOLE.name, "v9"))
    assert tiles.get("cat", WHOLE.name) == Tile("cat", WHOLE.name, "v9")
    assert tiles.get("cat", "unknown") is None


def test_a_batch_has_those_that_are_there_and_pages_name_all(tiles: Tiles) -> None:
    for tile in ALL:
        tiles.put(tile)
    assert tiles.batch([*(tile.id for tile in ALL), "cat/unknown"]) == {tile.id: tile for tile in ALL}
    assert tiles.batch([]) == {}
    assert sorted(image_id for page in tiles.pages() for image_id in page) == sorted(tile.id for tile in ALL)


def test_a_delete_removes_it_and_is_no_error_without_it(tiles: Tiles) -> None:
    tiles.put(WHOLE)
    tiles.delete("cat", WHOLE.name)
    tiles.delete("cat", WHOLE.name)
    assert tiles.get("cat", WHOLE.name) is None


def test_any_confidence_can_be_stored(tiles: Tiles) -> None:
    tiles.put(Tile("cat", WHOLE.name, "v1", labels=(("a", 1e-130), ("b", 100.0), ("c", 33.333333333))))
    found = tiles.get("cat", WHOLE.name)
    assert found
    assert found.labels == (("a", 0.0), ("b", 100.0), ("c", 33.333333))
