"""The address of the page: Back and Forward walk through labels, tags and the light box, and no text breaks it."""

import re

from playwright.sync_api import Page, expect

from tests.support import pictures
from tests.support.hosts import Api, json_of
from tests.support.pictures import File
from tests.support.the_page import Visit, counts, draw, held, ready, taken

ODD = ["%", "%zz", "%FF", "%E0%A4%A", "%00", "..", "a/b?c", "<b>", "%F0%9F%90%88" * 300, "&&tag=&picture", "=&tag=%"]


def where(page: Page) -> tuple[str, str, str]:
    """Return the fragment and the title, and which label and tag are pressed."""
    pressed = page.locator(".chips [aria-pressed=true] span").all_inner_texts()
    return page.evaluate("() => location.hash.slice(1)"), page.title(), "+".join(pressed)


def test_back_and_forward_walk_through_labels_tags_and_the_light_box(petapi: Api, visit: Visit) -> None:
    first, second = petapi.label, f"{petapi.label}-2"
    for seed, tags in enumerate(("sea", "sky")):
        file = File(pictures.png(seed), f"{tags}.png")
        assert petapi.post([("label", first), ("tags", tags), ("img", file)]).status == 201
    assert petapi.upload(pictures.png(5), label=second).status == 201
    page = visit()
    at = [(first, f"{first} · petAPI", first)]
    assert where(page) == at[0]
    assert page.evaluate("() => history.length") == 2  # about:blank is the first

    page.locator(".tags button", has_text="sea").click()
    expect(page.locator(".strip button")).to_have_count(1)
    at.append((f"{first}&tag=sea", f"{first} · petAPI", f"{first}+sea"))
    assert where(page) == at[-1]

    page.locator(".frame").click()
    expect(page.locator("#box-title")).to_contain_text("sea.png")
    image = json_of(petapi.get(f"/images?label={first}&tag=sea"))["images"][0]
    at.append((f"{first}&tag=sea&picture={image['id']}", "sea.png · petAPI", f"{first}+sea"))
    assert where(page) == at[-1]

    page.keyboard.press("Escape")
    expect(page.locator(".box")).to_be_hidden()
    expect(page.locator(".frame")).to_be_focused()
    page.wait_for_url(f"**/#{at[1][0]}")
    assert where(page) == at[1]

    page.get_by_role("button", name=re.compile(re.escape(second))).click()
    expect(page.locator("#law-title")).to_contain_text(second)
    at[2] = (second, f"{second} · petAPI", second)
    assert where(page) == at[2]
    assert page.locator(".fraction").inner_text() == "weight 0.5 of 0.5 in total"

    for place in (1, 0, 1, 2):
        page.evaluate("(by) => history.go(by)", place - at.index(where(page)))
        page.wait_for_url(f"**/#{at[place][0]}")
        expect(page.locator("#law-title")).to_contain_text(["2 pictures", "with the tag sea", second][place])
        assert where(page) == at[place]
        assert sum(counts(page)) == 1  # the draw that the page opens with

    page.locator("#gallery .tile").click()
    expect(page.locator(".box")).to_be_visible()
    page.go_back()
    expect(page.locator(".box")).to_be_hidden()
    page.go_forward()
    expect(page.locator(".box")).to_be_visible()
    page.reload()
    ready(page)
    expect(page.locator(".box")).to_be_visible()
    assert f"&picture={second}/" in where(page)[0]
    page.locator(".box [data-close]").click()
    expect(page.locator(".box")).to_be_hidden()
    page.wait_for_url(f"**/#{second}")


def test_an_address_that_is_typed_is_shown_and_the_last_one_wins(petapi: Api, visit: Visit) -> None:
    first, second = petapi.label, f"{petapi.label}-2"
    for seed, label in enumerate((first, second)):
        assert petapi.upload(pictures.png(seed), f"0.{seed + 1}", label=label).status == 201
    page = visit(refused=["tag=none-has-it"])
    late = held(page, f"**/images?label={second}*")
    page.evaluate("(label) => { location.hash = label; }", second)
    slow = taken(page, late)
    expect(page.locator(".fraction")).to_have_text("weight 0.1 of 0.1 in total")  # as it was, until all is there
    expect(page.locator("#law-title")).to_contain_text(first)
    page.evaluate("(label) => { location.hash = label; }", first)
    slow.continue_()
    page.unroute(f"**/images?label={second}*")
    draw(page)
    expect(page.locator("#law-title")).to_contain_text(first)
    assert where(page) == (first, f"{first} · petAPI", first)

    page.evaluate("(label) => { location.hash = `${label}&tag=none-has-it`; }", second)
    expect(page.locator("#law-title")).to_contain_text(second)
    expect(page.locator(".fraction")).to_have_text("weight 0.2 of 0.2 in total")
    expect(page.locator(".tags button")).to_have_count(0)
    expect(page.locator("#law-title")).not_to_contain_text("tag")


def test_an_odd_fragment_of_the_address_breaks_nothing(petapi: Api, visit: Visit) -> None:
    assert petapi.upload(pictures.png(1)).status == 201
    page = visit(ODD[0], refused=["/images/.*/info"])
    for fragment in ODD:
        page.evaluate("(odd) => { location.hash = odd; }", fragment)
        draw(page)
        expect(page.locator(".hero b")).to_have_text("100.0%")
    for fragment in ODD[-3:]:
        page.goto(page.url.partition("#")[0] + "status")
        page.goto(page.url.removesuffix("status") + f"#{fragment}")
        ready(page)
        expect(page.locator(".hero b")).to_have_text("100.0%")
    page.evaluate("(id) => { location.hash = `&picture=${id}`; }", f"{petapi.label}/{'0' * 32}.png")
    expect(page.locator(".toast")).to_contain_text("This picture was deleted.")
    expect(page.locator(".box")).to_be_hidden()

    page.evaluate("() => { location.hash = 'unknown-label'; }")
    expect(page.get_by_text("Drop pictures here")).to_be_visible()
    expect(page.locator("#one")).to_be_disabled()
    page.get_by_role("button", name=re.compile(re.escape(petapi.label))).click()
    expect(page.locator(".hero b")).to_have_text("100.0%")
