"""Tiles in one file: what numpy reads of it, page by page, and what is refused."""

from io import BytesIO
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import packed_tiles
from shared.api import paging
from shared.limits import BODY_MAX
from shared.tiles import TILE_BYTES, Tile
from tests.support import tile_pictures
from tests.support.answers import problem
from tests.support.hosts import Api, Handlers, local
from tests.support.local_service import Answer
from tests.support.mosaic_scene import MosaicScene, name_of

in_make_run = pytest.mark.also_in_make_run(why="the role names the table", slow=True)


@pytest.fixture
def scene(api: Api) -> MosaicScene:
    found = MosaicScene(api)  # without its image, whose tile would come sooner or later
    found.add(range(5))
    found.tiles.put(Tile(api.label, name_of(9), "v1", refused="It cannot be decoded."))
    return found


def opened(answer: Answer) -> dict[str, Any]:
    """Return the arrays of a file."""
    assert answer.status == 200, answer
    assert answer.headers["content-type"] == "application/octet-stream"
    with np.load(BytesIO(answer.body), allow_pickle=False) as file:
        return {name: file[name] for name in file}


@in_make_run
def test_a_file_has_tiles_means_and_names(scene: MosaicScene) -> None:
    answer = scene.api.get(f"/labels/{scene.api.label}/tiles")
    found = opened(answer)
    assert {name: (array.dtype.str, array.shape) for name, array in found.items()} == {
        "tiles": ("|u1", (5, 32, 32, 3)),
        "means": ("<f4", (5, 3)),
        "names": ("<U37", (5,)),
    }
    assert found["tiles"].tobytes() == b"".join(tile_pictures.crops(40)[:5])
    assert found["means"] == pytest.approx(found["tiles"].astype(float).mean(axis=(1, 2)), abs=1e-3)
    assert list(found["names"]) == [name_of(number) for number in range(5)]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"] == f'attachment; filename="{scene.api.label}-tiles.npz"'
    assert "link" not in answer.headers
    assert scene.api.host.request("HEAD", f"/labels/{scene.api.label}/tiles").status == 200


@in_make_run
def test_pages_link_to_the_next_one_and_have_each_tile_once(scene: MosaicScene) -> None:
    path, names, pages = f"/labels/{scene.api.label.upper()}/tiles?limit=2", [], 0
    while path:
        answer = scene.api.get(path)
        names += list(opened(answer)["names"])
        link = answer.headers.get("link", "")
        path, pages = local(link[1:].partition(">")[0]) if link else "", pages + 1
        assert not link or (link.endswith('>; rel="next"') and "limit=2&cursor=" in link)
    assert (names, pages) == ([name_of(number) for number in range(5)], 3)


def test_the_largest_page_fits_into_a_response() -> None:
    tiles = [Tile("cat", "f" * 32 + ".webp", "v", bytes(TILE_BYTES))] * 1_000
    assert len(packed_tiles.packed(tiles)) < BODY_MAX


@in_make_run
def test_what_is_not_there_or_wrong_is_refused(scene: MosaicScene) -> None:
    path = f"/labels/{scene.api.label}/tiles"
    assert "has no tiles" in problem(scene.api.get("/labels/nothing-here/tiles"), 404, field="label")
    problem(scene.api.get("/labels/a_b/tiles"), 404, field="label")
    for limit in ("", "0", "1001", "-1", "1.5", "ten", "1" * 900, "٣"):
        problem(scene.api.get(f"{path}?limit={quote(limit)}"), 422, field="limit")
    assert opened(scene.api.get(f"{path}?limit=1000"))["names"].shape == (5,)
    problem(scene.api.get(f"{path}?columns=80"), 400, field="columns")
    forged = [
        paging.encode_cursor(f"labels/{scene.api.label}/tiles", place)
        for place in (("x",), (name_of(1), name_of(2)), ("",))
    ]
    others = paging.encode_cursor("labels/other/tiles", (name_of(1),))
    for cursor in (*forged, others, "", "x", "a" * 3_000):
        problem(scene.api.get(f"{path}?cursor={cursor}"), 400, field="cursor")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        problem(scene.api.host.request(method, path), 405)


def test_a_page_behind_all_tiles_is_empty(scene: MosaicScene) -> None:
    cursor = paging.encode_cursor(f"labels/{scene.api.label}/tiles", ("f" * 32 + ".webp",))
    found = opened(scene.api.get(f"/labels/{scene.api.label}/tiles?cursor={cursor}"))
    assert {name: array.shape for name, array in found.items()} == {
        "tiles": (0, 32, 32, 3),
        "means": (0, 3),
        "names": (0,),
    }


ODD = st.text() | st.from_regex(r"[0-9A-Za-z_+.-]{0,9}", fullmatch=True)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=st.none() | ODD, cursor=st.none() | ODD)
@example(limit="10", cursor=None)
@example(limit=None, cursor="\ud800")
def test_any_parameters_are_taken_or_refused(moto_aws: None, limit: str | None, cursor: str | None) -> None:
    parameters = {"limit": limit, "cursor": cursor}
    query = "&".join(f"{k}={quote(v, errors='surrogatepass')}" for k, v in parameters.items() if v is not None)
    assert Api(Handlers(), "cat").get(f"/labels/cat/tiles?{query}").status in (400, 404, 422)
