"""A person who changes their mind, or a service that fails, in the middle of something: nothing is lost or sent."""

import re

from playwright.sync_api import Locator, Page, Route, expect

from tests.support import pictures
from tests.support.hosts import Api, json_of
from tests.support.pictures import File
from tests.support.the_page import Visit, held, ready, taken
from tests.support.the_rooms import add, begin_without_time, give, info, look, row, store, tile, tiles

UNDO = 8_000  # milliseconds
WIDER = "(element) => element.scrollWidth - element.clientWidth"


def select(page: Page, *names: str) -> Locator:
    """Select these pictures in the gallery, and return the bar that changes them."""
    page.locator("#select").click()
    for name in names:
        tile(page, name).click()
    return page.locator(".selected")


def failing(page: Page, url: str | re.Pattern[str], status: int = 500) -> None:
    """Answer these requests with an error that is not from petAPI, until the test lets them through."""
    page.route(url, lambda route: route.fulfill(status=status, body="no"))


def test_tags_of_many_pictures_stay_until_others_are_typed(petapi: Api, visit: Visit) -> None:
    url = store(petapi, "a.png", 1, tags="sea")
    page = visit()
    form = select(page, "a.png")
    form.get_by_role("button", name="Tags").click()
    expect(page.locator(".toast")).to_contain_text("Type the tags that these pictures get in place of their own.")
    assert info(petapi, url)["tags"] == ["sea"]
    form.get_by_label("Tags").fill("calm, calm")
    form.get_by_role("button", name="Tags").click()
    expect(form).to_be_hidden()
    assert info(petapi, url)["tags"] == ["calm"]


def test_done_ends_the_change_of_many_pictures(petapi: Api, visit: Visit) -> None:
    urls = [store(petapi, f"{name}.png", seed) for seed, name in enumerate("ab")]
    page = visit()
    form = select(page, "a.png", "b.png")
    form.get_by_label("Weight").fill("0.25")
    routes = held(page, re.compile(r"/images/"))
    form.get_by_role("button", name="Weight").click()
    first = taken(page, routes)
    form.get_by_role("button", name="Done").click()
    expect(form).to_be_hidden()
    with page.expect_response(re.compile(r"/images\?label=")):
        first.continue_()
    assert sorted(info(petapi, url)["weight"] for url in urls) == [0.25, 0.5]


def test_files_that_wait_are_not_sent_with_one_that_is_tried_again(petapi: Api, visit: Visit) -> None:
    page = visit(refused=["/upload$"])
    give(page, File(b"no picture", "bad.png"))
    add(page)
    give(page, File(pictures.png(1), "good.png"))
    with page.expect_response("**/upload"):
        row(page, "bad.png").get_by_role("button", name="Retry").click()
    expect(page.locator("#go")).to_have_text("Add 1")
    expect(row(page, "good.png")).to_contain_text("Waiting")
    assert json_of(petapi.get(f"/images?label={petapi.label}"))["images"] == []
    add(page)
    expect(row(page, "good.png")).to_contain_text("Stored.")


def test_files_that_come_while_others_are_sent_wait_for_a_word(petapi: Api, visit: Visit) -> None:
    page = visit()
    give(page, File(pictures.png(1), "first.png"))
    routes = held(page, "**/upload")
    page.locator("#go").click()
    first = taken(page, routes)
    asks = "() => dispatchEvent(new Event('beforeunload', { cancelable: true }))"
    assert page.evaluate(asks) is False, "the browser asks before it leaves"
    give(page, File(pictures.png(2), "second.png"))
    first.continue_()
    expect(row(page, "first.png")).to_contain_text("Stored.")
    expect(page.locator("#go")).to_have_text("Add 1")
    expect(row(page, "second.png")).to_contain_text("Waiting")
    assert page.evaluate(asks) is True


def test_what_is_added_again_while_others_are_deleted_stays(petapi: Api, visit: Visit) -> None:
    urls = [store(petapi, f"{seed}.png", seed) for seed in range(3)]
    page = visit(before=begin_without_time)
    form = select(page, "0.png", "1.png")
    routes = held(page, re.compile(r"/images/"))
    form.get_by_role("button", name="Delete").click()
    page.clock.run_for(UNDO)
    first = taken(page, routes)
    page.unroute(re.compile(r"/images/"))
    gone, kept = (0, 1) if first.request.url == urls[0] else (1, 0)
    give(page, File(pictures.png(kept, (60, 40)), f"{kept}.png"))
    add(page)
    expect(row(page, f"{kept}.png")).to_contain_text("Already there")
    with page.expect_response(re.compile(r"/labels\?")):
        first.continue_()
    assert petapi.get(urls[kept]).status == 200
    assert petapi.get(urls[gone]).status == 404


def test_keys_of_the_browser_are_left_to_it(petapi: Api, visit: Visit) -> None:
    for seed in range(3):
        store(petapi, f"{seed}.png", seed)
    page = visit()
    page.locator(".strip button").first.focus()
    here = page.evaluate("() => document.activeElement.ariaLabel")
    left = "({ key: 'ArrowRight', altKey: true, bubbles: true, cancelable: true })"
    press = f"() => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {left}))"
    assert page.evaluate(press) is True, "it is not taken"
    assert page.evaluate("() => document.activeElement.ariaLabel") == here
    look(page, "0.png")
    title = page.locator("#box-title").inner_text()
    assert page.evaluate(press) is True
    assert page.locator("#box-title").inner_text() == title
    page.keyboard.press("ArrowRight")
    expect(page.locator("#box-title")).not_to_have_text(title)


def test_an_address_leads_to_a_picture_of_another_label(petapi: Api, visit: Visit) -> None:
    store(petapi, "here.png", 1)
    other = f"{petapi.label}-2"
    url = store(Api(petapi.host, other), "there.png", 2)
    page = visit(f"{petapi.label}&picture={'/'.join(url.split('/')[-2:])}")
    expect(page.locator("#box-title")).to_contain_text(f"there.png in {other}")
    page.keyboard.press("Escape")
    expect(page.locator(".box")).to_be_hidden()
    page.locator("#one").click()
    expect(page.locator(".said")).to_contain_text("Drawn 2 times.")


def test_a_picture_that_cannot_be_read_can_be_opened_again(petapi: Api, visit: Visit) -> None:
    store(petapi, "here.png", 1)
    url = store(Api(petapi.host, f"{petapi.label}-2"), "there.png", 2)
    at = f"{petapi.label}&picture={'/'.join(url.split('/')[-2:])}"
    page = visit(at, refused=["/info$"], before=lambda page: failing(page, "**/info"))
    expect(page.locator(".toast")).to_contain_text("The service answered 500.")
    expect(page.locator(".box")).to_be_hidden()
    page.unroute("**/info")
    page.evaluate("(hash) => { location.hash = hash; }", at)
    expect(page.locator("#box-title")).to_contain_text("there.png")


def test_what_is_typed_stays_if_a_known_picture_cannot_be_read(petapi: Api, visit: Visit) -> None:
    store(petapi, "a.png", 1)
    page = visit(refused=["/info$"])
    routes = held(page, "**/info")
    tile(page, "a.png").click()
    answer = taken(page, routes)
    number = page.locator(".box").get_by_label("Weight, exactly")
    number.fill("0.25")
    answer.fulfill(status=500, body="no")
    expect(page.locator(".toast")).to_contain_text("The service answered 500.")
    expect(page.locator(".box")).to_be_visible()
    expect(number).to_have_value("0.25")


def test_the_light_box_first_shows_the_probability_in_the_label(petapi: Api, visit: Visit) -> None:
    store(petapi, "a.png", 1, weight="0.3", tags="sea")
    store(petapi, "b.png", 2, weight="0.3")
    page = visit(f"{petapi.label}&tag=sea")
    routes = held(page, "**/info")
    tile(page, "a.png").click()
    answer = taken(page, routes)
    expect(page.locator(".prob b")).to_have_text("50.0%")
    answer.continue_()
    expect(page.locator(".prob b")).to_have_text("50.0%")


def test_the_focus_stays_on_clear_while_the_page_changes(petapi: Api, visit: Visit) -> None:
    store(petapi, "boat.png", 1)
    page = visit()
    page.get_by_label("Search pictures").fill("boat")
    page.keyboard.press("Enter")
    expect(page.locator(".found")).to_contain_text("This service searches neither by meaning")
    clear = page.get_by_role("button", name="Clear")
    clear.focus()
    page.set_viewport_size({"width": 1000, "height": 700})
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(clear).to_be_focused()


def test_the_label_that_is_shown_keeps_its_draws(petapi: Api, visit: Visit) -> None:
    store(petapi, "a.png", 1)
    page = visit()
    page.locator("#one").click()
    expect(page.locator(".said")).to_contain_text("Drawn 2 times.")
    page.locator(".labels button[aria-pressed=true]").click()
    page.locator("#one").click()
    expect(page.locator(".said")).to_contain_text("Drawn 3 times.")


def test_long_names_stay_inside(petapi: Api, visit: Visit) -> None:
    name = f"{'long_name' * 25}.png"
    store(petapi, name, 1)
    page = visit(viewport={"width": 390, "height": 844})
    look(page, name)
    assert page.locator(".box").evaluate(WIDER) == 0
    page.keyboard.press("Escape")
    page.get_by_label("Search pictures").fill("x" * 180)
    expect(page.locator(".found")).to_contain_text("No picture")
    assert page.locator("html").evaluate(WIDER) == 0


def test_one_picture_is_not_counted(petapi: Api, visit: Visit) -> None:
    store(petapi, "a.png", 1)
    page = visit()
    expect(page.locator(".end span")).to_have_text("")
    assert tiles(page) == ["a.png"]


def test_thumbnails_that_failed_come_when_the_service_is_back(petapi: Api, visit: Visit) -> None:
    store(petapi, "a.png", 1)
    images = re.compile(r"/images/[^?]*(\?size=512)?$")
    page = visit(refused=["/images/"], before=lambda page: page.route(images, lambda route: route.abort()))
    seen = "() => document.querySelector('.tile img').naturalWidth > 0"
    page.wait_for_function("() => document.querySelector('.tile img').complete", timeout=0)
    with page.expect_event("requestfailed", lambda request: "size" not in request.url):  # the last try
        page.locator(".tile").scroll_into_view_if_needed()
    page.unroute(images)
    assert not page.evaluate(seen)
    page.evaluate("() => dispatchEvent(new Event('back'))")
    page.wait_for_function(seen)


def test_a_first_visit_that_is_refused_is_tried_again(petapi: Api, visit: Visit) -> None:
    store(petapi, "a.png", 1)
    answers: list[Route] = []

    def refuse_once(route: Route) -> None:
        answers.append(route)
        route.fulfill(status=500, body="no") if len(answers) == 1 else route.fallback()

    page = visit(refused=[r"/random\.json"], before=lambda page: page.route("**/random.json?*", refuse_once))
    ready(page)
    expect(page.locator("#away")).to_be_hidden()
    expect(page.locator(".said")).to_contain_text("Drawn 1 time.")
    assert len(answers) == 2
