"""How Chromium shows what was sent, what is stored, and the thumbnail of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route

from tools.chromium import chromium

SCRIPT = Path(__file__).with_name("shown.js")
ORIGIN = "http://localhost"  # no server: each answer comes from this process
SIDE = 256  # pixels of the longest side of the thumbnail
# Levels of 255 that the mean colour of a block may differ by: WebP's own loss, and a browser's other way to scale.
DISTANCE_MAX = 4.0
# Levels of 255 that a pixel may differ by: Chromium rounds otherwise if a gain map follows the picture.
DIFFERENCE_MAX = 1
FILES_OF_A_PAGE = 100  # then a new page begins, so that the browser does not keep all pictures

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Shown:
    """What Chromium shows: the natural size of each picture, or None if it does not show it.

    `frames` are the numbers of frames of the original and of what is stored, None if the browser cannot count them.
    `difference` is the greatest one of any channel of any pixel of any frame, and None for other sizes. `distance` is
    the greatest one between the mean colours of 64 blocks of the original and of the thumbnail, and None for thin
    thumbnails. Both are levels of 255.
    """

    original: Size | None
    stored: Size | None = None
    thumbnail: Size | None = None
    frames: tuple[int, int] | None = None
    difference: int | None = None
    distance: float | None = None

    def wrong(self, *, with_thumbnail: bool) -> list[str]:
        """Return what the browser shows otherwise than it should. Leave out the thumbnail if there was none to show."""
        if self.original is None:
            return ["Chromium does not show what was sent"]
        if self.stored is None:
            return ["Chromium does not show what is stored"]
        if self.stored != self.original:
            return [f"Chromium shows {_by(self.original)} pixels of what was sent, {_by(self.stored)} of what is kept"]
        return [*self._other_colours(), *(self._wrong_thumbnail(self.original) if with_thumbnail else ())]

    def _other_colours(self) -> Iterator[str]:
        if self.frames and self.frames[0] != self.frames[1]:
            yield f"Chromium shows {self.frames[0]} frames of what was sent, {self.frames[1]} of what is kept"
        if self.difference is None or self.difference > DIFFERENCE_MAX:
            yield f"Chromium shows what is stored in other colours, by up to {self.difference} levels"

    def _wrong_thumbnail(self, original: Size) -> Iterator[str]:
        if self.thumbnail is None:
            yield "Chromium does not show the thumbnail"
        elif not _is_scaled(original, self.thumbnail):
            yield f"the thumbnail has {_by(self.thumbnail)} pixels of {_by(original)}"
        elif self.distance and self.distance > DISTANCE_MAX:
            yield f"the thumbnail has other colours, by up to {self.distance:.0f} levels"


def _by(size: Size) -> str:
    return f"{size[0]} x {size[1]}"


def _is_scaled(original: Size, thumbnail: Size) -> bool:
    """Return whether the thumbnail has the original's proportions, give or take a pixel."""
    factor = min(1.0, SIDE / max(original))
    return all(abs(side * factor - small) <= 1 for side, small in zip(original, thumbnail, strict=True))


class Viewer:
    """A browser that shows files of this process. All of its calls come from one thread."""

    def __init__(self, browser: Browser) -> None:
        self._browser, self._numbers = browser, count()
        self._files: Mapping[str, bytes] = {}
        self._page: Page | None = None

    def show(self, original: bytes, stored: bytes = b"", thumbnail: bytes = b"") -> Shown:
        """Show the files, and compare them if there is more than the original."""
        number = next(self._numbers)
        if number % FILES_OF_A_PAGE == 0:
            self._page = self._new_page()
        files = {"original": original, "stored": stored, "thumbnail": thumbnail}
        self._files = {f"{ORIGIN}/{name}/{number}": content for name, content in files.items() if content}
        urls = [f"{ORIGIN}/{name}/{number}" if content else None for name, content in files.items()]
        assert self._page  # noqa: S101 (the first number made one)
        found: dict[str, Any] = self._page.evaluate("compare", urls)
        sizes = {name: tuple(found[name]) if found[name] else None for name in files}
        frames = tuple(found["frames"]) if found["frames"] else None
        return Shown(**sizes, frames=frames, difference=found["difference"], distance=found["distance"])

    def _new_page(self) -> Page:
        if self._page:
            self._page.context.close()
        page = self._browser.new_context().new_page()
        page.route("**/*", self._answer)
        page.goto(ORIGIN)
        page.add_script_tag(path=SCRIPT)
        return page

    def _answer(self, route: Route) -> None:
        content = self._files.get(route.request.url)
        if content is None:
            route.fulfill(body="<!doctype html><title>Pictures</title>", content_type="text/html")
        else:
            route.fulfill(body=content, content_type=_media_type(content))


def _media_type(content: bytes) -> str:
    """Return the media type that a file begins like. Browsers look at the bytes, too."""
    if content.startswith(b"\x89PNG"):
        return "image/png"
    return "image/webp" if content.startswith(b"RIFF") else "image/jpeg"


@contextmanager
def viewer() -> Iterator[Viewer]:
    """Run one Chromium for all files."""
    with chromium() as browser:
        yield Viewer(browser)
