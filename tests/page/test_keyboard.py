"""The page by keyboard only: each control is reached and shows it, and the keys do what they say."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.support.hosts import Api
from tests.support.the_page import THREE, Visit, counts, idle, loaded, three

# What Tab reaches, in order; strip, tabs and gallery are asked for by one of theirs.
ORDER = ["skip", "brand", "nav", "add", "label", "frame", "one", "many", "over", "slice", "recipe", "tab", "code"]
ORDER += ["copy", "find", "scope", "sort", "rows", "table", "select", "tile", "foot"]
FOCUS = """() => {
    const one = document.activeElement, within = (selector) => Boolean(one.closest(selector));
    const names = {
        skip: ".skip", brand: ".brand", nav: ".top nav", add: "#add", label: ".labels", frame: ".frame", one: "#one",
        many: "#many", over: "#over", slice: ".strip", recipe: ".embed select", tab: "[role=tablist]", code: "pre",
        copy: ".copy", find: ".find", scope: "#scope", sort: "#sort", rows: "[data-view=rows]",
        table: "[data-view=table]", select: "#select", tile: ".rows", foot: ".foot",
    };
    const around = [one, one.closest(".hero"), one.closest(".find")].filter(Boolean);
    const shown = around.map((each) => getComputedStyle(each));
    const { top, bottom } = one.getBoundingClientRect();
    return {
        name: Object.keys(names).find((name) => within(names[name])) ?? one.id ?? one.tagName,
        outlined: shown.some((style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2),
        seen: bottom > 0 && top < innerHeight,
    };
}"""


def walk(page: Page) -> list[dict[str, Any]]:
    """Press Tab until the focus has left the page."""
    reached: list[dict[str, Any]] = []
    page.evaluate("() => document.activeElement.blur()")
    while True:
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement === document.body || !document.hasFocus()"):
            return reached
        reached.append(page.evaluate(FOCUS))
        assert len(reached) < 80, reached


def test_tab_reaches_everything_in_the_order_in_which_it_is_read(petapi: Api, visit: Visit) -> None:
    three(petapi)
    for width in (1280, 390):
        page = visit(viewport={"width": width, "height": 800})
        reached = walk(page)
        names = [each["name"] for each in reached]
        assert [each for each in reached if not each["outlined"]] == []
        assert [each for each in reached if not each["seen"]] == []
        order = [name for place, name in enumerate(names) if name not in names[:place]]
        assert order == ORDER
        assert (names.count("slice"), names.count("tab"), names.count("tile")) == (1, 1, 3)


def test_keys_draw_open_choose_and_close(petapi: Api, visit: Visit) -> None:
    three(petapi)
    page = visit()
    page.evaluate("() => document.activeElement.blur()")
    for key in ("Space", "Enter"):
        page.keyboard.press(key)
        idle(page, "#one")
    assert sum(counts(page)) == 3

    page.keyboard.press("Control+k")
    expect(page.locator(".find input")).to_be_focused()
    page.keyboard.type("a b")
    page.keyboard.press("Escape")
    expect(page.locator(".find input")).to_have_value("")
    page.locator("#sort").focus()
    page.keyboard.press("Space")  # opens the list
    page.keyboard.press("Escape")
    page.locator("pre").focus()
    page.keyboard.press("Space")
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    idle(page, "#one")
    assert sum(counts(page)) == 3, "a key in a field, on a link or on what scrolls is no draw"

    page.locator(".frame").focus()
    page.keyboard.press("Space")
    expect(page.locator(".box")).to_be_visible()
    name = page.locator("#box-title").inner_text().split()[0]
    assert page.evaluate("() => document.querySelector('.box').contains(document.activeElement)")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#box-title")).not_to_contain_text(name)
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#box-title")).to_contain_text(name)
    page.keyboard.press("Escape")
    expect(page.locator(".box")).to_be_hidden()
    expect(page.locator(".frame")).to_be_focused()

    page.locator("[role=tab][tabindex='0']").focus()
    for key, tab in (("ArrowRight", "Markdown"), ("End", "Python"), ("ArrowRight", "img"), ("ArrowLeft", "Python")):
        page.keyboard.press(key)
        expect(page.get_by_role("tab", name=tab, exact=True)).to_be_focused()
        expect(page.get_by_role("tab", selected=True)).to_have_text(tab)
    expect(page.locator(".code code")).to_contain_text("urlopen")

    page.locator("#add").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".tray")).to_be_visible()
    assert page.evaluate("() => document.querySelector('.tray').contains(document.activeElement)")
    page.keyboard.press("Escape")
    expect(page.locator(".tray")).to_be_hidden()
    expect(page.locator("#add")).to_be_focused()

    page.locator("#over").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#one")).to_be_focused()
    page.keyboard.press("Space")
    idle(page, "#one")
    expect(page.locator("#one")).to_be_focused()
    assert sum(counts(page)) == 1
    loaded(page)
    assert len(THREE) == page.locator("#gallery .tile").count()
