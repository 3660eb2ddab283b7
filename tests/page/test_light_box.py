"""The light box: its weight, tags and name, changes of others, what a picture shows, keys and fingers."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.support import pictures
from tests.support.browser import axe
from tests.support.hosts import Api, json_of
from tests.support.the_page import Visit, loaded
from tests.support.the_rooms import begin_without_time, info, look, store, tile
from tests.support.waiting import eventually

TIMES = "\N{MULTIPLICATION SIGN}"


def title(page: Page) -> Locator:
    return page.locator("#box-title")


def test_a_weight_shows_its_probability_before_it_is_saved(petapi: Api, visit: Visit) -> None:
    url = store(petapi, "a.png", 1, weight="0.25")
    store(petapi, "b.png", 2, weight="0.75")
    page = visit()
    box = look(page, "a.png")
    probability, words, saved = box.locator(".prob b"), box.locator(".prob span"), box.locator(".save span")
    save, back = box.get_by_role("button", name="Save the weight"), box.get_by_role("button", name="Back to 0.25")
    expect(probability).to_have_text("25.0%")
    expect(words).to_have_text("0.25 of 1 in total")
    expect(save).to_be_hidden()
    height = box.locator(".change").bounding_box()
    box.get_by_label("Weight, roughly").fill("0.5")
    expect(box.get_by_label("Weight, exactly")).to_have_value("0.5")
    expect(probability).to_have_text("40.0%")
    expect(words).to_have_text("0.5 of 1.25 in totalnow 25.0%")
    assert box.locator(".change").bounding_box() == height, "the place of the buttons is kept"
    assert axe(page) == []
    back.click()
    expect(probability).to_have_text("25.0%")
    expect(box.get_by_label("Weight, exactly")).to_have_value("0.25")
    expect(save).to_be_hidden()
    box.get_by_label("Weight, exactly").fill("2")
    expect(probability).to_have_text("25.0%")
    box.get_by_label("Weight, exactly").fill("0.000000001")
    expect(probability).to_have_text("<0.1%")
    assert info(petapi, url)["weight"] == 0.25
    save.click()
    expect(saved).to_have_text("Saved.")
    expect(words).to_have_text("0.000000001 of 0.750000001 in total")
    expect(save).to_be_hidden()
    assert info(petapi, url)["weight"] == 1e-9
    box.get_by_label("Weight, roughly").fill("0.75")
    expect(saved).to_be_empty()
    page.keyboard.press("Escape")
    expect(tile(page, "a.png").locator("b")).to_have_text("<0.1%")
    expect(tile(page, "b.png").locator("b")).to_have_text("100.0%")


def test_what_has_changed_elsewhere_is_shown_and_saving_again_wins(petapi: Api, visit: Visit) -> None:
    url = store(petapi, "a.png", 1, weight="0.5", tags="old")
    page = visit(refused=["/images/"])
    box = look(page, "a.png")
    trouble, exactly = box.locator(".error"), box.get_by_label("Weight, exactly")

    petapi.patch(url, {"weight": 0.7})
    exactly.fill("0.25")
    box.get_by_role("button", name="Save the weight").click()
    expect(trouble).to_contain_text("the weight is 0.7 now")
    expect(exactly).to_have_value("0.25")
    expect(box.get_by_role("button", name="Back to 0.7")).to_be_visible()
    assert info(petapi, url)["weight"] == 0.7
    box.get_by_role("button", name="Save the weight").click()
    expect(box.locator(".save span")).to_have_text("Saved.")
    expect(trouble).to_be_empty()
    assert info(petapi, url)["weight"] == 0.25

    petapi.patch(url, {"tags": ["theirs"]})
    box.get_by_label("A new tag").fill("mine")
    page.keyboard.press("Enter")
    expect(trouble).to_contain_text("the tags are theirs now")
    expect(box.locator(".edit .chip")).to_have_text(["theirs"])
    box.get_by_label("A new tag").fill("mine")
    page.keyboard.press("Enter")
    expect(box.locator(".edit .chip")).to_have_text(["mine", "theirs"])

    petapi.patch(url, {"filename": "theirs.png"})
    box.get_by_label("File name").fill("mine.png")
    page.keyboard.press("Enter")
    expect(trouble).to_contain_text("the name is theirs.png now")
    expect(box.get_by_label("File name")).to_have_value("mine.png")
    expect(title(page)).to_contain_text("theirs.png")
    page.keyboard.press("Enter")
    expect(title(page)).to_contain_text("mine.png")
    now = info(petapi, url)
    assert (now["filename"], sorted(now["tags"]), now["weight"]) == ("mine.png", ["mine", "theirs"], 0.25)

    petapi.delete(url)
    exactly.fill("0.9")
    box.get_by_role("button", name="Save the weight").click()
    expect(trouble).to_contain_text(re.compile("no image|deleted"))


def test_tags_and_name_are_changed_and_what_the_service_refuses_is_said(petapi: Api, visit: Visit) -> None:
    url = store(petapi, "a.png", 1, tags="one,two,three,four")
    page = visit(refused=["/images/"])
    box = look(page, "a.png")
    chips, add = box.locator(".edit .chip"), box.get_by_label("A new tag")
    box.get_by_role("button", name="Remove the tag two").click()
    expect(chips).to_have_text(["four", "one", "three"])
    expect(box.locator(":focus")).to_have_count(1)
    add.fill(" Fünf")
    page.keyboard.press("Enter")
    expect(box.locator(".error")).to_contain_text("tag")
    expect(add).to_be_focused()
    expect(add).to_have_value(" Fünf")
    add.fill("Five")
    page.keyboard.press("Enter")
    expect(chips).to_have_text(["five", "four", "one", "three"])
    expect(add).to_be_focused()
    expect(box.locator(".error")).to_be_empty()
    page.keyboard.type("six")
    box.get_by_role("button", name="Add the tag").click()
    expect(chips).to_have_text(["five", "four", "one", "six", "three"])
    box.get_by_label("File name").fill("Übersicht <b>.png")
    box.get_by_role("button", name="Rename").click()
    expect(title(page)).to_contain_text("Übersicht <b>.png")
    assert info(petapi, url)["filename"] == "Übersicht <b>.png"
    assert info(petapi, url)["tags"] == ["five", "four", "one", "six", "three"]
    page.keyboard.press("Escape")
    expect(page.locator(".tags")).to_contain_text("All 5 tags")
    expect(tile(page, "Übersicht <b>.png")).to_be_focused()


def test_it_tells_what_is_known_of_a_picture(petapi: Api, visit: Visit) -> None:
    url = store(petapi, "a b.png", 1)
    eventually(lambda: "labels" in info(petapi, url))
    seen = info(petapi, url)["labels"]
    page = visit(permissions=["clipboard-read", "clipboard-write"], timezone_id="UTC")
    box = look(page, "a b.png")
    expect(box.locator(".guess li")).to_have_text([f"{each['name']}{each['confidence']:.0f}%" for each in seen])
    widths = box.locator(".guess .new").evaluate_all("(all) => all.map((one) => one.style.getPropertyValue('--p'))")
    assert [round(float(width) * 100, 3) for width in widths] == [round(each["confidence"], 3) for each in seen]
    expect(box.locator("dd").first).to_have_text(re.compile(rf"^60 {TIMES} 40, \d+ kB, PNG$"))
    expect(box.locator("dd").last).to_have_text(re.compile(r"^\d+ \w+ \d{4} at \d\d:\d\d$"))
    expect(box.locator(".wipe img")).to_have_attribute("alt", f"a b.png, {petapi.label}")
    expect(box.locator(".wipe img")).to_have_js_property("naturalWidth", 60)
    assert page.title() == "a b.png · petAPI"
    with page.expect_download() as loading:
        box.get_by_role("link", name="Download").click()
    assert loading.value.suggested_filename == "a b.png"
    assert loading.value.path().read_bytes() == petapi.get(url).body
    box.get_by_role("button", name="Copy address").click()
    expect(page.locator("#address")).to_have_text("Copied")
    assert page.evaluate("() => navigator.clipboard.readText()") == url
    expect(box.get_by_role("button", name="Similar pictures")).to_be_hidden()  # there is no encoder


def test_a_picture_without_a_name_has_one_of_its_own(petapi: Api, visit: Visit) -> None:
    url = json_of(petapi.upload(pictures.png(1)))["url"]
    petapi.patch(url, {"filename": ""})
    name = url.rpartition("/")[2]
    page = visit()
    look(page, f"Picture {name[:8]}")
    with page.expect_download() as loading:
        page.locator("#load").click()
    assert loading.value.suggested_filename == name


def test_keys_and_fingers_walk_through_the_pictures(petapi: Api, visit: Visit) -> None:
    for seed in range(3):
        store(petapi, f"{seed}.png", seed)
    page = visit(has_touch=True, viewport={"width": 390, "height": 800})
    page.get_by_label("Sort").select_option("Name")
    look(page, "0.png")
    expect(title(page)).to_be_focused()
    expect(title(page).locator("small")).to_have_text(re.compile("^1 of 3 in "))
    for key, seed in (("Right", 1), ("Right", 2), ("Right", 0), ("Left", 2)):
        name = f"{seed}.png"
        page.keyboard.press(f"Arrow{key}")
        expect(title(page)).to_contain_text(name)
        expect(page.locator(".wipe img")).to_have_attribute("alt", re.compile(f"^{name}, "))
    devtools = page.context.new_cdp_session(page)

    def swipe(start: int, end: int) -> None:
        for kind, x in (("touchStart", start), ("touchMove", (start + end) // 2), ("touchMove", end)):
            devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": 200}]})
        devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    swipe(100, 300)
    expect(title(page)).to_contain_text("1.png")
    swipe(300, 100)
    expect(title(page)).to_contain_text("2.png")
    swipe(200, 220)
    expect(title(page)).to_contain_text("2.png")
    expect(page.locator(".box")).to_be_visible()
    page.locator("#rename").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Delete")
    expect(title(page)).to_contain_text("2.png")
    page.keyboard.press("Escape")
    expect(page.locator(".box")).to_be_hidden()
    expect(tile(page, "2.png")).to_be_focused()


def test_it_deletes_by_button_and_by_key_with_undo(petapi: Api, visit: Visit) -> None:
    urls = [store(petapi, f"{seed}.png", seed) for seed in range(3)]
    page = visit(before=begin_without_time)
    page.get_by_label("Sort").select_option("Name")
    look(page, "0.png")
    page.keyboard.press("Delete")
    expect(page.locator(".box")).to_be_hidden()
    expect(page.locator(".toast")).to_contain_text("Deleted 0.png.")
    expect(tile(page, "1.png")).to_be_focused()
    expect(tile(page, "0.png")).to_have_count(0)
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(tile(page, "0.png")).to_be_visible()
    loaded(page)
    look(page, "2.png")
    page.get_by_role("button", name="Delete").click()
    expect(tile(page, "1.png")).to_be_focused()
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        page.clock.run_for(8000)
    assert [petapi.get(url).status for url in urls] == [200, 200, 404]


def test_a_picture_that_was_deleted_elsewhere_says_so(petapi: Api, visit: Visit) -> None:
    url = store(petapi, "a.png", 1)
    store(petapi, "b.png", 2)
    page = visit(refused=["/images/"])
    loaded(page)
    assert petapi.delete(url).status == 204
    tile(page, "a.png").click()
    expect(page.locator(".toast")).to_contain_text("This picture was deleted.")
    expect(page.locator(".box")).to_be_hidden()
    page.keyboard.press("Escape")
    look(page, "b.png")
    expect(title(page)).to_contain_text("b.png")
