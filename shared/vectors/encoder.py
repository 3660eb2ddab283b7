"""An encoder, which makes vectors of pictures and texts: what each of them does, and raises where it cannot."""

from collections.abc import Sequence
from typing import Protocol

SIDE = 1_024  # pixels of the longest side of what an encoder gets; Titan takes 2,048 at most


class CannotBeCompared(Exception):
    """A picture or text that the model will never take; the message is a sentence that says why."""


class EncoderBusy(Exception):
    """The model is busy or out of reach. The same picture or text may succeed a little later."""


class Encoder(Protocol):
    """What makes vectors. Each method raises CannotBeCompared or EncoderBusy where it cannot.

    Stored vectors and vectors of queries are compared by their cosine. `name`, `dimension` and `version` name the index
    that keeps the vectors: another version makes vectors that cannot be compared with those of this one.
    `picture_numbers` and `text_numbers` say how many numbers of a vector a query by picture or by text compares.
    """

    @property
    def name(self) -> str:
        """The value of ENCODER."""

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""

    @property
    def version(self) -> int:
        """The version of the vectors, from 1."""

    @property
    def picture_numbers(self) -> int:
        """How many numbers a query by picture compares."""

    @property
    def text_numbers(self) -> int:
        """How many numbers a query by text compares."""

    def load(self) -> None:
        """Load what the first use would load otherwise."""

    def encode_picture(self, jpeg: bytes, names: Sequence[str]) -> list[float]:
        """Make the vector that is stored. `names` are the picture's tags and the words of its file name."""

    def picture_query(self, jpeg: bytes) -> list[float]:
        """Make the vector of a picture that is searched for."""

    def stored_query(self, vector: Sequence[float]) -> list[float]:
        """Make the vector of a picture that is searched for, from the one that is stored."""

    def text_query(self, text: str) -> list[float]:
        """Make the vector of a text that is searched for."""

    def similarity(self, distance: float) -> float:
        """Return the cosine of what is compared, from the cosine distance of query and stored vector."""


def index_name(encoder: Encoder) -> str:
    """Return the name of the index that keeps the vectors of this encoder."""
    return f"{encoder.name}-{encoder.dimension}-{encoder.version}"
