"""What a mosaic shows: the picture as a browser shows it, closer than by mean RGB, and hardly a tile beside itself."""

import random
from functools import partial
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

import drawing
import lab_parts
import matching
import mosaic_grid
import mosaic_making
from mosaic_grid import Grid
from shared.errors import UnprocessableValue
from shared.limits import BODY_MAX
from shared.pictures import decoding
from shared.pictures.showing.shown import shown
from shared.pictures.task import Task
from tests.support import heaviest, patchworks, pictures, plain_mosaic, sample_pictures, tile_pictures
from tests.support.photographs import CHELSEA, ROCKET
from tests.support.pictures import chunk, saved, tiff

MACAWS, DOOR = ((sample_pictures.FOLDER / f"{name}.jpg").read_bytes() for name in ("macaws", "red-door"))


def opened(content: bytes) -> Image.Image:
    return shown(content, mosaic_making.SOURCE_SIDE).convert("RGB")


def chosen(picture: Image.Image, tiles: list[bytes], columns: int) -> matching.Choice:
    grid = mosaic_grid.covering(columns, *picture.size)
    parts = lab_parts.of_tiles(mosaic_making.pixels_of(tiles))
    return matching.choose(lab_parts.of_picture(picture, grid), parts, columns)


def test_a_mosaic_of_the_sources_own_cells_is_the_source() -> None:
    is_itself("macaws")


@pytest.mark.parametrize("name", ["red-barn", "lighthouse-on-cape", "statue"])
def test_so_is_one_of_other_photographs(slow_tier: None, name: str) -> None:
    is_itself(name)


def is_itself(name: str) -> None:
    """Check that each cell finds its own tile, and that the JPEG looks like the photograph."""
    source = opened((sample_pictures.FOLDER / f"{name}.jpg").read_bytes())
    tiles = list(tile_pictures.cells(source))
    order = random.Random(3).sample(range(len(tiles)), len(tiles))
    shuffled = [tiles[number] for number in order]

    made = mosaic_making.make(saved(source, "PNG"), shuffled, source.width // 32)

    choice = chosen(source, shuffled, source.width // 32)
    with Image.open(BytesIO(made.jpeg)) as picture:
        assert picture.size == source.size
        difference = ImageStat.Stat(ImageChops.difference(picture, source))
    assert [order[each] for each in choice.ravel()] == list(range(len(tiles)))
    assert max(difference.rms) < 6  # of 255: what JPEG loses


def test_a_mosaic_of_500_tiles_is_closer_than_by_mean_rgb_and_repeats_no_neighbours() -> None:
    closer(CHELSEA, tile_pictures.crops(500), columns=40)
    assert plain_mosaic.alike(chosen(opened(CHELSEA), tile_pictures.crops(500), 40)) == 0


def test_mosaics_of_other_photographs_are_closer_and_repeat_fewer(slow_tier: None) -> None:
    """The rocket is before a night sky, of which few photographs have tiles."""
    for content in (DOOR, MACAWS):
        closer(content, tile_pictures.crops(500), columns=60)
    for content in (CHELSEA, DOOR):
        assert plain_mosaic.alike(chosen(opened(content), tile_pictures.crops(500), 80)) == 0
    for content in (CHELSEA, ROCKET, MACAWS):
        closer(content, tile_pictures.crops(2_000), columns=100)


def closer(content: bytes, tiles: list[bytes], *, columns: int) -> None:
    """Check that our way has less difference than the plain one, and less than half of its equal neighbours."""
    picture, pixels = opened(content), mosaic_making.pixels_of(tiles)
    grid, parts = mosaic_grid.covering(columns, *picture.size), lab_parts.of_tiles(pixels)
    cells = lab_parts.of_picture(picture, grid)
    ours, plain = chosen(picture, tiles, columns), plain_mosaic.choose(picture, pixels, grid)
    assert plain_mosaic.difference(cells, parts, ours) < plain_mosaic.difference(cells, parts, plain)
    assert plain_mosaic.alike(ours) < plain_mosaic.alike(plain) / 2


@settings(max_examples=30)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 40), st.integers(0, 2**32))
def test_each_cell_has_the_cheapest_tile_where_one_nearby_costs_more(
    columns: int, rows: int, count: int, seed: int
) -> None:
    chance = np.random.default_rng(seed)
    cells, tiles = (chance.uniform(0, 30, (n, 12)).astype(np.float32) for n in (columns * rows, count))

    choice = matching.choose(cells, tiles, columns)

    assert choice.shape == (rows, columns)
    for row in range(rows):
        for column in range(columns):
            placed = {
                int(choice[r, c])
                for r in range(max(0, row - 2), row + 1)
                for c in range(max(0, column - 2), min(columns, column + 3))
                if (r, c) < (row, column)
            }
            differences = np.sqrt(np.square(cells[row * columns + column] - tiles).sum(axis=1)) / 2
            beside = {int(choice[r, c]) for r, c in ((row, column - 1), (row - 1, column)) if min(r, c) >= 0}
            repeats = [(number in placed) + (number in beside) for number in range(count)]
            costs = [float(each) + 8 * times for each, times in zip(differences, repeats, strict=True)]
            assert costs[choice[row, column]] == pytest.approx(min(costs), abs=0.01)


def test_quarters_are_means_of_light_in_cielab() -> None:
    """White is 100, 0, 0. Half white, half black is the grey of half the light: its lightness is 76, and not 53."""
    white, black = np.full((32, 32, 3), 255, np.uint8), np.zeros((32, 32, 3), np.uint8)
    chequered = white.copy()
    chequered[::2] = 0
    red = white * np.array([1, 0, 0], np.uint8)
    rows = lab_parts.of_tiles(np.stack([white, black, chequered, red]))
    assert rows[0] == pytest.approx([100, 0, 0] * 4, abs=0.01)
    assert rows[1] == pytest.approx([0, 0, 0] * 4, abs=0.01)
    assert rows[2] == pytest.approx([76.07, 0, 0] * 4, abs=0.01)
    assert rows[3] == pytest.approx([53.24, 80.09, 67.20] * 4, abs=0.05)
    halves = np.concatenate([white[:, :16], black[:, :16]], axis=1)
    assert lab_parts.of_tiles(halves[None])[0, ::3] == pytest.approx([100, 0, 100, 0], abs=0.01)
    assert lab_parts.of_picture(Image.fromarray(halves), Grid(1, 1))[0] == pytest.approx(
        lab_parts.of_tiles(halves[None])[0], abs=0.001
    )


SHOWN = {
    "turned": patchworks.rgb8(chunk(b"eXIf", tiff(6))),
    "mirrored": patchworks.rgb8(chunk(b"eXIf", tiff(2))),
    "of linear gamma": patchworks.rgb8(patchworks.gama(100_000)),
    "grey": patchworks.grey(8),
    "with a transparent colour": patchworks.rgb8(patchworks.trns(*patchworks.COLOURS[20])),
    "translucent": patchworks.png(8, 6, map(bytes, patchworks.translucent())),
    "of 16 bits, P3": patchworks.deep(2, patchworks.cicp(12, 13, 0, 1)),
}


@pytest.mark.parametrize("kind", SHOWN)
def test_a_mosaic_shows_what_a_browser_shows(kind: str) -> None:
    tiles = tile_pictures.crops(100)
    picture = shown(SHOWN[kind], mosaic_making.SOURCE_SIDE)
    on_white = Image.new("RGBA", picture.size, "white")
    on_white.alpha_composite(picture.convert("RGBA"))
    plain = mosaic_making.make(saved(on_white.convert("RGB"), "PNG"), tiles, 32)
    assert mosaic_making.make(SHOWN[kind], tiles, 32) == plain
    assert plain.grid == ((32, 64) if kind == "turned" else (32, 16))
    if kind != "grey":
        assert plain.jpeg != mosaic_making.make(patchworks.rgb8(), tiles, 32).jpeg


@pytest.mark.parametrize(
    ("columns", "size", "grid", "side"),
    [
        (80, (1600, 1200), (80, 60), 32),
        (100, (400, 300), (100, 75), 32),
        (100, (400, 320), (100, 80), 24),
        (200, (400, 300), (200, 150), 16),
        (10, (1000, 1), (10, 1), 32),
        (200, (5, 3), (200, 120), 16),
        (10, (1, 300), (10, 3000), 16),
        (80, (100, 468), (80, 374), 16),
    ],
)
def test_cells_are_square_and_tiles_as_large_as_the_pixels_allow(
    columns: int, size: tuple[int, int], grid: tuple[int, int], side: int
) -> None:
    found = mosaic_grid.covering(columns, *size)
    assert (found, found.side) == (grid, side)


@settings(max_examples=50)
@given(st.integers(10, 200), st.integers(1, 10_000), st.integers(1, 10_000))
def test_any_grid_is_small_enough_or_refused_with_what_fits(columns: int, width: int, height: int) -> None:
    try:
        grid = mosaic_grid.covering(columns, width, height)
    except UnprocessableValue as refusal:
        assert columns * columns * height / width > 29_000
        if refusal.field is None:
            assert height > 290 * width
            return
        fits = int(refusal.detail.split()[5])
        assert mosaic_grid.covering(fits, width, height).cells <= 30_000
        if fits < 200:
            with pytest.raises(UnprocessableValue):
                mosaic_grid.covering(fits + 1, width, height)
    else:
        assert grid.cells <= 30_000
        assert grid.cells * grid.side**2 <= 8_000_000
        assert max(grid) * grid.side <= 65_535  # of JPEG


def test_scaled_tiles_keep_to_themselves() -> None:
    colours = np.array([[0, 0, 0], [255, 255, 255], [255, 0, 0]], np.uint8)
    tiles = np.broadcast_to(colours[:, None, None], (3, 32, 32, 3))
    choice = np.array([[0, 1, 2], [2, 1, 0]])
    for side in mosaic_grid.SIDES:
        pixels = np.asarray(drawing.drawn(choice, np.ascontiguousarray(tiles), side))
        assert pixels.shape == (2 * side, 3 * side, 3)
        assert (pixels == colours[choice].repeat(side, axis=0).repeat(side, axis=1)).all()


@pytest.mark.parametrize("kind", ["of any colour", "of pure colours", "of black and white"])
def test_noise_fits_into_a_response(slow_tier: None, kind: str) -> None:
    chance = np.random.default_rng(1)
    channels = 1 if kind == "of black and white" else 3
    noise = chance.integers(0, 256, (400, 32, 32, channels), np.uint8)
    if kind != "of any colour":
        noise = (noise >> 7) * np.uint8(255)
    tiles = np.broadcast_to(noise, (400, 32, 32, 3))
    for side, shape in ((32, (78, 100)), (24, (100, 138)), (16, (150, 200))):
        picture = drawing.drawn(chance.integers(0, 400, shape), np.ascontiguousarray(tiles), side)
        assert len(drawing.encoded(picture)) <= BODY_MAX


@pytest.mark.parametrize("kind", ["lossless WebP", "PNG of 16 bits, interlaced"])
def test_the_heaviest_pictures_that_are_taken_have_mosaics(
    slow_tier: None, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "Task", partial(Task, seconds=10.0))  # `make worst` holds the seconds
    made = mosaic_making.make(heaviest.TAKEN[kind](), tile_pictures.crops(16), 40)
    assert made.grid == (40, 30)


def test_a_picture_of_a_pixel_has_a_mosaic() -> None:
    made = mosaic_making.make(pictures.png(1, (1, 1)), tile_pictures.crops(16), 10)
    assert made.grid == (10, 10)
