"""Hits: what the vector index finds, checked against the rows, which are the truth.

| step                         | request                             | cost                            |
|------------------------------|-------------------------------------|---------------------------------|
| nearest vectors              | QueryVectors; a text perhaps twice  | by the size of the index        |
| the rows of their images     | BatchGetItem image-chunks           | 1 read unit each, consistent    |

The index follows the rows a moment later. So a vector without a row, or of another version of the picture, is no hit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import search_filters
from search_options import Options
from searched_text import SearchedText
from shared.images import Image
from shared.labels.image_rows import ImageRows
from shared.vectors.vector_index import Hit as Found
from shared.vectors.vector_index import VectorIndex

DECIMALS = 6  # of a similarity; vectors are of floats with 7 digits
PICTURE, WORDS, MEANING = "picture", "words", "meaning"  # what a hit was found by


@dataclass(frozen=True, slots=True)
class Hit:
    """An image that was found.  `matched` has the words by which it was found, if it was found by words."""

    image: Image
    similarity: float  # the cosine of what was compared, from -1 to 1
    by: str
    matched: Sequence[str] = ()


class Hits:
    """The images that are nearest to a vector, the nearest first."""

    def __init__(self, index: VectorIndex, rows: ImageRows, similarity: Callable[[float], float]) -> None:
        self._index, self._rows, self._similarity = index, rows, similarity

    def like(self, vector: Sequence[float], options: Options, *, itself: str = "") -> list[Hit]:
        """Return the images that look most like the picture of this vector, without the image with the id `itself`."""
        found = self._index.query(vector, options.asked, search_filters.of_options(options))
        others = [each for each in found if each.key != itself]
        return [replace(hit, by=PICTURE) for hit in self._checked(others, options, lambda _: ())[: options.k]]

    def about(self, vector: Sequence[float], text: SearchedText, options: Options) -> list[Hit]:
        """Return the images that have the words of the text, by meaning, and then others by meaning."""
        named = self._index.query(vector, options.asked, search_filters.with_words(text, options))
        hits = self._checked(named, options, text.matched)
        if len(hits) < options.k:
            more = self._index.query(vector, options.asked, search_filters.of_options(options))
            known = {key for key, _, _ in named}
            hits += self._checked([each for each in more if each.key not in known], options, text.matched)
        return sorted(hits, key=lambda hit: not hit.matched)[: options.k]

    def _checked(
        self, found: Sequence[Found], options: Options, matched: Callable[[Sequence[str]], Sequence[str]]
    ) -> list[Hit]:
        """Return those that are images as the options allow them, in the same order."""
        rows = self._rows.of(key for key, _, _ in found)
        hits = [
            self._hit(rows[key], distance, matched(metadata.get("words", ())))
            for key, distance, metadata in found
            if key in rows and rows[key].version_id == metadata.get("version") and options.allow(rows[key])
        ]
        return [hit for hit in hits if hit.similarity >= options.least or (hit.matched and not options.least)]

    def _hit(self, image: Image, distance: float, matched: Sequence[str]) -> Hit:
        similarity = round(min(1.0, max(-1.0, self._similarity(distance))), DECIMALS)
        return Hit(image, similarity, WORDS if matched else MEANING, matched)
