"""The files of `lite0`, made once a process from the installed package, which takes half a second."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from shared.recognition import lite0_network
from shared.vectors import lite0_sentences
from tools.models.__main__ import main


@cache
def folder() -> Path:
    """Return the folder with the files. It stays as long as this process does."""
    made = tempfile.TemporaryDirectory()
    _KEPT.append(made)
    main(Path(made.name))
    return Path(made.name)


_KEPT: list["tempfile.TemporaryDirectory[str]"] = []


@contextmanager
def in_use() -> Iterator[None]:
    """Let the code use these files within this block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LITE0_MODELS", str(folder()))
        forget()
        yield
    forget()


def forget() -> None:
    """Forget what was loaded from the files, as a new process would."""
    lite0_network.model.cache_clear()
    lite0_network.look.cache_clear()
    lite0_sentences.shared_meaning.cache_clear()
