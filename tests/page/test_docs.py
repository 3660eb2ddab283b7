"""/docs in a browser: light and dark, grouped by tags, with examples, and readable to axe."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.answers import CONTRACT
from tests.support.browser import CHROMIUM, PATIENCE, Watched, axe, chromium
from tests.support.local_service import LocalService

OPENED = "#operations-images-updateImage"  # it has parameters, a body, answers and headers
GROUND = {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 20, 22)"}

pytestmark = pytest.mark.skipif(
    not CHROMIUM, reason="/docs IS NOT TESTED: there is no Chromium (apt-get install chromium)"
)
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def browser(slow_tier: None) -> Iterator[Browser]:
    """Start a browser for this module. While it runs, no other test of the process can start an event loop."""
    with chromium() as browser:
        yield browser


@pytest.mark.parametrize("scheme", GROUND)
def test_axe_finds_nothing_in_either_theme(running: LocalService, browser: Browser, scheme: str) -> None:
    watched = Watched(browser, running.url, color_scheme=scheme)
    page = watched.page
    page.goto(f"{running.url}/docs")
    page.locator(f"{OPENED} .opblock-summary-control").click()
    expect(page.locator(f"{OPENED} .responses-table")).to_be_visible()
    page.wait_for_timeout(500)  # the panel fades in
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == GROUND[scheme]
    assert page.evaluate("() => document.documentElement.classList.contains('dark-mode')") == (scheme == "dark")
    assert axe(page) == []
    watched.check()
    watched.context.close()


def test_the_theme_follows_the_system_while_the_page_is_open(running: LocalService, browser: Browser) -> None:
    watched = Watched(browser, running.url, color_scheme="light")
    page = watched.page
    page.goto(f"{running.url}/docs")
    expect(page.locator(".opblock-tag").first).to_be_visible()
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
    watched.check()
    watched.context.close()
