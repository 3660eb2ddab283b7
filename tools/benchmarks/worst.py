"""`make worst`: measure the heaviest pictures and bombs. The exit code is 1 if one takes more than the bound.

Each is made by hand (tests/support/heaviest.py) and handled in a process of its own: checked as an upload, made a
thumbnail of both types, and recognised in all ways.  CPU seconds are those of the process and of its children; memory
is the peak of both together.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.limits import FILE_MAX
from tests.support.cloud import FUNCTIONS, ROOT
from tests.support.heaviest import BOMBS, TAKEN, Bomb

SECONDS = 3.6  # of CPU time for a check and a thumbnail, or a check and a recognition
MEGABYTES = 1_024 * 1.048576  # four fifths of the 1,280 MB, as Lambda counts them
REFUSED_SECONDS = 0.5  # where headers show it
SIDE = 1_024  # pixels of the largest thumbnail
ROUNDS = 2

ONCE = """
import json, os, re, resource, sys
from pathlib import Path
from shared.errors import ApiError
from shared.pictures.budget import CannotBeShown
from shared.pictures.check import check_picture
from shared.pictures.scaling import scaled
from shared import images
from shared.recognition import colours, pixels
from shared.recognition.detections import DetectionLimits, Unrecognisable

def seconds():
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime

def peak():
    kilobytes = int(re.search(r"VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1])
    return (kilobytes + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) * 1024 / 1e6

def timed(name, function):
    start = seconds()
    try:
        result = function()
    except (ApiError, CannotBeShown, Unrecognisable) as error:
        result, found["refused"] = None, f"{getattr(error, 'status', 0):d} {error}"
    found[name] = seconds() - start
    return result

found = {}
data, side = Path(sys.argv[1]).read_bytes(), int(sys.argv[2])
picture = timed("check", lambda: check_picture(data))
found["bytes"], found["check_megabytes"] = len(data), peak()
if picture:
    content, kind = picture.content, images.CONTENT_TYPES[picture.extension]
    for extension in ("webp", "jpg"):
        timed(f"thumbnail {extension}", lambda: scaled(content, side, extension))
    timed("colours", lambda: colours.recognise(content, kind, limits=DetectionLimits(0, 9)))
    timed("onnx", lambda: pixels.small(content, kind, 896))
    timed("rekognition", lambda: pixels.jpeg(content, kind, longest=2048, least=80))
found["megabytes"] = peak()
print(json.dumps(found))
"""


@dataclass(frozen=True, slots=True)
class Handled:
    """What a picture took. `refusal` is the sentence of its refusal, empty if it was taken and shown."""

    size: int
    check: float
    thumbnail: float
    recognition: float
    megabytes: float
    refusal: str

    @property
    def seconds(self) -> float:
        """The CPU seconds of the check, and of the dearest use after it."""
        return self.check + max(self.thumbnail, self.recognition)

    @property
    def is_too_much(self) -> bool:
        """Whether it took more than the bound."""
        return self.seconds > SECONDS or self.megabytes > MEGABYTES


def handled(content: bytes, rounds: int = ROUNDS) -> Handled:
    """Handle the picture in a process of its own. Of several rounds, the quickest counts."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        return min((_once(file.name) for _ in range(rounds)), key=lambda each: each.seconds)


def _once(file: str) -> Handled:
    paths = [str(ROOT), *(str(ROOT / folder) for folder in FUNCTIONS)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-W", "ignore", "-c", ONCE, file, str(SIDE)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    found: Mapping[str, Any] = json.loads(done.stdout)
    return Handled(
        found["bytes"],
        found["check"],
        max(found.get("thumbnail webp", 0), found.get("thumbnail jpg", 0)),
        max(found.get(name, 0) for name in ("colours", "onnx", "rekognition")),
        found["megabytes"],
        found.get("refused", ""),
    )


def fault_of_taken(found: Handled) -> str:
    """Return what is wrong with a picture that should be taken, or an empty text."""
    if found.refusal:
        return f"refused: {found.refusal}"
    return "too much" if found.is_too_much else ""


def fault_of_bomb(bomb: Bomb, found: Handled) -> str:
    """Return what is wrong with a bomb, or an empty text."""
    if bomb.is_taken:
        return "too much" if found.is_too_much else ""
    if not found.refusal:
        return "taken"
    slow = bomb.by_headers and found.check > REFUSED_SECONDS
    return "refused late" if slow or found.is_too_much else ""


def main() -> int:
    """Print a line for each picture. Return the exit code."""
    wanted = sys.argv[1:]  # parts of names; none means all
    print(f"{'':40} {'bytes':>10} {'check':>6} {'thumb':>6} {'recog':>6} {'MB':>5}")
    faults = 0
    for name, make in {**TAKEN, **{name: bomb.make for name, bomb in BOMBS.items()}}.items():
        if wanted and not any(part in name for part in wanted):
            continue
        content = make()
        if len(content) > FILE_MAX:
            sys.exit(f"{name} has {len(content):,} bytes, and S3 would refuse it.")
        found = handled(content)
        fault = fault_of_bomb(BOMBS[name], found) if name in BOMBS else fault_of_taken(found)
        faults += bool(fault)
        seconds = f"{found.check:6.2f} {found.thumbnail:6.2f} {found.recognition:6.2f}"
        print(
            f"{name:40} {found.size:10,} {seconds} {found.megabytes:5.0f}  {fault or found.refusal[:100]}", flush=True
        )
    print(f"At most {SECONDS} s for a check and a use, and {MEGABYTES:.0f} MB: {faults} beyond it.")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
