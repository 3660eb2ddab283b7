"""Answers that come late, in another order, or not at all: the page shows what the person wished last."""

import re

from playwright.sync_api import Page, Route, expect

from tests.support import pictures
from tests.support.hosts import Api, json_of
from tests.support.pictures import File
from tests.support.the_page import Visit, counts, held, ready, taken
from tests.support.the_rooms import add, give, look, store, tiles

READ = re.compile(r"/images\?label=.*limit=100")  # not one picture for the button of a label


def chip(page: Page, label: str) -> None:
    page.locator(".labels button").filter(has=page.get_by_text(label, exact=True)).click()


def test_pictures_of_a_label_that_one_has_left_do_not_come_in(petapi: Api, visit: Visit) -> None:
    first, second = petapi.label, f"{petapi.label}-2"
    store(petapi, "first.png", 1)
    store(Api(petapi.host, second), "second.png", 2)
    page = visit()
    routes = held(page, READ)
    chip(page, second)
    slow = taken(page, routes)
    give(page, File(pictures.png(3), "third.png"))
    page.locator("#go").click()
    late = taken(page, routes)  # the pictures of the first label, once more
    slow.continue_()
    expect(page.locator("#law-title")).to_contain_text(second)
    with page.expect_response(re.compile(rf"label={first}&limit=100")):
        late.continue_()
    page.unroute(READ)
    page.locator(".tray [data-close]").click()
    page.locator("#one").click()
    expect(page.locator(".said")).to_contain_text("Drawn 2 times.")
    assert tiles(page) == ["second.png"]


def test_a_tag_pressed_while_a_label_is_read_does_not_end_the_reading(petapi: Api, visit: Visit) -> None:
    for seed in range(5):
        store(petapi, f"{seed}.png", seed, tags="sea")
    store(Api(petapi.host, f"{petapi.label}-2"), "other.png", 9)
    page = visit(f"{petapi.label}-2")
    more: list[Route] = []

    def pages_of_two(route: Route) -> None:
        if "cursor=" in route.request.url and not more:
            more.append(route)
        else:
            route.continue_(url=route.request.url.replace("limit=100", "limit=2"))

    page.route(READ, pages_of_two)
    chip(page, petapi.label)
    expect(page.locator(".end span")).to_have_text("All 2 are shown. The first 2 were read.")
    expect(page.locator("#law-title")).to_contain_text("(the first 2 were read)")
    page.locator(".tags button", has_text="sea").click()
    expect(page.locator("#law-title")).to_contain_text("with the tag sea")
    more[0].continue_()
    expect(page.locator("#law-title b")).to_have_text(f"5 pictures of {petapi.label} with the tag sea")
    assert len(tiles(page)) == 5


def test_the_label_that_is_pressed_last_is_shown_though_it_was_pressed_before(petapi: Api, visit: Visit) -> None:
    labels = [petapi.label, f"{petapi.label}-2", f"{petapi.label}-3"]
    for seed, label in enumerate(labels):
        store(Api(petapi.host, label), f"{seed}.png", seed)
    page = visit()
    routes = held(page, re.compile(rf"label={labels[1]}&limit=100"))
    for label in (labels[1], labels[2], labels[1]):
        chip(page, label)
    requests = [taken(page, routes), taken(page, routes)]
    for request in requests:
        request.continue_()
    expect(page.locator("#law-title b")).to_have_text(f"1 picture of {labels[1]}")


def test_the_search_that_is_sent_last_is_shown(petapi: Api, visit: Visit) -> None:
    store(petapi, "boat.png", 1)
    store(petapi, "house.png", 2)
    page = visit()
    routes = held(page, re.compile("filename="))
    requests = []
    for words in ("boat", "house"):
        page.get_by_label("Search pictures").fill(words)
        page.keyboard.press("Enter")
        requests.append(taken(page, routes))
    for request in requests:
        request.continue_()
    expect(page.locator(".found")).to_contain_text("with “house” in the file name or a tag. This service")
    assert tiles(page) == ["house.png"]


def test_a_picture_that_is_not_read_yet_is_neither_deleted_nor_changed(petapi: Api, visit: Visit) -> None:
    store(petapi, "shown.png", 1)
    store(Api(petapi.host, f"{petapi.label}-2"), "other.png", 2)
    image = json_of(petapi.get(f"/images?label={petapi.label}-2"))["images"][0]
    page = visit()
    box = look(page, "shown.png")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    routes = held(page, re.compile("/info$"))
    page.evaluate("(id) => { location.hash += `&picture=${id}`; }", image["id"])
    page.evaluate("([label, id]) => { location.hash = `${label}&picture=${id}`; }", [petapi.label, image["id"]])
    slow = taken(page, routes)
    page.locator("#box-title").focus()
    page.keyboard.press("Delete")
    box.get_by_label("Weight, exactly").fill("0.25")
    page.keyboard.press("Enter")
    box.get_by_role("button", name="Rename").click()
    expect(box).to_be_visible()
    expect(page.locator(".toast")).to_be_hidden()
    page.unroute(re.compile("/info$"))
    slow.continue_()
    expect(page.locator("#box-title")).to_contain_text("other.png")
    assert not {"DELETE", "PATCH"} & set(sent)


def test_stop_ends_draws_that_have_not_come_yet(petapi: Api, visit: Visit) -> None:
    store(petapi, "a.png", 1)
    page = visit()
    routes = held(page, re.compile("count=100"))
    page.locator("#many").click()
    slow = taken(page, routes)
    expect(page.locator("#many")).to_have_text("Stop")
    page.locator("#many").click()
    expect(page.locator("#many")).to_have_text("Draw 100")
    with page.expect_response(re.compile("count=100")):
        slow.continue_()
    page.locator("#one").click()
    expect(page.locator(".said")).to_contain_text("Drawn 2 times.")
    assert counts(page) == [2]


def test_the_address_stays_if_the_first_pictures_do_not_come(petapi: Api, visit: Visit) -> None:
    store(petapi, "a.png", 1, tags="sea")
    store(petapi, "b.png", 2)
    page = visit(f"{petapi.label}&tag=sea", refused=["^http"])
    address = page.url

    def without_an_answer(route: Route) -> None:
        route.abort()

    paths = [re.compile(r"/images\?"), re.compile(r"/random\.json\?"), re.compile("/status$")]
    for path in paths:
        page.route(path, without_an_answer)
    page.reload()
    expect(page.locator("#away")).to_be_visible()
    for path in paths:
        page.unroute(path)
    page.locator("#away button").dispatch_event("click")
    ready(page)
    expect(page.locator("#law-title b")).to_have_text(f"1 picture of {petapi.label} with the tag sea")
    assert page.url == address


def test_pictures_are_taken_though_the_status_came_with_an_error(petapi: Api, visit: Visit) -> None:
    store(petapi, "a.png", 1)
    page = visit(refused=["/status$"])
    page.route("**/status", lambda route: route.fulfill(status=500), times=1)
    page.reload()
    expect(page.locator(".toast")).to_contain_text("The service answered 500.")
    give(page, File(pictures.png(3), "third.png"))
    add(page)
    expect(page.locator(".tray .sum p")).to_have_text("1 of 1 stored.")
