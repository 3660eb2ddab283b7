"""What tests of the page share: a browser, a label of their own, and visits that must go without errors."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support import sample_pictures
from tests.support.browser import CHROMIUM, PATIENCE, Watched, chromium
from tests.support.hosts import Api, Remote
from tests.support.local_service import LocalService
from tests.support.pictures import File
from tests.support.the_page import FOREIGN_SITE, Crops, Visit, own_only, ready

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def browser(slow_tier: None) -> Iterator[Browser]:
    """Start a browser for a module. While it runs, no other test of the process can start an event loop."""
    if not CHROMIUM:
        pytest.skip("THE PAGE IS NOT TESTED: there is no Chromium (apt-get install chromium-headless-shell)")
    with chromium(f"--host-resolver-rules=MAP {FOREIGN_SITE} 127.0.0.1") as browser:
        yield browser


@pytest.fixture
def url(running: LocalService) -> str:
    """Return where the page is: in `make run`, or at PETAPI_URL. A module may serve it otherwise."""
    return os.environ.get("PETAPI_URL", running.url)


@pytest.fixture
def petapi(request: pytest.FixtureRequest, url: str) -> Api:
    """Return that service, with a label that only this test uses."""
    return Api(Remote(url), f"page-{os.getpid()}-{abs(hash(request.node.name)) % 10**9}")


@pytest.fixture(scope="session")
def crops(running: LocalService) -> Crops:
    """Upload many small photographs, once for all tests of a process."""
    api = Api(Remote(os.environ.get("PETAPI_URL", running.url)), f"crops-{os.getpid()}")
    others = [f"{api.label}-{number}" for number in range(12)]
    photographs = list(sample_pictures.photographs())
    for place in range(95 + len(others)):
        name, picture = photographs[place % len(photographs)]
        left = place * 4 % 200
        size = (72, 108) if place % 3 == 1 else (108, 72)
        content = sample_pictures.jpeg(picture.crop((left, left, left + size[0], left + size[1])))
        label = api.label if place < 95 else others[place - 95]
        weight = f"{0.9 / (1 + place % 95):.9f}"
        fields = [("label", label), ("weight", weight), ("img", File(content, f"{name}-{place}.jpg"))]
        assert api.post(fields).status == 201
    return Crops(api.label, others)


@pytest.fixture
def opened() -> Iterator[list[Watched]]:
    """Collect the pages that the test opens. None may have had errors, or have sent requests to another host."""
    pages: list[Watched] = []
    yield pages
    for watched in pages:
        watched.check()
        watched.context.close()


@pytest.fixture
def visit(request: pytest.FixtureRequest, browser: Browser, url: str, petapi: Api, opened: list[Watched]) -> Visit:
    """Return the function that opens the page. Of a service that tests share, it knows the labels of this test."""
    shared = "running" in request.fixturenames

    def visit(
        at: str | None = None,
        *,
        refused: Sequence[str] = (),
        before: Callable[[Page], Any] = lambda _: None,
        **options: Any,
    ) -> Page:
        watched = Watched(browser, url, **options)
        watched.refused |= set(refused)
        opened.append(watched)
        at = petapi.label if at is None else at
        if shared:
            own_only(watched.page, petapi, petapi.label, at.partition("&")[0] or petapi.label)
        before(watched.page)
        watched.page.goto(f"{url}/#{at}")
        ready(watched.page)
        return watched.page

    return visit
