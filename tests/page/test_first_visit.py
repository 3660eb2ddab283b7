"""What a visitor gets first: few requests before the picture, a few labels of many, and a page without pictures."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.support import pictures
from tests.support.browser import Watched
from tests.support.hosts import Api, json_of
from tests.support.the_page import Visit, draw, loaded, ready, three

# The page, its style sheet, 13 modules and icon (twice), /status, /labels, the images, a draw and its picture.
REQUESTS_MAX = 22


def test_of_many_labels_the_largest_are_shown_and_the_others_on_a_click(petapi: Api, visit: Visit) -> None:
    three(petapi)
    listed = [{"label": f"other-{count}", "count": count, "totalWeight": 1} for count in range(11, 0, -1)]
    listed.append({"label": petapi.label, "count": 1, "totalWeight": 1})
    page = visit(before=lambda page: page.route("**/labels?*", lambda route: route.fulfill(json={"labels": listed})))
    chips = page.locator(".labels button")
    expected = [f"other-{count} {count}" for count in range(11, 4, -1)] + [f"{petapi.label} 1", "All 12 labels"]
    assert [" ".join(text.split()) for text in chips.all_inner_texts()] == expected
    expect(page.locator(".labels [aria-pressed=true]")).to_have_text(re.compile(petapi.label))
    expect(page.locator(".labels [aria-pressed=true] img")).to_be_visible()
    chips.last.click()
    expect(chips).to_have_count(12)


def test_a_label_whose_pictures_were_deleted_elsewhere_has_nothing_to_draw(petapi: Api, visit: Visit) -> None:
    image = json_of(petapi.upload(pictures.png(1)))
    page = visit(refused=["/random.json"])
    expect(page.locator(".zone")).to_be_hidden()
    expect(page.locator(".verdict")).to_have_text("1 draw. There is only one to draw.")
    loaded(page)
    petapi.delete(image["url"])
    page.locator("#one").click()
    for text in ("Drop pictures here", "There is nothing to draw yet.", "No label yet.", "Load sample pictures"):
        expect(page.get_by_text(text)).to_be_visible()
    for button in ("#one", "#many"):
        expect(page.locator(button)).to_be_disabled()
    expect(page.locator(".law")).to_be_hidden()
    expect(page.locator(".toast p")).to_have_text(json_of(petapi.random())["detail"])


def test_few_requests_go_before_the_first_picture(
    petapi: Api, visit: Visit, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in range(50):
        assert petapi.upload(pictures.tiny(seed)).status == 201
    asked: list[str] = []

    page = visit(before=lambda page: page.on("request", lambda request: asked.append(request.url)))
    before = 1 + next(place for place, url in enumerate(asked) if url.endswith("?size=1024"))
    milliseconds = page.evaluate(
        "() => performance.getEntriesByType('resource').find(({ name }) => name.endsWith('?size=1024')).responseEnd"
    )
    with capsys.disabled():
        print(f"\nThe first picture of 50 came with request {before}, after {milliseconds:.0f} ms.")
    assert before <= REQUESTS_MAX, "\n".join(asked[:before])


def test_the_page_works_below_a_stage(petapi: Api, browser: Browser, url: str, opened: list[Watched]) -> None:
    three(petapi)
    watched = Watched(browser, url)
    opened.append(watched)
    asked: list[str] = []
    watched.page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    watched.page.route("**/*", lambda route: route.continue_(url=route.request.url.replace("/Prod/", "/")))
    watched.page.goto(f"{url}/Prod/#{petapi.label}")
    ready(watched.page)
    draw(watched.page)
    expect(watched.page.locator(".code code")).to_contain_text(f'"{url}/Prod/random?label={petapi.label}"')
    expect(watched.page.locator(".front")).to_have_js_property("naturalWidth", 120)
    assert len(asked) > REQUESTS_MAX
    assert [path for path in asked if not path.startswith("/Prod/")] == []
