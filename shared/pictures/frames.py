"""Decode a picture here: every frame of it for a check, and small as `shown` returns it.

This module imports Pillow.  Import it only where a picture is decoded, so that other responses start without it.
"""

from io import BytesIO

from PIL import Image, PngImagePlugin

from shared.pictures.budget import Inconsistent, failures
from shared.pictures.icc import PROFILE_MAX
from shared.pictures.showing import png_still
from shared.pictures.showing.shown import FORMATS, shown
from shared.pictures.task import Task

PngImagePlugin.MAX_TEXT_CHUNK = PROFILE_MAX + 1  # bytes, for a stored profile; Pillow itself refuses above 1 MiB


def decode(content: bytes, task: Task) -> Image.Image:
    """Carry out the task. Raise CannotBeShown if that fails."""
    with failures():
        if task.frames:
            _check_frames(content, task)
        return shown(content, task.side)


def _check_frames(content: bytes, task: Task) -> None:
    """Decode every frame of an animation. A still picture is decoded by `shown` anyway."""
    if content.startswith(png_still.SIGNATURE):
        _check_pictures(content, task.frames)
        return
    with Image.open(BytesIO(content), formats=FORMATS) as image:
        frames = getattr(image, "n_frames", 1)
        if (*image.size, frames) != (task.width, task.height, task.frames):
            raise Inconsistent
        for frame in range(frames if frames > 1 else 0):
            image.seek(frame)
            image.load()


def _check_pictures(png: bytes, count: int) -> None:
    """Decode every picture of a PNG by itself: Pillow cannot seek in an animation that is interlaced."""
    found = 0
    for picture in png_still.all_pictures(png) if count > 1 else ():
        with PngImagePlugin.PngImageFile(BytesIO(picture)) as image:
            image.load()
        found += 1
    if count > 1 and found != count:
        raise Inconsistent
