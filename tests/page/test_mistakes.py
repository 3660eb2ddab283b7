"""What a hurried person does: typing in two places, the wrong button, a change of mind, a file that is gone."""

import re
from pathlib import Path

from playwright.sync_api import Download, Route, expect

from tests.support import pictures
from tests.support.hosts import Api
from tests.support.pictures import File
from tests.support.the_page import Visit, held, taken
from tests.support.the_rooms import add, begin_without_time, give, info, look, row, store, tile, tiles
from tests.support.waiting import eventually

UNDO = 8  # seconds


def test_what_is_added_again_while_it_waits_to_be_deleted_stays(petapi: Api, visit: Visit) -> None:
    url = store(petapi, "a.png", 1)
    store(petapi, "b.png", 2)
    page = visit(before=begin_without_time, refused=["/upload$"])
    page.get_by_role("button", name="Table").click()
    page.get_by_role("button", name="Delete a.png").click()
    expect(page.locator(".list tbody tr")).to_have_count(1)
    give(page, File(pictures.png(1, (60, 40)), "a.png"))
    add(page)
    expect(row(page, "a.png")).to_contain_text("Already there")
    expect(page.get_by_role("button", name="Delete a.png")).to_be_visible()
    page.clock.run_for(UNDO * 1000)
    page.get_by_role("button", name="Delete b.png").click()
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        page.clock.run_for(UNDO * 1000)
    assert petapi.get(url).status == 200


def test_what_is_typed_in_a_row_stays_while_others_are_sent_and_counts(petapi: Api, visit: Visit) -> None:
    page = visit(refused=["/upload$"])
    give(page, File(b"no picture", "bad.png"), File(pictures.png(1), "good.png"))
    routes = held(page, "**/upload")
    page.locator("#go").click()
    both = [taken(page, routes), taken(page, routes)]
    both[0].continue_()
    expect(row(page, "bad.png")).to_contain_text("Refused")
    row(page, "bad.png").get_by_role("button", name="Change").click()
    weight = row(page, "bad.png").get_by_label("Weight")
    weight.fill("0.7")
    page.unroute("**/upload")
    both[1].continue_()
    expect(row(page, "good.png")).to_contain_text("Stored.")
    expect(page.locator("#go")).to_have_text("Done")
    expect(weight).to_have_value("0.7")
    row(page, "bad.png").get_by_role("button", name="Set").click()
    expect(row(page, "bad.png")).to_contain_text("Waiting, weight 0.7")

    give(page, File(pictures.png(2), "third.png"))
    row(page, "third.png").get_by_role("button", name="Change").click()
    row(page, "third.png").get_by_label("Weight").fill("0.25")
    add(page)
    expect(row(page, "third.png")).to_contain_text("Stored.")
    page.get_by_label("Close").first.click()
    look(page, "third.png")
    expect(page.locator(".box").get_by_label("Weight, exactly")).to_have_value("0.25")


def test_a_file_that_is_gone_is_named_and_the_others_are_stored(petapi: Api, visit: Visit, tmp_path: Path) -> None:
    for seed in range(3):
        (tmp_path / f"{seed}.png").write_bytes(pictures.png(seed))
    page = visit()
    page.set_input_files("#files", sorted(tmp_path.iterdir()))
    (tmp_path / "0.png").unlink()
    add(page)
    expect(row(page, "0.png")).to_contain_text("Refused: It cannot be read any more. Choose it again.")
    expect(page.locator(".tray .sum p")).to_have_text("2 of 3 stored. 1 refused.")
    expect(page.locator("#away")).to_be_hidden()


def test_other_tags_of_a_picture_that_is_there_are_offered(petapi: Api, visit: Visit) -> None:
    url = store(petapi, "a.png", 1, tags="old")
    page = visit(refused=["/upload$"])
    give(page, File(pictures.png(1, (60, 40)), "a.png"))
    page.locator("#forall").get_by_label("Tags").fill("sea, old")
    add(page)
    expect(row(page, "a.png")).to_contain_text("Already there, with weight 0.5.")
    row(page, "a.png").get_by_role("button", name="Set its tags").click()
    expect(row(page, "a.png")).to_contain_text("Stored.")
    assert sorted(info(petapi, url)["tags"]) == ["old", "sea"]


def test_the_tray_offers_the_label_that_one_looks_at(petapi: Api, visit: Visit) -> None:
    store(petapi, "a.png", 1)
    store(Api(petapi.host, f"{petapi.label}-2"), "b.png", 2)
    page = visit()
    label = page.locator("#forall").get_by_label("Label")
    page.locator("#add").click()
    expect(label).to_have_value(petapi.label)
    page.evaluate("(label) => { location.hash = label; }", f"{petapi.label}-2")
    expect(page.locator("#law-title")).to_contain_text(f"{petapi.label}-2")
    page.locator("#add").click()
    expect(label).to_have_value(f"{petapi.label}-2")
    label.fill("mine")
    page.locator("#add").click()
    expect(label).to_have_value("mine")


def test_a_saved_picture_keeps_what_it_seems_to_show_and_loses_its_name(petapi: Api, visit: Visit) -> None:
    url = store(petapi, "a.png", 1, tags="sea")
    eventually(lambda: "labels" in info(petapi, url))
    page = visit()
    box = look(page, "a.png")
    expect(box.locator(".guesses")).to_be_visible()
    for change in (("Weight, exactly", "0.25", "Save the weight"), ("File name", "", "Rename")):
        box.get_by_label(change[0]).fill(change[1])
        box.get_by_role("button", name=change[2]).click()
        expect(box.locator(".save span")).to_have_text("Saved.")
        expect(box.locator(".guesses")).to_be_visible()
    expect(page.locator("#box-title")).to_contain_text("Picture ")
    box.get_by_role("button", name="Remove the tag sea").click()
    expect(box.get_by_role("button", name="Remove the tag sea")).to_have_count(0)
    page.keyboard.press("Escape")
    assert tiles(page)[0].startswith("Picture ")
    expect(page.locator(".hero .name")).to_contain_text("Picture ")
    expect(page.locator(".tags button")).to_have_count(0)
    page.get_by_role("button", name="Table").click()
    expect(page.locator(".list tbody")).not_to_contain_text("not yet")


def test_a_name_that_is_typed_is_never_replaced_by_another_ones(petapi: Api, visit: Visit) -> None:
    url = store(petapi, "a.png", 1)
    page = visit(refused=["/images/"])
    box = look(page, "a.png")
    name = box.get_by_label("File name")
    name.fill("mine.png")
    box.get_by_label("Weight, exactly").fill("0.25")
    box.get_by_role("button", name="Save the weight").click()
    expect(box.locator(".save span")).to_have_text("Saved.")
    expect(name).to_have_value("mine.png")
    petapi.patch(url, {"filename": "theirs.png"})
    box.get_by_role("button", name="Rename").click()
    expect(box.locator("p.error")).to_contain_text("the name is theirs.png now")
    expect(name).to_have_value("mine.png")
    box.get_by_role("button", name="Rename").click()
    expect(page.locator("#box-title")).to_contain_text("mine.png")
    assert page.title() == "mine.png · petAPI"
    assert info(petapi, url)["filename"] == "mine.png"


def test_a_download_that_is_refused_saves_nothing(petapi: Api, visit: Visit) -> None:
    store(petapi, "a.png", 1)
    page = visit(refused=["/images/"])
    box = look(page, "a.png")
    page.route(re.compile(r"/images/[^?]*\.png$"), lambda route: route.fulfill(status=429))
    downloads: list[Download] = []
    page.on("download", lambda download: downloads.append(download))
    box.get_by_role("link", name="Download").click()
    expect(page.locator(".toast")).to_contain_text("The service answered 429.")
    assert downloads == []


def test_enter_in_the_tags_of_the_selected_sets_the_tags(petapi: Api, visit: Visit) -> None:
    url = store(petapi, "a.png", 1)
    page = visit()
    form = page.locator(".selected")
    page.locator("#select").click()
    tile(page, "a.png").click()
    form.get_by_label("Weight").fill("2")
    form.get_by_role("button", name="Weight").click()
    expect(page.locator(".toast")).to_contain_text("A weight is above 0 and below 1.")
    form.get_by_label("Tags").fill("sunny")
    page.keyboard.press("Enter")
    expect(form).to_be_hidden()
    assert info(petapi, url)["tags"] == ["sunny"]
    assert info(petapi, url)["weight"] == 0.5
    page.locator("#select").click()
    form.get_by_role("button", name="Done").click()
    expect(form).to_be_hidden()


def test_a_picture_that_waits_to_be_deleted_is_not_opened(petapi: Api, visit: Visit) -> None:
    store(petapi, "a.png", 1)
    store(petapi, "b.png", 2)
    page = visit(before=begin_without_time)
    before = page.url
    page.get_by_role("button", name="Table").click()
    page.get_by_role("button", name="Delete a.png").click()
    page.locator(".strip .gone button").click()
    expect(page.locator(".box")).to_be_hidden()
    assert page.url == before
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator(".list tbody tr")).to_have_count(2)
    expect(page.locator(".box")).to_be_hidden()


def test_any_text_may_be_searched_for_and_new_labels_have_their_probability(petapi: Api, visit: Visit) -> None:
    store(petapi, "a.png", 1)
    page = visit(refused=["/images"])
    field = page.get_by_label("Search pictures")
    for words in ("24/7", "a\\b", "<b>&amp;", "%", "_"):
        field.fill(words)
        page.keyboard.press("Enter")
        expect(page.locator(".found")).to_contain_text(f"No picture with “{words}”")
        expect(field).not_to_have_attribute("aria-busy", "true")
        expect(page.locator(".toast")).to_be_hidden()
    store(Api(petapi.host, f"{petapi.label}-2"), "New Boat.png", 2)
    field.fill("boat")
    page.keyboard.press("Enter")
    expect(tile(page, "New Boat.png").locator("b")).to_have_text("100.0%")
    store(Api(petapi.host, f"{petapi.label}-3"), "newer.png", 3)
    field.fill("")
    page.get_by_label("Which pictures").select_option("All labels")
    expect(tile(page, "newer.png").locator("b")).to_have_text("100.0%")
    field.fill("BOAT")
    expect(page.locator(".found")).to_contain_text("1 picture with “BOAT”")


def test_where_the_browser_stores_nothing_the_page_works(petapi: Api, visit: Visit) -> None:
    store(petapi, "a.png", 1)
    no = (
        "Object.defineProperty(window, 'sessionStorage', { get() { throw new DOMException('no', 'SecurityError'); } });"
    )
    page = visit(before=lambda page: page.add_init_script(no))
    page.locator("#one").click()
    expect(page.locator(".said")).to_contain_text("Drawn 2 times.")


def test_writes_that_are_closed_meanwhile_are_not_tried_for_minutes(petapi: Api, visit: Visit) -> None:
    store(petapi, "a.png", 1)
    page = visit(refused=["/images/"])
    box = look(page, "a.png")
    tried: list[str] = []
    detail = "Writes are closed for a while."

    def closed(route: Route) -> None:
        tried.append("PATCH")
        route.fulfill(status=503, headers={"Retry-After": "60"}, json={"detail": detail})

    page.route(re.compile("/images/[^?]*png$"), closed)
    box.get_by_label("Weight, exactly").fill("0.25")
    with page.expect_response("**/status"):
        box.get_by_role("button", name="Save the weight").click()
    expect(box.locator("p.error")).to_have_text(detail)
    assert tried == ["PATCH"]
