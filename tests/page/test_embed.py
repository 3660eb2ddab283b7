"""The lines to embed: each recipe in each language does what it says, and what cannot be done says why."""

import html
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.support import pictures
from tests.support.browser import PATIENCE
from tests.support.hosts import Api
from tests.support.other_site import site
from tests.support.pictures import File
from tests.support.the_page import Visit

LANGUAGES = ["img", "Markdown", "curl", "JavaScript", "Python"]
RECIPES = {
    "A new picture each time": LANGUAGES,
    "Picture of the day": LANGUAGES[2:],
    "Slideshow without repeats": LANGUAGES[2:],
    "Small badge": LANGUAGES,
    "Answer of a bot": LANGUAGES[2:],
}
WIDTHS = [320, 330, 340]  # by which a test knows a picture
SECOND = 1000  # milliseconds
Lines = dict[tuple[str, str], str]


@pytest.fixture
def shown(petapi: Api, visit: Visit) -> Page:
    """Show a tag that three pictures of four have."""
    for seed, width in enumerate(WIDTHS):
        file = File(pictures.png(seed, (width, 200)), f"{width}.png")
        assert petapi.post([("label", petapi.label), ("tags", "sea"), ("img", file)]).status == 201
    assert petapi.upload(pictures.png(9)).status == 201
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    page.locator(".tags button").click()
    expect(page.locator(".strip button")).to_have_count(len(WIDTHS))
    return page


def read(page: Page) -> tuple[Lines, set[int]]:
    """Choose each recipe and language. Return the lines, and where what is below was. Check what disabled tabs say."""
    found: Lines = {}
    places = set()
    tabs = page.get_by_role("tab")
    expect(tabs).to_have_text(LANGUAGES)
    for recipe, possible in RECIPES.items():
        page.locator(".embed select").select_option(recipe)
        for language in LANGUAGES:
            tab = page.get_by_role("tab", name=language, exact=True)
            tab.click(force=True)
            if language in possible:
                expect(tab).to_have_attribute("aria-selected", "true")
                expect(tab).not_to_have_attribute("aria-disabled", "true")
                found[recipe, language] = page.locator(".code code").inner_text()
            else:
                expect(tab).to_have_attribute("aria-disabled", "true")
                expect(page.locator(".embed .hint")).to_contain_text("choose curl, JavaScript or Python")
                expect(page.get_by_role("tab", selected=True)).to_have_text("curl")
            places.add(page.locator("#gallery").evaluate("(one) => one.offsetTop"))
    assert page.locator(".code pre").evaluate("(one) => one.offsetHeight") >= 168
    return found, places


def is_picture(path: Path, longest: int = WIDTHS[-1]) -> None:
    with Image.open(path) as picture:
        assert longest - 21 < max(picture.size) <= longest


def run(command: list[str], folder: Path) -> str:
    """Run a program where curl, too, takes JPEG only, so that the service redirects to a thumbnail not made before."""
    folder.mkdir()
    (folder.parent / ".curlrc").write_text('header = "Accept: image/jpeg, application/json;q=0.5"')
    environment = {**os.environ, "HOME": str(folder.parent)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


def check_programs(recipe: str, programs: dict[str, list[str]], folder: Path, label: str) -> None:
    """Run the lines of the shell and of Python, each in a folder of its own, and check what they print and save."""
    for language, command in programs.items():
        where = folder / f"{recipe}-{language}"
        printed = run(command, where)
        files = sorted(path.name for path in where.iterdir())
        if recipe == "Slideshow without repeats":
            assert files == ["0", "1", "2"]
            widths = []
            for name in files:
                with Image.open(where / name) as picture:
                    widths.append(picture.width)
            assert sorted(widths) == WIDTHS
        elif recipe == "Answer of a bot":
            assert files == []
            assert f"/images/{label}/" in printed
            assert "0.333" in printed
        else:
            assert files == [label]
            is_picture(where / label, 256 if recipe == "Small badge" else WIDTHS[-1])
            assert "0.333" in printed


def test_each_line_works(petapi: Api, shown: Page, url: str, browser: Browser, tmp_path: Path) -> None:
    lines, places = read(shown)
    assert set(lines) == {(recipe, language) for recipe, possible in RECIPES.items() for language in possible}
    shown.locator(".embed select").select_option("Small badge")
    shown.get_by_role("tab", name="img").click()
    shown.locator(".copy").click()
    expect(shown.locator(".copy")).to_have_text("Copied")
    assert shown.evaluate("() => navigator.clipboard.readText()") == lines["Small badge", "img"]
    expect(shown.locator(".copy")).to_have_text("Copy")

    for (recipe, language), text in lines.items():
        assert f"label={petapi.label}&" in html.unescape(text), (recipe, language)
        assert "tag=sea" in text
        if language in ("img", "Markdown"):
            pattern = r'<img src="(.*)"\s+alt="(.*)">' if language == "img" else r"!\[(?P<alt>.*)\]\((.*)\)"
            groups = re.fullmatch(pattern, text)
            assert groups
            address = html.unescape(groups[1] if language == "img" else groups[2])
            answer = petapi.get(address.removeprefix(url))
            assert (answer.status, answer.headers["content-type"].partition("/")[0]) == (200, "image")
            assert answer.headers["image-probability"].startswith("0.333")
    for recipe in RECIPES:
        programs = {
            "curl": ["sh", "-e", "-c", lines[recipe, "curl"]],
            "Python": [sys.executable, "-c", lines[recipe, "Python"]],
        }
        check_programs(recipe, programs, tmp_path, petapi.label)
    today = [tmp_path / f"Picture of the day-{language}/{petapi.label}" for language in ("curl", "Python")]
    assert len({path.read_bytes() for path in today}) == 1
    check_scripts(browser, {recipe: lines[recipe, "JavaScript"] for recipe in RECIPES})
    assert len(places) == 1, "a tab moves what is below"


def check_scripts(browser: Browser, scripts: dict[str, str]) -> None:
    """Run the lines of JavaScript in pages of another site, and check what they show or print."""
    with site() as port:
        for recipe, script in scripts.items():
            page = browser.new_page()
            page.set_default_timeout(PATIENCE)
            said: list[str] = []
            page.on("console", lambda message, said=said: said.append(message.text))
            page.clock.install()
            page.goto(f"http://127.0.0.1:{port}/")
            page.add_script_tag(content=script, type="module")
            if recipe == "Answer of a bot":
                while not said:
                    page.wait_for_timeout(10)
                assert re.fullmatch(r"http://.*/images/\S+ with probability 0\.333\d*", said[0])
            elif recipe == "Slideshow without repeats":
                check_slides(page)
            else:
                page.wait_for_function("() => document.images[0].complete && document.images[0].naturalWidth")
                width = page.evaluate("() => document.images[0].naturalWidth")
                assert width == 256 if recipe == "Small badge" else width in WIDTHS
                assert page.evaluate("() => document.images[0].alt").startswith("A random picture of page-")
                assert said == []
            page.close()


def check_slides(page: Page) -> None:
    """See all pictures once, and then from the first one again."""
    widths = []
    for _ in range(len(WIDTHS) + 1):
        before, ok = page.evaluate("() => document.images[0].src"), False
        while not ok:  # after the last one, it begins again
            with page.expect_response("**/random.json?*") as answer:
                page.clock.run_for(5 * SECOND)
            ok = answer.value.ok
        page.wait_for_function("(before) => document.images[0].src !== before", arg=before)
        page.wait_for_function("() => document.images[0].complete && document.images[0].naturalWidth")
        widths.append(page.evaluate("() => document.images[0].naturalWidth"))
    assert sorted(widths[:3]) == WIDTHS
    assert widths[3] == widths[0]
