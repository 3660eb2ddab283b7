"""What to decode of a picture."""

from typing import NamedTuple


class Task(NamedTuple):
    """The picture as `shown` returns it, at most `side` pixels long.

    With `frames`, check first that it has that many of width x height pixels, and decode each of them.  It is a named
    tuple, because that takes a fifth of a dataclass's time to define at a cold start.
    """

    side: int
    width: int = 0
    height: int = 0
    frames: int = 0
