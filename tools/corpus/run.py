"""Send every file of a folder to a petAPI, and check what it makes of each."""

import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from shared.limits import FILE_MAX
from tools.corpus import private
from tools.corpus.damage import damage
from tools.corpus.service import Received, Service
from tools.corpus.shown import Viewer

AT_A_TIME = 4  # requests under way
AHEAD = 8  # files that are sent before the first of them is checked, at most 20 MB each
SEEN_BY_A_BROWSER = frozenset({"pixels", "orientation"})  # damage that a browser that shows both alike rules out
SIGNATURE = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|RIFF....WEBP", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Sent:
    """A file, how the service received it and in how many seconds, and what it gives back if it took the file."""

    path: Path
    content: bytes
    received: Received
    seconds: float
    stored: bytes = b""
    thumbnail: bytes = b""
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a file. `wrong` fails the run; `notes` are for a person to judge."""

    path: Path
    received: Received
    seconds: float
    wrong: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def taken(self) -> bool:
        """Whether the file is an image now."""
        return bool(self.received.image_id)


def files_of(folder: Path) -> list[Path]:
    """Return all files in the folder and the folders in it."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def run(
    paths: Sequence[Path], service: Service, viewer: Viewer | None, progress: Callable[[int], None]
) -> Iterator[Checked]:
    """Yield what came of each file. Tell `progress` how many are done."""
    with TemporaryDirectory() as folder:
        done: list[Checked] = []
        for number, sent in enumerate(_in_order(partial(send, service), paths)):
            done.append(check(sent, viewer))
            if sent.stored:
                (Path(folder) / str(number)).write_bytes(sent.stored)
            progress(number + 1)
        found = private.private_tags(Path(folder)) if private.EXIFTOOL else {}
        for number, checked in enumerate(done):
            tags = sorted(found.get(str(number), ()))
            wrong = (f"exiftool finds {', '.join(tags)}",) if tags else ()
            yield replace(checked, wrong=checked.wrong + wrong)


def _in_order(send_one: Callable[[Path], Sent], paths: Iterable[Path]) -> Iterator[Sent]:
    """Send some files at a time, and yield them in order."""
    with ThreadPoolExecutor(AT_A_TIME) as threads:
        waiting: deque[Future[Sent]] = deque()
        for path in paths:
            waiting.append(threads.submit(send_one, path))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def send(service: Service, path: Path) -> Sent:
    """Send a file; if it is taken, get the stored picture and a thumbnail of it."""
    if path.stat().st_size > FILE_MAX:
        return Sent(path, b"", Received(413, sentence=f"The file has more than {FILE_MAX:,} bytes."), 0.0)
    content = path.read_bytes()
    began = time.monotonic()
    received = service.upload(content, path.name)
    seconds = time.monotonic() - began
    if not received.image_id:
        is_error = received.status >= 500
        return Sent(path, content, received, seconds, wrong=(received.sentence,) if is_error else ())
    answers = {"the stored picture": service.picture(received.image_id)}
    answers["the thumbnail"] = service.thumbnail(received.image_id)
    failed = {what: answer for what, answer in answers.items() if answer.status != 200}
    wrong = tuple(f"{what} is {answer.status} {answer.sentence}" for what, answer in failed.items())
    stored, small = (b"" if what in failed else answer.body for what, answer in answers.items())
    return Sent(path, content, received, seconds, stored, small, wrong)


def check(sent: Sent, viewer: Viewer | None) -> Checked:
    """Compare what is stored and shown with what was sent.

    Where Chromium shows both alike, pixels or an orientation that Pillow reads otherwise are a note only: what counts
    is what a browser shows.
    """
    if not sent.received.image_id:
        return Checked(sent.path, sent.received, sent.seconds, sent.wrong, notes=_refused_but_shown(sent, viewer))
    damages = damage(sent.content, sent.stored) if sent.stored else []
    seen = _seen(sent, viewer) if viewer and sent.stored else []
    overruled = SEEN_BY_A_BROWSER if viewer and not seen else frozenset()
    notes = tuple(f"Pillow reads another {what}" for what in damages if what in overruled)
    wrong = [f"damaged: {what}" for what in damages if what not in overruled]
    return Checked(sent.path, sent.received, sent.seconds, (*sent.wrong, *wrong, *seen), notes)


def _seen(sent: Sent, viewer: Viewer) -> list[str]:
    shown = viewer.show(sent.content, sent.stored, sent.thumbnail)
    return shown.wrong(with_thumbnail=bool(sent.thumbnail))


def _refused_but_shown(sent: Sent, viewer: Viewer | None) -> tuple[str, ...]:
    if viewer is None or not SIGNATURE.match(sent.content) or viewer.show(sent.content).original is None:
        return ()
    return (f"refused, though Chromium shows it: {sent.received.sentence}",)
