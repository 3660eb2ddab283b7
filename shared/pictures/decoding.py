"""Decode pictures within the budget: here if their headers bound the work, or else in a child that can be ended.

Importing this module does not import Pillow.
"""

from typing import TYPE_CHECKING

from shared.errors import ApiError
from shared.pictures import budget, sizes
from shared.pictures.budget import CannotBeShown
from shared.pictures.stripping import strip
from shared.pictures.stripping.strip_parts import Cleaned
from shared.pictures.task import Task

if TYPE_CHECKING:
    from PIL import Image

CHECKED_SIDE = 256  # pixels: what a thumbnail of this size costs, the others cost too


def small(content: bytes, side: int) -> "Image.Image":
    """Return a stored picture as `shown` does. Raise CannotBeShown if that fails.

    Older versions stored what would not be taken now.  So what costs a decoder time is removed here, too, and what
    `strip` refuses is decoded in a child: browsers may show it.
    """
    kind = strip.kind_of(content)
    if kind is None:
        raise CannotBeShown("neither JPEG, PNG nor WebP")
    try:
        cleaned = strip.clean(content, kind)
    except ApiError:
        return _in_child(content, Task(side))
    sizes.check(cleaned, kind)
    return _decoded(cleaned, Task(side))


def check(cleaned: Cleaned) -> None:
    """Decode every frame, and scale the picture as for a thumbnail. Raise CannotBeShown if that fails."""
    _decoded(cleaned, Task(CHECKED_SIDE, cleaned.width, cleaned.height, cleaned.frames, _seconds_to_check(cleaned)))


def _seconds_to_check(cleaned: Cleaned) -> float:
    """Return the CPU seconds for a check. The scans of a JPEG are bounded by its headers, and have all seconds."""
    if strip.kind_of(cleaned.content) != "webp":
        return budget.CHECK_SECONDS
    return budget.seconds_to_check(cleaned.width * cleaned.height * cleaned.frames, len(cleaned.content))


def _decoded(cleaned: Cleaned, task: Task) -> "Image.Image":
    if not cleaned.is_bounded:
        return _in_child(cleaned.content, task)
    from shared.pictures.frames import decode

    return decode(cleaned.content, task)


def _in_child(content: bytes, task: Task) -> "Image.Image":
    from PIL import Image

    from shared.pictures import child

    pixels = child.decode(content, task)
    return Image.frombytes(pixels.mode, (pixels.width, pixels.height), pixels.content)
