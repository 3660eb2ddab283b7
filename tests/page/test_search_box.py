"""The search box, over `make run` with lite0: what it finds and why, similar pictures; and without an encoder."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.support import lite0_models, pictures
from tests.support.browser import axe
from tests.support.hosts import Api, Remote, json_of
from tests.support.local_service import LocalService
from tests.support.pictures import File
from tests.support.the_page import Visit, sample
from tests.support.the_rooms import look, store, tile, tiles, transfer
from tests.support.waiting import eventually

SAMPLES = {"macaws": "bird", "sailing-yacht": "sail", "boat-at-pier": "boat"}
# A drop of the same picture with so many bytes after it that a request takes it only if the page makes it smaller.
LARGER = """async (transfer) => {
    const larger = new DataTransfer();
    const after = new Uint8Array(5_000_000);
    larger.items.add(new File([transfer.files[0], after], "large.jpg", { type: "image/jpeg" }));
    return larger;
}"""
OTHERS = {"sailing-yacht.jpg", "boat-at-pier.jpg"}


@pytest.fixture(scope="module")
def service(slow_tier: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """Run a service with three photographs, which are indexed, and a drawing that has only a name."""
    variables = {"ENCODER": "lite0", "LITE0_MODELS": str(lite0_models.folder())}
    with LocalService(tmp_path_factory.mktemp("page") / "data", variables=variables) as running:
        api = Api(Remote(running.be_patient().url), "shown")
        for name, tag in SAMPLES.items():
            image = json_of(api.post([("label", "shown"), ("tags", tag), ("img", sample(name))]))
            eventually(lambda image=image: api.get(f"/images/{image['id']}/similar").status == 200)
        yield running


@pytest.fixture
def url(service: LocalService) -> str:
    return service.url


def field(page: Page) -> Locator:
    return page.get_by_label("Search pictures")


def search(page: Page, text: str) -> None:
    """Type this and press Enter, and wait for what comes."""
    field(page).fill(text)
    page.keyboard.press("Enter")
    expect(field(page)).not_to_have_attribute("aria-busy", "true")


def found(page: Page) -> Locator:
    return page.locator(".found")


def whys(page: Page) -> list[str]:
    """Return why each picture was found, in their order."""
    return page.locator(".why").all_text_contents()


def test_enter_finds_the_beginnings_of_file_names_in_other_labels(petapi: Api, visit: Visit) -> None:
    store(petapi, "quayside-view.png", 1)
    page = visit("shown")
    search(page, "quaysi")
    expect(tile(page, "quayside-view.png")).to_be_visible()
    assert "file name: quaysi" in whys(page)


def test_a_text_finds_words_first_and_says_so(visit: Visit) -> None:
    page = visit("shown")
    page.keyboard.press("Control+k")
    expect(field(page)).to_be_focused()
    page.keyboard.type("boat")
    expect(found(page)).to_contain_text("1 picture with “boat” in the file name or a tag. Enter searches everywhere.")
    page.keyboard.press("Enter")
    expect(found(page)).to_contain_text("pictures for “boat”, the nearest first.")
    first, *others = whys(page)  # those of other tests are near in meaning, too
    assert len(others) >= 2
    expect(found(page)).to_contain_text(f"{1 + len(others)} pictures")
    expect(found(page)).to_contain_text(f"1 has the word, {len(others)} are near in meaning.")
    assert first == "word: boat"
    assert all(other.startswith("by meaning, 0.") for other in others)
    assert tiles(page)[0] == "boat-at-pier.jpg"
    classes = page.locator(".why").evaluate_all("(all) => all.map((one) => one.className)")
    assert classes == ["why word", *["why"] * len(others)]
    assert axe(page) == []
    page.get_by_role("button", name="Clear").click()
    expect(field(page)).to_be_focused()
    expect(field(page)).to_have_value("")
    expect(found(page)).to_be_empty()
    assert len(tiles(page)) == 3
    assert whys(page) == ["", "", ""]


def test_the_keyboard_is_enough_and_the_status_is_read_out(visit: Visit) -> None:
    page = visit("shown")
    field(page).focus()
    page.keyboard.type("Papagei")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="for “Papagei”")).to_contain_text("pictures")
    tile(page, "macaws.jpg").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#box-title")).to_contain_text("macaws.jpg")
    expect(page.locator("#box-title small")).to_contain_text("1 of ")
    expect(page.locator(".guess")).to_contain_text("macaw")
    page.keyboard.press("Escape")
    expect(tile(page, "macaws.jpg")).to_be_focused()
    field(page).focus()
    page.keyboard.press("Escape")
    expect(field(page)).to_have_value("")
    expect(found(page)).to_be_empty()
    expect(field(page)).to_be_focused()


def test_a_part_of_a_name_in_any_case_is_found(petapi: Api, visit: Visit) -> None:
    file = File(pictures.png(5, (60, 40)), "052-LadyBird.jpg", "image/png")
    assert petapi.post([("label", petapi.label), ("tags", "qxzw"), ("img", file)]).status == 201
    page = visit()
    search(page, "lady")
    assert tiles(page)[0] == "052-LadyBird.jpg"
    assert whys(page)[0] in ("file name: lady", "word: lady")  # as soon as it is indexed, it has the word
    search(page, "ADYB")
    assert (tiles(page)[0], whys(page)[0]) == ("052-LadyBird.jpg", "file name: ADYB")
    field(page).fill("QXZ")
    assert (tiles(page), whys(page)) == (["052-LadyBird.jpg"], ["tag: QXZ"])


def test_a_deleted_picture_leaves_the_hits(petapi: Api, visit: Visit) -> None:
    file = File(pictures.png(6, (60, 40)), "passing.png", "image/png")
    image = json_of(petapi.post([("label", petapi.label), ("tags", "qxzv"), ("img", file)]))
    eventually(lambda: bool(json_of(petapi.get(f"/search?q=qxzv&label={petapi.label}"))["images"]))
    page = visit("shown")
    search(page, "qxzv")
    assert (tiles(page)[0], whys(page)[0]) == ("passing.png", "word: qxzv")
    expect(tile(page, "passing.png").locator("b")).to_have_text("100.0%")
    look(page, "passing.png")
    page.keyboard.press("Delete")
    expect(tile(page, "passing.png")).to_have_count(0)
    page.reload()
    eventually(lambda: petapi.get(image["url"]).status == 404)


def test_a_picture_that_is_dropped_on_the_box_finds_those_like_it(visit: Visit) -> None:
    page = visit("shown")
    dropped = transfer(page, sample("macaws"))
    page.locator(".find").dispatch_event("drop", {"dataTransfer": dropped})
    expect(found(page)).to_contain_text("pictures like macaws.jpg, the nearest first.")
    assert (tiles(page)[0], whys(page)[0]) == ("macaws.jpg", "looks alike, 1.00")
    expect(page.locator(".tray")).to_be_hidden()
    large = page.evaluate_handle(LARGER, dropped)
    page.locator(".find").dispatch_event("drop", {"dataTransfer": large})
    expect(found(page)).to_contain_text("pictures like large.jpg, the nearest first.")
    assert tiles(page)[0] == "macaws.jpg"


def test_nothing_found_and_a_failed_search_are_said(visit: Visit) -> None:
    page = visit("shown", refused=["/search"])

    def nothing(route: Route) -> None:
        route.fulfill(json={"images": []})

    page.route("**/search?*", nothing, times=1)
    search(page, "xyzzy")
    expect(found(page)).to_contain_text("No picture matches “xyzzy” or its meaning.")
    expect(page.locator(".tile")).to_have_count(0)
    page.route("**/search?*", lambda route: route.fulfill(status=500, json={"detail": "It has failed."}), times=1)
    search(page, "boat")
    expect(page.locator(".toast")).to_contain_text("It has failed.")
    page.locator(".toast").get_by_role("button", name="Close").click()
    search(page, "boat")
    expect(found(page)).to_contain_text("pictures for “boat”")


def test_similar_pictures_are_asked_for_by_a_click_and_waited_for(visit: Visit) -> None:
    page = visit("shown", refused=["/similar"])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    box = look(page, "macaws.jpg")
    assert not any("/similar" in each for each in asked)
    busy = {"status": 429, "headers": {"Retry-After": "1"}, "body": '{"detail": "Busy."}'}
    page.route("**/similar?*", lambda route: route.fulfill(**busy), times=1)
    box.get_by_role("button", name="Similar pictures").click()
    expect(box.locator(".similar p")).to_have_text("Looking …")
    others = box.locator(".similar ul button")
    expect(others.first).to_be_focused()
    names: list[str] = others.evaluate_all("(all) => all.map((one) => one.ariaLabel)")
    assert {name.rpartition(", ")[0] for name in names} >= OTHERS
    assert axe(page) == []
    page.keyboard.press("Enter")
    expect(box.locator(".wipe img")).to_have_attribute("alt", names[0])
    expect(others).to_have_count(0)


@pytest.mark.usefixtures("slow_tier")
class TestWithoutAnEncoder:
    """A service that searches neither by meaning nor by pictures still finds names and tags."""

    @pytest.fixture
    def url(self, running: LocalService) -> str:
        return running.url

    def test_names_and_tags_are_found(self, petapi: Api, visit: Visit) -> None:
        for seed, name in enumerate(("lighthouse.png", "052-LadyBird.png", "sea.png")):
            fields: list[Any] = [("label", petapi.label), ("tags", "light-blue" if seed == 2 else "")]
            file = File(pictures.png(seed, (60, 40)), name, "image/png")
            assert petapi.post([field for field in (*fields, ("img", file)) if field[1]]).status == 201
        page = visit()
        searched: list[str] = []
        page.on("request", lambda request: searched.append(request.url))
        search(page, "light")
        expect(found(page)).to_contain_text("2 pictures with “light” in the file name or a tag.")
        assert (tiles(page), whys(page)) == (["lighthouse.png", "sea.png"], ["file name: light", "tag: light"])
        search(page, "lady")
        assert (tiles(page), whys(page)) == (["052-LadyBird.png"], ["file name: lady"])
        search(page, "meaning")
        expect(found(page)).to_contain_text("No picture with “meaning” in the file name or a tag.")
        page.locator(".find").dispatch_event("drop", {"dataTransfer": transfer(page, sample("macaws"))})
        expect(page.locator(".toast")).to_contain_text("This service cannot search by a picture: it has no encoder.")
        assert not any("/search" in each for each in searched)
