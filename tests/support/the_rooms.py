"""What tests say of the page's rooms: the tray and its files, the gallery and its tiles, the light box, the toast."""

import re
from typing import Any

from playwright.sync_api import FilePayload, JSHandle, Locator, Page, expect

from tests.support import pictures
from tests.support.hosts import Api, json_of
from tests.support.pictures import File

NOW = 1_700_000_000  # seconds since 1970
TRANSFER = """(files) => {
    const transfer = new DataTransfer();
    for (const [name, type, bytes] of files) transfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
    return transfer;
}"""


def store(api: Api, name: str, seed: int, *, weight: str = "0.5", tags: str = "", **headers: str) -> str:
    """Store a picture under this file name and return its URL."""
    file = File(pictures.png(seed, (60, 40)), name, "image/png")
    fields = [("label", api.label), ("weight", weight), ("tags", tags), ("img", file)]
    answer = api.post([field for field in fields if field[1]], **headers)
    assert answer.status == 201, answer.body
    url: str = json_of(answer)["url"]
    return url


def info(api: Api, url: str) -> dict[str, Any]:
    """Return what the service has of an image."""
    found: dict[str, Any] = json_of(api.get(f"{url}/info"))
    return found


def begin_without_time(page: Page) -> None:
    """Let no time pass in a page that is not loaded yet, before the test says so. Nor can axe go on."""
    page.clock.install(time=NOW)
    page.clock.pause_at(NOW + 1)


def give(page: Page, *files: File) -> None:
    """Choose these files for the tray."""
    page.set_input_files("#files", [payload(file) for file in files])


def add(page: Page) -> None:
    """Send what waits in the tray, and wait until all of it has ended."""
    page.locator("#go").click()
    expect(page.locator("#go")).to_have_text("Done")


def payload(file: File) -> FilePayload:
    return {"name": file.name, "mimeType": file.content_type, "buffer": file.content}


def transfer(page: Page, *files: File) -> JSHandle:
    """Return what a drop or a paste of these files has."""
    return page.evaluate_handle(TRANSFER, [[file.name, file.content_type, list(file.content)] for file in files])


def row(page: Page, name: str) -> Locator:
    """Return the tray's row of a file."""
    return page.locator(".files li", has=page.get_by_text(name, exact=True))


def tile(page: Page, name: str) -> Locator:
    """Return the gallery's button with this picture."""
    return page.locator(".tile", has=page.locator(".under").get_by_text(name, exact=True))


def tiles(page: Page) -> list[str]:
    """Return the names of the gallery's pictures, in their order."""
    return page.locator(".tile .under span").all_text_contents()


def look(page: Page, name: str) -> Locator:
    """Open the light box with this picture, and wait until it shows what the service has of it."""
    with page.expect_response(re.compile("/info$")):
        tile(page, name).click()
    return page.locator(".box")
