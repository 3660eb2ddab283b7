"""The gallery: how it is sorted, its table, what is deleted and brought back, and what is done to several pictures."""

import re
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.support import pictures
from tests.support.browser import axe
from tests.support.hosts import Api
from tests.support.pictures import File
from tests.support.the_page import Visit, loaded
from tests.support.the_rooms import begin_without_time, info, look, store, tile, tiles
from tests.support.waiting import eventually

UNDO = 8  # seconds


def deleting(page: Page) -> Any:
    return page.expect_response(lambda answer: answer.request.method == "DELETE")


def show_table(page: Page) -> None:
    page.get_by_role("button", name="Table").click()
    expect(page.locator(".list")).to_be_visible()


def test_it_is_sorted_and_lists_all_labels(petapi: Api, visit: Visit) -> None:
    for seed, (name, weight) in enumerate({"10-c.png": "0.3", "9-a.png": "0.6", "Ab.png": "0.1"}.items()):
        store(petapi, name, seed, weight=weight)
    store(Api(petapi.host, f"{petapi.label}-b"), "other.png", 9, weight="0.2")
    page = visit()
    expect(page.locator("#gallery-title small")).to_have_text("3 pictures")
    expect(page.locator(".end span")).to_have_text("All 3 are shown.")
    assert tiles(page) == ["Ab.png", "9-a.png", "10-c.png"], "the newest first"
    orders = {"Heaviest": ["9-a.png", "10-c.png", "Ab.png"], "Name": ["9-a.png", "10-c.png", "Ab.png"]}
    for by, names in orders.items():
        page.get_by_label("Sort").select_option(by)
        assert tiles(page) == names
    expect(tile(page, "9-a.png").locator("b")).to_have_text("60.0%")
    for part in ("9-a.png", petapi.label, "60.0%"):
        expect(tile(page, "9-a.png")).to_have_accessible_name(re.compile(re.escape(part)))
    widths = page.locator(".tile > i").evaluate_all("(all) => all.map((one) => one.style.getPropertyValue('--p'))")
    assert [round(float(width), 3) for width in widths] == [1, 0.5, 0.167], "of the greatest"
    page.get_by_label("Which pictures").select_option("All labels")
    expect(tile(page, "other.png").locator("b")).to_have_text("100.0%")
    expect(tile(page, "other.png")).to_have_accessible_name(re.compile(f"{petapi.label}-b"))
    expect(tile(page, "9-a.png").locator("b")).to_have_text("60.0%")
    look(page, "other.png")
    expect(page.locator("#box-title small")).to_contain_text("in all labels")
    page.keyboard.press("Escape")
    page.get_by_label("Which pictures").select_option(petapi.label)
    expect(tile(page, "other.png")).to_have_count(0)
    assert len(tiles(page)) == 3


def test_the_table_says_what_the_requirements_ask_for(petapi: Api, visit: Visit) -> None:
    url = store(petapi, "grey.png", 1, weight="0.75", tags="sea,old")
    store(petapi, "second.png", 2, weight="0.25")
    eventually(lambda: "labels" in info(petapi, url))
    guess = info(petapi, url)["labels"][0]

    def before_the_second_is_recognised(route: Route) -> None:
        document = route.fetch().json()
        images = [image if image["filename"] == "grey.png" else {**image, "labels": []} for image in document["images"]]
        route.fulfill(json={**document, "images": images})

    page = visit(before=lambda page: page.route("**/images?*", before_the_second_is_recognised, times=1))
    show_table(page)
    heads = ["Picture", "File name", "Label", "Best guess", "Weight", "Probability", "Delete"]
    expect(page.locator(".list thead th")).to_have_text(heads)
    line = page.locator(".list tbody tr", has_text="grey.png")
    expect(line.locator("img")).to_have_js_property("naturalWidth", 60)
    texts = ["", "grey.pngold, sea", petapi.label, f"{guess['name']} {guess['confidence']:.0f}%", "0.75", "75.0%", ""]
    expect(line.locator("td, th")).to_have_text(texts)
    expect(page.locator(".list tbody tr", has_text="second.png").locator("td").nth(2)).to_have_text("not yet")
    assert axe(page) == []
    line.get_by_role("button", name="grey.png", exact=True).click()
    expect(page.locator("#box-title")).to_contain_text("grey.png")
    page.keyboard.press("Escape")
    expect(line.get_by_role("button", name="grey.png", exact=True)).to_be_focused()
    page.get_by_role("button", name="Pictures", exact=True).click()
    expect(page.locator(".list")).to_be_hidden()
    assert sorted(tiles(page)) == ["grey.png", "second.png"]


def test_a_delete_is_sent_after_some_seconds_and_may_be_undone_until_then(petapi: Api, visit: Visit) -> None:
    urls = [store(petapi, f"{seed}.png", seed) for seed in range(3)]
    page = visit(before=begin_without_time)
    toast = page.locator(".toast")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    page.get_by_label("Sort").select_option("Name")
    show_table(page)
    rows = page.locator(".list tbody tr")

    page.get_by_role("button", name="Delete 1.png").click()
    expect(toast).to_contain_text("Deleted 1.png.")
    expect(rows).to_have_count(2)
    expect(page.get_by_role("button", name="Delete 2.png")).to_be_focused()
    hatched = page.locator(".strip .gone")
    expect(hatched.get_by_role("button")).to_have_accessible_name(re.compile("^1.png, 33.3%"))
    page.clock.run_for(UNDO * 1000 - 100)
    toast.get_by_role("button", name="Undo").click()
    expect(toast).to_be_hidden()
    expect(rows).to_have_count(3)
    expect(hatched).to_have_count(0)

    page.get_by_role("button", name="Delete 2.png").click()
    expect(page.get_by_role("button", name="Delete 1.png")).to_be_focused()
    page.keyboard.press("Control+z")
    expect(rows).to_have_count(3)
    page.clock.run_for(UNDO * 2000)
    assert "DELETE" not in sent
    assert [petapi.get(url).status for url in urls] == [200] * 3

    loaded(page)
    page.get_by_role("button", name="Delete 0.png").click()
    with deleting(page):
        page.clock.run_for(UNDO * 1000)
    expect(toast).to_be_hidden()
    expect(page.locator("#law-title b")).to_have_text(f"2 pictures of {petapi.label}")
    expect(page.locator(".labels [aria-pressed=true] small")).to_have_text("2")
    assert [petapi.get(url).status for url in urls] == [404, 200, 200]

    page.get_by_role("button", name="Delete 1.png").click()
    with deleting(page):
        page.get_by_role("button", name="Delete 2.png").click()
    expect(toast).to_contain_text("Deleted 2.png.")
    expect(page.locator(".end span")).to_have_text("")
    with deleting(page):
        page.clock.run_for(UNDO * 1000)
    expect(page.locator(".zone")).to_be_visible()
    assert [petapi.get(url).status for url in urls] == [404] * 3


def test_what_waits_to_be_deleted_is_deleted_as_the_page_goes(petapi: Api, visit: Visit, url: str) -> None:
    image = store(petapi, "a.png", 1)
    store(petapi, "b.png", 2)
    page = visit(before=begin_without_time)
    loaded(page)
    show_table(page)
    page.get_by_role("button", name="Delete a.png").click()
    expect(page.locator(".toast")).to_be_visible()
    assert petapi.get(image).status == 200
    page.goto("about:blank")
    eventually(lambda: petapi.get(image).status == 404)


def test_a_delete_that_fails_brings_the_picture_back(petapi: Api, visit: Visit) -> None:
    image = store(petapi, "a.png", 1)
    page = visit(before=begin_without_time, refused=["/images/"])
    page.route(
        "**/images/*/*",
        lambda route: route.fulfill(status=500) if route.request.method == "DELETE" else route.continue_(),
    )
    show_table(page)
    page.get_by_role("button", name="Delete a.png").click()
    expect(page.locator(".list tbody tr")).to_have_count(0)
    page.clock.run_for(UNDO * 1000)
    expect(page.locator(".toast")).to_contain_text("The service answered 500. Try again in a moment.")
    expect(page.get_by_role("button", name="Delete a.png")).to_be_visible()
    assert petapi.get(image).status == 200


def test_several_pictures_are_changed_together(petapi: Api, visit: Visit) -> None:
    urls = [store(petapi, f"{seed}.png", seed, tags="old") for seed in range(4)]
    page = visit(before=begin_without_time)
    form = page.locator(".selected")

    def pick(*names: str) -> None:
        page.locator("#select").click()
        expect(form.get_by_role("button", name="Weight")).to_be_disabled()
        for name in names:
            tile(page, name).click()
            expect(tile(page, name)).to_have_attribute("aria-pressed", "true")
        expect(form.locator("b")).to_have_text(f"{len(names)} selected")

    pick("0.png", "1.png", "2.png")
    tile(page, "2.png").click()
    expect(tile(page, "2.png")).to_have_attribute("aria-pressed", "false")
    expect(form.locator("b")).to_have_text("2 selected")
    form.get_by_label("Weight").fill("0.123456789")
    form.get_by_role("button", name="Weight").click()
    expect(form).to_be_hidden()
    expect(page.locator("#select")).to_be_focused()
    assert [info(petapi, url)["weight"] for url in urls] == [0.123456789, 0.123456789, 0.5, 0.5]
    expect(tile(page, "0.png").locator("b")).to_have_text("9.9%")

    pick("1.png", "3.png")
    form.get_by_label("Tags").fill("Sunny, harbour")
    form.get_by_role("button", name="Tags").click()
    expect(form).to_be_hidden()
    assert [sorted(info(petapi, url)["tags"]) for url in urls] == [["old"], ["harbour", "sunny"]] * 2
    expect(page.locator(".tags button", has_text="sunny").locator("small")).to_have_text("2")

    loaded(page)
    pick("0.png", "3.png")
    form.get_by_role("button", name="Delete").click()
    expect(page.locator(".toast")).to_contain_text("Deleted 2 pictures.")
    assert sorted(tiles(page)) == ["1.png", "2.png"]
    with deleting(page):
        page.clock.run_for(UNDO * 1000)
    eventually(lambda: [petapi.get(url).status for url in urls] == [404, 200, 200, 404])

    pick("1.png")
    form.get_by_role("button", name="Done").click()
    expect(form).to_be_hidden()
    look(page, "1.png")
    expect(page.locator(".box")).to_be_visible()


def test_if_one_of_several_fails_the_others_stay_selected(petapi: Api, visit: Visit) -> None:
    urls = [store(petapi, f"{seed}.png", seed) for seed in range(3)]
    page = visit(refused=["/images/"])
    page.get_by_label("Sort").select_option("Name")
    page.locator("#select").click()
    for seed in range(3):
        tile(page, f"{seed}.png").click()
    assert axe(page) == []
    assert petapi.delete(urls[1]).status == 204
    page.get_by_label("Weight of the selected").fill("0.25")
    page.locator(".selected").get_by_role("button", name="Weight").click()
    expect(page.locator(".toast")).to_be_visible()
    expect(page.locator(".selected b")).to_have_text("2 selected")
    assert info(petapi, urls[0])["weight"] == 0.25
    assert info(petapi, urls[2])["weight"] == 0.5


def test_ninety_five_pictures_are_shown_step_by_step_and_a_group_of_the_strip_leads_to_them(
    petapi: Api, visit: Visit
) -> None:
    for seed in range(95):
        file = File(pictures.tiny(seed), f"{seed:02}.png", "image/png")
        assert petapi.post([("label", petapi.label), ("weight", f"0.{99 - seed:02}"), ("img", file)]).status == 201
    page = visit(viewport={"width": 1280, "height": 500})
    shown = page.locator(".tile")
    expect(shown).to_have_count(48)
    expect(page.locator(".end span")).to_have_text("48 of 95 are shown.")
    expect(page.locator("#gallery-title small")).to_have_text("95 pictures")
    page.get_by_role("button", name="Show more").click()
    expect(shown).to_have_count(95)
    expect(shown.nth(48)).to_be_focused()
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    expect(page.locator(".end span")).to_have_text("All 95 are shown.")
    assert len(set(tiles(page))) == 95
    group = page.locator(".strip button").last
    expect(group).to_have_accessible_name(re.compile(r"^\d+ pictures, "))
    group.click()
    assert tiles(page) == [f"{seed:02}.png" for seed in range(95)], "the heaviest first"
    (count,) = re.findall(r"^\d+", group.get_attribute("aria-label") or "")
    expect(shown.nth(95 - int(count))).to_be_focused()
    expect(shown.nth(95 - int(count))).to_be_in_viewport()
