"""The Accept header: how much a client likes each media type (RFC 9110, section 12.5.1)."""

import re

# Also without the first digit, and a star for every type: Java's HttpURLConnection asked for `*; q=.2` for many years.
QUALITY = re.compile(r"q=(0(?:\.[0-9]{0,3})?|\.[0-9]{1,3}|1(?:\.0{0,3})?)")
JSON = "application/json"


def media_ranges(accept: str) -> dict[str, float]:
    """Parse an Accept header into its media ranges in lower case, each with its quality from 0 to 1."""
    ranges: dict[str, float] = {}
    for entry in "".join(accept.lower().split()).split(","):
        name, *parameters = entry.split(";")
        qualities = [float(found[1]) for found in map(QUALITY.fullmatch, parameters) if found]
        ranges[name] = qualities[0] if qualities else 1.0
    return ranges


def quality(accept: str, media_type: str) -> float:
    """Return the quality of a media type, from 0 to 1. The most specific range counts."""
    ranges = media_ranges(accept)
    general = media_type.partition("/")[0] + "/*"
    return next((ranges[name] for name in (media_type, general, "*/*", "*") if name in ranges), 0.0)


def prefers_json(accept: str, *, to: tuple[str, ...]) -> bool:
    """Return whether an Accept header names JSON, with a quality not below that of each of the other types.

    A wildcard does not name JSON. A tie is JSON, because clients of JSON APIs send `application/json, */*`.
    """
    named = media_ranges(accept).get(JSON, 0.0)
    return 0 < named >= max(quality(accept, media_type) for media_type in to)
