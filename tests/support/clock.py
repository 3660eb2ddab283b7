"""A clock that tests set."""

from dataclasses import dataclass


@dataclass
class Clock:
    """A function that returns `now`, in seconds, which a test moves on."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now
