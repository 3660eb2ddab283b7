"""Decode here what a child would decode: for tests of thousands of pictures (test_child.py tests the child itself)."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from shared.pictures import child, frames
from shared.pictures.child import Pixels
from shared.pictures.task import Task


@contextmanager
def no_children() -> Iterator[None]:
    """Start no child within this block. Its limits of time and memory are missing."""
    with mock.patch.object(child, "decode", _decode_here):
        yield


def _decode_here(content: bytes, task: Task) -> Pixels:
    picture = frames.decode(content, task)
    return Pixels(picture.mode, picture.width, picture.height, picture.tobytes())
