"""The query parameters of a route: those that it knows, at most once each, and what happens to others."""

from collections.abc import Collection, Mapping, Sequence

from shared.errors import BadRequest

# Among a route's parameters: those that it does not know are ignored.  This is for pages and pictures, whose addresses
# other programs extend, as by ?utm_source=.
OTHERS = "*"
# A parameter without a meaning, for routes that answer differently each time: a browser asks once for all pictures of
# one address on a page, whatever Cache-Control says.
RANDOM = "random"


def parse(given: Mapping[str, Sequence[str]], known: Collection[str]) -> dict[str, str]:
    """Return the values of known parameters.  Raise BadRequest for one that occurs twice, and for unknown ones."""
    values: dict[str, str] = {}
    for name, texts in given.items():
        if name == OTHERS or name not in known:
            if OTHERS in known:
                continue
            raise BadRequest(_unknown(name, known), field=name)
        if len(texts) > 1:
            raise BadRequest(f"The query parameter {name} occurs {len(texts)} times; send it once.", field=name)
        values[name] = texts[0]
    return values


def _unknown(name: str, known: Collection[str]) -> str:
    if not known:
        return f"This path takes no query parameters; remove {name!r}."
    hint = f" To get past a cache, add {RANDOM}= with any text." if RANDOM in known else ""
    return f"This path has no query parameter {name!r}; it has: {', '.join(sorted(known))}.{hint}"
