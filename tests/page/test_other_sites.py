"""What a page of another site gets from `make run` in Chromium: pictures to show, links to follow, nothing to read."""

import io
import json
import random
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser

from shared.limits import BODY_MAX, FILE_MAX
from tests.support import direct, pictures
from tests.support.browser import PATIENCE
from tests.support.hosts import json_of
from tests.support.local_service import LocalService
from tests.support.other_site import site
from tests.support.the_page import FOREIGN_SITE

TRY = """async ([url, options]) => {
    try { const response = await fetch(url, options); return [response.type, (await response.text()).length]; }
    catch (error) { return ["refused", 0]; }
}"""
SHOW = """(url) => new Promise((done) => {
    const image = new Image(); image.onload = () => done(image.naturalWidth); image.onerror = () => done(0);
    image.src = url; document.body.append(image);
})"""
READ_PIXELS = """() => {
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d"); context.drawImage(document.querySelector("img"), 0, 0);
    try { context.getImageData(0, 0, 1, 1); return "read"; } catch (error) { return error.name; }
}"""
FETCH_LARGE = """async (url) => {
    const response = await fetch(url);
    return [response.status, (await response.arrayBuffer()).byteLength, response.redirected];
}"""


@pytest.fixture(scope="module")
def picture(running: LocalService) -> Any:
    return json_of(running.upload(pictures.png(7), label="shown"))


def at(browser: Browser, url: str) -> Any:
    page = browser.new_context().new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    return page


def test_a_foreign_page_reads_nothing(browser: Browser, running: LocalService, picture: Any) -> None:
    paths = ["/labels", "/images?label=shown", "/random?label=shown&format=json", f"/images/{picture['id']}", "/"]
    with site() as port:
        page = at(browser, f"http://{FOREIGN_SITE}:{port}/")
        for path in paths:
            assert page.evaluate(TRY, [running.url + path, {}]) == ["refused", 0]
            assert page.evaluate(TRY, [running.url + path, {"mode": "no-cors"}])[1] == 0
        for method in ("POST", "DELETE", "PATCH"):
            options = {"method": method, "mode": "cors" if method != "POST" else "no-cors"}
            assert page.evaluate(TRY, [running.url + f"/images/{picture['id']}", options])[1] == 0
        assert page.evaluate(SHOW, picture["url"]) == 24
        assert page.evaluate(READ_PIXELS) == "SecurityError"
        frame = page.evaluate_handle(
            "(url) => { const frame = document.createElement('iframe'); frame.src = url; document.body.append(frame);"
            " return new Promise((done) => { frame.onload = () => done(frame); }); }",
            running.url,
        ).as_element()
        assert "Only web pages of this machine" in frame.content_frame().content()
        page.goto(f"{running.url}/random?label=shown&format=json")
        assert json.loads(page.locator("body").inner_text())["id"] == picture["id"]
    assert running.get(f"/images/{picture['id']}").status == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_page_of_this_machine_reads_and_writes(
    browser: Browser, running: LocalService, picture: Any, host: str
) -> None:
    with site() as port:
        page = at(browser, f"http://{host}:{port}/")
        kind, length = page.evaluate(TRY, [f"{running.url}/random?label=shown&format=json", {}])
        assert (kind, length > 100) == ("cors", True)
        changed = {"method": "PATCH", "body": '{"weight": 0.4}', "headers": {"Content-Type": "application/json"}}
        assert page.evaluate(TRY, [f"{running.url}/images/{picture['id']}", changed])[0] == "cors"


def test_a_script_reads_a_picture_that_does_not_fit_into_a_response(
    browser: Browser, running: LocalService, tmp_path: Path
) -> None:
    """The draw redirects to S3, whose bucket lets any page read what a presigned URL names."""
    buffer = io.BytesIO()
    Image.frombytes("RGB", (2000, 2000), random.Random(1).randbytes(12_000_000)).save(buffer, "PNG")
    content = buffer.getvalue()
    assert 2 * BODY_MAX < len(content) < FILE_MAX
    upload = direct.ask(running, label="large")
    assert direct.curl(upload["upload_info"]["url"], upload["upload_info"]["fields"], content, tmp_path)[0] == 204
    image = direct.ended(running, upload)["image"]

    drawn = running.get("/random?label=large")
    assert (drawn.status, drawn.headers["cache-control"]) == (302, "no-store")
    assert drawn.headers["image-probability"] == "1.0"
    assert drawn.headers["location"].startswith(running.aws_endpoint)
    assert json_of(running.get("/random?label=large&format=json"))["probability"] == 1.0
    assert running.get(f"/images/{image['id']}").status == 302
    urls = [f"{running.url}/random?label=large", f"{running.url}/images/{image['id']}"]
    with site() as port:
        pages = [running.url, f"http://127.0.0.1:{port}/", f"http://localhost:{port}/"]
        for page in (at(browser, url) for url in pages):
            for url in urls:
                assert page.evaluate(FETCH_LARGE, url) == [200, image["bytes"], True]
