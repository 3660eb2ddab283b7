"""A service that takes no writes from anybody: the page says so, and offers nothing that writes."""

import pytest
from playwright.sync_api import Route, expect

from tests.support import pictures
from tests.support.hosts import Api
from tests.support.pictures import File
from tests.support.the_page import Visit
from tests.support.the_rooms import store, transfer

# Whatever changes something.
WRITING = (
    "#add, #samples, [data-choose], #select, .list .round, #delete, .change input, .change button, .edit input, "
    ".edit button, .name input, .name button"
)


@pytest.mark.parametrize(("writes", "words"), [("closed", "closed for a while"), ("disabled", "takes no pictures")])
def test_a_service_that_takes_nothing_says_so_and_offers_nothing(
    petapi: Api, visit: Visit, url: str, writes: str, words: str
) -> None:
    store(petapi, "a.png", 1)

    def status(route: Route) -> None:
        route.fulfill(json={**route.fetch().json(), "writes": writes})

    page = visit(before=lambda page: page.route("**/status", status))
    expect(page.locator("#locked p")).to_contain_text(words)
    expect(page.locator("#locked p")).to_contain_text("Anyone can look and draw.")
    expect(page.locator("#locked button")).to_be_hidden()
    expect(page.locator("#sign")).to_be_hidden()
    offered = "(all) => all.filter((one) => one.checkVisibility() && !one.disabled).map((one) => one.outerHTML)"
    assert page.locator(WRITING).evaluate_all(offered) == []
    page.get_by_role("button", name="Table").click()
    assert page.locator(WRITING).evaluate_all(offered) == []
    page.locator(".list .link").click()
    expect(page.locator(".box .prob b")).to_have_text("100.0%")
    assert page.locator(WRITING).evaluate_all(offered) == []
    page.keyboard.press("Delete")
    expect(page.locator(".toast")).to_contain_text(words)
    page.keyboard.press("Escape")
    expect(page.locator(".list .link")).to_have_count(1)
    page.locator("footer").dispatch_event("drop", {"dataTransfer": transfer(page, File(pictures.png(2)))})
    expect(page.locator(".tray")).to_be_hidden()
    page.goto(f"{url}/#nothing-here")
    expect(page.locator(".labels [aria-pressed=true]")).to_have_count(0)
    assert page.locator(WRITING).evaluate_all(offered) == []
    page.locator(".labels button").first.click()
    expect(page.locator(".hero b")).to_contain_text("%")
    page.locator("#one").click()
    expect(page.locator(".said")).to_contain_text("Drawn 2 times.")
