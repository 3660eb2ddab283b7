"""The options of a search: how many hits, among which images, and how similar they must be at least."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared import images
from shared.errors import UnprocessableValue
from shared.images import Image

NAMES = ("k", "label", "tag", "without", "least")
K_DEFAULT = 10  # hits
K_MAX = 100  # hits: BatchGetItem takes 100 keys, and QueryVectors found no more until June 2026
COUNT = re.compile(r"[1-9][0-9]?|100")


@dataclass(frozen=True, slots=True)
class Options:
    """The parsed options.  `label`, `tag` and `without` are empty without their parameters."""

    k: int = K_DEFAULT
    label: str = ""
    tag: str = ""
    without: str = ""  # a tag that hits must not have
    least: float = 0.0  # similarity

    @property
    def asked(self) -> int:
        """How many vectors to ask for: some may be of images that have gone or changed, and one is the image itself."""
        return min(K_MAX, self.k + self.k // 5 + 1)

    def allow(self, image: Image) -> bool:
        """Tell whether the image may be a hit, as it is now: the index may be late."""
        return (
            self.label in ("", image.label)
            and (not self.tag or self.tag in image.tags)
            and self.without not in image.tags
        )


def parse(given: Mapping[str, str]) -> Options:
    """Parse the options among these values.  Raise UnprocessableValue if one breaks its rule."""
    return Options(**{name: read(given[name]) for name, read in READERS.items() if name in given})


def _count(text: str) -> int:
    if not COUNT.fullmatch(text):
        raise UnprocessableValue(f"k must be a whole number from 1 to {K_MAX}.", field="k")
    return int(text)


def _least(text: str) -> float:
    if len(text) > images.DECIMAL_MAX or not images.DECIMAL.fullmatch(text) or not 0 <= float(text) <= 1:
        raise UnprocessableValue("least must be a decimal number from 0 to 1, such as 0.5.", field="least")
    return float(text)


def _without(text: str) -> str:
    return images.parse_tag(text, field="without")


READERS: Mapping[str, Callable[[str], Any]] = {
    "k": _count,
    "label": images.parse_label,
    "tag": images.parse_tag,
    "without": _without,
    "least": _least,
}
