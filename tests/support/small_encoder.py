"""An encoder of a few lines for tests: sixteen mean colours, and words that mean the same by a table.

It is made as the encoder `lite0` is: look and meaning, each of unit length, so that a query by one of them ranks by it.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from io import BytesIO
from math import sqrt

from PIL import Image

from shared.vectors.words import tokens

LOOK, MEANING = 48, 32  # numbers
SAME = {"meadow": "grass", "field": "grass", "wiese": "grass", "kitten": "cat", "katze": "cat", "ship": "boat"}


class SmallEncoder:
    """The encoder. It counts how often it is asked; `refuses` raises this of each picture and text, if set."""

    name, dimension, version = "lite0", LOOK + MEANING, 1
    picture_numbers, text_numbers = LOOK, MEANING

    def __init__(self) -> None:
        self.asked = 0
        self.refuses: Exception | None = None

    def encode_picture(self, jpeg: bytes, names: Sequence[str]) -> list[float]:
        return [*self._look(jpeg), *_meaning(["picture", *names])]

    def picture_query(self, jpeg: bytes) -> list[float]:
        return [*self._look(jpeg), *[0.0] * MEANING]

    def stored_query(self, vector: Sequence[float]) -> list[float]:
        return [*vector[:LOOK], *[0.0] * MEANING]

    def text_query(self, text: str) -> list[float]:
        self._ask()
        return [*[0.0] * LOOK, *_meaning(tokens(text))]

    def similarity(self, distance: float) -> float:
        return sqrt(2) * (1 - distance)

    def _look(self, jpeg: bytes) -> list[float]:
        self._ask()
        small = Image.open(BytesIO(jpeg)).convert("RGB").resize((4, 4), Image.Resampling.BOX)
        return _unit([1.0 + value for value in small.tobytes()])

    def _ask(self) -> None:
        self.asked += 1
        if self.refuses:
            raise self.refuses


def _meaning(words: Iterable[str]) -> list[float]:
    """Return the sum of the words' directions, which are nearly at right angles to each other."""
    directions = [_direction(SAME.get(word, word)) for word in words]
    return _unit([sum(numbers) for numbers in zip(*directions, strict=True)])


def _direction(word: str) -> list[float]:
    return _unit([byte - 127.5 for byte in sha256(word.encode("utf-8", "surrogatepass")).digest()])


def _unit(numbers: Sequence[float]) -> list[float]:
    length = sqrt(sum(number * number for number in numbers))
    return [number / length for number in numbers]
