"""A browser for tests: the system's Chromium, by Playwright, watched for errors and for requests to other hosts."""

import re
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.support.cloud import ROOT
from tools.chromium import CHROMIUM, chromium

__all__ = ["CHROMIUM", "PATIENCE", "Watched", "axe", "chromium"]

AXE = ROOT / "tests/vendor/axe-core/axe.min.js"

PATIENCE = 120_000  # milliseconds, on a busy machine


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


def axe(page: Page, *more: str) -> list[str]:
    """Return the problems that axe-core finds, as rule and elements. These rules more, it leaves out by default."""
    if page.evaluate("() => !('axe' in window)"):
        page.evaluate(AXE.read_text())
    rules = {name: {"enabled": True} for name in more}
    found = page.evaluate("(rules) => axe.run(document, { rules })", rules)
    return [
        f"{violation['id']}: {[node['target'] for node in violation['nodes']]}" for violation in found["violations"]
    ]
