"""Three visitors at once, behind the throttles of template.yaml: a browser does not try again to import a module."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Response

from tests.support import pictures
from tests.support.browser import CHROMIUM, Watched, chromium
from tests.support.hosts import Api, Running
from tests.support.local_service import LocalService

VISITORS = 3
SIZE = (120, 80)
# The page has all of its modules, and shows a picture. The icons are smaller.
WORKS = {
    "/#cats": """() => (document.documentElement.dataset.ready === "true"
        || document.querySelector("#draw-one")?.getAttribute("aria-busy") === "false")
        && [...document.images].some((one) => one.naturalWidth >= 100)""",
    "/docs": "() => document.querySelector('.opblock')",
}
# What the page asks for again after a 429.
REPEATED = "/(images|random|labels|status|search)"

pytestmark = pytest.mark.skipif(
    not CHROMIUM, reason="THE PAGE IS NOT TESTED: there is no Chromium (apt-get install chromium)"
)


@pytest.fixture(scope="module")
def service(slow_tier: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """Serve pictures as a stack with the default parameters does."""
    with LocalService(tmp_path_factory.mktemp("throttled") / "data", variables={"THROTTLE": "1"}) as service:
        api = Api(Running(service.be_patient()), "cats")
        for seed in range(6):  # fewer than a burst
            assert api.upload(pictures.png(seed, SIZE), f"0.{seed + 1}").status == 201
        yield service


@pytest.fixture(scope="module")
def browser(slow_tier: None) -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.mark.parametrize("path", WORKS)
def test_three_fresh_visitors_at_once_get_all_of_the_page(service: LocalService, browser: Browser, path: str) -> None:
    """Each has a profile of its own, so none has a file that another got. All begin before one of them has ended."""
    answers: list[Response] = []
    with ExitStack() as stack:
        visitors = [Watched(browser, service.url) for _ in range(VISITORS)]
        for visitor in visitors:
            visitor.refused.add(REPEATED)
            stack.callback(visitor.context.close)
            visitor.page.on("response", lambda response: answers.append(response))  # Playwright marks what it calls
            visitor.page.goto(f"{service.url}{path}", wait_until="commit")
        for visitor in visitors:
            visitor.page.wait_for_function(WORKS[path])
            visitor.check()
    files = [answer for answer in answers if "/web/" in answer.url]
    assert len(files) >= VISITORS * 3
    assert {answer.status for answer in files} == {200}
