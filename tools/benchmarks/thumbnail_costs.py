"""The CPU time and memory of thumbnails on this machine: part of `make measure`."""

import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from PIL import Image

from shared.pictures import scaling
from shared.pictures.bucket import EXTENSIONS
from tests.support.cloud import ROOT

PHOTOGRAPH = ROOT / "tests/images/rocket.jpg"
CAMERA = (4_000, 3_000)  # pixels: 12 million
LARGEST = (7_071, 7_071)  # pixels: 50 million
FORMATS: dict[str, dict[str, Any]] = {"JPEG": {"quality": 85}, "PNG": {"compress_level": 1}, "WEBP": {"method": 0}}
GRAIN = 0.3  # share of noise
SIDE = 512  # pixels
ROUNDS = 9

# Runs in a separate process, because of its memory. Prints CPU seconds and peak resident MB.
ONCE = """
import json, re, sys, time
from shared.pictures import scaling
content = open(sys.argv[1], "rb").read()
start = time.process_time()
scaling.scaled(content, int(sys.argv[2]), "webp")
seconds = time.process_time() - start
kilobytes = int(re.search(r"VmHWM:\\s+([0-9]+) kB", open("/proc/self/status").read())[1])
print(json.dumps({"seconds": seconds, "megabytes": kilobytes * 1024 / 1e6}))
"""


def thumbnail_costs() -> dict[str, Any]:
    """Return CPU milliseconds of thumbnails (medians of interleaved rounds), and what the largest pictures take."""
    baseline = photograph("JPEG", CAMERA, quality=85)
    contents = {"": baseline, "progressive_": photograph("JPEG", CAMERA, quality=85, progressive=True)}
    kinds = {f"{name}{extension}": (each, extension) for name, each in contents.items() for extension in EXTENSIONS}
    times: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(ROUNDS):
        for name, (content, extension) in kinds.items():
            start = time.process_time()
            scaling.scaled(content, SIDE, extension)
            times[name].append((time.process_time() - start) * 1000)
    medians = {name: statistics.median(each) for name, each in times.items()}
    print(f"CPU time of a thumbnail of {SIDE} pixels of one of 12 million, medians of {ROUNDS} rounds")
    for name, median in medians.items():
        print(f"{name:18} {median:5.1f} ms")
    largest = {form: once(photograph(form, LARGEST, **options)) for form, options in FORMATS.items()}
    for form, each in largest.items():
        print(f"50 million pixels, {form:5} {each['seconds']:5.2f} s, {each['megabytes']:5.0f} MB")
    return {**medians, "bytes": len(baseline), "largest": largest}


def photograph(form: str, size: tuple[int, int], **options: Any) -> bytes:
    """Return a photograph of so many pixels, with grain as of a camera, so that the file is as large."""
    with Image.open(PHOTOGRAPH) as file:
        scaled = file.convert("RGB").resize(size)
    grain, out = Image.effect_noise(size, 30).convert("RGB"), io.BytesIO()
    Image.blend(scaled, grain, GRAIN).save(out, form, **options)
    return out.getvalue()


def once(content: bytes) -> dict[str, float]:
    """Return CPU seconds and peak megabytes of a process that makes one thumbnail of the picture."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        command = [sys.executable, "-c", ONCE, file.name, str(SIDE)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    found: dict[str, float] = json.loads(done.stdout)
    return found
