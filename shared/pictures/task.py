"""What to decode of a picture."""

from typing import NamedTuple

from shared.pictures import budget


class Task(NamedTuple):
    """The picture as `shown` returns it, at most `side` pixels long.

    With `frames`, check first that it has that many of width x height pixels, and decode each of them.  A child may
    take so many `seconds` of CPU time.  It is a named tuple, because that takes a fifth of a dataclass's time to define
    at a cold start.
    """

    side: int
    width: int = 0
    height: int = 0
    frames: int = 0
    seconds: float = budget.USE_SECONDS
