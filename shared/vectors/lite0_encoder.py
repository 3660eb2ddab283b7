"""The encoder `lite0`: how a picture looks and what it means, by two networks in this process.

A vector is the look (1,280 numbers, of unit length), then the meaning (512, of unit length), so all stored vectors have
the length sqrt(2). A query has only one of the two parts, and zeros for the other. So its cosine with a stored vector
is the cosine of that part, divided by sqrt(2), and the ranks are those of that part.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from shared.recognition import lite0_network
from shared.recognition.detections import Unrecognisable
from shared.recognition.lite0_network import FEATURES, Seen
from shared.vectors import lite0_sentences
from shared.vectors.encoder import CannotBeCompared
from shared.vectors.lite0_sentences import NUMBERS, unit

CLASSES = 50  # the likeliest ones, which make up the meaning


class Lite0:
    """The encoder. It loads its networks at their first use."""

    name = "lite0"
    dimension = FEATURES + NUMBERS
    version = 1
    picture_numbers = FEATURES
    text_numbers = NUMBERS

    def load(self) -> None:
        """Load both networks."""
        lite0_network.model()
        lite0_sentences.encoder()
        lite0_sentences.shared_meaning()

    def encode_picture(self, jpeg: bytes, names: Sequence[str]) -> list[float]:
        """Make the vector that is stored: of the look, and of the likeliest classes and these names."""
        seen = _seen(jpeg)
        return [*_look(seen).tolist(), *lite0_sentences.meaning(weights(seen.likeliest(CLASSES), names)).tolist()]

    def picture_query(self, jpeg: bytes) -> list[float]:
        """Make the vector of a picture that is searched for by its look."""
        return self.stored_query(_look(_seen(jpeg)).tolist())

    def stored_query(self, vector: Sequence[float]) -> list[float]:
        """Make the vector of a picture that is searched for by its look, from the one that is stored."""
        return [*vector[:FEATURES], *(0.0,) * NUMBERS]

    def text_query(self, text: str) -> list[float]:
        """Make the vector of a text that is searched for."""
        return [*(0.0,) * FEATURES, *lite0_sentences.of_text(text).tolist()]

    def similarity(self, distance: float) -> float:
        """Return the cosine of the part that the query has."""
        return math.sqrt(2) * (1 - distance)


def weights(classes: dict[str, float], names: Iterable[str]) -> dict[str, float]:
    """Return how much each name counts: a class as the root of its probability, a tag or word fully, each once.

    Roots keep a confident picture from counting as nothing but its first class.
    """
    return {name: math.sqrt(probability) for name, probability in classes.items()} | dict.fromkeys(names, 1.0)


def _seen(jpeg: bytes) -> Seen:
    try:
        return lite0_network.look(jpeg, "image/jpeg")
    except Unrecognisable as error:
        raise CannotBeCompared(str(error)) from error


def _look(seen: Seen) -> NDArray[np.float32]:
    """Return the look: roots, so that no feature outweighs all others, in unit length."""
    return unit(np.sqrt(seen.features))
