"""What S3 Vectors takes: names, keys, metadata and numbers of things.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-limitations.html has the limits. Where the service's
behaviour is not documented, this one refuses: empty lists, nested objects, and a key twice in a request.
"""

import json
import re
from collections.abc import Collection
from typing import Any

from tools.local.vectors.filters import is_number
from tools.local.vectors.refused import Invalid

BODY_MAX = 20 * 2**20  # bytes of a request
DIMENSION_MAX = 4_096
PUT_MAX = DELETE_MAX = 500  # vectors in a request
GET_MAX = 100  # keys in a request
PAGE, PAGE_MAX = 500, 1_000  # vectors on a page of ListVectors: unless you say, and at most
PAGE_BYTES = 1_000_000  # of a page of ListVectors, after which it ends
TOP_K_MAX = 10_000  # results of a query, on several pages
KEY_MAX = 1_024  # characters of a vector's key
HIDDEN_MAX = 10  # non-filterable metadata keys of an index
METADATA_KEYS, METADATA_KEY_MAX = 50, 63  # of a vector, and characters of one
METADATA_MAX, FILTERABLE_MAX = 40 * 1024, 2 * 1024  # bytes of a vector's metadata as JSON, and of its filterable part
METRICS = ("cosine", "euclidean")
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
INDEX_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def name(pattern: re.Pattern[str], value: Any, field: str) -> str:
    """Return the name of a bucket or an index. Raise Invalid if it is none."""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Invalid(
            f"{field} has 3 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends.", field
        )
    return value


def whole(value: Any, least: int, most: int, field: str) -> int:
    """Return a whole number from `least` to `most`. Raise Invalid if it is none."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Invalid(f"{field} is a whole number from {least} to {most}.", field)
    return value


def flag(value: Any, field: str) -> bool:
    """Return a truth value, false if it is absent. Raise Invalid if it is another value."""
    if value is not None and not isinstance(value, bool):
        raise Invalid(f"{field} is true or false.", field)
    return bool(value)


def some(value: Any, most: int, field: str) -> list[Any]:
    """Return a list of 1 to `most` items. Raise Invalid if it is none."""
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        raise Invalid(f"{field} is a list of 1 to {most} items.", field)
    return value


def keys(value: Any, most: int) -> list[str]:
    """Return the keys of a request, each once. Raise Invalid if there are none or too many, or if one is no key."""
    return list(dict.fromkeys(key(each) for each in some(value, most, "keys")))


def key(value: Any) -> str:
    """Return the key of a vector. Raise Invalid if it is none."""
    if not isinstance(value, str) or not 1 <= len(value) <= KEY_MAX or not _is_text(value):
        raise Invalid(f"A key is a text of 1 to {KEY_MAX} characters.", "key")
    return value


def hidden_keys(configuration: Any) -> list[str]:
    """Return the non-filterable metadata keys of an index. Raise Invalid if the configuration breaks a rule."""
    if configuration is None:
        return []
    field = "metadataConfiguration"
    if not isinstance(configuration, dict) or configuration.keys() != {"nonFilterableMetadataKeys"}:
        raise Invalid("metadataConfiguration has nonFilterableMetadataKeys.", field)
    found = some(configuration["nonFilterableMetadataKeys"], HIDDEN_MAX, "nonFilterableMetadataKeys")
    if not all(isinstance(each, str) and 1 <= len(each) <= METADATA_KEY_MAX and _is_text(each) for each in found):
        raise Invalid(f"A non-filterable metadata key has 1 to {METADATA_KEY_MAX} characters.", field)
    if len(set(found)) != len(found):
        raise Invalid("A non-filterable metadata key is named twice.", field)
    return found


def metadata(value: Any, hidden: Collection[str], of: str) -> str:
    """Return the metadata of the vector `of` as JSON. Raise Invalid if it breaks a rule."""
    if value is None:
        return "{}"
    if not isinstance(value, dict):
        raise _bad(of, "metadata is an object")
    if len(value) > METADATA_KEYS:
        raise _bad(of, f"metadata has at most {METADATA_KEYS} keys")
    for each, content in value.items():
        if not 1 <= len(each) <= METADATA_KEY_MAX or not _is_text(each):
            raise _bad(of, f"each metadata key has 1 to {METADATA_KEY_MAX} characters")
        if not _is_metadata(content):
            raise _bad(of, "each metadata value is a text, a number, a truth value or a list of them that is not empty")
    if _size({each: content for each, content in value.items() if each not in hidden}) > FILTERABLE_MAX:
        raise _bad(of, f"filterable metadata has at most {FILTERABLE_MAX} bytes")
    if _size(value) > METADATA_MAX:
        raise _bad(of, f"metadata has at most {METADATA_MAX} bytes")
    return json.dumps(value, separators=(",", ":"))


def _bad(of: str, rule: str) -> Invalid:
    return Invalid(f"Invalid record for key '{of}': {rule}.", "metadata")


def _is_metadata(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(not isinstance(each, list) and _is_metadata(each) for each in value)
    if isinstance(value, str):
        return _is_text(value)
    return isinstance(value, bool) or (is_number(value) and abs(value) < float("inf"))


def _is_text(value: str) -> bool:
    """Return whether this can be written as UTF-8: JSON allows halves of characters, UTF-8 does not."""
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _size(document: Any) -> int:
    return len(json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())
