"""Three visitors at once, behind the throttles of template.yaml: a browser does not try again to import a module."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Response, expect

from tests.support import pictures
from tests.support.browser import Watched
from tests.support.hosts import Api, Running
from tests.support.local_service import LocalService
from tests.support.the_page import ready

VISITORS = 3
SIZE = (120, 80)
SHOWN = "() => document.querySelector('.front').complete && document.querySelector('.front').naturalWidth === 120"
# What the page asks for again after a 429.
REPEATED = "/(images|random|labels|status|search)"


@pytest.fixture(scope="module")
def service(slow_tier: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """Serve pictures as a stack with the default parameters does."""
    with LocalService(tmp_path_factory.mktemp("throttled") / "data", variables={"THROTTLE": "1"}) as service:
        api = Api(Running(service.be_patient()), "cats")
        for seed in range(6):  # fewer than a burst
            assert api.upload(pictures.png(seed, SIZE), f"0.{seed + 1}").status == 201
        yield service


@pytest.mark.parametrize("path", ["/#cats", "/docs"])
def test_three_fresh_visitors_at_once_get_all_of_the_page(
    service: LocalService, browser: Browser, opened: list[Watched], path: str
) -> None:
    """Each has a profile of its own, so none has a file that another got. All begin before one of them has ended."""
    answers: list[Response] = []
    opened += [Watched(browser, service.url) for _ in range(VISITORS)]
    for visitor in opened:
        visitor.refused.add(REPEATED)
        visitor.page.on("response", lambda response: answers.append(response))  # Playwright marks what it calls
        visitor.page.goto(f"{service.url}{path}", wait_until="commit")
    for visitor in opened:
        if path == "/docs":
            expect(visitor.page.locator(".opblock").first).to_be_visible()
        else:
            ready(visitor.page)
            expect(visitor.page.locator(".front")).to_be_visible()
            assert visitor.page.evaluate(SHOWN)
            expect(visitor.page.locator(".strip li")).to_have_count(6)
            expect(visitor.page.locator("#away")).to_be_hidden()
    files = [answer for answer in answers if "/web/" in answer.url]
    assert len(files) >= VISITORS * 3
    assert {answer.status for answer in files} == {200}
