"""Uploads by the page: large files that go straight to S3, odd names, and a label that the list does not have yet."""

import itertools
import json
import os
import random
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from shared.limits import BODY_MAX, FILE_MAX
from tests.support import pictures
from tests.support.browser import PATIENCE, Watched
from tests.support.cloud import ROOT
from tests.support.hosts import Api, json_of
from tests.support.local_service import LocalService
from tests.support.pictures import File
from tests.support.the_page import Visit, ready
from tests.support.the_rooms import add, give, look, row, tiles
from tests.support.waiting import eventually

DIRECT_PATIENCE = 6 * PATIENCE  # for a file that goes straight to S3: the page gives up after 120 s
ODD_NAMES = [
    "Screenshot 9.41\u202fAM.png",
    "\U0001f469\u200d\U0001f467\u3000\u00a0x.png",
    "\u200f\u05e2\u05d1 (1).png",
    "e\u0301 <b>&amp;'%41;=,.png",
    "\U0001f408" * 251 + ".png",
]
GREY = pictures.saved(pictures.raster(1).convert("L"), "PNG")

to_s3 = pytest.mark.skipif("PETAPI_URL" in os.environ, reason="`sam local` receives no S3 events")


@pytest.fixture
def s3(opened: list[Watched], running: LocalService) -> Iterator[str]:
    """Let the page ask S3, too. Return where it is."""
    yield running.aws_endpoint
    for watched in opened:
        watched.others.add(urlsplit(running.aws_endpoint).netloc)


def large(content: bytes) -> bytes:
    """Make a PNG too large for a form, by something that petAPI leaves out of it."""
    made = pictures.png_with(content, pictures.chunk(b"prVt", random.Random(1).randbytes(BODY_MAX)))
    assert BODY_MAX < len(made) < FILE_MAX
    return made


@to_s3
def test_a_large_picture_goes_straight_to_s3_and_is_recognised(
    petapi: Api, visit: Visit, s3: str, tmp_path: Path
) -> None:
    page = visit()
    names = (ODD_NAMES[-1][-64:], "small.png")
    for name, content in zip(names, (large(GREY), pictures.png(1)), strict=True):
        (tmp_path / name).write_bytes(content)
    page.set_input_files("#files", [tmp_path / name for name in names])
    page.locator("#forall [name=tags]").fill("Sleepy, garden")
    page.locator("#forall [name=weight]").fill("0.25")
    page.locator("#go").click()
    expect(page.locator(".tray .sum p")).to_have_text("2 of 2 stored.", timeout=DIRECT_PATIENCE)
    expect(row(page, names[0]).locator("p")).to_have_text(f"Stored. 50.0% of {petapi.label}")
    images = json_of(petapi.get(f"/images?label={petapi.label}&tag=sleepy"))["images"]
    assert sorted((image["filename"], image["weight"]) for image in images) == sorted((name, 0.25) for name in names)
    expect(page.locator("#go")).to_have_text("Done")
    page.locator("#forall [name=weight]").fill("0.5")
    page.set_input_files("#files", tmp_path / names[0])
    page.locator("#go").click()
    known = "Already there, with weight 0.25. Set it to 0.5"
    expect(row(page, names[0]).locator("p")).to_have_text(known, timeout=DIRECT_PATIENCE)
    row(page, names[0]).get_by_role("button", name="Set it to 0.5").click()
    expect(row(page, names[0]).locator("p")).to_have_text(f"Stored. 66.7% of {petapi.label}")
    (url,) = (image["url"] for image in images if image["filename"] == names[0])
    eventually(lambda: "labels" in json_of(petapi.get(f"{url}/info")))
    page.locator("#go").click()
    expect(look(page, names[0]).locator(".guess li").first).to_have_text(re.compile(r"grey\d+%"))


@to_s3
def test_what_s3_or_the_check_after_it_refuses_is_said(visit: Visit, s3: str, tmp_path: Path) -> None:
    (tmp_path / "large.png").write_bytes(b"text" * (BODY_MAX // 4))
    page = visit(refused=[re.escape(s3)])
    page.set_input_files("#files", tmp_path / "large.png")
    page.route(f"{s3}/**", lambda route: route.fulfill(status=403, body="<Error/>"), times=1)
    add(page)
    words = row(page, "large.png").locator("p")
    expect(words).to_contain_text("Refused: The service answered 403. Try again in a moment.")
    words.get_by_role("button", name="Retry").click()
    expect(words).to_contain_text("must be a JPEG, PNG or WebP picture", timeout=DIRECT_PATIENCE)


@pytest.mark.parametrize("more", [{}, {"cursor": "more"}], ids=["not yet", "too many"])
def test_a_label_beyond_the_list_is_shown(visit: Visit, more: dict[str, str]) -> None:
    count = itertools.count()

    def others(route: Route) -> None:
        listed = [{"label": f"other-{next(count)}", "count": 1, "totalWeight": 0.5} for _ in range(100)]
        route.fulfill(json={"labels": listed if more else [], **more})

    def shown(page: Page) -> None:
        expect(page.locator(".hero b")).to_have_text("100.0%")
        expect(page.locator(".zone")).to_be_hidden()
        expect(page.locator(".most tbody tr")).to_have_count(1)
        assert tiles(page) == ["cat.png"]

    page = visit(before=lambda page: page.route("**/labels?*", others), refused=["/images"])
    give(page, File(pictures.png(1), "cat.png"))
    add(page)
    shown(page)
    if more:
        page.reload()
        ready(page)
        shown(page)


def test_file_names_survive_the_page_and_are_found(petapi: Api, visit: Visit) -> None:
    page = visit()
    give(page, *(File(pictures.png(seed, (32, 32)), name, "image/png") for seed, name in enumerate(ODD_NAMES)))
    add(page)
    expect(page.locator(".tray .sum p")).to_have_text("5 of 5 stored.")
    expect(page.locator(".tile")).to_have_count(5)
    assert sorted(tiles(page)) == sorted(ODD_NAMES)
    stored = json_of(petapi.get(f"/images?label={petapi.label}"))["images"]
    assert sorted(image["filename"] for image in stored) == sorted(ODD_NAMES)
    page.locator("#go").click()
    for name in ODD_NAMES:
        page.locator(".find input").fill(name[:100])
        page.keyboard.press("Enter")
        expect(page.locator(".find input")).not_to_have_attribute("aria-busy", "true")
        expect(page.locator(".found b")).to_have_text("1 picture")
        assert tiles(page) == [name]
        expect(page.locator(".why")).to_have_text(f"file name: {name[:100]}")


def test_a_service_of_few_labels_gets_all_samples_under_the_first(petapi: Api, visit: Visit) -> None:
    """One sample of each label is enough here, and the service is empty for the page at first."""
    taken = [petapi.label, "vehicles"]

    def status(route: Route) -> None:
        route.fulfill(json={**route.fetch().json(), "labels": taken})

    def some(route: Route) -> None:
        document = route.fetch().json()
        samples = {sample["label"]: sample for sample in document["samples"] if sample["label"] != "vehicles"}
        route.fulfill(json={**document, "samples": [*samples.values()]})

    def before(page: Page) -> None:
        page.route("**/status", status)
        page.route("**/samples.json", some)
        page.route("**/labels?*", lambda route: route.fulfill(json={"labels": []}), times=1)

    page = visit(before=before)
    give(page, File(pictures.png(1), "mine.png"))  # which was not sent, and is not sent along
    page.locator("#samples").click()
    expect(page.locator(".tray .sum p")).to_have_text("3 of 4 stored.")
    expect(row(page, "mine.png")).to_contain_text("Waiting")
    expect(page.locator(".taken")).to_have_text(f"This service takes the labels {petapi.label}, vehicles.")
    expect(page.locator(".tile")).to_have_count(3)
    stored = json_of(petapi.get(f"/images?label={petapi.label}"))["images"]
    given = json.loads((ROOT / "web/samples/samples.json").read_text())["samples"]
    of = {sample["name"]: (sample["weight"], sorted([sample["label"], *sample["tags"]])) for sample in given}
    assert {image["filename"]: (image["weight"], image["tags"]) for image in stored}.items() <= of.items()
    assert {tag for image in stored for tag in image["tags"]} >= {"houses", "people", "nature"}
