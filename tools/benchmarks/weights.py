"""The weights of measured labels, in units of 10^-9."""

import random

from shared.images import UNITS

KINDS = ("equal", "uniform", "log-uniform", "99% tiny", "all .54")  # and "spiky"
TINY = (1, 1_000)  # 10^-9 .. 10^-6
WORST = 540_000_000  # just above the class's lower end, where the most darts miss


def weights(kind: str, count: int, rng: random.Random) -> dict[str, int]:
    """Return name -> weight of so many images. A longer list of the same kind begins with the same images."""
    return {f"{number:032x}.png": _weight(kind, number, rng) for number in range(count)}


def _weight(kind: str, number: int, rng: random.Random) -> int:
    if kind == "equal":
        return UNITS // 2
    if kind == "spiky":  # one image has nearly all of the weight
        return 10 if number else UNITS - 1
    if kind == "all .54":
        return WORST
    if kind == "log-uniform":
        return int(UNITS ** rng.random()) or 1
    if kind == "99% tiny" and rng.random() < 0.99:
        return rng.randint(*TINY)
    return rng.randrange(1, UNITS)
