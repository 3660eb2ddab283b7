"""The page in a browser: by mouse, by keyboard, on a phone, in light and dark."""

import io
import itertools
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Request, Route, expect

from shared.limits import BODY_MAX, FILE_MAX
from tests.support import pictures
from tests.support.browser import CHROMIUM, PATIENCE, Watched, axe, chromium
from tests.support.cloud import ROOT
from tests.support.hosts import Api, Remote, json_of
from tests.support.local_service import LocalService

SCREENSHOTS = os.environ.get("PETAPI_SCREENSHOTS")  # the folder that `make screenshots` names
SCREENSHOT_MAX = 300_000  # bytes
DIRECT_PATIENCE = 6 * PATIENCE  # for a file that goes straight to S3: the page gives up after 120 s
ODD_NAMES = [
    "Screenshot 9.41\u202fAM.png",
    "\U0001f469\u200d\U0001f467\u3000\u00a0x.png",
    "\u200f\u05e2\u05d1 (1).png",
    "e\u0301 <b>&amp;'%41;=,.png",
    "\U0001f408" * 251 + ".png",
]
WEIGHTS = {"0.6": "60.0 %", "0.3": "30.0 %", "0.1": "10.0 %"}

pytestmark = pytest.mark.skipif(
    not CHROMIUM, reason="THE PAGE IS NOT TESTED: there is no Chromium (apt-get install chromium)"
)
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def browser(slow_tier: None) -> Iterator[Browser]:
    """Start a browser for this module. While it runs, no other test of the process can start an event loop."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def api(request: pytest.FixtureRequest, running: LocalService) -> Api:
    """Return `make run`, or the service at PETAPI_URL, with a label that only this test uses."""
    url = os.environ.get("PETAPI_URL", running.url)
    return Api(Remote(url), f"page-{os.getpid()}-{abs(hash(request.node.name)) % 10**9}")


Open = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser, running: LocalService, api: Api) -> Iterator[list[Watched]]:
    """Collect the pages that the test opens. None may have had errors, or have sent requests to another host."""
    pages: list[Watched] = []
    yield pages
    for watched in pages:
        watched.check()
        watched.context.close()


@pytest.fixture
def visit(browser: Browser, running: LocalService, api: Api, opened: list[Watched]) -> Open:
    """Return a function that opens the page at the test's label, with these options, and waits until it is ready."""

    def visit(*refused: str, path: str = "/", **options: Any) -> Page:
        watched = Watched(browser, os.environ.get("PETAPI_URL", running.url), **options)
        watched.refused |= set(refused)
        opened.append(watched)
        watched.page.goto(f"{watched.url}{path}#{api.label}")
        if path == "/":
            ready(watched.page)
        return watched.page

    return visit


def three(api: Api) -> None:
    for seed, weight in enumerate(WEIGHTS):
        assert api.upload(pictures.png(seed, (120, 80)), weight).status == 201


def ready(page: Page) -> None:
    """Wait until the page has loaded, or has finished its draw."""
    expect(page.locator("#draw-one")).to_have_attribute("aria-busy", "false")


def loaded(page: Page) -> None:
    """Wait until all pictures are loaded, because a picture that is deleted while it loads is an error of the page."""
    page.wait_for_function("() => [...document.images].every((one) => one.complete)")


def idle(page: Page, button: str) -> None:
    """Wait until this button's action has ended. Until then, the page ignores the button."""
    expect(page.locator(button)).not_to_have_attribute("aria-busy", "true")


def held(page: Page, button: str) -> Route:
    """Click the button and hold its first draw. The draws after it go on."""
    routes: list[Route] = []
    page.route("**/random?*", lambda route: routes.append(route), times=1)
    with page.expect_request("**/random?*"):
        page.locator(button).click()
    while not routes:
        page.wait_for_timeout(10)
    return routes.pop()


def choose(page: Page, *files: tuple[str, bytes]) -> None:
    """Put files into the upload form."""
    page.set_input_files(
        "#upload [type=file]",
        [{"name": name, "mimeType": "image/png", "buffer": content} for name, content in files],
    )


def test_an_upload_has_exactly_the_typed_weight(api: Api, visit: Open) -> None:
    page = visit()
    choose(page, ("cat.png", pictures.png(1)))
    expect(page.locator("#chosen img")).to_have_count(1)
    page.locator("#upload [name=weight]").fill("0.123456789")
    page.locator("#tags").fill("Sleepy, garden")
    page.locator("#upload button.main").click()
    expect(page.locator("#upload-status")).to_have_text("The picture is stored and can be drawn.")
    assert api.random().headers["image-weight"] == "0.123456789"
    image = json_of(api.random(format="json"))
    assert (sorted(image["tags"]), image["filename"]) == (["garden", "sleepy"], "cat.png")
    expect(page.locator("#drawn .probability")).to_have_text("100.0 %")
    expect(page.locator("#drawn .fraction")).to_have_text("weight 0.123456789 of 0.123456789 in total")
    expect(page.locator("#drawn img")).to_have_js_property("naturalWidth", 24)


def test_dropped_pictures_are_uploaded_one_after_another(api: Api, visit: Open) -> None:
    page = visit()
    transfer = page.evaluate_handle(
        """(pictures) => {
            const transfer = new DataTransfer();
            for (const [name, bytes] of pictures) transfer.items.add(new File([new Uint8Array(bytes)], name));
            return transfer;
        }""",
        [["a.png", list(pictures.png(1))], ["b.png", list(pictures.png(2))]],
    )
    page.locator("#drop").dispatch_event("dragover", {"dataTransfer": transfer})
    expect(page.locator("#drop")).to_have_class("drop over")
    page.locator("#drop").dispatch_event("drop", {"dataTransfer": transfer})
    expect(page.locator("#drop")).to_have_class("drop")
    page.locator("#upload button.main").click()
    expect(page.locator("#upload-status")).to_have_text("2 pictures are stored and can be drawn.")
    assert api.random().headers["image-total-weight"] == "1"


@pytest.mark.skipif("PETAPI_URL" in os.environ, reason="`sam local` receives no S3 events")
def test_a_large_picture_goes_straight_to_s3_and_is_recognised(
    api: Api, visit: Open, opened: list[Watched], running: LocalService
) -> None:
    page = visit()
    opened[0].others.add(urlsplit(running.aws_endpoint).netloc)
    content = pictures.saved(Image.effect_noise((2700, 2000), 90), "PNG")
    assert BODY_MAX < len(content) < FILE_MAX
    long_name = ODD_NAMES[-1]
    choose(page, (long_name, content), ("small.png", pictures.png(1)))
    page.locator("#upload [name=weight]").fill("0.25")
    page.locator("#tags").fill("Sleepy, garden")
    page.locator("#upload button.main").click()
    expect(page.locator("#upload-status")).to_have_text(
        "2 pictures are stored and can be drawn.", timeout=DIRECT_PATIENCE
    )
    idle(page, "#upload button.main")
    images = json_of(api.get(f"/images?label={api.label}&tag=sleepy"))["images"]
    assert sorted((image["filename"], image["weight"]) for image in images) == [
        ("small.png", 0.25),
        (long_name, 0.25),
    ]
    choose(page, ("again.png", content))
    page.locator("#upload button.main").click()
    expect(page.locator("#upload-status")).to_have_text(
        re.compile(r"The picture is stored and can be drawn. It shows: grey \d+ %"), timeout=DIRECT_PATIENCE
    )


@pytest.mark.skipif("PETAPI_URL" in os.environ, reason="`sam local` receives no S3 events")
def test_a_large_file_of_another_type_is_refused_with_a_sentence(
    visit: Open, opened: list[Watched], running: LocalService
) -> None:
    page = visit()
    opened[0].others.add(urlsplit(running.aws_endpoint).netloc)
    choose(page, ("large.png", b"text" * 1_500_000))
    page.locator("#upload button.main").click()
    expect(page.locator("#problem p")).to_contain_text("must be a JPEG, PNG or WebP picture", timeout=DIRECT_PATIENCE)


def test_a_file_that_s3_would_refuse_is_not_sent(visit: Open, tmp_path: Path) -> None:
    page = visit()
    huge = tmp_path / "huge.png"
    with huge.open("wb") as file:
        file.truncate(FILE_MAX + 1)
    page.set_input_files("#upload [type=file]", huge)  # by its path, because sending the bytes to the browser is slow
    page.locator("#upload button.main").click()
    sentence = "huge.png has 20.1 MB, but may have at most 20; choose a smaller file."
    expect(page.locator("#problem p")).to_have_text(sentence)


@pytest.mark.parametrize("more", [{}, {"cursor": "more"}], ids=["not yet", "too many"])
def test_a_label_beyond_the_list_is_shown(api: Api, visit: Open, more: dict[str, str]) -> None:
    page = visit()
    ready(page)
    count = itertools.count()

    def others(route: Route) -> None:
        listed = [{"label": f"other-{next(count)}", "count": 1, "totalWeight": 0.5} for _ in range(100)]
        route.fulfill(json={"labels": listed if more else [], **more})

    page.route("**/labels?*", others)
    choose(page, ("cat.png", pictures.png(1)))
    page.locator("#upload button.main").click()
    expect(page.locator("#upload-status")).to_have_text("The picture is stored and can be drawn.")
    expect(page.locator("#drawn .probability")).to_have_text("100.0 %")
    expect(page.locator("#nothing")).to_be_hidden()
    expect(page.locator("#distribution tbody tr")).to_have_count(1)
    if more:
        page.reload()
        expect(page.locator("#drawn .probability")).to_have_text("100.0 %")
        expect(page.locator("#distribution tbody tr")).to_have_count(1)


def test_an_upload_shows_its_progress(visit: Open) -> None:
    page = visit()
    heard = page.evaluate_handle(
        """() => {
            const heard = [], bar = document.querySelector("progress");
            new MutationObserver(() => heard.push([bar.hidden, bar.value])).observe(bar, { attributes: true });
            return heard;
        }"""
    )
    choose(page, ("big.png", pictures.saved(Image.effect_noise((1200, 1200), 90), "PNG")))
    page.locator("#upload button.main").click()
    expect(page.locator("#upload-status")).to_contain_text("stored")
    changes = heard.json_value()
    assert [False, 1] in changes
    assert changes[-1][0], "it is hidden afterwards"


def test_draws_are_shown_beside_the_exact_distribution(api: Api, visit: Open) -> None:
    three(api)
    page = visit()
    page.locator("#draw-one").click()
    expect(page.locator("#distribution-text")).to_contain_text("2 draws")
    expect(page.locator("#drawn .probability")).to_have_text(re.compile("|".join(WEIGHTS.values())))
    page.locator("#draw-many").click()
    expect(page.locator("#draw-status")).to_have_text("Drew 100 pictures.", timeout=4 * PATIENCE)
    rows = page.locator("#distribution tbody tr")
    expect(rows).to_have_count(3)
    assert [row.split("\t")[-1] for row in rows.all_inner_texts()] == list(WEIGHTS.values())
    drawn = [float(row.split("\t")[-2].removesuffix(" %")) for row in rows.all_inner_texts()]
    assert sum(drawn) == pytest.approx(100, abs=0.2)
    assert 35 < drawn[0] < 85  # 5 standard deviations
    expect(page.locator("#distribution-text")).to_contain_text(re.compile(r"^102 draws; χ² is \d"))
    expect(page.locator("#distribution tbody th img").first).to_have_attribute("alt", re.compile(api.label))
    page.locator("#forget").click()
    expect(page.locator("#distribution-text")).to_contain_text("Draw some pictures")


def test_draws_can_be_stopped(api: Api, visit: Open) -> None:
    three(api)
    page = visit()
    first = held(page, "#draw-many")
    expect(page.locator("#draw-many")).to_have_text("Stop")
    page.locator("#draw-many").click()
    first.continue_()
    expect(page.locator("#draw-status")).to_have_text("Drew 1 picture.")


def test_a_read_is_repeated_after_the_time_that_a_busy_service_names(api: Api, visit: Open) -> None:
    """The emulator has no throttle, so the test answers twice as the gateway does."""
    three(api)
    page = visit("/random")
    refused: list[int] = []

    def answer(route: Route) -> None:
        if len(refused) == 2:
            return route.continue_()
        refused.append(429 if refused else 503)
        return route.fulfill(status=refused[-1], headers={"Retry-After": "1"}, body='{"detail": "Busy."}')

    page.route("**/random?*", answer)
    page.locator("#draw-one").click()
    expect(page.locator("#drawn .probability")).to_have_text(re.compile("%$"))
    ready(page)
    assert refused == [503, 429]
    expect(page.locator("#distribution-text")).to_contain_text("draw")


def inspect(page: Page) -> None:
    """Open the dialog of the first drawn picture."""
    if not page.locator("#drawn").is_visible():
        page.locator("#draw-one").click()
    page.locator("#drawn .frame").click()
    expect(page.locator("#details")).to_be_visible()


def test_a_weight_is_changed_unless_it_has_changed_meanwhile(api: Api, visit: Open) -> None:
    url = json_of(api.upload(pictures.png(1), "0.5"))["url"]
    page = visit(f"/images/{api.label}/")
    inspect(page)
    page.locator("#details [name=weight]").fill("0.000000001")
    page.locator("#details form .main").click()
    expect(page.locator("#details")).to_be_hidden()
    assert json_of(api.get(url + "/info"))["weight"] == 1e-9
    expect(page.locator("#drawn .fraction")).to_contain_text("0.000000001")
    idle(page, "#details form .main")

    inspect(page)
    expect(page.locator("#details [name=weight]")).to_have_value("0.000000001")
    theirs = api.patch(url, {"weight": 0.7})
    page.locator("#details [type=range]").fill("0.25")
    expect(page.locator("#details [name=weight]")).to_have_value("0.25")
    page.locator("#details form .main").click()
    expect(page.locator("#details .trouble")).to_contain_text("has changed since")
    assert json_of(api.get(url + "/info")).items() >= json_of(theirs).items()  # and the recognised labels


def test_a_picture_is_deleted_after_a_confirmation(api: Api, visit: Open) -> None:
    url = json_of(api.upload(pictures.png(1)))["url"]
    page = visit()
    inspect(page)
    page.locator("#delete").click()
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator("#confirm")).to_be_hidden()
    idle(page, "#delete")
    assert api.get(url).status == 200
    page.locator("#delete").click()
    loaded(page)
    page.locator("#confirm .danger").click()
    expect(page.locator("#nothing")).to_be_visible()
    assert api.get(url).status == 404
    expect(page.locator("#nothing pre")).to_contain_text(f"curl -F label={api.label} ")
    expect(page.locator("footer pre")).to_contain_text(f"random?label={api.label}'")


def test_an_error_is_shown_in_the_services_words(api: Api, visit: Open) -> None:
    page = visit("/upload$")
    choose(page, ("cat.png", pictures.gif()))
    page.locator("#upload button.main").click()
    expect(page.get_by_role("alert").first).to_have_text(json_of(api.upload(pictures.gif()))["detail"])
    assert api.random().status == 404
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator("#problem")).to_be_hidden()


def test_an_invalid_label_is_refused_in_the_services_words(api: Api, visit: Open) -> None:
    page = visit("/upload$")
    page.locator("#upload-label").fill("a_b")
    choose(page, ("cat.png", pictures.png(1)))
    page.locator("#upload button.main").click()
    expect(page.get_by_role("alert").first).to_contain_text("label must begin with a letter")


def test_a_token_is_sent_with_writes_only_and_forgotten_with_the_tab(api: Api, visit: Open) -> None:
    page = visit()
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request))
    page.get_by_text("Access token").click()
    page.locator("#token").fill("a.b.c")
    choose(page, ("cat.png", pictures.png(1)))
    page.locator("#upload button.main").click()
    expect(page.locator("#upload-status")).to_contain_text("stored")
    tokens = {request.method: request.headers.get("authorization") for request in sent}
    assert tokens["POST"] == "Bearer a.b.c"
    assert tokens["GET"] is None
    assert page.evaluate("() => [localStorage.length, document.cookie]") == [0, ""]


def test_the_gallery_loads_page_by_page(api: Api, visit: Open) -> None:
    for seed in range(30):
        assert api.upload(pictures.tiny(seed)).status == 201
    page = visit()
    tiles = page.locator("#gallery .tile")
    expect(tiles).to_have_count(24)
    page.get_by_role("button", name="Show more").click()
    expect(tiles).to_have_count(30)
    expect(tiles.nth(24)).to_be_focused()
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    assert len({image.get_attribute("src") for image in tiles.locator("img").all()}) == 30
    tiles.nth(3).click()
    expect(page.locator("#details")).to_be_visible()


def test_the_gallery_is_filtered(api: Api, visit: Open) -> None:
    fields = [("label", api.label), ("tags", "sleepy")]
    assert api.post([*fields, ("img", pictures.File(pictures.png(1), "garden.png"))]).status == 201
    assert api.post([fields[0], ("img", pictures.File(pictures.png(2), "house.png"))]).status == 201
    page = visit()
    tiles = page.locator("#gallery .tile")
    words = ["sleepy", "house.png"]  # a tag, or the name of a file without tags
    for by, value, expected in (("tag", "sleepy", words[:1]), ("filename", "hou", words[1:]), ("filename", "x", [])):
        page.locator("#by").select_option(by)
        page.locator("#value").fill(value)
        page.get_by_role("button", name="Filter").click()
        expect(tiles.locator("small")).to_have_text(expected)
    page.locator("#by").select_option("")
    page.get_by_role("button", name="Filter").click()
    expect(tiles).to_have_count(2)


def test_the_whole_page_works_by_keyboard(api: Api, visit: Open) -> None:
    url = json_of(api.upload(pictures.png(1)))["url"]
    page = visit()
    if not page.locator("#drawn").is_visible():
        page.locator("#draw-one").click()
    expect(page.locator("#drawn")).to_be_visible()
    page.evaluate("() => document.activeElement.blur()")
    reached = set()
    while True:
        page.keyboard.press("Tab")
        name, outlined, again = page.evaluate(
            """() => {
                const element = document.activeElement, again = "reached" in element.dataset;
                element.dataset.reached = "";
                const shown = [element, element.closest("label")].filter(Boolean).map((one) => getComputedStyle(one));
                return [element.id || element.className || element.name || element.tagName,
                        shown.some((style) => style.outlineStyle !== "none"), again];
            }"""
        )
        if again or name == "BODY":
            break
        assert outlined, f"{name} does not show that it has the focus"
        reached.add(name)
    assert {"skip", "label", "draw-one", "draw-many", "frame", "img", "upload-label", "tags", "by"} <= reached

    page.locator("#drawn .frame").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#details")).to_be_visible()
    assert page.evaluate("() => document.querySelector('#details').contains(document.activeElement)")
    page.keyboard.press("Escape")
    expect(page.locator("#details")).to_be_hidden()
    expect(page.locator("#drawn .frame")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#details")).to_be_visible()
    page.locator("#details [name=weight]").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("0.25")
    page.keyboard.press("Enter")
    expect(page.locator("#details")).to_be_hidden()
    assert json_of(api.get(url + "/info"))["weight"] == 0.25


def test_a_narrow_screen_scrolls_only_vertically(api: Api, visit: Open) -> None:
    three(api)
    page = visit(viewport={"width": 360, "height": 640})
    page.locator("#draw-one").click()
    ready(page)
    expect(page.locator("#drawn")).to_be_visible()
    width = "() => document.documentElement.scrollWidth"
    assert page.evaluate(width) == 360
    inspect(page)
    box = page.locator("#details").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    small = page.evaluate(
        "() => [...document.querySelectorAll('button, select, #upload input')].filter((one) => one.offsetWidth"
        " && one.type !== 'range' && one.offsetHeight < 36).map((one) => one.outerHTML)"
    )
    assert not small, "too small for a finger"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_no_problem(api: Api, visit: Open, scheme: str, width: int) -> None:
    page = visit(color_scheme=scheme, viewport={"width": width, "height": 900})
    expect(page.locator("#nothing")).to_be_visible()
    assert axe(page) == []
    three(api)
    page.reload()
    ready(page)
    page.locator("#draw-one").click()
    ready(page)
    expect(page.locator("#drawn")).to_be_visible()
    page.get_by_text("Access token").click()
    assert axe(page) == []
    inspect(page)
    assert axe(page) == []
    page.locator("#delete").click()
    expect(page.locator("#confirm")).to_be_visible()
    assert axe(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_busy_button_can_be_read(api: Api, visit: Open, scheme: str) -> None:
    three(api)
    page = visit(color_scheme=scheme)
    draw = held(page, "#draw-one")
    expect(page.locator("#draw-one")).to_have_attribute("aria-busy", "true")
    assert axe(page) == []
    draw.continue_()
    ready(page)
    inspect(page)
    page.evaluate("() => { for (const button of document.querySelectorAll('button')) button.ariaBusy = 'true'; }")
    assert axe(page) == []


def test_nothing_moves_if_the_user_prefers_reduced_motion(api: Api, visit: Open) -> None:
    three(api)
    page = visit(reduced_motion="reduce")
    page.locator("#draw-one").click()
    bar = page.locator("#distribution .drawn").first
    expect(bar).to_be_attached()
    assert bar.evaluate("(one) => getComputedStyle(one).transitionDuration") in ("0s", "1e-06s")


def test_the_documentation_shows_every_operation_and_tries_them(api: Api, visit: Open) -> None:
    page = visit(path="/docs")
    contract = json_of(api.get("/openapi.json"))
    everything = [*contract["paths"].values(), *contract["webhooks"].values()]
    operations = sum(len(methods.keys() - {"parameters"}) for methods in everything)
    expect(page.locator(".opblock")).to_have_count(operations)
    page.locator("#operations-images-getImage .opblock-summary").click()
    expect(page.locator("#operations-images-getImage")).to_contain_text("The present state of the image.")
    page.locator("#operations-site-getContract .opblock-summary").click()
    page.locator("#operations-site-getContract .execute").click()
    expect(page.locator("#operations-site-getContract .live-responses-table")).to_contain_text("200")


# -- `make screenshots` -----------------------------------------------------------------------------------------

# Sample photographs and their weights.
BY_THE_SEA = {
    "sailing-yacht": "0.9",
    "lighthouse-on-cape": "0.6",
    "palm-island": "0.45",
    "boat-at-anchor": "0.3",
    "beach-walk": "0.2",
    "boat-at-pier": "0.1",
    "sailing-regatta": "0.05",
    "lighthouse-and-fence": "0.02",
}


@pytest.mark.skipif(not SCREENSHOTS, reason="only `make screenshots` makes them")
@pytest.mark.parametrize(
    ("name", "scheme", "width", "height"),
    [("page", "light", 1280, 1000), ("page-dark", "dark", 1280, 1000), ("page-phone", "light", 390, 900)],
)
def test_the_screenshots_are_made(
    api: Api, visit: Open, name: str, scheme: str, width: int, height: int, tmp_path: Path
) -> None:
    assert SCREENSHOTS
    shown = Api(api.host, "sea")
    for sample, weight in BY_THE_SEA.items():
        file = pictures.File((ROOT / f"web/samples/{sample}.jpg").read_bytes(), f"{sample}.jpg")
        assert shown.post([("label", "sea"), ("weight", weight), ("img", file)]).status in (200, 201)
    page = visit(color_scheme=scheme, viewport={"width": width, "height": height})
    page.goto(page.url.partition("#")[0] + "#sea")
    page.reload()
    ready(page)
    page.locator("#draw-many").click()
    expect(page.locator("#draw-status")).to_have_text("Drew 100 pictures.", timeout=4 * PATIENCE)
    page.mouse.move(0, 0)
    page.wait_for_timeout(600)
    path = ROOT / SCREENSHOTS / f"{name}.png"
    content = page.screenshot(full_page=name != "page-phone")
    with Image.open(io.BytesIO(content)) as image:
        image.convert("RGB").quantize(128).save(path, optimize=True)
    assert path.stat().st_size < SCREENSHOT_MAX


@pytest.mark.parametrize("fragment", ["%", "%zz", "%FF", "%E0%A4%A", "%00", "..", "a/b?c", "<b>", "%F0%9F%90%88" * 300])
def test_an_odd_fragment_of_the_address_breaks_nothing(
    api: Api, browser: Browser, running: LocalService, opened: list[Watched], fragment: str
) -> None:
    api.upload(pictures.png(1))
    watched = Watched(browser, os.environ.get("PETAPI_URL", running.url))
    watched.refused.add(r"/(random|images|labels)")  # the label may be none
    opened.append(watched)
    watched.page.goto(f"{watched.url}/#{fragment}")
    ready(watched.page)
    watched.page.locator("#label").fill(api.label)
    watched.page.locator("#choose button").click()
    expect(watched.page.locator("#drawn .probability")).to_have_text("100.0 %")


def test_file_names_survive_the_page(api: Api, visit: Open) -> None:
    page = visit()
    choose(page, *((name, pictures.png(seed, (32, 32))) for seed, name in enumerate(ODD_NAMES)))
    page.locator("#upload button.main").click()
    expect(page.locator("#upload-status")).to_have_text("5 pictures are stored and can be drawn.")
    shown = page.locator("#gallery small").all_text_contents()
    assert sorted(shown) == sorted(ODD_NAMES)
    stored = json_of(api.get(f"/images?label={api.label}"))["images"]
    assert sorted(image["filename"] for image in stored) == sorted(ODD_NAMES)
    for name in ODD_NAMES:
        page.locator("#by").select_option("filename")
        page.locator("#value").fill(name)
        page.locator("#gallery form button").click()
        only = "(name) => [...document.querySelectorAll('#gallery small')].every((one) => one.textContent === name)"
        page.wait_for_function(only, arg=name)
        expect(page.locator("#gallery-status")).to_have_text("1 shown.")
        assert page.locator("#gallery img").get_attribute("alt") == f"{name}, {api.label}"


def test_a_page_shows_several_draws_with_random(api: Api, browser: Browser, running: LocalService) -> None:
    """Without it, a browser asks once for all pictures of one address, and `#2` is no other address."""
    three(api)
    case = (ROOT / "tests/images/cases/four-random.html").read_text()
    case = case.replace("http://127.0.0.1:3000", running.url).replace("label=cat", f"label={api.label}")
    numbers = itertools.count(1)
    cured = re.sub(r'(label=[a-z0-9-]+)[^"]*"', lambda found: f'{found[1]}&random={next(numbers)}"', case)
    for html, asked, broken in ((case, 2, 1), (cured, 4, 0)):
        page = browser.new_page()
        requests: list[str] = []
        page.on("request", lambda request, seen=requests: seen.append(request.url))
        page.set_content(html)
        loaded(page)
        widths = [page.locator("img").nth(n).evaluate("(img) => img.naturalWidth") for n in range(4)]
        assert (len([url for url in requests if "/random" in url]), widths.count(0)) == (asked, broken)
        page.close()
