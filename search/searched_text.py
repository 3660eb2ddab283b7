"""The text of a search: which texts are taken, and the words in it."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import UnprocessableValue
from shared.vectors import words

TEXT_MAX = 200  # characters
# Control characters, halves of characters, characters for private use or of no meaning, and ends of lines.
UNPRINTABLE = ("Cc", "Cs", "Co", "Cn", "Zl", "Zp")


@dataclass(frozen=True, slots=True)
class SearchedText:
    """A text as it was typed, its words, and these joined by hyphens, as whole names are kept in the index."""

    typed: str
    words: tuple[str, ...]
    whole: str

    def matched(self, known: Sequence[str]) -> Sequence[str]:
        """Return the words of the text by which an image with these words is found; none if it is not."""
        if set(self.words) <= set(known):
            return self.words
        return (self.whole,) if self.whole in known else ()


def parse(text: str) -> SearchedText:
    """Parse the parameter q.  Raise UnprocessableValue if it is too long, not printable, or has no words."""
    if len(text) > TEXT_MAX:
        raise UnprocessableValue(f"q must have at most {TEXT_MAX} characters; send fewer words.", field="q")
    typed = text.strip(" \t\r\n")
    if any(unicodedata.category(character) in UNPRINTABLE for character in typed):
        raise UnprocessableValue("q must be printable text, in one line.", field="q")
    found = words.query_tokens(typed)
    if not any(character.isalnum() for character in typed) or not found:
        raise UnprocessableValue("q must have a letter or a digit, such as meadow.", field="q")
    return SearchedText(typed, tuple(found), words.joined(found))
