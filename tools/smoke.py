"""`make smoke URL= TOKEN=`: use a deployed petAPI as a client does, and leave nothing behind.

It uploads three pictures with a tag of their own, audits 500 draws of that tag, reads a picture and a thumbnail, and
deletes the three. It takes a label that others use, too: a tag of its own has a law of its own. At most ten requests a
second, and in all less than two minutes.
"""

import os
import secrets
import struct
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal

from petapi_client import BadInput, PetApi, Problem, chi_square

WEIGHTS = {"0.6": Decimal("0.6"), "0.3": Decimal("0.3"), "0.1": Decimal("0.1")}
DRAWS, BATCH = 500, 100
ALARM = 1e-6  # of an exact service, one smoke test in a million fails
PAUSE = 0.1  # seconds before each request, so that a default throttle of 20 a second is never met
STALE_MAX = 20  # answers of draws that do not know the three pictures yet: reads are eventually consistent


class NotAsExpected(Exception):
    """A request that succeeded, but with another result; the message is a sentence."""


class Smoke:
    """The requests of one run. `pause` waits for so many seconds before each."""

    def __init__(self, api: PetApi, label: str, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._api, self._label, self._pause = api, label, pause
        self._tag = f"smoke-{secrets.token_hex(6)}"

    def run(self) -> Iterator[str]:
        """Yield a line for each step that succeeded. Raise NotAsExpected at the first that did not."""
        with self._pictures() as weights:
            yield f"uploaded {len(weights)} pictures under {self._label} with the tag {self._tag}"
            drawn = self._draw(weights)
            p = chi_square.p_value(drawn, {image: float(weight) * DRAWS for image, weight in weights.items()})
            if p < ALARM:
                raise NotAsExpected(f"{DRAWS} draws do not follow the weights: p = {p:.2g}, {dict(drawn)}.")
            yield f"{DRAWS} draws follow the weights: p = {p:.3f}"
            self._read(next(iter(weights)))
            yield "read a picture and a thumbnail"
        self._check_gone(weights)
        yield "deleted them"

    @contextmanager
    def _pictures(self) -> Iterator[dict[str, Decimal]]:
        """Upload the pictures, and delete them whatever happens."""
        weights: dict[str, Decimal] = {}
        try:
            for weight in WEIGHTS.values():
                self._pause(PAUSE)
                uploaded = self._api.upload(picture(), self._label, weight=weight, tags=[self._tag])
                weights[uploaded.image.id] = weight
            yield weights
        finally:
            self._delete(weights)

    def _delete(self, images: Iterable[str]) -> None:
        """Delete each of these images, also after one that cannot be deleted. Raise the first Problem."""
        problems = []
        for image in images:
            self._pause(PAUSE)
            try:
                self._api.delete(image)
            except Problem as problem:
                problems.append(problem)
        if problems:
            raise problems[0]

    def _draw(self, weights: dict[str, Decimal]) -> Counter[str]:
        """Draw until DRAWS images were drawn from all pictures. Answers from before the last upload do not count."""
        drawn: Counter[str] = Counter()
        for _ in range(DRAWS // BATCH + STALE_MAX):
            self._pause(PAUSE)
            draws = self._api.random_many(self._label, BATCH, tag=self._tag)
            if all(draw.probability == float(weights.get(draw.image.id, 0)) for draw in draws):
                drawn.update(draw.image.id for draw in draws)
            if drawn.total() == DRAWS:
                return drawn
        raise NotAsExpected("Draws do not state the probabilities 0.6, 0.3 and 0.1 of the three pictures.")

    def _read(self, image: str) -> None:
        for size in (None, 256):
            self._pause(PAUSE)
            if not self._api.picture(image, size=size):
                raise NotAsExpected(f"The picture {image} is empty.")

    def _check_gone(self, weights: dict[str, Decimal]) -> None:
        for image in weights:
            self._pause(PAUSE)
            try:
                self._api.image(image)
            except Problem as problem:
                if problem.status == 404:
                    continue
                raise
            raise NotAsExpected(f"The image {image} is still there after its DELETE.")


def picture() -> bytes:
    """Make a picture that no one else has: a PNG of 8 times 8 random grey pixels."""
    rows = b"".join(b"\0" + secrets.token_bytes(8) for _ in range(8))  # each begins with its filter: none
    header = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def main(url: str, token: str | None, label: str) -> int:
    """Print a line for each step. Return the exit code: 1 if a step fails, 2 without an address that can be used."""
    if not url:
        print("Name the address: make smoke URL=https://... TOKEN=...", file=sys.stderr)
        return 2
    try:
        for line in Smoke(PetApi(url, token), label).run():
            print(line, flush=True)
    except BadInput as error:
        print(error, file=sys.stderr)
        return 2
    except (NotAsExpected, Problem) as error:
        print(f"{url} failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ.get("URL", ""), os.environ.get("TOKEN") or None, os.environ.get("LABEL") or "cat"))
