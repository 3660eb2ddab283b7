"""`make screenshots`: the page with the sample photographs, as docs/images shows it."""

import io
import json
import os
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.support.cloud import ROOT
from tests.support.hosts import Api, Running
from tests.support.local_service import LocalService
from tests.support.pictures import File
from tests.support.the_page import MANY_FALL, Visit

FOLDER = os.environ.get("PETAPI_SCREENSHOTS")  # that `make screenshots` names
BYTES_MAX = 300_000
SAMPLES = ROOT / "web/samples"
WIDE, PHONE = {"width": 1280, "height": 1000}, {"width": 390, "height": 900}

pytestmark = pytest.mark.skipif(not FOLDER, reason="only `make screenshots` makes them")


@pytest.fixture(scope="module")
def service(slow_tier: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """Serve the sample photographs with their labels, weights and tags."""
    with LocalService(tmp_path_factory.mktemp("shots") / "data", variables={"LABELS": "*"}) as service:
        api = Api(Running(service.be_patient()), "houses")
        for sample in json.loads((SAMPLES / "samples.json").read_text())["samples"]:
            file = File((SAMPLES / sample["name"]).read_bytes(), sample["name"])
            fields = [(name, str(sample[name])) for name in ("label", "weight")]
            assert api.post([*fields, ("tags", ",".join(sample["tags"])), ("img", file)]).status == 201
        yield service


@pytest.fixture
def url(service: LocalService) -> str:
    return service.url


def save(page: Page, name: str) -> None:
    """Save what the window shows with few colours."""
    page.mouse.move(0, 0)
    page.wait_for_timeout(1000)
    path = ROOT / str(FOLDER) / f"{name}.png"
    with Image.open(io.BytesIO(page.screenshot())) as image:
        image.convert("RGB").quantize(128).save(path, optimize=True)
    assert path.stat().st_size < BYTES_MAX


@pytest.mark.parametrize(
    ("name", "scheme", "size"), [("page", "light", WIDE), ("page-dark", "dark", WIDE), ("page-phone", "light", PHONE)]
)
def test_a_hundred_draws_are_shown(visit: Visit, name: str, scheme: str, size: dict[str, int]) -> None:
    page = visit("houses", color_scheme=scheme, viewport=size)
    page.locator("#many").click()
    page.wait_for_timeout(MANY_FALL)
    expect(page.locator("#many")).to_have_text("Draw 100")
    expect(page.locator(".said")).to_contain_text("Drawn 101 times.")
    save(page, name)


def test_a_picture_is_shown_beside_its_mosaic(visit: Visit) -> None:
    page = visit("nature", viewport=WIDE)
    page.locator(".tile").first.click()
    page.locator("[data-show=mosaic]").click()
    expect(page.locator(".wipe .over")).to_be_visible()
    save(page, "page-light-box")


def test_a_tray_is_shown_with_one_refused_of_five(visit: Visit) -> None:
    page = visit("vehicles", viewport=WIDE, refused=["/upload"])
    page.locator("#add").click()
    names = ["propeller-plane", "motocross-start", "boat-at-anchor", "boat-at-pier"]
    files = [
        {"name": f"{name}.jpg", "mimeType": "image/jpeg", "buffer": (SAMPLES / f"{name}.jpg").read_bytes()}
        for name in names
    ]
    cut_off = {**files[0], "name": "harbour-scan.jpg", "buffer": files[0]["buffer"][:3000]}
    page.locator("#files").set_input_files([*files[:3], cut_off, files[3]])
    page.locator("#go").click()
    expect(page.locator("#go")).to_have_text("Done")
    save(page, "page-tray")
