"""The three searches: what is found, in which order, by what; and that the tables decide what there is."""

import json
from dataclasses import replace
from typing import Any

import pytest

import edit_image
from shared import aws
from shared.tiles import Tile
from tests.support.answers import conforms, problem
from tests.support.hosts import json_of, proxy_event
from tests.support.photographs import CHELSEA, ROCKET
from tests.support.pictures import jpeg, png
from tests.support.rows import image as row_of
from tests.support.rows import put_rows
from tests.support.search_scene import SearchScene, by_picture, found


def test_a_picture_finds_itself_and_then_what_looks_alike(scene: SearchScene) -> None:
    cat, rocket = scene.add(CHELSEA, labels=[("Tabby", 90.5)]), scene.add(ROCKET)
    hits = found(by_picture(scene.api, CHELSEA))
    assert [hit["id"] for hit in hits] == [cat["id"], rocket["id"]]
    assert (hits[0]["similarity"], hits[0]["error"], hits[0]["by"]) == (1, 0, "picture")
    assert hits[1]["error"] == pytest.approx(2 * (1 - hits[1]["similarity"]) / scene.encoder.picture_numbers)
    assert hits[0]["labels"] == [{"name": "Tabby", "confidence": 90.5}]
    del cat["probability"]
    assert {name: hits[0][name] for name in cat} == cat

    (other,) = found(scene.api.get(f"/images/{cat['id']}/similar"))
    assert (other["id"], other["similarity"]) == (rocket["id"], hits[1]["similarity"])


def test_a_transparent_or_turned_picture_is_compared_as_browsers_show_it(scene: SearchScene) -> None:
    scene.add(png(1)), scene.add(jpeg(2))
    for content in (png(1), jpeg(2)):
        assert found(by_picture(scene.api, content))[0]["similarity"] == 1


def test_the_options_choose_among_the_images(scene: SearchScene) -> None:
    red, blue, plain = scene.add(png(1), "red"), scene.add(png(2), "blue,red"), scene.add(png(3))
    other = scene.add(png(4), "red", label=f"{scene.api.label}-x")
    wanted = {
        "": {red["id"], blue["id"], plain["id"], other["id"]},
        "tag=Red": {red["id"], blue["id"], other["id"]},
        f"tag=red&label={scene.api.label}": {red["id"], blue["id"]},
        "without=blue": {red["id"], plain["id"], other["id"]},
        "without=red": {plain["id"]},
        "tag=red&without=red": set(),
        "label=none": set(),
        "tag=none": set(),
        "least=1": {red["id"]},
    }
    for query, ids in wanted.items():
        assert {hit["id"] for hit in found(by_picture(scene.api, png(1), query=f"?{query}"))} == ids, query
        fields = [tuple(each.split("=")) for each in query.split("&") if each]
        assert {hit["id"] for hit in found(by_picture(scene.api, png(1), *fields))} == ids, query  # type: ignore[arg-type]
        if query != "least=1":
            like = found(scene.api.get(f"/images/{red['id']}/similar?{query}"))
            assert {hit["id"] for hit in like} == ids - {red["id"]}, query
            named = found(scene.api.get(f"/search?q=anything&least=0&{query}"))
            assert {hit["id"] for hit in named} <= ids, query


def test_the_k_nearest_come_in_order(scene: SearchScene) -> None:
    images = [scene.add(png(seed)) for seed in range(8)]
    whole = found(scene.api.get(f"/images/{images[0]['id']}/similar?k=100"))
    assert len(whole) == 7
    errors = [hit["error"] for hit in whole]
    assert errors == sorted(errors)
    assert found(scene.api.get(f"/images/{images[0]['id']}/similar")) == whole
    for k in (1, 2, 5, 7):
        assert found(scene.api.get(f"/images/{images[0]['id']}/similar?k={k}")) == whole[:k]


def test_words_come_before_meaning(scene: SearchScene) -> None:
    tagged, named = scene.add(png(1), "grass"), scene.add(png(2), filename="WetGrass2.png")
    shown = scene.add(png(3), labels=[("Grass", 99.0), ("Golden Retriever", 50.0)])
    other = scene.add(png(4), "boat")
    hits = found(scene.api.get("/search?q=Grass"))
    words = [(hit["id"], hit["by"], hit.get("matched")) for hit in hits[:3]]
    assert sorted(words) == sorted((image["id"], "words", ["grass"]) for image in (tagged, named, shown))
    assert hits[:3] == sorted(hits[:3], key=lambda hit: hit["error"])
    assert [(hit["id"], hit["by"]) for hit in hits[3:]] in ([], [(other["id"], "meaning")])  # if it is below 0

    (both,) = [hit for hit in found(scene.api.get("/search?q=golden+retriever")) if hit["by"] == "words"]
    assert (both["id"], both["matched"]) == (shown["id"], ["golden", "retriever"])
    assert not [hit for hit in found(scene.api.get("/search?q=golden+boat")) if hit["by"] == "words"]


def test_a_synonym_is_found_by_meaning_in_each_language_of_the_encoder(scene: SearchScene) -> None:
    park = scene.add(png(1), "grass,sun")
    scene.add(png(2), "boat"), scene.add(png(3), "cat")
    for text in ("meadow", "Wiese", "field"):
        hit, *_ = found(scene.api.get(f"/search?q={text}"))
        assert (hit["id"], hit["by"], "matched" in hit) == (park["id"], "meaning", False)
        assert hit["similarity"] > 0.4
        assert found(scene.api.get(f"/search?q={text}&least=0.9")) == []


def test_what_is_found_by_words_may_mean_something_else(scene: SearchScene) -> None:
    """A model that puts a picture's look and a word far apart does not hide its tag."""
    tagged = scene.add(png(1), "qxz")
    opposite = [-number for number in scene.encoder.text_query("qxz")]
    (vector,) = scene.index.get([tagged["id"]]).values()
    scene.index.put([replace(vector, numbers=opposite)])
    (hit,) = found(scene.api.get("/search?q=qxz"))
    assert (hit["by"], hit["similarity"]) == ("words", -1)
    assert found(scene.api.get("/search?q=qxz&least=0.1")) == []


# --- the tables decide ---


def all_searches(scene: SearchScene, of: Any) -> list[set[str]]:
    """Return the ids that each kind of search finds."""
    answers = [
        by_picture(scene.api, png(1)),
        scene.api.get("/search?q=grass"),
        scene.api.get("/search?q=meadow"),
        scene.api.get(f"/images/{of['id']}/similar"),
    ]
    return [{hit["id"] for hit in found(answer)} for answer in answers]


def test_a_deleted_image_is_never_found_even_if_the_index_is_late(scene: SearchScene) -> None:
    kept, gone = scene.add(png(1), "grass"), scene.add(png(2), "grass")
    assert all_searches(scene, kept)[0] == {kept["id"], gone["id"]}
    assert scene.api.delete(gone["url"]).status == 204
    for ids in all_searches(scene, kept):
        assert gone["id"] not in ids
    problem(scene.api.get(f"/images/{gone['id']}/similar"), 404)
    # Uploaded again, it is a new version of the picture, which is not indexed yet.
    again = scene.upload(png(2), "grass")
    assert again["id"] == gone["id"]
    for ids in all_searches(scene, kept):
        assert gone["id"] not in ids
    late = scene.api.get(f"/images/{gone['id']}/similar")
    assert "not indexed yet" in problem(late, 409)
    assert late.headers["retry-after"] == "5"
    scene.follow(gone["id"])
    assert gone["id"] in all_searches(scene, kept)[0]
    assert len(found(scene.api.get(f"/images/{gone['id']}/similar"))) == 1


def test_an_image_whose_tags_changed_is_chosen_by_its_present_tags(scene: SearchScene) -> None:
    image = scene.add(png(1), "red")
    assert scene.api.patch(image["url"], {"tags": ["blue"]}).status == 200
    assert found(by_picture(scene.api, png(1), query="?tag=red")) == []
    assert found(by_picture(scene.api, png(1), query="?without=blue")) == []
    (hit,) = found(by_picture(scene.api, png(1)))
    assert hit["tags"] == ["blue"]


def test_some_deleted_images_in_the_index_do_not_make_the_answer_shorter(scene: SearchScene) -> None:
    first, *_ = [scene.add(png(seed)) for seed in range(8)]
    path = f"/images/{first['id']}/similar?k=5"
    whole = found(scene.api.get(path))
    assert scene.api.delete(whole[0]["url"]).status == 204
    assert found(scene.api.get(path))[:4] == whole[1:]
    assert len(found(scene.api.get(path))) == 5


@pytest.mark.parametrize("key", ["search-check", "cat", "cat/x", "a/b/c", "/", "cat/" + "0" * 32 + ".png", "é"])
def test_a_vector_that_is_no_images_is_no_hit(scene: SearchScene, key: str) -> None:
    image = scene.add(png(1), "grass")
    (vector,) = scene.index.get([image["id"]], with_data=True).values()
    scene.index.put([replace(vector, key=key)])
    for answer in (by_picture(scene.api, png(1)), scene.api.get("/search?q=grass")):
        assert [hit["id"] for hit in found(answer)] == [image["id"]]


def test_a_vector_without_metadata_is_no_hit(scene: SearchScene) -> None:
    image = scene.add(png(1), "grass")
    (vector,) = scene.index.get([image["id"]], with_data=True).values()
    scene.index.put([replace(vector, metadata={})])
    for answer in (by_picture(scene.api, png(1)), scene.api.get("/search?q=grass")):
        assert found(answer) == []
    problem(scene.api.get(f"/images/{image['id']}/similar"), 409)


def test_labels_are_those_of_the_present_picture(scene: SearchScene) -> None:
    image = scene.add(png(1), labels=[("Cat", 80.0)])
    assert json_of(scene.api.get(f"{image['url']}/info"))["labels"] == [{"name": "Cat", "confidence": 80}]
    scene.api.delete(image["url"])
    scene.upload(png(1))
    for path in (f"/images?label={scene.api.label}", "/images"):
        (listed,) = json_of(scene.api.get(path))["images"]
        assert "labels" not in listed
    assert "labels" not in json_of(scene.api.get(f"{image['url']}/info"))
    scene.follow(image["id"], [])
    assert json_of(scene.api.get(f"{image['url']}/info"))["labels"] == []


def test_a_list_reads_labels_without_tiles(scene: SearchScene) -> None:
    image = scene.add(png(1), labels=[("Cat", 80.0)])
    asked: list[Any] = []
    events = aws.dynamodb().meta.events
    events.register("provide-client-params.dynamodb.BatchGetItem", lambda params, **_: asked.append(params))
    for path in (f"/images?label={scene.api.label}", f"{image['url']}/info", "/search?q=cat"):
        asked.clear()
        assert b'"Cat"' in scene.api.get(path).body
        (of_tiles,) = [each["RequestItems"]["TilesTable"] for each in asked if "TilesTable" in each["RequestItems"]]
        assert set(of_tiles["ExpressionAttributeNames"].values()) == {"label", "name", "version", "labels"}


def test_your_own_images_have_their_labels_too(scene: SearchScene) -> None:
    mine = row_of(scene.api.label, 1, owner="bob")
    put_rows(scene.api, [mine, row_of(scene.api.label, 2, owner="bob")])
    scene.tiles.put(Tile(mine.label, mine.name, mine.version_id, labels=(("Cat", 80.5),)))
    _, event = proxy_event("GET", f"/mine?label={scene.api.label}")
    event["requestContext"]["authorizer"] = {"subject": "bob", "scope": "images:write"}
    page = json.loads(edit_image.handler(event, None)["body"])
    conforms(page, "ImagePage")
    assert [each.get("labels") for each in page["images"]] == [[{"name": "Cat", "confidence": 80.5}], None]
