"""The search box, over `make run` with lite0: what it finds and why, by keyboard; and without an encoder."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support import lite0_models, pictures
from tests.support.browser import CHROMIUM, PATIENCE, Watched, axe, chromium
from tests.support.cloud import ROOT
from tests.support.hosts import Api, Running, json_of
from tests.support.local_service import LocalService
from tests.support.pictures import File
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(
    not CHROMIUM, reason="THE PAGE IS NOT TESTED: there is no Chromium (apt-get install chromium)"
)
expect.set_options(timeout=PATIENCE)
SAMPLES = {"macaws": "bird", "sailing-yacht": "sail", "boat-at-pier": "boat"}


@pytest.fixture(scope="module")
def browser(slow_tier: None) -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def service(slow_tier: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """Run a service with three photographs, which are indexed."""
    variables = {"ENCODER": "lite0", "LITE0_MODELS": str(lite0_models.folder())}
    with LocalService(tmp_path_factory.mktemp("page") / "data", variables=variables) as running:
        api = Api(Running(running.be_patient()), "shown")
        for sample, tag in SAMPLES.items():
            file = File((ROOT / f"web/samples/{sample}.jpg").read_bytes(), f"{sample}.jpg")
            image = json_of(api.post([("label", "shown"), ("tags", tag), ("img", file)]))
            eventually(lambda image=image: api.get(f"/images/{image['id']}/similar").status == 200)
        yield running


@pytest.fixture
def page(browser: Browser, service: LocalService) -> Iterator[Page]:
    watched = Watched(browser, service.url)
    watched.page.goto(f"{watched.url}/#shown")
    expect(watched.page.locator("#draw-one")).to_have_attribute("aria-busy", "false")
    yield watched.page
    watched.check()
    watched.context.close()


def hits(page: Page) -> list[str]:
    """Return what the tiles say, in order."""
    return [tile.inner_text().replace("\n", ", ") for tile in page.locator("#search li").all()]


def test_a_text_finds_words_first_and_says_so(page: Page) -> None:
    page.locator("#q").fill("boat")
    page.locator("#search button", has_text="Search").click()
    expect(page.locator("#search-status")).to_have_text("3 pictures for “boat”, 1 by words.")
    first, *others = hits(page)
    assert first.startswith("word: boat, similarity 0.")
    assert all(other.startswith("by meaning, similarity ") for other in others)
    assert page.locator("#search li img").first.get_attribute("alt") == "boat-at-pier.jpg, shown"
    assert axe(page) == []


def test_the_keyboard_is_enough_and_the_status_is_read_out(page: Page) -> None:
    page.locator("#q").focus()
    page.keyboard.type("Papagei")
    page.keyboard.press("Enter")
    status = page.get_by_role("status").filter(has_text="for “Papagei”")
    expect(status).to_have_text("3 pictures for “Papagei”.")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.querySelector('img').alt") == "macaws.jpg, shown"
    page.keyboard.press("Enter")
    expect(page.locator("#details-title")).to_have_text("macaws.jpg, shown")
    expect(page.locator("#details dl")).to_contain_text("macaw")
    page.locator("#alike").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#search-status")).to_have_text("2 pictures like macaws.jpg, shown.")
    assert page.evaluate("document.activeElement.id") == "search-title"
    assert [hit.partition(",")[0] for hit in hits(page)] == ["looks alike"] * 2


def test_a_deleted_picture_leaves_the_hits(page: Page, service: LocalService) -> None:
    api = Api(Running(service), "passing")
    image = json_of(api.post([("label", "passing"), ("tags", "qxzw"), ("img", File(pictures.png(5, (60, 40))))]))
    eventually(lambda: bool(json_of(api.get("/search?q=qxzw&label=passing"))["images"]))
    page.locator("#q").fill("qxzw")
    page.keyboard.press("Enter")
    tile = page.locator(f'#search [data-id="{image["id"]}"] button')
    expect(tile).to_contain_text("word: qxzw")
    tile.click()
    page.locator("#delete").click()
    page.locator("#confirm .danger").click()
    expect(tile).to_have_count(0)
    assert api.get(image["url"]).status == 404


def test_without_an_encoder_the_page_says_what_the_service_says(browser: Browser, running: LocalService) -> None:
    watched = Watched(browser, running.url)
    watched.refused |= {r"/search\?", r"/(random|images|labels)"}
    watched.page.goto(f"{watched.url}/#none-here")
    watched.page.locator("#q").fill("cat")
    watched.page.keyboard.press("Enter")
    expect(watched.page.locator("#problem p")).to_contain_text("has no encoder")
    expect(watched.page.locator("#search-status")).to_have_text("")
    watched.check()
    watched.context.close()
