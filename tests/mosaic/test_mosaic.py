"""Mosaics over HTTP: which tiles they are of, their headers, when they change, and what is refused."""

import re
from collections.abc import Sequence
from io import BytesIO
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image as Pictures

import mosaic_images
import mosaic_making
from mosaic_options import Options
from shared.images import Image
from shared.pictures.budget import CannotBeShown
from shared.tiles import Tile
from tests.support import tile_pictures
from tests.support.answers import problem
from tests.support.hosts import Api, Handlers, json_of, new_label
from tests.support.mosaic_scene import MosaicScene, name_of
from tests.support.pictures import png

in_make_run = pytest.mark.also_in_make_run(why="the role names three tables and a bucket", slow=True)
FEW = "?columns=10"  # is computed in no time
BEHIND_ALL = int("f" * 32, 16)


@pytest.fixture
def scene(api: Api) -> MosaicScene:
    return MosaicScene(api)


@pytest.fixture
def cats(scene: MosaicScene) -> MosaicScene:
    """Return the scene with as many tiles as a mosaic needs."""
    scene.add(range(16))
    return scene


@in_make_run
def test_a_mosaic_is_a_jpeg_of_tiles_with_the_headers_of_a_picture(cats: MosaicScene) -> None:
    answer = cats.mosaic()
    assert answer.status == 200, answer
    with Pictures.open(BytesIO(answer.body)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (80 * 32, 53 * 32))
    found = {name: answer.headers[name] for name in answer.headers if name.startswith("mosaic-")}
    assert found == {"mosaic-columns": "80", "mosaic-rows": "53", "mosaic-tiles": "16"}
    headers = answer.headers
    assert headers["content-type"] == "image/jpeg"
    assert headers["cache-control"] == "no-cache"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["x-content-type-options"] == "nosniff"
    stem = cats.image["id"].replace("/", "-").partition(".")[0]
    assert headers["content-disposition"] == f'inline; filename="{stem}-mosaic.jpg"'
    assert {"Mosaic-Columns", "Mosaic-Rows", "Mosaic-Tiles"} <= {*headers["access-control-expose-headers"].split(", ")}
    head = cats.api.host.request("HEAD", cats.path)
    assert (head.status, head.body, head.headers["etag"]) == (200, b"", headers["etag"])
    assert cats.etag() == headers["etag"]


@in_make_run
def test_a_caller_who_has_the_mosaic_gets_304(cats: MosaicScene) -> None:
    etag = cats.etag()
    assert re.fullmatch(r'"[0-9a-f]{32}"', etag)
    for header in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = cats.mosaic(if_none_match=header)
        assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", etag)
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["content-type"] == "image/jpeg"
    assert cats.mosaic(FEW, if_none_match='"other"').status == 200


def test_304_comes_before_anything_is_computed(cats: MosaicScene, monkeypatch: pytest.MonkeyPatch) -> None:
    etag = cats.etag()
    monkeypatch.setattr(mosaic_making, "make", None)
    monkeypatch.setattr(mosaic_images, "Bucket", None)
    assert cats.mosaic(if_none_match=etag).status == 304


def test_the_etag_changes_with_its_tiles_and_parameters_and_with_nothing_else(cats: MosaicScene) -> None:
    first = cats.etag(FEW)
    others = MosaicScene(Api(cats.api.host, "others"), png(2))
    others.add(range(16))
    assert others.image["label"] == "others"
    cats.tiles.put(Tile(cats.api.label, name_of(99), "v1", refused="It cannot be decoded."))
    labelled = cats.tiles.get(cats.api.label, name_of(3))
    assert labelled
    cats.tiles.put(Tile(labelled.label, labelled.name, labelled.version, labelled.tile, (("cat", 99.0),)))
    assert cats.api.patch(cats.image["url"], {"weight": 0.25, "tags": ["wild"], "filename": "tom.png"}).status == 200
    assert cats.etag(FEW) == first
    assert cats.etag(f"?columns=10&tiles={cats.api.label}") == first
    seen = [first, cats.etag("?columns=11"), cats.etag(f"{FEW}&tiles=others"), cats.etag(f"{FEW}&tiles=*")]
    cats.add([16])
    seen.append(cats.etag(FEW))
    cats.add([16], version="v2")
    seen.append(cats.etag(FEW))
    cats.tiles.delete(cats.api.label, name_of(3))
    seen.append(cats.etag(FEW))
    other = MosaicScene(Api(cats.api.host, cats.api.label), png(1))
    seen.append(other.etag(FEW))
    assert len(set(seen)) == len(seen)
    cats.tiles.delete(cats.api.label, name_of(16))
    cats.add([3])
    assert cats.etag(FEW) == first


@in_make_run
def test_16_tiles_work_and_15_do_not(scene: MosaicScene) -> None:
    label, source = scene.image["id"].split("/")
    scene.tiles.put(Tile(label, source, "v1", tile_pictures.crops(40)[0]))  # no tile of its own mosaic
    scene.add(range(15))
    detail = problem(scene.mosaic(), 422, field="tiles")
    assert f"The label {label} has 15 tiles besides this image's own; a mosaic needs 16." in detail
    scene.add([15])
    assert scene.mosaic(FEW).headers["mosaic-tiles"] == "16"
    detail = problem(scene.mosaic("?tiles=nothing-here"), 422, field="tiles")
    assert detail.startswith("The label nothing-here has 0 tiles; a mosaic needs 16.")


@in_make_run
def test_tiles_of_another_label_and_of_all_labels(scene: MosaicScene) -> None:
    other = MosaicScene(Api(scene.api.host, f"{scene.api.label}-z"), png(1))
    other.add(range(16))
    assert scene.mosaic(f"{FEW}&tiles={scene.api.label.upper()}-Z").headers["mosaic-tiles"] == "16"
    problem(scene.mosaic(), 422, field="tiles")
    scene.add(range(20, 30))
    assert other.image["label"] == other.api.label  # the list of labels has it now
    assert int(scene.mosaic(f"{FEW}&tiles=*").headers["mosaic-tiles"]) >= 26


def test_tiles_of_all_labels_begin_with_the_images_own_and_go_round(
    scene: MosaicScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    for label in ("zebra", "aardvark", "zoo"):
        other = MosaicScene(Api(scene.api.host, label))
        other.add([1, 2, BEHIND_ALL])
        assert other.image["label"] == label
    scene.add([0, BEHIND_ALL - 1, 7, 8, 9, 10, 11, 12])
    own = [(scene.api.label, name_of(n)) for n in (BEHIND_ALL - 1, 0, 7, 8, 9, 10, 11, 12)]
    others = [(label, name_of(n)) for label in ("zebra", "zoo", "aardvark") for n in (BEHIND_ALL, 1, 2)]
    assert labels_and_names(scene, monkeypatch, f"{FEW}&tiles=*") == own + others
    monkeypatch.setattr("tile_sample.LABELS_MAX", 3)
    assert labels_and_names(scene, monkeypatch, f"{FEW}&tiles=*", status=422) == []


def labels_and_names(
    scene: MosaicScene, monkeypatch: pytest.MonkeyPatch, query: str, *, status: int = 200
) -> list[tuple[str, str]]:
    """Return the tiles that a mosaic may use, in their order; none if it is refused."""
    found: list[tuple[str, str]] = []
    headers = mosaic_images._headers

    def noted(image: Image, options: Options, tiles: Sequence[Tile]) -> dict[str, str]:
        found.extend((tile.label, tile.name) for tile in tiles)
        return headers(image, options, tiles)

    with monkeypatch.context() as patch:
        patch.setattr(mosaic_images, "_headers", noted)
        assert scene.mosaic(query).status == status
    return found


def test_a_label_gives_at_most_2000_tiles_from_the_images_own_name_on(
    scene: MosaicScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tile_sample.TILES_MAX", 20)
    own = int(scene.image["id"].partition("/")[2].partition(".")[0], 16)
    scene.add([*range(15), *range(own - 5, own), *range(own + 1, own + 11)])
    found = labels_and_names(scene, monkeypatch, FEW)
    assert [name for _, name in found] == [name_of(n) for n in (*range(own + 1, own + 11), *range(10))]


@in_make_run
def test_other_columns_are_refused(scene: MosaicScene, subtests: pytest.Subtests) -> None:
    for columns in ("", "9", "201", "080", "+80", "80.0", "8e1", "٨٠", "-80", "10 ", "1" * 900):
        with subtests.test(columns):
            detail = problem(scene.mosaic(f"?columns={quote(columns)}"), 422, field="columns")
            assert "from 10 to 200" in detail


def test_too_many_cells_are_refused_with_what_fits(api: Api) -> None:
    scene = MosaicScene(api, png(1, (30, 200)))
    scene.add(range(16))
    detail = problem(scene.mosaic(), 422, field="columns")
    assert detail.startswith("columns must be at most 67 for this picture: 80 columns need 42,640 tiles")
    assert scene.mosaic("?columns=20").headers["mosaic-rows"] == "133"
    tall = MosaicScene(api, png(1, (2, 700)))
    assert "too tall for a mosaic" in problem(tall.mosaic("?columns=10"), 422)


@in_make_run
def test_what_is_not_there_or_unknown_is_refused(cats: MosaicScene) -> None:
    problem(cats.api.get(f"/images/{cats.api.label}/{'0' * 32}.png/mosaic"), 404)
    problem(cats.api.get("/images/a_b/x.png/mosaic"), 404)
    problem(cats.mosaic("?column=80"), 400, field="column")
    problem(cats.mosaic("?columns=80&columns=81"), 400, field="columns")
    for tiles in ("", "a_b", "*,cat", "**", "a" * 33, "cat dog", "\0"):
        problem(cats.mosaic(f"?tiles={quote(tiles)}"), 422, field="tiles")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        detail = problem(cats.api.host.request(method, cats.path), 405)
        assert detail.endswith("use one of GET, HEAD, OPTIONS.")
    assert cats.api.host.request("OPTIONS", cats.path).status == 204


def test_a_picture_that_cannot_be_decoded_or_has_just_gone_has_no_mosaic(
    cats: MosaicScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise CannotBeShown

    with monkeypatch.context() as patch:
        patch.setattr(mosaic_making, "make", fail)
        assert "its pixels cannot be decoded" in problem(cats.mosaic(), 422)
    monkeypatch.setattr("shared.pictures.bucket.Bucket.get", lambda *_: None)
    problem(cats.mosaic(), 404)


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "InternalServerError"])
def test_tiles_that_cannot_be_read_now_are_503(cats: MosaicScene, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    def fail(*_: object, **__: object) -> None:
        status = {"HTTPStatusCode": 500 if code.startswith("Internal") else 400}
        raise ClientError({"Error": {"Code": code, "Message": ""}, "ResponseMetadata": status}, "Query")  # type: ignore[typeddict-item]

    paths = (cats.path, f"/labels/{cats.api.label}/tiles")
    monkeypatch.setattr("shared.labels.query.read", fail)
    for path in paths:
        answer = cats.api.get(path)
        problem(answer, 503)
        assert answer.headers["retry-after"] == "1"


ODD = st.text() | st.from_regex(r"[0-9*+.eE-]{0,6}", fullmatch=True)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(columns=st.none() | ODD, tiles=st.none() | ODD)
@example(columns="10", tiles="*")
@example(columns="²", tiles=None)
@example(columns=None, tiles="\ud800")
def test_any_options_are_taken_or_refused(moto_aws: None, columns: str | None, tiles: str | None) -> None:
    given_ = {"columns": columns, "tiles": tiles}
    query = "&".join(f"{k}={quote(v, errors='surrogatepass')}" for k, v in given_.items() if v is not None)
    api = Api(Handlers(), new_label())
    answer = api.get(f"/images/{api.label}/{'0' * 32}.png/mosaic?{query}")
    assert answer.status in (404, 422)
    if answer.status == 422:
        assert json_of(answer)["errors"][0]["field"] in given_
