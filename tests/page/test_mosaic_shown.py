"""The mosaic in the light box: over the picture, of which tiles, and why there is none."""

import re
from typing import Any

from playwright.sync_api import expect

from tests.support.browser import axe
from tests.support.hosts import Api
from tests.support.the_page import Visit
from tests.support.the_rooms import look, store


def test_the_mosaic_lies_over_the_picture_with_a_divider(petapi: Api, visit: Visit) -> None:
    """A picture is no tile of its own mosaic, so that a label of 16 pictures has a tile too few."""
    for seed in range(16):
        store(petapi, f"{seed}.png", seed)
    store(Api(petapi.host, f"{petapi.label}-b"), "another.png", 99)
    page = visit()
    box = look(page, "3.png")
    mosaic, over = box.get_by_role("button", name="Mosaic"), box.locator(".over")
    mosaic.click()
    expect(mosaic).to_have_attribute("aria-pressed", "true")
    said = f"The label {petapi.label} has 15 other tiles; a mosaic needs 16. These are of all labels."
    expect(box.locator(".similar p")).to_have_text(said)
    expect(over).to_have_attribute("src", re.compile(r"/mosaic\?tiles=\*$"))

    store(petapi, "16.png", 16)
    page.reload()
    expect(page.locator("#box-title")).to_contain_text("3.png")
    mosaic.click()
    expect(over).to_have_attribute("src", re.compile(r"/mosaic\??$"))
    expect(box.locator(".similar p")).to_be_empty()
    expect(box.locator(".tag")).to_have_text(["Picture", "Mosaic"])
    assert over.evaluate("(one) => one.naturalWidth > 60")
    expect(box.get_by_label("How much of the")).to_be_focused()
    page.keyboard.press("Home")
    assert box.locator(".wipe").evaluate("(one) => one.style.getPropertyValue('--at')") == "0%"
    expect(page.locator("#box-title")).to_contain_text("3.png")
    assert axe(page) == []
    box.get_by_role("button", name="Picture", exact=True).click()
    expect(over).to_have_count(0)
    mosaic.click()
    expect(over).to_have_count(1)
    page.locator("#box-title").click()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#box-title")).not_to_contain_text("3.png")
    expect(over).to_have_count(0)


def test_a_mosaic_that_cannot_be_says_why(petapi: Api, visit: Visit) -> None:
    store(petapi, "a.png", 1)

    def status(route: Any) -> None:
        route.fulfill(json={**route.fetch().json(), "mosaicTilesMin": 100_000})

    page = visit(before=lambda page: page.route("**/status", status), refused=["/mosaic"])
    box = look(page, "a.png")
    box.get_by_role("button", name="Mosaic").click()
    said = r"^All labels together have \d+ other tiles; a mosaic needs 100000\."
    expect(page.locator(".toast")).to_contain_text(re.compile(said))
    expect(box.get_by_role("button", name="Picture", exact=True)).to_have_attribute("aria-pressed", "true")
