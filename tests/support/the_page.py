"""What tests of the page say in one word: it is ready, it is idle, what it has drawn, what has jumped."""

import itertools
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from playwright.sync_api import Page, Route, expect

from tests.support import pictures
from tests.support.browser import PATIENCE
from tests.support.cloud import ROOT
from tests.support.hosts import Api, json_of
from tests.support.pictures import File

THREE = {"a.png": 0.6, "b.png": 0.3, "c.png": 0.1}
MANY_FALL = 2600  # milliseconds in which a hundred draws have fallen
FOREIGN_SITE = "evil.test"  # a name of this machine that is not one of petAPI's

# The heights of the page's parts may only change with what a person does, so shifts after an input count, too.
WATCH_SHIFTS = """(() => {
    window.shifts = [];
    new PerformanceObserver((list) => {
        for (const { value, sources } of list.getEntries())
            window.shifts.push([value, ...sources.map(({ node }) => node?.outerHTML?.slice(0, 80) ?? "removed")]);
    }).observe({ type: "layout-shift", buffered: true });
})()"""

# Caption and picture after each change of one of them.
WATCH_PAIRS = """() => {
    window.pairs = [];
    const word = (selector) => document.querySelector(`.hero ${selector}`).textContent;
    const look = () => {
        const front = document.querySelector(".front");
        window.pairs.push([word("b"), word(".fraction"), word(".name"), front.alt, front.naturalWidth > 0]);
    };
    look();
    const all = { attributes: true, characterData: true, childList: true, subtree: true };
    new MutationObserver(look).observe(document.querySelector(".hero"), all);
}"""


@dataclass(frozen=True)
class Crops:
    """A label with 95 crops of the sample photographs, and twelve labels with one."""

    label: str
    others: list[str]


class Visit(Protocol):
    """A function that opens the page, at the label of the test, and waits until it is ready.

    `at` is another fragment of the address. `refused` are the URLs whose refusals the test makes on purpose. `before`
    gets the page before it loads. The options go to the browser.
    """

    def __call__(
        self,
        at: str | None = None,
        *,
        refused: Sequence[str] = (),
        before: Callable[[Page], Any] = ...,
        **options: Any,
    ) -> Page: ...


def ready(page: Page) -> None:
    """Wait until the page has shown what its address names."""
    expect(page.locator("html")).to_have_attribute("data-ready", "true")


def idle(page: Page, button: str) -> None:
    """Wait until this button's action has ended. Until then, the page ignores the button."""
    expect(page.locator(button)).not_to_have_attribute("aria-busy", "true")


def loaded(page: Page) -> None:
    """Wait until all pictures are loaded, but for those far below, which a browser leaves.

    A picture that is deleted while it loads is an error of the page.
    """
    far = "one.getBoundingClientRect().top > innerHeight + 1000"
    page.wait_for_function(f"() => [...document.images].every((one) => one.complete || {far})")


def stop_clock(page: Page) -> None:
    """Let the page's time stand still from now on, but for `page.clock.run_for`. It needs `page.clock.install`."""
    page.clock.pause_at(page.evaluate("() => Date.now() + 1000") / 1000)


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


def held(page: Page, url: str | re.Pattern[str]) -> list[Route]:
    """Hold the requests for these URLs from now on. The list has them; the test lets them go."""
    routes: list[Route] = []
    page.route(url, lambda route: routes.append(route))
    return routes


def taken(page: Page, routes: list[Route]) -> Route:
    """Take the first of the requests that are held, as soon as there is one."""
    end = time.monotonic() + PATIENCE / 1000
    while not routes:
        assert time.monotonic() < end, "no such request was sent"
        page.wait_for_timeout(10)
    return routes.pop(0)


def pairs(page: Page) -> list[list[Any]]:
    """Return each pair since WATCH_PAIRS: percent, fraction, name, and the picture's words and whether it is seen."""
    return [pair for pair, _ in itertools.groupby(page.evaluate("() => window.pairs"))]


def three(petapi: Api) -> None:
    """Upload three pictures, with the probabilities THREE."""
    for seed, (name, weight) in enumerate(THREE.items()):
        file = File(pictures.png(seed, (120, 80)), name)
        assert petapi.post([("label", petapi.label), ("weight", f"{weight}"), ("img", file)]).status == 201


def sample(name: str) -> File:
    """Return one of the sample photographs as a file to upload."""
    return File((ROOT / f"web/samples/{name}.jpg").read_bytes(), f"{name}.jpg")


def own_only(page: Page, petapi: Api, *labels: str) -> None:
    """Let the page know only labels that begin with one of these, and their images: others are of other tests."""

    def own(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [entry for entry in entries if entry["label"].startswith(labels)]

    def answer_labels(route: Route) -> None:
        found, cursor = [], ""
        while cursor is not None:
            some = json_of(petapi.get(f"/labels?limit=100{cursor}"))
            found += own(some["labels"])
            cursor = f"&cursor={some['cursor']}" if "cursor" in some else None
        route.fulfill(json={"labels": found})

    def answer_images(route: Route) -> None:
        some = json_of(petapi.get(f"/images?{route.request.url.partition('?')[2]}"))
        route.fulfill(json={**some, "images": own(some["images"])})

    page.route(re.compile(r"/labels\?"), answer_labels)
    page.route(re.compile(r"/images\?(?!label=)"), answer_images)
