"""The pages and the program of docs/how-to/embed.md do what it says."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page

from tests.support import documents, pictures
from tests.support.browser import CHROMIUM, PATIENCE, Watched, chromium
from tests.support.documents import PRINTED_URL, ROOT
from tests.support.hosts import Api, Running, json_of, new_label
from tests.support.local_service import ANSWER_MAX, LocalService
from tests.support.receivers import serving

GUIDE = ROOT / "docs/how-to/embed.md"
IS_SHOWN = "(image) => image.complete && image.naturalWidth > 0"
SLIDE_MS = 5_000

Visit = Callable[..., Page]


def blocks(language: str) -> list[str]:
    found = [match for match in documents.FENCE.finditer(documents.text_of(GUIDE)) if match["info"] == language]
    return [match["text"] for match in found]


@pytest.fixture
def api(running: LocalService) -> Api:
    """Return `make run` with three pictures under a label of its own."""
    api = Api(Running(running), new_label())
    for number, weight in enumerate(("0.2", "0.3", "0.5")):
        api.upload(pictures.png(number), weight)
    return api


def as_printed(block: str, api: Api, url: str) -> str:
    """Return a block with the address and the label of this test."""
    assert PRINTED_URL in block
    assert "label=boat" in block
    return block.replace(PRINTED_URL, url).replace("label=boat", f"label={api.label}")


# -- pages ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser(slow_tier: None) -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("THE PAGES ARE NOT TESTED: there is no Chromium (apt-get install chromium-headless-shell)")
    with chromium() as browser:
        yield browser


class Files(SimpleHTTPRequestHandler):
    """The files of a folder, served without a log."""

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def visit(browser: Browser, running: LocalService, api: Api, tmp_path: Path) -> Iterator[Visit]:
    """Serve and open a page with a block of the guide, and note which URLs it asks for.

    At the end, nothing may have gone wrong but a session's end.
    """
    pages = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=tmp_path))
    Thread(target=pages.serve_forever, daemon=True).start()
    watched = Watched(browser, f"http://127.0.0.1:{pages.server_port}")
    watched.others.add(running.url.partition("://")[2])
    watched.refused.add(r"/random\.json\?.*&position=3$")

    def visit(block: str, asked: list[str] | None = None) -> Page:
        if asked is not None:
            watched.page.on("request", lambda request: asked.append(request.url))
        content = f'<!doctype html><link rel="icon" href="data:,">{as_printed(block, api, running.url)}'
        (tmp_path / "index.html").write_text(content)
        watched.page.goto(watched.url)
        return watched.page

    yield visit
    watched.check()
    watched.context.close()
    pages.shutdown()
    pages.server_close()


def shown(page: Page, selector: str) -> str:
    """Return the address of a picture, once it is shown."""
    image = page.wait_for_selector(selector, timeout=PATIENCE)
    assert image
    page.wait_for_function(IS_SHOWN, arg=image, timeout=PATIENCE)
    return str(image.get_attribute("src"))


def test_the_badge_shows_a_picture_and_leads_to_the_page(running: LocalService, visit: Visit) -> None:
    badge, *_ = blocks("html")
    page = visit(badge)
    assert "/random?label=" in shown(page, "a > img")
    assert page.locator("a").get_attribute("href") == f"{running.url}/#boat"
    (markdown,) = blocks("md")
    addresses = set(re.findall(r'(?:href|src)="(.*?)"', badge))
    assert set(re.findall(r"\((http.*?)\)", markdown)) == addresses


def test_four_pictures_on_a_page_are_four_draws(visit: Visit) -> None:
    _, four, *_ = blocks("html")
    asked: list[str] = []
    page = visit(four, asked)
    for number in range(1, 5):
        shown(page, f"img[src$='random={number}']")
    draws = [url for url in asked if "/random?" in url]
    assert sorted(url[-1] for url in draws) == ["1", "2", "3", "4"]


def test_a_dozen_pictures_come_with_one_draw(visit: Visit) -> None:
    _, _, dozen, *_ = blocks("html")
    asked: list[str] = []
    page = visit(dozen, asked)
    for number in range(1, 13):
        assert "?size=256" in shown(page, f"#boats img:nth-child({number})")
    assert len([url for url in asked if "/random" in url]) == 1


def test_the_slideshow_shows_each_picture_once_and_begins_again(api: Api, visit: Visit) -> None:
    *_, slideshow, _ = blocks("html")
    page = visit(slideshow.replace("setInterval(next, 5000)", "globalThis.next = next"))
    seen = [shown(page, "#slide[src]")]
    for _ in range(5):
        page.evaluate("next()")
        seen.append(shown(page, "#slide"))
    stored = {f"{image['url']}?size=1024" for image in json_of(api.get(f"/images?label={api.label}"))["images"]}
    assert set(seen[:3]) == set(seen[3:]) == stored


def test_the_slideshow_goes_on_by_itself(visit: Visit) -> None:
    *_, slideshow, _ = blocks("html")
    assert f"setInterval(next, {SLIDE_MS})" in slideshow
    page = visit(slideshow.replace(f"next, {SLIDE_MS}", "next, 50"))
    first = shown(page, "#slide[src]")
    page.wait_for_function("(first) => document.querySelector('#slide').src !== first", arg=first, timeout=PATIENCE)


def test_the_picture_of_the_day_is_that_of_its_seed(api: Api, visit: Visit) -> None:
    *_, of_the_day = blocks("html")
    before = f"{datetime.now(UTC):%F}"
    address = shown(visit(of_the_day), "#today[src]")
    assert address.rpartition("=")[2] in (before, f"{datetime.now(UTC):%F}")
    seed = address.rpartition("=")[2]
    drawn = {api.random(seed=seed).headers["image-id"] for _ in range(3)}
    assert len(drawn) == 1


# -- the bot ----------------------------------------------------------------------------------------------------


def test_the_bot_posts_a_picture(api: Api, running: LocalService, tmp_path: Path) -> None:
    (bot,) = blocks("python")
    program = tmp_path / "bot.py"
    program.write_text(as_printed(bot, api, running.url))
    with serving() as chat:
        subprocess.run([sys.executable, program, chat.url], check=True, timeout=ANSWER_MAX)
    (posted,) = chat.received
    text = json.loads(posted.body)["text"]
    said = re.fullmatch(r"A boat with the probability (?P<probability>[\d.e-]+): (?P<url>http\S+)", text)
    assert said, text
    image = json_of(running.get(f"{said['url'].removeprefix(running.url)}/info"))
    assert image["label"] == api.label
    assert said["probability"] == f"{image['probability']:.3g}"
