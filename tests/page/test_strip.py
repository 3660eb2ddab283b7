"""The law of a label as one strip of pictures: few, 95 and thousands of them, by mouse and by keyboard."""

import itertools
import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support import pictures
from tests.support.hosts import Api
from tests.support.the_page import MANY_FALL, THREE, Crops, Visit, counts, draw, stop_clock, three

NARROW = 26  # pixels
THUMBNAILS = 60
HALF = 36  # pixels: the height of a bar that is as high as expected
READ_MAX = 1000
SLICES = """(all) => all.map((one) => ({
    width: one.getBoundingClientRect().width, high: one.querySelector("button").offsetHeight,
    images: one.querySelectorAll("img").length, cap: one.querySelector("b").textContent,
    bar: parseFloat(/- ([0-9.]+)px/.exec(getComputedStyle(one.querySelector(".bar")).clipPath)?.[1] ?? 0),
    name: one.querySelector("button").ariaLabel,
}))"""


def slices(page: Page) -> list[dict[str, Any]]:
    """Return what the slices of the strip look like."""
    found: list[dict[str, Any]] = page.locator(".strip li").evaluate_all(SLICES)
    return found


def share(name: str) -> float:
    """Return the probability in percent that the name of a slice says."""
    found = re.search(r" (<?[\d.]+)%", name)
    assert found
    return float(found[1].removeprefix("<"))


def test_a_slice_is_as_wide_as_its_picture_is_likely_and_its_bar_as_high_as_it_was_drawn(
    petapi: Api, visit: Visit
) -> None:
    three(petapi)
    page = visit(before=lambda page: page.clock.install(), reduced_motion="reduce")
    stop_clock(page)
    page.locator("#many").click()
    expect(page.locator(".said span")).to_have_text("1 of 100")
    page.clock.run_for(MANY_FALL)
    expect(page.locator(".said span")).to_have_text("Drawn 101 times.")
    expect(page.locator("#law-title")).to_have_text(f"3 pictures of {petapi.label}, as wide as they are likely")
    width = page.locator(".strip").evaluate("(strip) => strip.clientWidth")
    for found, (name, weight), count in zip(slices(page), THREE.items(), counts(page), strict=True):
        assert found["width"] == pytest.approx(width * weight, abs=0.5)
        assert found["high"] == 128
        assert found["bar"] == pytest.approx(HALF * min(2, count / (101 * weight)), abs=0.5)
        assert found["cap"] == f"{weight:.1%}"
        assert found["name"] == f"{name}, {weight:.1%}, drawn {count} times"
    assert [found["images"] > 1 for found in slices(page)] == [True, False, False]  # the widest shows it as film does
    assert page.locator(".hit").count() == 1
    expect(page.locator(".shared")).to_have_text("")

    strip = page.locator(".strip button")
    strip.first.focus()
    for key, place in (
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("ArrowRight", 0),
        ("ArrowLeft", 2),
        ("Home", 0),
        ("End", 2),
    ):
        page.keyboard.press(key)
        expect(strip.nth(place)).to_be_focused()
    assert [one.get_attribute("tabindex") for one in strip.all()] == ["-1", "-1", "0"]
    page.keyboard.press("Enter")
    expect(page.locator("#box-title")).to_contain_text("c.png")
    page.keyboard.press("Escape")
    expect(strip.last).to_be_focused()


def test_95_pictures_share_slices_that_lead_to_the_gallery(visit: Visit, crops: Crops) -> None:
    page = visit(crops.label)
    expect(page.locator("#law-title")).to_contain_text(f"95 pictures of {crops.label}")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_function("(width) => document.querySelector('.strip').clientWidth < width", arg=width)
        expect(page.locator(".strip li").last).to_be_attached()
        found = slices(page)
        groups = [re.match(r"(\d+) pictures, .* together", each["name"]) for each in found]
        together = [int(group[1]) for group in groups if group]
        assert len(found) - len(together) + sum(together) == 95
        assert min(each["width"] for each in found) >= NARROW
        assert sum(each["width"] for each in found) == pytest.approx(
            page.locator(".strip").evaluate("(strip) => strip.clientWidth"), abs=0.5
        )
        assert sum(share(each["name"]) for each in found) == pytest.approx(100, abs=0.05 * len(found))
        assert sum(each["images"] for each in found) <= THUMBNAILS
        assert {each["high"] for each in found} == {88}
        assert (
            page.locator(".shared")
            .inner_text()
            .startswith(f"The {sum(together)} least likely share {len(together)} slices. Click one")
        )
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(page.locator(".strip li")).not_to_have_count(len(found))
    expect(page.locator(".most tbody tr")).to_have_count(10)

    page.locator("#sort").select_option("name")
    group = page.locator(".strip button", has=page.locator("img:nth-child(2)")).or_(
        page.get_by_role("button", name=re.compile("^[0-9]+ pictures"))
    )
    first = group.first.locator("img").first.get_attribute("src").partition("?")[0]  # type: ignore[union-attr]
    group.first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#sort")).to_have_value("heavy")
    focused = page.locator("#gallery .tile:focus")
    expect(focused).to_be_in_viewport()
    assert focused.locator("img").get_attribute("src").partition("?")[0] == first  # type: ignore[union-attr]
    shares = page.locator("#gallery .tile b").all_inner_texts()
    assert shares == sorted(shares, key=lambda text: -float(text.strip("<%")))


def test_of_a_label_with_thousands_of_pictures_the_strip_says_what_it_has_not_read(petapi: Api, visit: Visit) -> None:
    """The service answers as the test says: 3,000 pictures, of which the first thousand have 38.7% of the weight."""
    label, dot = petapi.label, pictures.png(1)
    weights = [round(0.387 / 1000 + (500 - place) * 1e-7, 9) for place in range(3000)]
    listed = [
        {"id": f"{label}/{place:032x}.png", "label": label, "weight": weight, "filename": f"{place}.png"}
        | {"width": 24, "height": 16, "bytes": 99, "contentType": "image/png", "created": "2026-11-28T10:00:00Z"}
        | {"url": "", "probability": weight, "tags": ["even"] if place % 2 == 0 else []}
        for place, weight in enumerate(weights)
    ]
    places = itertools.cycle([0, 2999])

    def page_of(route: Route) -> None:
        start = int((re.findall(r"cursor=(\d+)", route.request.url) or ["0"])[0])
        route.fulfill(json={"images": listed[start : start + 100], "cursor": f"{start + 100}"})

    def routes(page: Page) -> None:
        one = {"label": label, "count": 3000, "totalWeight": 1}
        page.route("**/labels?*", lambda route: route.fulfill(json={"labels": [one]}))
        page.route("**/images?*", page_of)
        page.route("**/images/*/*", lambda route: route.fulfill(body=dot, content_type="image/png"))
        answer = {"totalWeight": 1, "probability": 0.0004}
        page.route("**/random.json?*", lambda route: route.fulfill(json={**listed[next(places)], **answer}))

    page = visit(before=routes)
    expect(page.locator("#law-title")).to_have_text(
        f"3,000 pictures of {label}, as wide as they are likely (the first 1,000 were read)"
    )
    found = slices(page)
    rest = 1 - sum(weights[:READ_MAX])
    assert found[-1]["name"] == f"2,000 more, which were not read, {rest:.1%}, drawn 0 times"
    width = page.locator(".strip").evaluate("(strip) => strip.clientWidth")
    assert found[-1]["width"] == pytest.approx(width * rest, abs=0.5)
    assert found[-1]["images"] == 0
    assert min(each["width"] for each in found) >= NARROW
    assert sum(int(each["name"].split()[0]) for each in found[:-1]) == READ_MAX
    assert sum(each["images"] for each in found) <= THUMBNAILS
    about = READ_MAX / (len(found) - 1)
    expect(page.locator(".shared")).to_contain_text(f"Each slice stands for about {about:.0f} pictures.")
    expect(page.locator("#tags-title")).to_have_text("Only with the tag (of the first 1,000)")
    assert page.locator(".tags button").inner_text().split() == ["even", "500"]
    draw(page)
    drawn = counts(page)
    assert (drawn[0], drawn[-1], sum(drawn)) == (1, 1, 2)

    page.locator(".strip .rest button").click()
    expect(page.locator("#gallery .tile:focus")).to_be_in_viewport()
    expect(page.locator("#gallery .tile")).to_have_count(READ_MAX)
    expect(page.locator("#gallery .end")).to_contain_text("The first 1,000 were read.")

    def another(page: Page) -> None:
        routes(page)
        other = {"label": "other", "count": 1, "totalWeight": 1}  # the label is newer than this list
        page.route("**/labels?*", lambda route: route.fulfill(json={"labels": [other]}))

    page = visit(f"{label}&tag=even", before=another)
    expect(page.locator("#law-title")).to_contain_text(f"of {label} with the tag even")
    expect(page.locator(".strip .rest .cap span")).to_have_text("more")  # how many have the tag is not known
