"""The filters of QueryVectors: which vectors of the index a search compares.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-metadata-filtering.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from search_options import Options
from searched_text import SearchedText

Filter = Mapping[str, Any]


def of_options(options: Options) -> Filter | None:
    """Return the filter of these options, None if they allow every image."""
    conditions = _of(options)
    return _joined("$and", conditions) if conditions else None


def with_words(text: SearchedText, options: Options) -> Filter:
    """Return the filter of images that have all words of the text, or these joined."""
    either = [_joined("$and", [_equal("words", word) for word in text.words])]
    if len(text.words) > 1:
        either.append(_equal("words", text.whole))
    return _joined("$and", [_joined("$or", either), *_of(options)])


def _of(options: Options) -> list[Filter]:
    """Return the conditions of these options."""
    found = [_equal(name, value) for name, value in (("label", options.label), ("tags", options.tag)) if value]
    if options.without:
        found.append({"$or": [{"tags": {"$exists": False}}, {"tags": {"$nin": [options.without]}}]})
    return found


def _equal(name: str, value: str) -> Filter:
    """Return the condition that a metadata value is this one, or a list that has it."""
    return {name: {"$eq": value}}


def _joined(operator: str, conditions: Sequence[Filter]) -> Filter:
    return conditions[0] if len(conditions) == 1 else {operator: list(conditions)}
