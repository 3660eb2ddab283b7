"""Draws in a browser: a picture and its percentage, a hundred at a time, of tags and labels, and when none is left."""

import math
import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support import pictures
from tests.support.hosts import Api, json_of
from tests.support.pictures import File
from tests.support.the_page import (
    MANY_FALL,
    THREE,
    WATCH_PAIRS,
    Visit,
    counts,
    draw,
    held,
    idle,
    pairs,
    stop_clock,
    taken,
    three,
)

LATE = 3000  # milliseconds
SAID = ".said span"
CAPTIONS = {name: [f"{weight:.1%}", f"weight {weight} of 1 in total"] for name, weight in THREE.items()}


def answer_draws(petapi: Api, page: Page, *answers: list[str]) -> None:
    """Answer the next draws with these images, by their file names; more than one answers `count`."""
    known = {each["filename"]: each for each in json_of(petapi.get(f"/images?label={petapi.label}"))["images"]}
    left = iter(answers)

    def answer(route: Route) -> None:
        images = [{**known[name], "probability": THREE[name], "totalWeight": 1} for name in next(left)]
        route.fulfill(json=images[0] if len(images) == 1 else {"images": images, "totalWeight": 1})

    page.route("**/random.json?*", answer, times=len(answers))


def test_the_percentage_changes_only_with_its_picture_however_late_that_is(petapi: Api, visit: Visit) -> None:
    three(petapi)
    page = visit(before=lambda page: page.clock.install())
    stop_clock(page)
    first = page.locator(".hero .name").inner_text()
    second, third = [name for name in THREE if name != first]
    answer_draws(petapi, page, [second], [second] * 50 + [third] * 50, [first])
    late = held(page, "**/images/*/*?size=1024")
    page.evaluate(WATCH_PAIRS)

    page.locator("#one").focus()
    with page.expect_response("**/random.json?*"):
        page.keyboard.press("Enter")
    page.clock.run_for(LATE)
    expect(page.locator("#one")).to_have_attribute("aria-busy", "true")
    expect(page.locator("#one")).to_be_focused()
    expect(page.locator(".hero .name")).to_have_text(first)
    expect(page.locator(SAID)).to_have_text("Drawn 1 time.")
    taken(page, late).continue_()
    idle(page, "#one")
    expect(page.locator(".hit button")).to_have_attribute("aria-label", f"{second}, {THREE[second]:.1%}, drawn 1 time")

    page.locator("#many").click()
    expect(page.locator(SAID)).to_have_text("1 of 100")
    page.clock.run_for(MANY_FALL)
    expect(page.locator(SAID)).to_have_text("100 of 100")
    last = taken(page, late)
    page.unroute("**/images/*/*?size=1024")
    page.locator("#one").click()
    idle(page, "#one")
    last.continue_()
    expect(page.locator("#many")).to_have_text("Draw 100")
    assert sum(counts(page)) == 103

    shown = pairs(page)
    assert [pair[2] for pair in shown[:2]] == [first, second]
    for *caption, name, words, seen in shown:
        assert (caption, words, seen) == (CAPTIONS[name], f"{name}, {petapi.label}", True)


def test_a_hundred_draws_are_one_request_and_counted_exactly(petapi: Api, visit: Visit) -> None:
    three(petapi)
    page = visit(before=lambda page: page.clock.install())
    stop_clock(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    expect(page.locator(SAID)).to_have_text("Drawn 1 time.")
    expect(page.locator(".verdict")).to_have_text("1 draw. Too few to tell.")
    page.locator("#many").click()
    expect(page.locator(SAID)).to_have_text("1 of 100")
    page.clock.run_for(MANY_FALL)
    expect(page.locator(SAID)).to_have_text("Drawn 101 times.")
    assert [each for each in asked if each.startswith("random")] == [f"random.json?label={petapi.label}&count=100"]

    drawn = counts(page)
    assert sum(drawn) == 101
    assert 32 < drawn[0] < 88  # of 60.6, within 5.8 standard deviations
    rows = [row.split("\t") for row in page.locator(".most tbody tr").all_inner_texts()]
    assert [(row[0].strip(), *row[-2:]) for row in rows] == [
        (name, f"{count / 101:.1%}", f"{weight:.1%}")
        for (name, weight), count in zip(THREE.items(), drawn, strict=True)
    ]
    bars = page.locator(".bar").evaluate_all("(all) => all.map((one) => Number(one.style.getPropertyValue('--p')))")
    expected = [101 * share for share in THREE.values()]
    assert bars == pytest.approx([min(2, count / often) for count, often in zip(drawn, expected, strict=True)])
    # For three classes, there is a formula.
    chi = sum((count - often) ** 2 / often for count, often in zip(drawn, expected, strict=True))
    words, percent = re.fullmatch(
        r"101 draws\. (As expected|Unusual): a correct service is this uneven (?:or more|only) (.*)% of the time\.",
        page.locator(".verdict").inner_text(),
    ).groups()  # type: ignore[union-attr]
    assert words == ("As expected" if math.exp(-chi / 2) >= 0.01 else "Unusual")
    assert float(percent.removeprefix("less than ")) == pytest.approx(100 * math.exp(-chi / 2), abs=0.51)

    page.locator("#over").click()
    expect(page.locator("#one")).to_be_focused()
    expect(page.locator("#over")).to_be_hidden()
    expect(page.locator(".verdict")).to_have_text("Draw a few and see where they fall.")
    assert counts(page) == [0, 0, 0]
    draw(page)
    assert sum(counts(page)) == 1


def test_a_hundred_draws_can_be_stopped_by_button_and_by_key(petapi: Api, visit: Visit) -> None:
    three(petapi)
    page = visit(before=lambda page: page.clock.install())
    stop_clock(page)
    for stopped in (1, 2):
        page.locator("#many").click()
        expect(page.locator("#many")).to_have_text("Stop")
        expect(page.locator("#over")).to_be_hidden()
        expect(page.locator(SAID)).to_have_text("1 of 100")
        page.clock.run_for(10 * MANY_FALL // 100)
        expect(page.locator(SAID)).to_have_text("11 of 100")
        if stopped == 1:
            page.locator("#many").click()
        else:
            page.keyboard.press("Escape")
        page.clock.run_for(MANY_FALL)
        expect(page.locator("#many")).to_have_text("Draw 100")
        expect(page.locator("#many")).to_be_focused()
        expect(page.locator(SAID)).to_have_text(f"Drawn {1 + 11 * stopped} times.")
        assert sum(counts(page)) == 1 + 11 * stopped


def test_a_read_is_repeated_after_the_time_that_a_busy_service_names(petapi: Api, visit: Visit) -> None:
    """The emulator has no throttle, so the test answers twice as the gateway does."""
    three(petapi)
    page = visit(refused=["/random"])
    refused: list[int] = []

    def answer(route: Route) -> None:
        if len(refused) == 2:
            return route.continue_()
        refused.append(429 if refused else 503)
        return route.fulfill(status=refused[-1], headers={"Retry-After": "1"}, body='{"detail": "Busy."}')

    page.route("**/random.json?*", answer)
    draw(page)
    assert refused == [503, 429]
    expect(page.locator(SAID)).to_have_text("Drawn 2 times.")
    expect(page.locator(".toast")).to_be_hidden()


def test_a_tag_changes_draws_strip_gallery_and_embed(petapi: Api, visit: Visit) -> None:
    tags = {"a.png": "sea,sky", "b.png": "sea", "c.png": "t1,t2,t3,t4,t5"}
    for seed, (name, weight) in enumerate(THREE.items()):
        fields = [("label", petapi.label), ("weight", f"{weight}"), ("tags", tags[name])]
        assert petapi.post([*fields, ("img", File(pictures.png(seed), name))]).status == 201
    page = visit()
    chips = page.locator(".tags button")
    assert chips.all_inner_texts()[0].split() == ["sea", "2"]
    expect(chips.last).to_have_text("All 7 tags")
    chips.last.click()
    expect(chips).to_have_count(7)
    expect(chips.last).to_have_text("t51")
    sea = page.locator(".tags button", has_text="sea")
    sea.click()
    expect(sea).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#law-title")).to_contain_text(f"2 pictures of {petapi.label} with the tag sea")
    names = page.locator(".strip button").evaluate_all("(all) => all.map((one) => one.ariaLabel.split(', drawn')[0])")
    assert names == ["a.png, 66.7%", "b.png, 33.3%"]
    expect(page.locator(".fraction")).to_contain_text("of 0.9 in total")
    expect(page.locator("#gallery .tile")).to_have_count(2)
    expect(page.locator(".code code")).to_contain_text(f"random?label={petapi.label}&amp;tag=sea")
    with page.expect_request(f"**/random.json?label={petapi.label}&tag=sea"):
        draw(page)
    assert sum(counts(page)) == 2
    sea.click()
    expect(page.locator(".strip button")).to_have_count(3)
    expect(page.locator(".fraction")).to_contain_text("of 1 in total")
    assert sum(counts(page)) == 1
