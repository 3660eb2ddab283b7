"""A browser for tests: the system's Chromium, by Playwright, watched for errors and for requests to other hosts."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 120_000  # milliseconds, on a busy machine


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Watched:
    """A page of the service at `url`. `refused` are the URLs whose refusals the test makes on purpose."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self.url, self.refused = url, set[str]()
        self.others = set[str]()  # other hosts that the page may ask
        self._errors: list[tuple[str, str]] = []  # text, URL
        self._hosts = set[str]()
        self.context = browser.new_context(**options)
        self.context.set_default_timeout(PATIENCE)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self._errors.append((str(error), "")))
        self.context.on("request", lambda request: self._hosts.add(urlsplit(request.url).netloc))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._errors.append((message.text, message.location["url"]))

    def check(self) -> None:
        """Check that only what was refused on purpose went wrong, and that only known hosts were asked."""
        unexpected = [
            (text, url) for text, url in self._errors if not any(re.search(known, url) for known in self.refused)
        ]
        assert not unexpected, unexpected
        assert self._hosts - {"", *self.others} == {urlsplit(self.url).netloc}  # blob: and data: have none
