"""The tray: how files come in, what becomes of each, and what a person does about it meanwhile."""

import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from shared.limits import FILE_MAX
from tests.support import hostile_pictures, pictures
from tests.support.browser import axe
from tests.support.hosts import Api, json_of
from tests.support.pictures import File
from tests.support.the_page import Visit, held, ready
from tests.support.the_rooms import add, begin_without_time, give, payload, row, transfer

PASTE = "(body, clipboardData) => body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }))"
# Note what the first row says, and how far all are, at each change.
HEAR = """(tray) => {
    const heard = [], [row, bar] = [".files p", ".sum progress"];
    const look = () => heard.push([tray.querySelector(row)?.textContent, tray.querySelector(bar).value]);
    new MutationObserver(look).observe(tray, { subtree: true, childList: true, characterData: true });
    return heard;
}"""
SUM = ".tray .sum p"


def png(name: str, seed: int = 1) -> File:
    return File(pictures.png(seed), name, "image/png")


def stored(api: Api) -> dict[str, Mapping[str, Any]]:
    """Return the images of the test's label by file name."""
    return {image["filename"]: image for image in json_of(api.get(f"/images?label={api.label}&limit=100"))["images"]}


def test_of_fifty_files_five_are_refused_each_for_its_own_reason(petapi: Api, visit: Visit, tmp_path: Path) -> None:
    refused = {
        "notes.png": b"no picture",
        "cut-off.png": pictures.png(1)[:-40],
        "too-many-pixels.png": hostile_pictures.png_header(60_000, 60_000),
        "moving.gif": pictures.gif(),
    }
    reasons = {name: json_of(petapi.upload(content))["detail"] for name, content in refused.items()}
    assert len(set(reasons.values())) == len(refused)
    reasons["too-large.png"] = "It has 20.1 MB, but may have at most 20.0 MB. Choose a smaller file."
    with (tmp_path / "too-large.png").open("wb") as file:
        file.truncate(FILE_MAX + 1)
    for name, content in [*refused.items(), *((f"{seed:02}.png", pictures.tiny(seed)) for seed in range(45))]:
        (tmp_path / name).write_bytes(content)
    page = visit(refused=["/upload$"])
    page.set_input_files("#files", sorted(tmp_path.iterdir()))
    expect(page.locator("#go")).to_have_text("Add 50")
    add(page)
    expect(page.locator(SUM)).to_have_text("45 of 50 stored. 5 refused.")
    for name, reason in reasons.items():
        expect(row(page, name).locator("p")).to_contain_text(f"Refused: {reason}")
    expect(page.locator(".files .ok em")).to_have_text(["Stored."] * 45)
    with page.expect_response("**/upload"):
        row(page, "notes.png").get_by_role("button", name="Retry").click()
    expect(row(page, "notes.png").locator("p")).to_contain_text(f"Refused: {reasons['notes.png']}")
    for name in reasons:
        row(page, name).get_by_role("button", name="Remove").click()
    expect(page.locator(SUM)).to_have_text("45 of 45 stored.")
    assert sorted(stored(petapi)) == [f"{seed:02}.png" for seed in range(45)]
    give(page, png("still-waiting.png"), File(b"no picture", "notes.png"))
    page.locator("#go").click()
    expect(row(page, "notes.png")).to_contain_text("Refused")
    assert axe(page) == []


def test_pictures_come_in_by_a_button_by_paste_and_by_a_drop_anywhere(visit: Visit) -> None:
    page = visit()
    for place in (page.locator(".zone"), page.locator(".tray")):
        with page.expect_file_chooser() as asked:
            place.get_by_role("button", name="Choose pictures").click()
        name = f"{place.locator('h2, .title').text_content()}.png"
        asked.value.set_files([payload(png(name))])
        expect(row(page, name)).to_contain_text("Waiting, weight 0.5")
    page.locator(".tray [data-close]").click()
    expect(page.locator(".tray")).to_be_hidden()
    expect(page.locator("#add")).to_be_focused()
    page.locator("body").evaluate(PASTE, transfer(page, png("image.png")))
    expect(row(page, "image.png")).to_be_visible()
    both = transfer(page, png("one.png"), png("two.png"))
    page.locator("footer").dispatch_event("drop", {"dataTransfer": both})
    expect(page.locator(".files li")).to_have_count(5)
    expect(page.locator("#go")).to_have_text("Add 5")


def test_a_folder_is_dropped_or_chosen_with_what_is_in_it(visit: Visit, tmp_path: Path) -> None:
    """The browser itself drops the folder: a script cannot make one."""
    inner = tmp_path / "summer" / "deep" / "deeper"
    inner.mkdir(parents=True)
    for seed, folder in enumerate((tmp_path / "summer", inner.parent, inner)):
        (folder / f"{seed}.png").write_bytes(pictures.png(seed))
    (inner / "Thumbs.db").write_bytes(b"of Windows")
    page = visit()
    devtools = page.context.new_cdp_session(page)
    dragged = {"items": [], "files": [str(tmp_path / "summer")], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 500, "data": dragged})
    expect(page.locator(".files li")).to_have_count(3)
    assert sorted(page.locator(".files b").all_text_contents()) == ["0.png", "1.png", "2.png"]
    page.reload()
    ready(page)
    page.locator("#add").click()
    with page.expect_file_chooser() as asked:
        page.locator(".tray").get_by_role("button", name="a folder").click()
    asked.value.set_files(tmp_path / "summer")
    expect(page.locator(".files li")).to_have_count(3)


def test_weight_label_and_tags_are_for_all_and_each_row_may_have_its_own(petapi: Api, visit: Visit) -> None:
    page = visit()
    give(page, png("first.png", 1), png("second.png", 2), png("third.png", 3), png("fourth.png", 4))
    assert page.locator("#forall [name=label]").input_value() == petapi.label
    page.locator("#forall [name=tags]").fill(" Sleepy, garden ,")
    page.get_by_label("Weight, roughly").first.fill("0.25")
    expect(page.locator("#forall [name=weight]")).to_have_value("0.25")
    page.locator("#forall [name=weight]").fill("0.123456789")
    expect(row(page, "first.png")).to_contain_text("Waiting, weight 0.123456789")
    row(page, "second.png").get_by_role("button", name="Change").click()
    own = row(page, "second.png").get_by_label("Weight")
    expect(own).to_be_focused()
    own.fill("0.75")
    row(page, "second.png").get_by_label("Tags").fill("Red, old")
    row(page, "second.png").get_by_role("button", name="Set").click()
    expect(row(page, "second.png").locator("p")).to_contain_text("Waiting, weight 0.75, red, old")
    row(page, "third.png").get_by_role("button", name="Remove third.png").click()
    expect(page.locator("#go")).to_have_text("Add 3")
    add(page)
    expect(row(page, "first.png").locator("p")).to_have_text(f"Stored. 12.4% of {petapi.label}")
    found = {name: (image["weight"], sorted(image["tags"])) for name, image in stored(petapi).items()}
    common = (0.123456789, ["garden", "sleepy"])
    assert found == {"first.png": common, "fourth.png": common, "second.png": (0.75, ["old", "red"])}
    page.locator("#go").click()
    expect(page.locator(".tray")).to_be_hidden()
    expect(page.locator(".fraction")).to_contain_text("of 0.996913578 in total")


def test_a_known_picture_is_set_to_the_new_weight_on_request(petapi: Api, visit: Visit) -> None:
    url = json_of(petapi.upload(pictures.png(1), "0.34"))["url"]
    page = visit(refused=["/upload$"])
    give(page, png("again.png"))
    add(page)
    expect(page.locator(SUM)).to_have_text("0 of 1 stored. 1 already there.")
    expect(row(page, "again.png").locator("p")).to_have_text("Already there, with weight 0.34. Set it to 0.5")
    row(page, "again.png").get_by_role("button", name="Set it to 0.5").click()
    expect(row(page, "again.png").locator("p")).to_have_text(f"Stored. 100.0% of {petapi.label}")
    assert json_of(petapi.get(f"{url}/info"))["weight"] == 0.5
    give(page, png("the-same.png"))
    add(page)
    expect(row(page, "the-same.png").locator("p")).to_have_text("Already there, with weight 0.5.")


def test_a_refused_row_can_be_mended_and_sent_again(petapi: Api, visit: Visit) -> None:
    page = visit(refused=["/upload$"])
    give(page, png("cat.png"))
    page.locator("#forall [name=label]").fill("a_b")
    add(page)
    expect(row(page, "cat.png").locator("p")).to_contain_text("Refused: label must begin with a letter")
    page.locator("#forall [name=label]").fill(petapi.label.upper())
    row(page, "cat.png").get_by_role("button", name="Retry").click()
    expect(page.locator(SUM)).to_have_text("1 of 1 stored.")
    assert [*stored(petapi)] == ["cat.png"]
    expect(page.locator(".hero b")).to_have_text("100.0%")


def test_a_closed_tray_goes_on_and_stop_stops(petapi: Api, visit: Visit) -> None:
    page = visit()
    on_their_way = held(page, "**/upload")
    give(page, *(png(f"{seed}.png", seed) for seed in range(6)))
    page.locator("#go").click()
    expect(page.locator(".files .send")).to_have_count(3)
    page.keyboard.press("Escape")
    expect(page.locator(".tray")).to_be_hidden()
    expect(page.locator("#add")).to_have_text("0 of 6")
    on_their_way.pop(0).continue_()
    expect(page.locator("#add")).to_have_text("1 of 6")
    page.locator("#add").click()
    expect(page.locator(SUM)).to_have_text("1 of 6 stored.")
    expect(page.locator(".files .send")).to_have_count(3)
    page.locator("#go").click()
    for route in on_their_way:
        route.continue_()
    expect(page.locator(SUM)).to_have_text("4 of 6 stored.")
    expect(page.locator("#go")).to_have_text("Add 2")
    assert len(stored(petapi)) == 4
    page.unroute("**/upload")
    add(page)
    expect(page.locator(SUM)).to_have_text("6 of 6 stored.")
    expect(page.locator("#add")).to_have_text("Add pictures")


def test_a_busy_service_is_waited_for_and_the_tray_says_so(petapi: Api, visit: Visit) -> None:
    page = visit(refused=["/upload$"], before=begin_without_time)
    busy = {"status": 429, "headers": {"Retry-After": "4"}, "body": '{"detail": "Busy."}'}
    page.route("**/upload", lambda route: route.fulfill(**busy), times=1)
    give(page, png("cat.png"))
    page.locator("#go").click()
    expect(page.locator(SUM)).to_have_text("The service is busy. Continuing in 4 s.")
    assert stored(petapi) == {}
    page.clock.run_for(4000)
    expect(page.locator(SUM)).to_have_text("1 of 1 stored.")


def test_an_upload_shows_how_far_it_is(visit: Visit) -> None:
    page = visit()
    heard = page.locator(".tray").evaluate_handle(HEAR)
    content = pictures.png_with(pictures.png(1), pictures.chunk(b"prVt", random.Random(1).randbytes(3_000_000)))
    give(page, File(content, "big.png", "image/png"))
    add(page)
    texts = [text for text, _ in heard.json_value()]
    shares = [share for _, share in heard.json_value()]
    assert any(re.fullmatch(r"\d+%", text or "") for text in texts)
    assert "checking" in texts
    assert shares == sorted(shares), "it never goes back"
    assert shares[-1] == 1
