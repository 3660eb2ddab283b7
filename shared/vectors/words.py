"""Words: what a text search compares. Texts of people and of recognisers become words in one way.

A word is a run of letters, their marks and digits, in small letters. Texts are normalised first (Unicode NFKC), so that
an accent in one character or in two, and a letter of any width, is the same.
"""

import re
import unicodedata
from collections.abc import Iterator

from shared.images import CONTENT_TYPES

TOKENS_MAX = 10  # words of a query or of a joined name; a longer text is found by its first ones
EXTENSION = re.compile(rf"\.({'|'.join(CONTENT_TYPES)}|jpeg)$", re.IGNORECASE)


def tokens(text: str) -> list[str]:
    """Return the words of a text in their order, each once."""
    return list(dict.fromkeys(filter(None, map(_small, _runs(text)))))


def query_tokens(text: str) -> list[str]:
    """Return the words of a query, at most ten. It has none if it has neither letter nor digit."""
    return tokens(text)[:TOKENS_MAX]


def joined(words: list[str]) -> str:
    """Return the words joined by hyphens, as a whole name is stored: `golden-retriever`."""
    return "-".join(words[:TOKENS_MAX])


def words_of_name(name: str) -> list[str]:
    """Return the words by which a tag or a recognised label is found: the whole name with hyphens, and its words."""
    found = tokens(name)
    return list(dict.fromkeys([joined(found), *found])) if found else []


def words_of_filename(filename: str) -> list[str]:
    """Return the words by which a file name is found.

    These are the whole name with hyphens, with and without its extension; its words; and their parts where small
    letters, capitals and digits meet: `MyCat2.jpg` has mycat2-jpg, mycat2, my, cat and 2.
    """
    stem = EXTENSION.sub("", filename)
    found = [joined(tokens(filename)), joined(tokens(stem)), *tokens(stem), *_split(stem)]
    return list(dict.fromkeys(filter(None, found)))


def meanings_of_filename(filename: str) -> list[str]:
    """Return the words of a file name that may mean something: `MyCat2.jpg` has my and cat."""
    return list(dict.fromkeys(part for part in _split(EXTENSION.sub("", filename)) if not part.isnumeric()))


def _split(text: str) -> list[str]:
    """Return the parts of all words of a text, in small letters."""
    return list(filter(None, (_small(part) for run in _runs(text) for part in _parts(run))))


def _runs(text: str) -> Iterator[str]:
    """Yield the runs of letters, marks and digits of a text, as they are written."""
    run = ""
    for character in unicodedata.normalize("NFKC", text):
        if unicodedata.category(character)[0] in "LMN":
            run += character
        elif run:
            yield run
            run = ""
    if run:
        yield run


def _parts(run: str) -> Iterator[str]:
    """Yield the parts of a run: `HTMLPage2` has HTML, Page and 2."""
    start = 0
    for place in range(1, len(run)):
        if _is_seam(run, place):
            yield run[start:place]
            start = place
    yield run[start:]


def _is_seam(run: str, place: int) -> bool:
    """Return whether a part begins at this place, after the first."""
    before, here, after = run[place - 1], run[place], run[place + 1 : place + 2]
    if before.isnumeric() != here.isnumeric():
        return not unicodedata.category(here).startswith("M")
    return here.isupper() and (before.islower() or (before.isupper() and after.islower()))


def _small(run: str) -> str:
    """Return the run in small letters, normalised again: some letters are others once they are small."""
    return unicodedata.normalize("NFKC", run.lower())
