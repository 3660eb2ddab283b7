"""What the vector index has of an image beside its vector: metadata. The key is the image's id, label/name.

| metadata | kept for                                                                                         |
|----------|--------------------------------------------------------------------------------------------------|
| label    | filters: the image's label                                                                       |
| tags     | filters: the image's tags                                                                        |
| words    | filters: the words of tags, file name and recognised labels                                      |
| version  | hidden: the version of the picture that the vector is of                                         |
| state    | hidden: a digest of all that this was made from; an equal one means that nothing is to do   |

An empty list is left out. S3 Vectors takes 2 kB of metadata that can be filtered by, and 10 hidden keys, which are
fixed when an index is made.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from shared import recognised_label
from shared.images import Image
from shared.vectors.words import meanings_of_filename, words_of_filename, words_of_name

HIDDEN = ("version", "state")
FILTERABLE_MAX = 1_900  # bytes of JSON; S3 Vectors takes 2,048, and does not say how it counts
STATE_LENGTH = 16  # hexadecimal digits

Metadata = Mapping[str, Any]
Label = tuple[str, float]  # a recognised label and its confidence in percent


def metadata_of(image: Image, labels: Sequence[Label] | None) -> Metadata:
    """Return the metadata of an image with these recognised labels, the strongest first; None if they are unknown."""
    filterable = _filterable(image, [words_of_name(name) for name, _ in labels or ()])
    return {**filterable, "version": image.version_id, "state": state_of(image, labels)}


def state_of(image: Image, labels: Sequence[Label] | None) -> str:
    """Return the digest of version, tags, file name and recognised labels. Weight and chunk are no part of it."""
    known = None if labels is None else [[name, recognised_label.text_of(confidence)] for name, confidence in labels]
    state = [image.version_id, list(image.tags), image.filename, known]
    return sha256(json.dumps(state).encode()).hexdigest()[:STATE_LENGTH]


def names_of(image: Image) -> list[str]:
    """Return the names that an encoder may use beside the picture: tags, and words of the file name."""
    return list(dict.fromkeys([*image.tags, *meanings_of_filename(image.filename)]))


def _filterable(image: Image, recognised: list[list[str]]) -> dict[str, Any]:
    """Return what can be filtered by, cut to its size: the weakest labels go first, then the file name's last words."""
    groups = [[word] for word in words_of_filename(image.filename)] + recognised
    own = [word for tag in image.tags for word in words_of_name(tag)]
    filterable = _of(image, [own, *groups])
    while groups and size_of(filterable) > FILTERABLE_MAX:
        groups.pop()
        filterable = _of(image, [own, *groups])
    return filterable


def _of(image: Image, groups: Iterable[Iterable[str]]) -> dict[str, Any]:
    words = list(dict.fromkeys(word for group in groups for word in group))
    lists = {"tags": list(image.tags), "words": words}
    return {"label": image.label, **{name: values for name, values in lists.items() if values}}


def size_of(metadata: Metadata) -> int:
    """Return the bytes of the metadata as JSON, as botocore sends it."""
    return len(json.dumps(metadata))
