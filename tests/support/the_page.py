"""What tests of the page say in one word: it is ready, it is idle, what it has drawn, what has jumped."""

import re
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.support.cloud import ROOT
from tests.support.pictures import File

FOREIGN_SITE = "evil.test"  # a name of this machine that is not one of petAPI's

# The heights of the page's parts may only change with what a person does, so shifts after an input count, too.
WATCH_SHIFTS = """(() => {
    window.shifts = [];
    new PerformanceObserver((list) => {
        for (const { value, sources } of list.getEntries())
            window.shifts.push([value, ...sources.map(({ node }) => node?.outerHTML?.slice(0, 80) ?? "removed")]);
    }).observe({ type: "layout-shift", buffered: true });
})()"""


def ready(page: Page) -> None:
    """Wait until the page has shown what its address names."""
    expect(page.locator("html")).to_have_attribute("data-ready", "true")


def idle(page: Page, button: str) -> None:
    """Wait until this button's action has ended. Until then, the page ignores the button."""
    expect(page.locator(button)).not_to_have_attribute("aria-busy", "true")


def loaded(page: Page) -> None:
    """Wait until all pictures are loaded, because a picture that is deleted while it loads is an error of the page."""
    page.wait_for_function("() => [...document.images].every((one) => one.complete)")


def draw(page: Page) -> None:
    """Draw once, and wait until the picture is shown."""
    page.locator("#one").click()
    idle(page, "#one")


def counts(page: Page) -> list[int]:
    """Return how often each slice of the strip was drawn, as it says to those who do not see it."""
    names = page.locator(".strip button").evaluate_all("(all) => all.map((one) => one.ariaLabel)")
    return [int(found[1]) for name in names if (found := re.search(r"drawn ([\d,]+) times?$", name))]


def shifts(page: Page) -> list[Any]:
    """Return what has jumped since WATCH_SHIFTS was run: by how much, and which elements."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    found: list[Any] = page.evaluate("() => window.shifts")
    return found


def held(page: Page, url: str) -> list[Route]:
    """Hold the requests for these URLs from now on. The list has them; the test lets them go."""
    routes: list[Route] = []
    page.route(url, lambda route: routes.append(route))
    return routes


def sample(name: str) -> File:
    """Return one of the sample photographs as a file to upload."""
    return File((ROOT / f"web/samples/{name}.jpg").read_bytes(), f"{name}.jpg")
