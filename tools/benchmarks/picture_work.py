"""What heavy pictures cost as a ratio to decoding a plain picture of the same size, for `make bench-quick`.

Seconds differ from machine to machine, and the ratios do so little that a bound holds everywhere.
tools/benchmarks/worst.py measures the largest pictures, in seconds and megabytes.
"""

import resource
from collections.abc import Callable
from functools import partial
from io import BytesIO

from PIL import Image

from shared.pictures.check import check_picture
from shared.pictures.scaling import scaled
from shared.pictures.stripping.strip_jpeg import BOUNDED_SCANS
from tests.support import heavy_pictures as heavy
from tests.support.heaviest import inks_profile, with_profile
from tests.support.heavy_pictures import RGB, RGBA, Make

SIDE = 2_048  # pixels: 4 million
NOISE = 1_500_000  # bytes of noise in a PNG
ROUNDS = 2  # the least counts, because a busy machine only adds

PLAIN: dict[str, Make] = {
    "JPEG": partial(heavy.dense_jpeg, SIDE, 3, 1_200_000),
    "PNG": partial(heavy.png, SIDE, 8, RGB, noise=NOISE),
}
# kind -> (the plain picture, the heavy one)
HEAVY: dict[str, tuple[str, Make]] = {
    f"JPEG of {BOUNDED_SCANS} scans": ("JPEG", partial(heavy.progressive_jpeg, SIDE, 3, BOUNDED_SCANS)),
    "JPEG of four inks with a profile": (
        "JPEG",
        lambda: with_profile(heavy.dense_jpeg(SIDE, 4, 1_200_000), inks_profile()),
    ),
    "interlaced PNG": ("PNG", partial(heavy.png, SIDE, 8, RGBA, noise=NOISE, interlaced=True)),
    "PNG of 16 bits": ("PNG", partial(heavy.png, SIDE, 16, RGBA, noise=NOISE, interlaced=True)),
    "animated PNG": ("PNG", partial(heavy.apng, SIDE // 8, 64)),
    "lossless WebP": ("PNG", partial(heavy.lossless_webp, SIDE, SIDE)),
}


def ratios() -> dict[str, float]:
    """Return the CPU time to check and scale each heavy picture, divided by that of decoding a plain one."""
    plain = {name: _least(partial(_decode, make())) for name, make in PLAIN.items()}
    return {kind: _least(partial(_check_and_scale, make())) / plain[name] for kind, (name, make) in HEAVY.items()}


def _decode(content: bytes) -> None:
    with Image.open(BytesIO(content)) as picture:
        picture.load()


def _check_and_scale(content: bytes) -> None:
    scaled(check_picture(content).content, 512, "webp")


def _least(work: Callable[[], None]) -> float:
    """Return the CPU seconds of this process and its children, the least of some rounds."""
    found = []
    for _ in range(ROUNDS):
        before = _used()
        work()
        found.append(_used() - before)
    return min(found)


def _used() -> float:
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in both)
