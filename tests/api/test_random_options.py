"""Several images, seeds and sessions over HTTP, in every host; and the plain draw, which must not pay for them."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import options
import random_image
from shared.errors import ApiError
from shared.images import Pool
from shared.pictures.bucket import LOOK
from shared.thumbnail import FAILED
from tests.support import pictures
from tests.support.answers import conforms, problem
from tests.support.cloud import ROOT
from tests.support.hosts import Api, json_of
from tests.support.memory_aws import IMAGES, S3, DynamoDB, World
from tests.support.memory_label import image, stored
from tests.support.refusals import outcome
from tests.support.simulation import LABEL, call

pytestmark = pytest.mark.also_in_make_run(
    why="the parameters come through a gateway, and a redirect leads to S3", slow=True
)


def uploaded(api: Api, *weights: str) -> dict[str, Any]:
    """Upload tiny pictures with these weights.  Return id -> image."""
    found = [json_of(api.upload(pictures.tiny(number), weight)) for number, weight in enumerate(weights)]
    return {image["id"]: {name: value for name, value in image.items() if name != "probability"} for image in found}


def test_several_images_come_with_their_probabilities(api: Api) -> None:
    known = uploaded(api, "0.1", "0.2", "0.3", "0.4")
    answer = api.random(count="30")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["cache-control"] == "no-store"
    assert (answer.headers.get("image-id"), answer.headers["image-total-weight"]) == (None, "1")
    document = json_of(answer)
    conforms(document, "DrawnImages")
    assert (len(document["images"]), document["totalWeight"]) == (30, 1)
    for one in document["images"]:
        assert one == {**known[one["id"]], "probability": one["weight"]}


def test_distinct_images_have_their_probability_among_those_that_were_left(api: Api) -> None:
    known = uploaded(api, "0.1", "0.2", "0.3", "0.4")
    document = json_of(api.random(count="4", distinct="true", format="json"))
    conforms(document, "DrawnImages")
    assert {one["id"] for one in document["images"]} == known.keys()
    left = 10
    for one in document["images"]:
        tenths = round(one["weight"] * 10)
        assert one["probability"] == tenths / left
        left -= tenths
    assert "at most 4, the number of images" in problem(api.random(count="5", distinct="true"), 422, field="count")
    assert len(json_of(api.random(count="5", distinct="false"))["images"]) == 5


def test_a_seed_gives_the_same_answer_again(api: Api) -> None:
    uploaded(api, "0.1", "0.2", "0.3", "0.4")
    for query in ({"count": "20"}, {"count": "3", "distinct": "true"}, {"format": "json"}):
        answers = {text: json_of(api.random(seed=text, **query)) for text in ("a", "b", "c", "d", "e", "f")}
        assert all(json_of(api.random(seed=text, **query)) == answer for text, answer in answers.items())
        assert len({str(answer) for answer in answers.values()}) > 1
    one = api.random(seed="a", format="json").headers["image-id"]
    assert (
        api.random(seed="a").headers["image-id"] == api.random(seed="a", format="redirect").headers["image-id"] == one
    )


def test_a_session_gives_each_image_once(api: Api) -> None:
    known = uploaded(api, "0.1", "0.2", "0.3", "0.4")
    walk = [api.random(session="me", position=str(position), format="json") for position in range(4)]
    for answer in walk:
        conforms(json_of(answer), "DrawnImage")
    assert {json_of(answer)["id"] for answer in walk} == known.keys()
    assert [answer.headers["image-total-weight"] for answer in walk] == ["1"] * 4
    assert walk[-1].headers["image-probability"] == "1.0"
    picture = api.random(session="me", position="2")
    assert picture.body == api.get(json_of(walk[2])["url"]).body
    assert api.random(session="me", position="2", format="redirect").headers["location"] == json_of(walk[2])["url"]
    assert "below 4" in problem(api.random(session="me", position="4"), 422, field="position")


ALIKE = ("seed=a", "seed=b&tag=new", "count=3&seed=a", "count=3&distinct=true&seed=a", "session=me&position=1")


@pytest.mark.parametrize("query", ALIKE)
def test_random_json_is_the_draw_as_json(api: Api, query: str) -> None:
    for number, weight in enumerate(("0.1", "0.2", "0.3")):
        api.post(
            [("label", api.label), ("weight", weight), ("tags", "new"), ("img", pictures.File(pictures.tiny(number)))]
        )
    plain = api.get(f"/random?label={api.label}&format=json&{query}")
    for accept in ("*/*", "image/webp", "application/json;q=0, image/*"):
        twin = api.get(f"/random.json?label={api.label}&random=1&{query}", accept=accept)
        assert (twin.status, twin.body) == (plain.status, plain.body)
        assert twin.headers.keys() == plain.headers.keys()
        for name in twin.headers.keys() - {"date", "x-request-id"}:
            assert twin.headers[name] == plain.headers[name]
    conforms(json_of(twin), "DrawnImages" if "count" in query else "DrawnImage")


def test_random_json_refuses_as_the_draw_does(api: Api) -> None:
    problem(api.get("/random.json"), 400, field="label")
    problem(api.get("/random.json?label=0"), 422, field="label")
    problem(api.get(f"/random.json?label={api.label}"), 404, field="label")
    problem(api.get(f"/random.json?label={api.label}&position=1"), 422, field="position")
    for value in ("json", "image"):
        problem(api.get(f"/random.json?label={api.label}&format={value}"), 400, field="format")


def test_random_json_of_several_needs_no_seed(api: Api) -> None:
    known = uploaded(api, "0.1", "0.2")
    drawn = Counter(json_of(api.get(f"/random.json?label={api.label}"))["id"] for _ in range(12))
    assert drawn.keys() <= known.keys()
    assert len(json_of(api.get(f"/random.json?label={api.label}&count=5"))["images"]) == 5


WRONG = {
    "count=0": (422, "count"),
    "count=101": (422, "count"),
    "count=-1": (422, "count"),
    "count=1.0": (422, "count"),
    "count=%D9%A3": (422, "count"),
    "count=": (422, "count"),
    "count=2&count=2": (400, "count"),
    "count=2&distinct=yes": (422, "distinct"),
    "count=2&distinct=": (422, "distinct"),
    "count=2&format=image": (422, "format"),
    "count=2&format=redirect": (422, "format"),
    "count=2&seed=": (422, "seed"),
    f"seed={'x' * 101}": (422, "seed"),
    "distinct=true": (422, "distinct"),
    "session=me": (400, "position"),
    "session=&position=0": (422, "session"),
    "session=me&position=-1": (422, "position"),
    "session=me&position=1e3": (422, "position"),
    "session=me&position=0&count=2": (422, "count"),
    "session=me&position=0&seed=x": (422, "seed"),
    "position=0": (422, "position"),
}


@pytest.mark.parametrize("query", WRONG)
def test_a_wrong_option_names_the_parameter(api: Api, query: str) -> None:
    status, field = WRONG[query]
    assert field in problem(api.get(f"/random?label={api.label}&{query}"), status, field=field)


@pytest.mark.parametrize("query", ["count=2", "count=2&distinct=true", "seed=x", "session=me&position=0"])
def test_a_label_without_images_is_404_with_options_too(api: Api, query: str) -> None:
    problem(api.get(f"/random?label={api.label}&{query}"), 404, field="label")


IDS = [image(0, 1).id.replace(LABEL, label) for label in ("cat", "dog")]
VALUES = st.sampled_from(["0", "1", "100", "true", "false", "json", "image", "x", IDS[0], ",".join(IDS)]) | st.text(
    max_size=12
)


@given(
    st.dictionaries(st.sampled_from(["count", "distinct", "exclude", "seed", "session", "position", "format"]), VALUES)
)
def test_any_options_are_accepted_or_refused(query: dict[str, str]) -> None:
    asked = outcome(lambda given: options.parse(given, (Pool("cat"), Pool("dog"))), query)
    if isinstance(asked, ApiError):
        assert asked.status in (400, 422)
        assert asked.detail.endswith(".")
    else:
        assert 0 <= asked.count <= 100
        assert asked.excluded <= {*IDS}
        options.generator(asked.seed)


# --- the plain draw ---


@pytest.mark.parametrize(("form", "look"), [("image", "get_object"), ("json", "get_item"), ("redirect", "get_item")])
def test_a_plain_draw_makes_three_calls(world: World, form: str, look: str) -> None:
    stored(world, [536_870_911])  # fills its chunk but for one unit, so that every dart hits
    S3(world).put_object(Key=image(0, 1).id, Body=b"bytes")
    calls: Counter[str] = Counter()
    world.pause = lambda name: calls.update([name])
    for _ in range(20):
        call(random_image, "GET", "/random", "/random", query={"label": [LABEL], "format": [form]})
    assert calls == {"query": 20, "batch_get_item": 20, look: 20}


@pytest.mark.parametrize(
    ("asked", "consistent"),
    [
        ({"seed": "x", "format": "json"}, True),
        ({"seed": "x", "count": "3"}, True),
        ({"session": "x", "position": "0", "format": "json"}, True),
        ({"count": "3", "distinct": "true"}, False),
        ({"format": "json"}, False),
    ],
    ids=str,
)
def test_seeds_and_sessions_are_read_consistently(
    world: World, asked: dict[str, str], consistent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(world, [5] * 4)
    flags: set[bool] = set()
    for name in ("query", "get_item", "batch_get_item", "get_paginator"):
        monkeypatch.setattr(DynamoDB, name, noting(getattr(DynamoDB, name), flags))
    query = {"label": [LABEL], **{name: [value] for name, value in asked.items()}}
    assert call(random_image, "GET", "/random", "/random", query=query)["statusCode"] == 200
    assert flags == {consistent}


def noting(shipped: Callable[..., Any], flags: set[bool]) -> Callable[..., Any]:
    """Return the call, which then notes the consistency that was requested."""

    def noted(self: DynamoDB, *names: str, **given: Any) -> Any:
        if names:
            pages = shipped(self, *names)
            return SimpleNamespace(paginate=lambda **given: noted_pages(pages, given))
        request = next(iter(given["RequestItems"].values())) if "RequestItems" in given else given
        flags.add(request["ConsistentRead"])
        return shipped(self, **given)

    def noted_pages(pages: Any, given: dict[str, Any]) -> Any:
        flags.add(given["ConsistentRead"])
        return pages.paginate(**given)

    return noted


def test_a_plain_draw_does_not_load_what_the_options_need() -> None:
    code = (
        "import sys; sys.path[:0] = ['.', 'random']\n"
        "import random_image\n"
        "print({'options', 'draw_many', 'session', 'session_order', 'gaps', 'bulk_reads'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


# --- thumbnails ---


def test_a_draw_of_a_size_is_a_redirect_until_the_thumbnail_is_made(api: Api) -> None:
    (image_id,) = uploaded(api, "0.25")
    first = api.random(size="256")
    assert (first.status, first.headers["cache-control"]) == (302, "no-store")
    assert (first.headers["image-id"], first.headers["image-probability"]) == (image_id, "1.0")
    assert first.headers["location"].endswith(f"/images/{image_id}?size=256")
    made = api.get(first.headers["location"])

    drawn = api.random(size="256")
    assert (drawn.status, drawn.headers["cache-control"], drawn.headers["vary"]) == (200, "no-store", "Accept")
    assert (drawn.headers["image-id"], drawn.headers["image-weight"]) == (image_id, "0.25")
    assert "etag" not in drawn.headers
    assert (drawn.body, drawn.headers["content-type"]) == (made.body, made.headers["content-type"])
    assert api.random(size="512").status == 302


@pytest.mark.parametrize("options", [{}, {"seed": "a"}, {"session": "me", "position": "0"}], ids=str)
def test_a_size_goes_with_every_format_and_option(api: Api, options: dict[str, str]) -> None:
    uploaded(api, "0.25")
    document = json_of(api.random(size="1024", format="json", **options))
    conforms(document, "DrawnImage")
    assert document["thumbnailUrl"] == f"{document['url']}?size=1024"
    redirect = api.random(size="1024", format="redirect", **options)
    assert redirect.headers["location"] == document["thumbnailUrl"]
    assert api.get(document["thumbnailUrl"]).status == 200
    assert api.random(size="1024", format="image", **options).status == 200
    many = json_of(api.random(size="1024", count="2", **options)) if "session" not in options else {"images": []}
    assert all(one["thumbnailUrl"] == document["thumbnailUrl"] for one in many["images"])
    assert "thumbnailUrl" not in json_of(api.random(format="json"))


@pytest.mark.parametrize("size", ["300", "0", "256px", ""])
def test_another_size_is_refused_with_the_sizes_that_there_are(api: Api, size: str) -> None:
    uploaded(api, "0.25")
    assert "256, 512 or 1024" in problem(api.random(size=size), 422, field="size")


def test_a_thumbnail_costs_one_get_and_no_row(world: World) -> None:
    store = stored(world, [500_000_000])
    assert store
    world.thumbnails[f"{image(0, 1).id}/256.{LOOK}.jpg"] = b"a thumbnail"
    calls: list[str] = []
    world.pause = calls.append
    answer = call(random_image, "GET", "/random", "/random", query={"label": [LABEL], "size": ["256"]})
    assert (answer["statusCode"], answer["headers"]["Content-Type"]) == (200, "image/jpeg")
    assert calls == ["query", "batch_get_item", "get_object"]


def test_a_picture_that_cannot_be_shown_leads_to_the_reason(world: World) -> None:
    stored(world, [500_000_000])
    world.thumbnails[f"{image(0, 1).id}/256.{LOOK}.jpg"] = FAILED + b"9999999999"
    answer = call(random_image, "GET", "/random", "/random", query={"label": [LABEL], "size": ["256"]})
    assert answer["statusCode"] == 302


def test_a_deleted_image_is_not_drawn_as_a_thumbnail(world: World) -> None:
    store = stored(world, [500_000_000, 500_000_000])
    del world.tables[IMAGES][LABEL, image(0, 1).name]
    for _ in range(20):
        answer = call(random_image, "GET", "/random", "/random", query={"label": [LABEL], "size": ["256"]})
        assert answer["statusCode"] == 503 or answer["headers"]["Image-Id"] == image(1, 1).id
    assert store.remove(LABEL, image(1, 1).name)
