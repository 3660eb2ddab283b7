"""How the page looks: axe finds nothing, nothing overflows, nothing jumps and nothing moves that should not."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support import pictures
from tests.support.browser import Watched, axe
from tests.support.hosts import Api
from tests.support.the_page import (
    WATCH_SHIFTS,
    Crops,
    Visit,
    draw,
    held,
    loaded,
    ready,
    sample,
    shifts,
    taken,
)

SIZES = {1280: 800, 390: 844}
SHOWN = {"sailing-yacht": "0.9", "lighthouse-on-cape": "0.3", "painted-face": "0.2", "caps": "0.03"}
PICTURES = "**/images/*/*?size=*"
FINGER = 44  # pixels
# Smaller by design: slices, and links in a text.
SMALL = """(finger) => [...document.querySelectorAll("button, select, input, .top a, summary")]
    .filter((one) => one.checkVisibility() && one.type !== "range" && one.type !== "file" && !one.closest(".strip")
        && !one.classList.contains("link"))
    .map((one) => [one.outerHTML.slice(0, 90), one.offsetWidth, one.offsetHeight])
    .filter(([, width, height]) => width < finger - 0.5 || height < finger - 0.5)"""
WIDER = """() => {
    const width = document.documentElement.clientWidth;
    const scrolls = (one) => one && (getComputedStyle(one).overflowX !== "visible" || scrolls(one.parentElement));
    return [document.documentElement.scrollWidth - width, ...[...document.querySelectorAll("main *, .tray *, .box *")]
        .filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > width + 1
            && !scrolls(one.parentElement)).map((one) => one.outerHTML.slice(0, 90))];
}"""


def photographs(petapi: Api) -> None:
    """Upload four photographs of three shapes, with tags."""
    for name, weight in SHOWN.items():
        fields = [("label", petapi.label), ("weight", weight), ("tags", "sea,sky"), ("img", sample(name))]
        assert petapi.post(fields).status == 201


def drawn(page: Page) -> None:
    draw(page)
    page.locator("#many").click()
    expect(page.locator("#many")).to_have_text("Draw 100")


def empty(page: Page) -> None:
    page.evaluate("() => { location.hash = 'nothing-here'; }")
    expect(page.locator(".zone")).to_be_visible()


def light_box(page: Page) -> None:
    page.locator(".frame").click()
    expect(page.locator(".box")).to_be_visible()
    expect(page.locator(".box dl")).to_contain_text("Size")
    page.locator(".box [name=weight]").fill("0.7")  # shows the buttons that save


def tray(page: Page) -> None:
    page.locator("#add").click()
    buffer = pictures.png(3)
    files = [("new.png", buffer), ("there.png", buffer), ("text.png", b"no picture")]
    page.set_input_files("#files", [{"name": n, "mimeType": "image/png", "buffer": content} for n, content in files])
    page.locator("#go").click()
    expect(page.locator(".sum")).to_contain_text("1 refused.")
    expect(page.locator("#go")).to_have_text("Done")


def table(page: Page) -> None:
    page.locator("[data-view=table]").click()
    expect(page.locator(".list tbody tr").first).to_be_visible()


STATES: dict[str, Callable[[Page], None]] = {
    "drawn": drawn,
    "empty": empty,
    "light box": light_box,
    "tray": tray,
    "table": table,
}


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_and_nothing_overflows_at_any_width_and_in_either_theme(
    petapi: Api, visit: Visit, state: str
) -> None:
    photographs(petapi)
    page = visit(reduced_motion="reduce", refused=["/upload$", "/images/.*size"])
    STATES[state](page)
    loaded(page)
    for width, height in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            assert axe(page, "target-size") == [], (width, scheme)
        assert page.evaluate(WIDER) == [0], width
    assert page.evaluate(SMALL, FINGER) == []
    page.set_viewport_size({"width": 320, "height": 568})
    assert page.evaluate(WIDER) == [0]


@pytest.mark.parametrize("width", SIZES)
def test_nothing_jumps_while_pictures_arrive_and_while_draws_fall(
    browser: Browser, url: str, opened: list[Watched], crops: Crops, width: int
) -> None:
    watched = Watched(browser, url, viewport={"width": width, "height": SIZES[width]})
    opened.append(watched)
    page = watched.page
    page.add_init_script(WATCH_SHIFTS)
    late = held(page, PICTURES)
    page.goto(f"{url}/#{crops.label}", wait_until="commit")  # loaded, it is only with its picture
    first = taken(page, late)
    assert first.request.url.endswith("?size=1024")
    assert shifts(page) == [], "before the picture"
    first.continue_()
    ready(page)
    expect(page.locator("#gallery .tile").first).to_be_visible()
    assert shifts(page) == [], "with the picture"
    for route in late:
        route.continue_()
    page.unroute(PICTURES)
    loaded(page)
    assert shifts(page) == [], "with the others"

    late, draws = held(page, PICTURES), held(page, "**/random.json?*")
    page.locator("#many").click()
    answer = taken(page, draws)
    assert shifts(page) == [], "before draws fall"
    answer.continue_()
    expect(page.locator(".said span")).to_have_text("100 of 100")
    page.locator(".most").scroll_into_view_if_needed()
    taken(page, late).continue_()
    expect(page.locator("#many")).to_have_text("Draw 100")
    assert shifts(page) == [], "while draws fall"


def test_nothing_moves_if_the_user_prefers_reduced_motion(petapi: Api, visit: Visit) -> None:
    photographs(petapi)
    page = visit(reduced_motion="reduce")
    drawn(page)
    moving = page.evaluate("() => document.getAnimations().map((one) => one.effect.target?.outerHTML.slice(0, 90))")
    assert moving == []
    durations = page.evaluate(
        "() => [...new Set([...document.querySelectorAll('*')].flatMap((one) => {"
        " const style = getComputedStyle(one); return [style.transitionDuration, style.animationDuration]; }))]"
    )
    assert set(durations) <= {"0s"}
