"""Lists of images and labels, in every host: each entry exactly once, and only cursors that petAPI gave out."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import EndpointConnectionError

from shared import aws
from shared.index_queue import IndexQueue, ToIndex
from shared.labels import items
from shared.settings import read_settings
from tests.support import pictures
from tests.support.answers import conforms, problem
from tests.support.hosts import Api, Handlers, json_of, local, new_label
from tests.support.pictures import File
from tests.support.rows import image, put_rows, rows_of

pytestmark = pytest.mark.also_in_make_run(
    why="the indexes are read with the rights of a role, and by another DynamoDB", slow=True
)

SCHEMAS = {"/images": "ImagePage", "/labels": "LabelPage"}


def pages(api: Api, path: str) -> Iterator[Any]:
    """Yield this page and all that its links lead to, and check each against the contract."""
    while path:
        answer = api.get(path)
        assert answer.status == 200, answer
        page = json_of(answer)
        conforms(page, SCHEMAS.get(path.partition("?")[0], "Distribution"))
        link = re.fullmatch(r'<(https?://[^>]+)>; rel="next"', answer.headers.get("link", ""))
        assert bool(link) == ("cursor" in page)
        yield page
        path = local(link[1]) if link else ""


def unrecognised(image: Any) -> Any:
    """Return an image without its recognised labels, which come some time after its upload."""
    return {name: value for name, value in image.items() if name != "labels"}


def ids(found: Iterator[Any]) -> list[str]:
    return [image["id"] for page in found for image in page["images"]]


def test_the_images_of_a_label_come_in_pages_by_name(api: Api) -> None:
    assert json_of(api.get(f"/images?label={api.label}")) == {"images": []}
    uploaded = [json_of(api.upload(pictures.tiny(seed), "0.5")) for seed in range(5)]
    for each in uploaded:
        del each["probability"]
    whole = sorted(uploaded, key=lambda each: str(each["id"]))
    listed = json_of(api.get(f"/images?label=%20{api.label.upper()}%20"))
    assert (listed.keys(), [*map(unrecognised, listed["images"])]) == ({"images"}, whole)
    in_pages = [page["images"] for page in pages(api, f"/images?label={api.label}&limit=2")]
    assert [[*map(unrecognised, page)] for page in in_pages] == [whole[:2], whole[2:4], whole[4:]]
    assert len(list(pages(api, f"/images?label={api.label}&limit=5"))) == 1
    assert api.host.request("HEAD", f"/images?label={api.label}&limit=2").headers["link"]


def test_thousands_of_images_are_listed_exactly_once_while_others_are_added_and_deleted(api: Api) -> None:
    kept = put_rows(api, [image(api.label, 2 * n) for n in range(2_000)])
    put_rows(Api(api.host, api.label + "-x"), [image(api.label + "-x", 1)])
    client, table = rows_of(api)
    passing = [image(api.label, 2 * n + 1) for n in range(0, 2_000, 40)]
    put_rows(api, passing[:25])
    seen: list[str] = []
    for number, page in enumerate(pages(api, f"/images?label={api.label}&limit=100")):
        seen += [each["id"] for each in page["images"]]
        gone, come = passing[number % 25], passing[25 + number % 25]
        client.delete_item(TableName=table, Key=items.image_key(api.label, gone.name))
        client.put_item(TableName=table, Item=items.image_item(come, 1))
    others = {each.id for each in passing}
    assert [each for each in seen if each not in others] == kept
    assert len(seen) == len(set(seen))


def test_images_are_listed_by_tag(api: Api) -> None:
    both = put_rows(api, [image(api.label, n, tags=("shy", "fluffy")) for n in range(3)], "fluffy", "shy")
    fluffy = put_rows(api, [image(api.label, n, tags=("fluffy",)) for n in range(3, 8)], "fluffy")
    put_rows(api, [image(api.label, 9)])
    assert ids(pages(api, f"/images?label={api.label}&tag=shy")) == both
    found = list(pages(api, f"/images?label={api.label}&tag=%20Fluffy&limit=3"))
    assert ids(iter(found)) == sorted(both + fluffy)
    assert {tuple(each["tags"]) for page in found for each in page["images"]} == {("fluffy",), ("fluffy", "shy")}
    assert ids(pages(api, f"/images?label={api.label}&tag=none")) == []
    client, table = rows_of(api)
    client.delete_item(TableName=table, Key=items.image_key(api.label, both[1].partition("/")[2]))
    assert ids(pages(api, f"/images?label={api.label}&tag=shy&limit=1")) == [both[0], both[2]]


def test_images_are_listed_by_the_beginning_of_their_file_names(api: Api) -> None:
    named = [image(api.label, n, filename=f"IMG_{n % 4}é.png") for n in range(12)]
    put_rows(api, [*named, image(api.label, 90), image(api.label, 91, filename="img_1é.png")])
    wanted = sorted(named, key=lambda each: (each.filename, each.name))
    for limit in (1, 2, 5, 12, 100):
        found = list(pages(api, f"/images?label={api.label}&filename=IMG_&limit={limit}"))
        assert ids(iter(found)) == [each.id for each in wanted]
    ones = [each for each in wanted if each.filename == "IMG_1é.png"]
    for prefix in ("IMG_1", "IMG_1é.png"):
        assert ids(pages(api, f"/images?label={api.label}&limit=2&filename={quote(prefix)}")) == [
            each.id for each in ones
        ]
    (page,) = pages(api, f"/images?label={api.label}&filename=img")
    assert [each["filename"] for each in page["images"]] == ["img_1é.png"]


def test_the_images_of_all_labels_are_listed_label_by_label(api: Api) -> None:
    """Also those of other tests, where several share a host."""
    wanted: list[str] = []
    for name in ("a", "b", "c"):
        of_label = Api(api.host, f"{api.label}-{name}")
        sent = [of_label.upload(pictures.tiny(seed), "0.5") for seed in range(3 if name != "b" else 1)]
        wanted += sorted(json_of(answer)["id"] for answer in sent)
        api.patch(json_of(sent[0])["url"], {"tags": [api.label]})
    emptied = Api(api.host, f"{api.label}-b-emptied")
    assert emptied.delete(json_of(emptied.upload(pictures.tiny(1)))["url"]).status == 204
    for limit in (2, 100):
        every = ids(pages(api, f"/images?limit={limit}"))
        assert [each for each in every if each.startswith(f"{api.label}-")] == wanted
        assert every == sorted(every, key=lambda each: each.split("/"))
        assert len(every) == len(set(every))
    for limit in (1, 2, 100):
        found = list(pages(api, f"/images?tag={api.label.upper()}%20&limit={limit}"))
        assert [each["label"][-2:] for page in found for each in page["images"]] == ["-a", "-b", "-c"]
        assert {tuple(each["tags"]) for page in found for each in page["images"]} == {(api.label,)}
    (image,) = json_of(api.get(f"/images?label={emptied.label[:-8]}"))["images"]
    tagged = [each for page in pages(api, f"/images?tag={api.label}&limit=100") for each in page["images"]]
    assert unrecognised(image) in map(unrecognised, tagged)


def test_no_response_names_an_owner(api: Api) -> None:
    put_rows(api, [image(api.label, 1, owner="auth0|somebody", filename="a")])
    for query in ("", "&filename=a"):
        answer = api.get(f"/images?label={api.label}{query}")
        assert len(json_of(answer)["images"]) == 1
        assert b"somebody" not in answer.body
    problem(api.get(f"/images?label={api.label}&owner=auth0%7Csomebody"), 400, field="owner")
    assert b"somebody" not in api.get(f"/mine?label={api.label}").body
    problem(api.get(f"/mine?label={api.label}"), 403, field="owner")


def test_labels_are_listed_with_count_and_total_weight(api: Api) -> None:
    one, other, empty = (Api(api.host, f"{api.label}-{name}") for name in ("one", "other", "to-be-empty"))
    for seed, weight in enumerate(("0.25", "0.5")):
        one.upload(pictures.tiny(seed), weight)
    other.upload(pictures.tiny(1), "0.000000001")
    assert empty.delete(json_of(empty.upload(pictures.tiny(1)))["url"]).status == 204
    for limit in (1, 2, 100):
        found = [each for page in pages(api, f"/labels?limit={limit}") for each in page["labels"]]
        assert len({each["label"] for each in found}) == len(found)
        mine = [each for each in found if each["label"].startswith(api.label + "-")]
        assert [(each["label"], each["count"], each["totalWeight"]) for each in mine] == [
            (one.label, 2, 0.75),
            (other.label, 1, 1e-9),
        ]
    assert json_of(api.get(mine[0]["url"]))["count"] == 2
    assert empty.upload(pictures.tiny(1)).status == 201
    assert empty.label in {each["label"] for page in pages(api, "/labels") for each in page["labels"]}


def test_labels_say_how_many_images_are_left_to_index(moto_aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(Handlers(), new_label())
    assert json_of(api.get("/labels"))["leftToIndex"] == 0
    queue = IndexQueue(aws.sqs(), read_settings().index_queue)
    queue.put(ToIndex(api.label, f"{number:032x}.png") for number in range(25))
    assert json_of(api.get("/labels"))["leftToIndex"] == 25
    assert json_of(api.get("/labels?limit=1"))["leftToIndex"] == 25

    def is_down(_: IndexQueue) -> int:
        raise EndpointConnectionError(endpoint_url="sqs")

    monkeypatch.setattr(IndexQueue, "waiting", is_down)
    assert set(json_of(api.get("/labels"))) == {"labels"}


def test_a_label_returns_its_distribution(api: Api) -> None:
    weights = ("0.1", "0.2", "0.000000001", "0.3")
    uploaded = [json_of(api.upload(pictures.tiny(seed), weight)) for seed, weight in enumerate(weights)]
    found = list(pages(api, f"/labels/{api.label}?limit=3"))
    assert [len(page["images"]) for page in found] == [3, 1]
    assert {(page["label"], page["count"], page["totalWeight"]) for page in found} == {(api.label, 4, 0.600000001)}
    law = {each["id"]: each for page in found for each in page["images"]}
    for each in uploaded:
        listed = law[each["id"]]
        assert (listed["weight"], listed["url"]) == (each["weight"], each["url"])
        assert listed["probability"] == json_of(api.get(each["url"] + "/info"))["probability"]
    for each in uploaded:
        api.delete(each["url"])
    problem(api.get(f"/labels/{api.label}"), 404, field="label")


WRONG = {
    "/images?filename=a": (400, "label"),
    "/images?filename=a&tag=b": (400, "label"),
    "/images?tag=": (422, "tag"),
    "/images?tag=a%23b": (422, "tag"),
    "/images?tag=a&tag=a": (400, "tag"),
    "/images?limit=0": (422, "limit"),
    "/images?tag=a&limit=101": (422, "limit"),
    "/images?cursor=": (400, "cursor"),
    "/images?tag=a&cursor=x": (400, "cursor"),
    "/images?label=": (422, "label"),
    "/images?label=a_b": (422, "label"),
    "/images?label={}&label={}": (400, "label"),
    "/images?label={}&size=256": (400, "size"),
    "/images?label={}&tag=": (422, "tag"),
    "/images?label={}&tag=a%23b": (422, "tag"),
    "/images?label={}&tag=a&filename=a": (400, "filename"),
    "/images?label={}&filename=": (422, "filename"),
    "/images?label={}&filename=a%0Ab": (422, "filename"),
    "/images?label={}&filename=" + "a" * 256: (422, "filename"),
    "/images?label={}&limit=0": (422, "limit"),
    "/images?label={}&limit=101": (422, "limit"),
    "/images?label={}&limit=": (422, "limit"),
    "/images?label={}&limit=1.0": (422, "limit"),
    "/images?label={}&limit=%2B1": (422, "limit"),
    "/images?label={}&limit=%D9%A3": (422, "limit"),
    "/images?label={}&limit=" + "9" * 5000: (422, "limit"),
    "/images?label={}&cursor=": (400, "cursor"),
    "/images?label={}&cursor=x": (400, "cursor"),
    "/images?label={}&cursor=%FF": (400, "cursor"),
    "/labels?label={}": (400, "label"),
    "/labels?limit=-1": (422, "limit"),
    "/labels?cursor=x": (400, "cursor"),
    "/labels/{}": (404, "label"),
    "/labels/UNUSED": (404, "label"),
    "/labels/%23labels": (404, "label"),
    "/labels/c%20at?limit=1": (404, "label"),
    "/labels/{}?cursor=x": (400, "cursor"),
    "/labels/{}?tag=x": (400, "tag"),
    "/images/{}/00000000000000000000000000000000.png/info?label=cat": (400, "label"),
}


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path[:50])
def test_a_wrong_query_of_a_list_names_the_parameter(api: Api, path: str) -> None:
    status, field = WRONG[path]
    problem(api.get(path.replace("{}", api.label)), status, field=field)


def test_a_cursor_works_for_its_own_query_only(api: Api) -> None:
    put_rows(api, [image(api.label, n, tags=("a",), filename=f"f{n}") for n in range(3)], "a", "b")
    other = Api(api.host, api.label + "-x")
    put_rows(other, [image(other.label, n) for n in range(3)])
    for seed in range(2):
        json_of(other.post([("label", other.label), ("tags", "a"), ("img", File(pictures.tiny(seed)))]))
    queries = [
        "/images?limit=1",
        "/images?limit=1&tag=a",
        f"/images?label={api.label}&limit=1",
        f"/images?label={other.label}&limit=1",
        f"/images?label={api.label}&limit=1&tag=a",
        f"/images?label={api.label}&limit=1&tag=b",
        f"/images?label={api.label}&limit=1&filename=f",
    ]
    cursors = [json_of(api.get(query))["cursor"] for query in queries]
    for query in (*queries, "/labels?limit=1", f"/labels/{api.label}?limit=1"):
        for of, cursor in zip(queries, cursors, strict=True):
            answer = api.get(f"{query}&cursor={cursor}")
            if query == of:
                assert answer.status == 200
                assert api.get(f"{query}&cursor={cursor}".replace("limit=1", "limit=2")).status == 200
            else:
                assert "take it from the previous page" in problem(answer, 400, field="cursor")
