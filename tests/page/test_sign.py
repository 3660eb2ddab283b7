"""Signing in with a token, where writes need one: when the page asks, what it says, and what it sends."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

from tests.support import pictures
from tests.support.browser import axe
from tests.support.hosts import Api, json_of
from tests.support.local_service import LocalService
from tests.support.pictures import File
from tests.support.the_page import WATCH_SHIFTS, Visit, held, ready, shifts
from tests.support.the_rooms import add, begin_without_time, give, info, look, row, store, tile
from tools.local import local_issuer
from tools.local.data_folder import TOKEN_ISSUER

BANNER = "Anyone can look and draw. You need a token to add or change pictures."
NONE = "This is not a token: a token has three parts separated by dots."
EXPIRED = {"sub": "ana", "exp": 1_600_000_000}


@pytest.fixture(scope="module")
def service(slow_tier: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    variables = {"TOKENS": "1", "LABELS": "*"}
    with LocalService(tmp_path_factory.mktemp("tokens") / "data", variables=variables) as service:
        yield service.be_patient()


@pytest.fixture(scope="module")
def token(service: LocalService) -> str:
    return local_issuer.find(service.data / TOKEN_ISSUER).token("ana", "images:write images:delete images:admin")


@pytest.fixture
def url(service: LocalService) -> str:
    return service.url


@pytest.fixture
def stored(petapi: Api, token: str) -> Callable[[str, int], str]:
    """Return a function that stores a picture as somebody who has signed in, and returns its URL."""
    return lambda name, seed: store(petapi, name, seed, authorization=f"Bearer {token}")


def sheet(page: Page) -> Locator:
    return page.locator("#signin")


def sign_in(page: Page, text: str) -> None:
    """Type this into the sheet, which is open and has the focus."""
    expect(sheet(page)).to_be_visible()
    expect(page.locator("#token")).to_be_focused()
    page.keyboard.type(text) if len(text) < 99 else page.locator("#token").fill(text)
    page.keyboard.press("Enter")


def sign_out(page: Page) -> None:
    page.locator("#sign").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#sign")).to_have_text("Sign in")
    expect(page.locator("#locked")).to_be_visible()


def until_held(page: Page, routes: list[Route], count: int) -> None:
    """Wait until so many requests are held."""
    while len(routes) < count:
        page.wait_for_timeout(10)


def unsigned(claims: dict[str, Any]) -> str:
    """Make a token that the service does not know."""
    return jwt.encode(claims, "k" * 32, "HS256")


def test_every_control_that_writes_asks_for_a_token_and_then_goes_on(
    petapi: Api, stored: Callable[[str, int], str], visit: Visit, token: str
) -> None:
    image, other, third = stored("a.png", 1), stored("b.png", 2), stored("c.png", 3)
    page = visit(before=begin_without_time, refused=["/upload$"])
    expect(page.locator("#locked p")).to_have_text(BANNER)

    def after_signing_in(write: Callable[[], None]) -> None:
        write()
        sign_in(page, token)
        expect(sheet(page)).to_be_hidden()

    after_signing_in(page.locator("#locked button").click)
    sign_out(page)
    after_signing_in(page.locator("#sign").click)
    sign_out(page)
    give(page, File(pictures.png(4), "new.png"), File(pictures.png(1, (60, 40)), "again.png"))
    page.locator("#forall [name=weight]").fill("0.25")
    after_signing_in(page.locator("#go").click)
    expect(row(page, "new.png")).to_contain_text("Stored.")
    expect(page.locator("#go")).to_have_text("Done")
    sign_out(page)
    after_signing_in(row(page, "again.png").get_by_role("button", name="Set it to 0.25").click)
    expect(row(page, "again.png")).to_contain_text("Stored.")
    assert info(petapi, image)["weight"] == 0.25
    page.locator(".tray [data-close]").click()
    sign_out(page)

    page.locator("#select").click()
    tile(page, "b.png").click()
    page.get_by_label("Tags of the selected").fill("tall")
    after_signing_in(page.locator(".selected").get_by_role("button", name="Tags").click)
    expect(page.locator(".selected")).to_be_hidden()
    assert info(petapi, other)["tags"] == ["tall"]
    sign_out(page)

    box = look(page, "b.png")
    box.get_by_label("Weight, exactly").fill("0.75")
    after_signing_in(box.get_by_role("button", name="Save the weight").click)
    expect(box.locator(".save span")).to_have_text("Saved.")
    assert info(petapi, other)["weight"] == 0.75
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    sign_out(page)

    look(page, "c.png")
    after_signing_in(page.locator("#delete").click)
    page.clock.run_for(8100)
    expect(tile(page, "c.png")).to_have_count(0)
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        page.clock.run_for(8100)
    assert petapi.get(third).status == 404


def test_what_is_no_token_is_not_sent(visit: Visit) -> None:
    page = visit()
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request))
    for text in ("abc", "a.b", "a.b.c.d", "", "a.!.c", "e30.e30."):
        page.locator("#sign").click()
        sign_in(page, text)
        expect(page.locator("#token-error")).to_have_text(NONE)
        expect(page.locator("#token")).to_have_attribute("aria-invalid", "true")
        page.keyboard.press("Escape")
        expect(page.locator("#sign")).to_be_focused()
    assert sent == []


def test_a_token_is_taken_with_bearer_before_it_and_forgotten_on_request(petapi: Api, visit: Visit, token: str) -> None:
    page = visit(timezone_id="Europe/Berlin")
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request))
    page.locator("#sign").click()
    sign_in(page, unsigned(EXPIRED))
    said = re.compile("^ana.s token expired on 13 September 2020 at 14:26. Ask for a new one.$")
    expect(page.locator("#token-error")).to_have_text(said)
    assert axe(page) == []
    page.locator("#token").fill(unsigned({"exp": 1}))
    page.keyboard.press("Enter")
    said = r"^(?!.*undefined).*token expired on 1 January 1970 at"
    expect(page.locator("#token-error")).to_have_text(re.compile(said))
    page.locator("#token").fill(f"  Bearer bearer {token} \n")
    page.keyboard.press("Enter")
    expect(sheet(page)).to_be_hidden()
    expect(page.locator("#sign")).to_have_text("ana")
    expect(page.locator("#sign")).to_be_focused()
    expect(page.locator("#locked")).to_be_hidden()
    give(page, File(pictures.png(1), "cat.png"))
    add(page)
    expect(page.locator(".hero b")).to_have_text("100.0%")
    tokens = {request.method: request.headers.get("authorization") for request in sent}
    assert tokens == {"POST": f"Bearer {token}", "GET": None}
    assert page.evaluate("() => [localStorage.length, document.cookie]") == [0, ""]
    page.reload()
    ready(page)
    page.locator("#sign").click()
    said = r"^Signed in as ana until \d+ \w+ \d{4} at \d\d:\d\d\.$"
    expect(page.locator("#sign-title")).to_have_text(re.compile(said))
    assert axe(page) == []
    page.get_by_role("button", name="Sign out").click()
    expect(sheet(page)).to_be_hidden()
    expect(page.locator("#locked p")).to_have_text(BANNER)
    assert page.evaluate("() => sessionStorage.getItem('token') || ''") == ""


def test_a_token_that_the_service_refuses_is_asked_for_again(petapi: Api, visit: Visit, token: str) -> None:
    page = visit(refused=["/upload$"], timezone_id="UTC")
    page.locator("#sign").click()
    sign_in(page, unsigned({"sub": "eve", "exp": 4_000_000_000}))
    expect(page.locator("#sign")).to_have_text("eve")
    give(page, File(pictures.png(1), "cat.png"))
    page.locator("#go").click()
    expect(page.locator("#token-error")).to_have_text("The service does not accept this token.")
    page.keyboard.press("Escape")
    expect(sheet(page)).to_be_hidden()
    expect(page.locator("#go")).to_have_text("Add 1")
    expect(row(page, "cat.png")).to_contain_text("Waiting, weight 0.5")

    give(page, File(pictures.png(2), "dog.png"))
    on_their_way = held(page, "**/upload")
    page.locator("#go").click()
    until_held(page, on_their_way, 2)
    on_their_way[0].continue_()
    expect(sheet(page)).to_be_visible()
    page.locator("#token").fill(token)
    page.keyboard.press("Enter")
    until_held(page, on_their_way, 3)
    on_their_way[2].continue_()
    expect(page.locator(".tray .sum p")).to_have_text("1 of 2 stored.")
    on_their_way[1].continue_()
    page.unroute("**/upload")
    expect(page.locator(".tray .sum p")).to_have_text("2 of 2 stored.")
    expect(sheet(page)).to_be_hidden()

    page.evaluate("(token) => sessionStorage.setItem('token', token)", unsigned(EXPIRED))
    give(page, File(pictures.png(3), "bird.png"))
    page.locator("#go").click()
    expect(page.locator("#token-error")).to_have_text(re.compile("^ana.s token expired on 13 Sept"))


def test_who_does_not_sign_in_changes_nothing(petapi: Api, stored: Callable[[str, int], str], visit: Visit) -> None:
    image = stored("a.png", 1)
    page = visit()
    look(page, "a.png")
    page.get_by_label("File name").fill("b.png")
    page.get_by_role("button", name="Rename").click()
    expect(page.locator("#token")).to_be_focused()
    page.keyboard.press("Escape")
    expect(sheet(page)).to_be_hidden()
    expect(page.locator(".box")).to_be_visible()
    expect(page.locator(".box .error")).to_have_text("Nothing was changed: you have not signed in.")
    expect(page.get_by_role("button", name="Rename")).to_be_focused()
    assert info(petapi, image)["filename"] == "a.png"

    page.keyboard.press("Escape")
    page.locator("#select").click()
    tile(page, "a.png").click()
    page.locator(".selected").get_by_role("button", name="Delete").click()
    expect(page.locator("#token")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".selected b")).to_have_text("1 selected")


def test_what_is_typed_into_the_sheet_stays_if_it_is_asked_for_once_more(visit: Visit) -> None:
    page = visit(refused=["/upload$"])
    page.locator("#sign").click()
    sign_in(page, unsigned({"sub": "eve", "exp": 4_000_000_000}))
    give(page, *(File(pictures.png(seed), f"{seed}.png") for seed in range(2)))
    on_their_way = held(page, "**/upload")
    page.locator("#go").click()
    until_held(page, on_their_way, 2)
    on_their_way[0].continue_()
    expect(sheet(page)).to_be_visible()
    page.locator("#token").fill("half a token")
    with page.expect_response("**/upload"):
        on_their_way[1].continue_()
    page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(page.locator("#token")).to_have_value("half a token")


def test_an_empty_service_offers_sample_pictures(petapi: Api, visit: Visit, token: str) -> None:
    for label in json_of(petapi.get("/labels"))["labels"]:
        for image in json_of(petapi.get(f"/images?label={label['label']}&limit=100"))["images"]:
            assert petapi.delete(image["url"], authorization=f"Bearer {token}").status == 204
    page = visit("")
    expect(page.locator(".labels")).to_have_text("No label yet. Adding a picture creates one.")
    expect(page.locator(".said")).to_contain_text("There is nothing to draw yet.")
    expect(page.locator("#one")).to_be_disabled()
    expect(page.locator("#many")).to_be_disabled()
    assert axe(page) == []
    page.locator("#samples").click()
    sign_in(page, token)
    expect(page.locator(".tray .sum p")).to_have_text("24 of 24 stored.")
    expect(page.locator("#go")).to_have_text("Done")
    labels = {each["label"]: (each["count"], each["totalWeight"]) for each in json_of(petapi.get("/labels"))["labels"]}
    assert labels == {"houses": (8, 2.5), "vehicles": (7, 2.0), "people": (6, 2.0), "nature": (3, 1.5)}
    (barn,) = json_of(petapi.get("/images?label=houses&filename=red-barn.jpg"))["images"]
    assert (barn["weight"], sorted(barn["tags"])) == (0.21, ["farm", "pond", "red"])
    expect(page.locator(".labels button")).to_have_count(4)
    expect(page.locator(".zone")).to_be_hidden()
    expect(page.locator(".hero b")).to_contain_text("%")


def test_back_closes_the_sheet_with_the_light_box(petapi: Api, stored: Callable[[str, int], str], visit: Visit) -> None:
    stored("a.png", 1)
    page = visit()
    box = look(page, "a.png")
    box.get_by_label("Weight, exactly").fill("0.25")
    box.get_by_role("button", name="Save the weight").click()
    expect(sheet(page)).to_be_visible()
    page.go_back()
    expect(box).to_be_hidden()
    expect(sheet(page)).to_be_hidden()
    page.locator("#main").focus()
    page.keyboard.press("Space")
    expect(page.locator(".said")).to_contain_text("Drawn 2 times.")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_banner_pushes_nothing_down(
    petapi: Api, stored: Callable[[str, int], str], visit: Visit, width: int
) -> None:
    stored("a.png", 1)
    page = visit(before=lambda page: page.add_init_script(WATCH_SHIFTS), viewport={"width": width, "height": 800})
    expect(page.locator("#locked")).to_be_visible()
    assert shifts(page) == []
    page.locator("nav [data-go=gallery]").click()
    banner, title = (page.locator(name).bounding_box() for name in ("#locked", "#gallery-title"))
    assert banner
    assert title
    assert banner["y"] + banner["height"] <= title["y"] or banner["y"] + banner["height"] <= 64
