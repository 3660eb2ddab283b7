"""Searches over `make run` with lite0: photographs by word, by meaning, and by copies of them; the index follows."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support import hostile_pictures, lite0_models, sample_pictures, search_refusals
from tests.support.answers import problem
from tests.support.hosts import Api, Running, json_of
from tests.support.local_service import LocalService
from tests.support.pictures import File, png
from tests.support.search_scene import by_picture, found
from tests.support.waiting import eventually

COPIED = ("macaws", "red-door", "lighthouse-on-cape", "woman-in-red-hat", "sailing-yacht", "palm-island")
BIRDS, BOATS = ("macaws",), ("boat-at-anchor", "boat-at-pier", "sailing-yacht", "sailing-regatta")
SOUGHT = "Xylophonquark"


@pytest.fixture(scope="module")
def service(slow_tier: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    variables = {"ENCODER": "lite0", "LITE0_MODELS": str(lite0_models.folder())}
    with LocalService(tmp_path_factory.mktemp("search") / "data", variables=variables) as running:
        yield running.be_patient()


@pytest.fixture(scope="module")
def photographs(service: LocalService) -> dict[str, Any]:
    """Upload the sample photographs without file names, and wait until they are indexed."""
    api = Api(Running(service), "photographs")
    sent = {}
    for name, picture in sample_pictures.photographs():
        answer = api.upload(sample_pictures.jpeg(picture))
        assert answer.status == 201
        sent[name] = json_of(answer)
        assert api.patch(sent[name]["url"], {"filename": ""}).status == 200
    for image in sent.values():
        eventually(lambda image=image: api.get(f"/images/{image['id']}/similar?k=1").status == 200)
    return sent


@pytest.fixture
def api(service: LocalService) -> Api:
    return Api(Running(service), "photographs")


def ids(api: Api, query: str) -> list[str]:
    return [hit["id"] for hit in found(api.get(f"/search?{query}"))]


@pytest.mark.parametrize("alteration", sample_pictures.ALTERED)
def test_an_altered_copy_finds_its_original_first(api: Api, photographs: dict[str, Any], alteration: str) -> None:
    for name in COPIED:
        with Image.open(BytesIO(api.get(photographs[name]["url"]).body)) as original:
            copy = sample_pictures.ALTERED[alteration](original.convert("RGB"))
        first, second = found(by_picture(api, copy, ("k", "2")))
        assert first["id"] == photographs[name]["id"], name
        assert first["similarity"] > second["similarity"]


def test_the_status_names_the_encoder(api: Api) -> None:
    assert json_of(api.get("/status"))["search"] == json_of(api.get("/search?q=boat"))["encoder"] == "lite0"


def test_a_photograph_finds_itself_exactly(api: Api, photographs: dict[str, Any]) -> None:
    for name in COPIED:
        (hit,) = found(by_picture(api, api.get(photographs[name]["url"]).body, ("k", "1")))
        assert (hit["id"], hit["similarity"]) == (photographs[name]["id"], pytest.approx(1, abs=1e-5))
        assert hit["labels"]


@pytest.mark.parametrize(
    ("text", "names"), [("parrot", BIRDS), ("Papagei", BIRDS), ("boat", BOATS), ("Segelboot", BOATS)]
)
def test_a_photograph_is_found_by_meaning(
    api: Api, photographs: dict[str, Any], text: str, names: tuple[str, ...]
) -> None:
    (first,) = found(api.get(f"/search?q={text}&k=1&label=photographs"))
    assert first["by"] == "meaning"
    assert first["id"] in [photographs[name]["id"] for name in names]


def test_meadow_finds_grass_in_two_languages(api: Api, photographs: dict[str, Any]) -> None:
    """The example of the requirements: cat, park, grass, sun."""
    other = Api(api.host, "requirements")
    fields = [("label", other.label), ("tags", "cat,park,grass,sun"), ("img", File(png(77)))]
    image = json_of(other.post(fields))
    eventually(lambda: image["id"] in ids(api, "q=grass&label=requirements"))
    for text in ("meadow", "field", "Wiese"):
        (hit,) = found(api.get(f"/search?q={text}&label=requirements"))
        assert (hit["id"], hit["by"]) == (image["id"], "meaning")
        assert image["id"] in ids(api, f"q={text}&k=5")
    (hit,) = found(api.get("/search?q=GRASS%20park&label=requirements"))
    assert (hit["by"], hit["matched"]) == ("words", ["grass", "park"])


def test_tags_and_deletes_are_followed(api: Api) -> None:
    other = Api(api.host, "followed")
    image = json_of(other.upload(png(78)))
    assert other.patch(image["url"], {"tags": ["qxzw"]}).status == 200
    eventually(lambda: [hit["by"] for hit in found(api.get("/search?q=qxzw&label=followed"))] == ["words"])
    assert other.patch(image["url"], {"tags": ["other"]}).status == 200
    eventually(lambda: "words" not in [hit["by"] for hit in found(api.get("/search?q=qxzw&label=followed"))])
    assert other.delete(image["url"]).status == 204
    assert ids(api, "q=other&label=followed") == []
    assert found(by_picture(api, png(78), ("label", "followed"))) == []


def test_an_image_is_compared_soon_after_its_upload(api: Api) -> None:
    image = json_of(Api(api.host, "soon").upload(png(79)))
    statuses: list[int] = []

    def is_indexed() -> bool:
        answer = api.get(f"/images/{image['id']}/similar")
        statuses.append(answer.status)
        assert answer.status == 200 or answer.headers["retry-after"] == "5"
        return answer.status == 200

    eventually(is_indexed)
    assert set(statuses) <= {409, 200}


def test_what_is_searched_for_is_in_no_file_of_the_data_folder(api: Api, service: LocalService) -> None:
    for path in (f"/search?q={SOUGHT}", f"/search?q={SOUGHT}&k=0", f"/search?q={SOUGHT}%00"):
        assert api.get(path).status in (200, 422)
    for path in Path(service.data).rglob("*"):
        if path.is_file():
            assert SOUGHT.encode() not in path.read_bytes(), path
            assert SOUGHT.lower().encode() not in path.read_bytes(), path
    assert SOUGHT not in service.output


def test_what_is_wrong_is_refused(api: Api, photographs: dict[str, Any], subtests: pytest.Subtests) -> None:
    for path, (status, field) in search_refusals.WRONG.items():
        with subtests.test(path[:60]):
            problem(api.get(path), status, field=field)


@pytest.mark.parametrize("group", hostile_pictures.REFUSED)
def test_a_hostile_picture_is_refused_and_stores_nothing(
    api: Api, service: LocalService, group: str, subtests: pytest.Subtests
) -> None:
    def objects() -> list[Path]:
        return sorted(path for path in (service.data / "objects").rglob("*") if path.is_file())

    before, labels = objects(), api.get("/labels").body
    pictures, status = hostile_pictures.REFUSED[group]
    for name, content in pictures.items():
        with subtests.test(name):
            problem(by_picture(api, content), status, field="img")
    assert objects() == before
    assert api.get("/labels").body == labels
