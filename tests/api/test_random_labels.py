"""Several labels in a draw, images that are left out, and the label in the path, over HTTP in every host."""

from fractions import Fraction
from typing import Any

import pytest

from tests.support import pictures
from tests.support.answers import conforms, problem
from tests.support.hosts import Api, json_of

pytestmark = pytest.mark.also_in_make_run(why="the parameters come through a gateway", slow=True)

NONE = "0123456789abcdef0123456789abcdef.jpg"


def uploaded(api: Api, label: str, *weights: str) -> dict[str, Fraction]:
    """Upload tiny pictures with these weights under a label.  Return id -> weight."""
    found: dict[str, Fraction] = {}
    for number, weight in enumerate(weights):
        file = pictures.File(pictures.tiny(number))
        document = json_of(api.post([("label", label), ("weight", weight), ("tags", "new"), ("img", file)]))
        found[document["id"]] = Fraction(weight)
    return found


def every_image(api: Api, path: str, weights: dict[str, Fraction]) -> None:
    """Draw with seeds until each of these images came, and check the law that the responses state."""
    total, seen = sum(weights.values()), dict[str, Fraction]()
    for seed in range(200):
        document: dict[str, Any] = json_of(api.get(f"{path}&format=json&seed={seed}"))
        conforms(document, "DrawnImage")
        probability = weights[document["id"]] / total
        assert (document["totalWeight"], document["probability"]) == (float(total), float(probability))
        seen[document["id"]] = probability
        if seen.keys() == weights.keys():
            break
    assert sum(seen.values()) == 1


def test_several_labels_have_one_law(api: Api) -> None:
    other = f"{api.label}-b"
    weights = uploaded(api, api.label, "0.1", "0.2") | uploaded(api, other, "0.3", "0.15")
    every_image(api, f"/random?label={api.label},{other}", weights)
    every_image(api, f"/random?label={other},%20{api.label.upper()}&tag=new", weights)
    every_image(api, f"/random/{api.label},{other}?random=1", weights)
    answer = api.get(f"/random?label={api.label},{other}")
    assert (answer.status, answer.headers["image-total-weight"]) == (200, "0.75")
    assert answer.body == api.get(f"/images/{answer.headers['image-id']}").body


@pytest.mark.parametrize("options", ["count=3&distinct=true", "size=256&format=redirect"])
def test_the_order_of_labels_and_ids_means_nothing_to_a_seed(api: Api, options: str) -> None:
    other = f"{api.label}-b"
    weights = [*uploaded(api, api.label, "0.1", "0.2", "0.4"), *uploaded(api, other, "0.3", "0.15", "0.05")]
    for seed in "abc":
        there = api.get(f"/random?label={api.label},{other}&exclude={weights[0]},{weights[4]}&seed={seed}&{options}")
        back = api.get(
            f"/random?label={other},{api.label}&exclude={weights[4]},%20{weights[0]},{weights[4]}&seed={seed}&{options}"
        )
        assert there.status == back.status in (200, 302)
        assert (there.body, there.headers.get("location")) == (back.body, back.headers.get("location"))


def test_images_that_are_left_out_never_come_and_the_others_share_the_rest(api: Api) -> None:
    weights = uploaded(api, api.label, "0.1", "0.2", "0.3", "0.4")
    first, second, *_ = weights
    left = {image_id: weight for image_id, weight in weights.items() if image_id not in (first, second)}
    every_image(api, f"/random?label={api.label}&exclude={first},{second},{first},{api.label}/{NONE}", left)
    document = json_of(api.get(f"/random.json?label={api.label}&exclude={first}&count=3&distinct=true"))
    conforms(document, "DrawnImages")
    assert ({one["id"] for one in document["images"]}, document["totalWeight"]) == (weights.keys() - {first}, 0.9)
    assert document["images"][-1]["probability"] == 1
    picture = api.get(f"/random?label={api.label}&exclude={','.join(list(weights)[:3])}&tag=new")
    assert (picture.headers["image-probability"], picture.headers["image-total-weight"]) == ("1.0", "0.4")
    assert picture.body == api.get(f"/images/{picture.headers['image-id']}").body
    head = api.host.request("HEAD", f"/random?label={api.label}&exclude={','.join(list(weights)[:3])}")
    assert (head.status, head.headers["image-id"]) == (200, picture.headers["image-id"])


def test_nothing_left_is_404(api: Api) -> None:
    weights = uploaded(api, api.label, "0.1", "0.2")
    excluded = ",".join(weights)
    for options in ("", "&count=2", "&count=2&distinct=true", "&seed=x", "&format=json", "&tag=new"):
        answer = api.get(f"/random?label={api.label}&exclude={excluded}{options}")
        assert "leave an id out" in problem(answer, 404, field="exclude")
    first = next(iter(weights))
    too_many = api.get(f"/random?label={api.label}&exclude={first}&count=2&distinct=true")
    assert "at most 1, the number of images" in problem(too_many, 422, field="count")
    problem(api.get(f"/random?label=no-such-label,{api.label}-b"), 404, field="label")


def test_the_label_may_be_in_the_path(api: Api) -> None:
    weights = uploaded(api, api.label, "0.1", "0.2")
    every_image(api, f"/random/{api.label}?random=1", weights)
    path = f"/random/{api.label.upper()}?seed=a"
    assert api.get(path).body == api.get(f"/random?label={api.label}&seed=a").body
    assert api.get(f"/random/{api.label}", accept="application/json").headers["content-type"] == "application/json"
    assert "in the path already" in problem(api.get(f"/random/{api.label}?label=x"), 400, field="label")
    problem(api.get("/random/0"), 422, field="label")
    problem(api.get("/random/no-such-label"), 404, field="label")
    assert "label" in problem(api.get("/random"), 400, field="label")


WRONG = {
    "label=cat,": ("label", "a comma without a label"),
    "label=,": ("label", "a comma without a label"),
    "label=cat,,dog": ("label", "a comma without a label"),
    "label=cat,Cat": ("label", "names cat twice"),
    "label=a,b,c,d,e,f": ("label", "has 6 labels; name at most 5"),
    "label=cat,0": ("label", "'0' is none"),
    "label=cat;dog": ("label", "Separate several by commas"),
    "label=cat,dog&session=me&position=0": ("label", "session works with one label"),
    "label=cat&exclude=": ("exclude", "must be ids of images"),
    f"label=cat&exclude={NONE}": ("exclude", "must be ids of images"),
    "label=cat&exclude=cat/": ("exclude", "must be ids of images"),
    f"label=cat&exclude=cat/{NONE},cat": ("exclude", "and 'cat' is none"),
    f"label=cat&exclude=cat/{NONE},": ("exclude", "must be ids of images"),
    f"label=cat&exclude=cat/{NONE},cat/x.jpg": ("exclude", "and 'cat/x.jpg' is none"),
    f"label=cat&exclude=cat/{NONE}%0A": ("exclude", "must be ids of images"),
    f"label=cat&exclude=cat/{NONE.upper()}": ("exclude", "must be ids of images"),
    f"label=cat&exclude=cat/{NONE}/x": ("exclude", "must be ids of images"),
    f"label=cat&exclude=dog/{NONE}": ("exclude", "an id of dog, which is not drawn from"),
    f"label=cat,dog&exclude=owl/{NONE}": ("exclude", "an id of owl, which is not drawn from"),
    "label=cat&exclude=" + ",".join(f"cat/{number:032x}.png" for number in range(21)): ("exclude", "has 21 ids"),
    f"label=cat&exclude=cat/{NONE}&session=me&position=0": ("exclude", "remove one of them"),
}


@pytest.mark.parametrize("query", WRONG)
def test_a_wrong_choice_of_labels_or_ids_says_what_to_do(api: Api, query: str) -> None:
    field, part = WRONG[query]
    for path in ("/random", "/random.json"):
        assert part in problem(api.get(f"{path}?{query}"), 422, field=field)


def test_twenty_ids_and_five_labels_are_taken(api: Api) -> None:
    (image_id,) = uploaded(api, api.label, "0.5")
    excluded = ",".join(f"{api.label}/{number:032x}.png" for number in range(20))
    labels = ",".join([api.label, *(f"{api.label}-{letter}" for letter in "bcde")])
    answer = api.get(f"/random?label={labels}&exclude={excluded}")
    assert (answer.status, answer.headers["image-id"]) == (200, image_id)
    problem(api.get(f"/random?label=cat&exclude=cat/{NONE}&exclude=cat/{NONE}"), 400, field="exclude")
