"""A service that is away: the page says so, keeps what it showed, and goes on when the service is back."""

from playwright.sync_api import Page, Route, expect

from tests.support import pictures
from tests.support.browser import axe
from tests.support.hosts import Api, json_of
from tests.support.pictures import File
from tests.support.the_page import Visit, ready
from tests.support.the_rooms import add, begin_without_time, give, row, tiles

SAID = "petAPI is not responding. This is the last known state. Retrying in {} s."


def go_away(page: Page) -> None:
    """Let no request be answered any more."""
    page.route("**/*", lambda route: route.abort())


def come_back(page: Page) -> None:
    page.unroute("**/*")


def try_now(page: Page) -> None:
    """Press the button, if the page has not tried by itself in this moment."""
    page.locator("#away button").dispatch_event("click")


def store(api: Api, name: str, seed: int = 1) -> None:
    file = File(pictures.png(seed, (60, 40)), name, "image/png")
    assert api.post([("label", api.label), ("img", file)]).status == 201


def test_the_last_state_stays_until_the_service_is_back(petapi: Api, visit: Visit) -> None:
    store(petapi, "a.png")
    page = visit(before=begin_without_time, refused=["^http"])
    banner = page.locator("#away")
    before = page.locator("main").inner_text()
    go_away(page)
    page.locator("#one").click()
    expect(banner).to_contain_text(SAID.format(2))
    page.clock.run_for(1000)
    expect(banner).to_contain_text(SAID.format(1))
    assert page.locator("main").inner_text() == before
    assert page.evaluate("() => document.querySelector('.front').naturalWidth") == 60
    expect(page.locator(".toast")).to_be_hidden()
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/status")):
        page.clock.run_for(1000)
    expect(banner).to_contain_text(SAID.format(4))
    store(petapi, "b.png", 2)
    come_back(page)
    page.clock.run_for(4000)
    expect(banner).to_be_hidden()
    expect(page.locator(".tile")).to_have_count(2)
    expect(page.locator("#law-title b")).to_have_text(f"2 pictures of {petapi.label}")

    go_away(page)
    page.locator("#many").click()
    expect(banner).to_contain_text(SAID.format(2))
    come_back(page)
    page.get_by_role("button", name="Try now").click()
    expect(banner).to_be_hidden()
    expect(page.locator("#many")).to_have_text("Draw 100")
    page.locator("#one").click()
    expect(page.locator(".said")).to_contain_text("Drawn 2 times.")


def test_what_waits_in_the_tray_is_not_lost(petapi: Api, visit: Visit) -> None:
    page = visit(refused=["^http"])
    give(page, *(File(pictures.png(seed), f"{seed}.png") for seed in range(5)))
    go_away(page)
    page.locator("#go").click()
    expect(page.locator("#away")).to_be_visible()
    expect(page.locator("#go")).to_have_text("Add 5")
    expect(row(page, "0.png")).to_contain_text("Waiting, weight 0.5")
    assert axe(page) == []
    come_back(page)
    try_now(page)
    expect(page.locator("#away")).to_be_hidden()
    add(page)
    expect(page.locator(".tray .sum p")).to_have_text("5 of 5 stored.")
    assert len(json_of(petapi.get(f"/images?label={petapi.label}"))["images"]) == 5


def test_a_page_that_finds_nobody_at_first_begins_when_the_service_is_back(petapi: Api, visit: Visit, url: str) -> None:
    store(petapi, "a.png")
    page = visit(refused=["^http"])

    def without_an_answer(route: Route) -> None:
        route.abort()

    for path in ("**/labels?*", "**/status"):
        page.route(path, without_an_answer)
    page.reload()
    expect(page.locator("#away")).to_contain_text("petAPI is not responding.")
    for path in ("**/labels?*", "**/status"):
        page.unroute(path)
    try_now(page)
    ready(page)
    expect(page.locator("#away")).to_be_hidden()
    expect(page.locator(".tile")).to_have_count(1)
    assert tiles(page) == ["a.png"]
