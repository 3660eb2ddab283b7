"""The budget of work for one picture, and the exceptions of pictures that cannot be shown within it.

A check and a thumbnail may take 3.6 seconds of CPU time together, and four fifths of the 1,280 MB of the functions that
decode pictures.  At their share of a core, 0.72, these are 5 seconds, of the 8 that shared/deadline.py leaves.
"""

from collections.abc import Iterator
from contextlib import contextmanager

# CPU time in a child (child.py).  What the parent does has the rest.  A use has more than the check, so that a picture
# that was taken can also be used: for that, it is decoded again, on a perhaps busier machine, and made less small.
CHECK_SECONDS = 1.5
USE_SECONDS = 1.9  # a thumbnail, or pixels for a recogniser
# A check of a small WebP may take less, so that many bombs do not hold up what comes after them.  These are twice what
# noise and photographs of up to 25 million pixels take.  To start a child takes 0.1 seconds.
START_SECONDS = 0.4
PIXEL_SECONDS = 4e-8  # for each pixel of all frames
BYTE_SECONDS = 1e-8
MEMORY = 940_000_000  # bytes of address space of a child: to scale a WebP of the limit to 2,048 pixels takes 930 MB
WALL = 20.0  # seconds that a child may take on a busy machine; the deadline of a request is sooner


class CannotBeShown(Exception):
    """A picture whose pixels cannot be decoded or scaled. The message is for the log, `reason` for the caller."""

    reason = "its pixels cannot be decoded"


class Inconsistent(CannotBeShown):
    """A picture whose decoder finds another size or number of frames than its container names."""

    reason = "its parts disagree about its size or frames"


# Seconds after which what took too much time or memory is tried again: another container may have more of both.
RETRIED_AFTER = 3_600


class TooMuchWork(CannotBeShown):
    """A picture that takes more time than the budget has, though it may be whole."""

    remedy = "make it smaller, or save it again as a plain JPEG or PNG"
    reason = "decoding it takes too much computing"


class TooMuchTime(TooMuchWork):
    """A picture that takes more than these seconds of CPU time."""

    def __init__(self, seconds: float) -> None:
        self.reason = f"decoding it takes more than {seconds:.3g} seconds of computing, the most for its size"
        super().__init__(self.reason)


class TooMuchMemory(TooMuchWork):
    """A picture that takes more memory than the budget has."""

    reason = f"decoding it takes more than {MEMORY // 1_000_000} MB of memory"


def seconds_to_check(pixels: int, size: int) -> float:
    """Return the CPU seconds that a check of a WebP of so many pixels and bytes may take."""
    return min(CHECK_SECONDS, START_SECONDS + PIXEL_SECONDS * pixels + BYTE_SECONDS * size)


@contextmanager
def failures() -> Iterator[None]:
    """Turn whatever a decoder raises within this block into CannotBeShown.

    A hostile file makes it raise exceptions that have no common base, and more kinds of them with each version.
    """
    try:
        yield
    except CannotBeShown:
        raise
    except MemoryError as error:
        raise TooMuchMemory from error
    except Exception as error:
        raise CannotBeShown(f"{type(error).__name__}: {error}") from error
