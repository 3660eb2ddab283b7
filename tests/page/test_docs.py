"""/docs in a browser: all operations by tags, tried out, light and dark, with examples, and readable to axe."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.answers import CONTRACT
from tests.support.browser import Watched, axe

OPENED = "#operations-images-updateImage"  # it has parameters, a body, answers and headers
CONTRACT_ROW = "#operations-site-getContract"
GROUND = {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 20, 22)"}


def docs(browser: Browser, url: str, opened: list[Watched], **options: str) -> Page:
    """Open /docs, and wait until it lists operations."""
    watched = Watched(browser, url, **options)
    opened.append(watched)
    watched.page.goto(f"{url}/docs")
    expect(watched.page.locator(".opblock").first).to_be_visible()
    return watched.page


@pytest.mark.parametrize("scheme", GROUND)
def test_axe_finds_nothing_in_either_theme(url: str, browser: Browser, opened: list[Watched], scheme: str) -> None:
    page = docs(browser, url, opened, color_scheme=scheme)
    page.locator(f"{OPENED} .opblock-summary-control").click()
    expect(page.locator(f"{OPENED} .responses-table")).to_be_visible()
    page.wait_for_timeout(500)  # the panel fades in
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == GROUND[scheme]
    assert page.evaluate("() => document.documentElement.classList.contains('dark-mode')") == (scheme == "dark")
    assert axe(page) == []


def test_the_theme_follows_the_system_while_the_page_is_open(url: str, browser: Browser, opened: list[Watched]) -> None:
    page = docs(browser, url, opened, color_scheme="light")
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html.dark-mode")).to_be_attached()

    groups = [tag["name"] for tag in CONTRACT["tags"]]
    shown = page.locator(".opblock-tag").evaluate_all("(all) => all.map((one) => one.dataset.tag)")
    assert shown == groups  # and no "default"

    page.locator("#operations-draw-drawRandom .opblock-summary-control").click()
    row = page.locator("#operations-draw-drawRandom tr[data-param-name=label]")
    expect(row.locator("input")).to_have_value("cat")
    row = page.locator("#operations-draw-drawRandom tr[data-param-name=seed]")
    expect(row.locator("input")).to_have_value("")
    expect(row).to_contain_text("Example: 2026-11-29")


def test_it_shows_every_operation_and_tries_them(url: str, browser: Browser, opened: list[Watched]) -> None:
    page = docs(browser, url, opened)
    everything = [*CONTRACT["paths"].values(), *CONTRACT["webhooks"].values()]
    operations = sum(len(methods.keys() - {"parameters"}) for methods in everything)
    expect(page.locator(".opblock")).to_have_count(operations)
    page.locator("#operations-images-getImage .opblock-summary").click()
    expect(page.locator("#operations-images-getImage")).to_contain_text("The present state of the image.")
    page.locator(f"{CONTRACT_ROW} .opblock-summary").click()
    page.locator(f"{CONTRACT_ROW} .execute").click()
    expect(page.locator(f"{CONTRACT_ROW} .live-responses-table")).to_contain_text("200")
