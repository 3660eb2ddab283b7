"""The options of a draw: several images, a seed, a position in a session."""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from shared.api.endpoint import required
from shared.errors import UnprocessableValue

COUNT = re.compile(r"[1-9][0-9]?|100")
POSITION = re.compile(r"[0-9]{1,9}")
TEXT_MAX = 100  # characters of a seed or a session


@dataclass(frozen=True, slots=True)
class Options:
    """The parsed options.  `count` is 0 without the parameter; `seed` and `session` are empty without theirs."""

    count: int
    distinct: bool
    seed: str
    session: str
    position: int


def parse(query: Mapping[str, str]) -> Options:
    """Parse the options of a query.  Raise UnprocessableValue if one breaks its rule or two exclude each other."""
    _check_combinations(query)
    if "session" in query:
        required(query, "position")
    return Options(
        count=int(_checked(query, "count", COUNT, "a whole number from 1 to 100", "0")),
        distinct=_checked(query, "distinct", re.compile("true|false"), "true or false", "false") == "true",
        seed=_text(query, "seed"),
        session=_text(query, "session"),
        position=int(_checked(query, "position", POSITION, "a whole number from 0 to 999999999", "0")),
    )


def generator(seed: str) -> random.Random:
    """Return the generator for a seed.  Equal seeds give equal draws, in every process and on every machine."""
    digest = sha256(seed.encode("utf-8", "surrogatepass")).digest()
    return random.Random(int.from_bytes(digest))  # noqa: S311 (a seed is there to make draws predictable)


def _check_combinations(query: Mapping[str, str]) -> None:
    """Refuse a parameter that needs another one, and two that exclude each other."""
    for name, other in (("distinct", "count"), ("position", "session")):
        if name in query and other not in query:
            raise UnprocessableValue(f"{name} needs {other}; add {other} or remove {name}.", field=name)
    for name in ("count", "seed"):
        if name in query and "session" in query:
            raise UnprocessableValue(f"session and {name} exclude each other; remove one of them.", field=name)
    if "count" in query and query.get("format", "json") != "json":
        raise UnprocessableValue("format must be json with count; remove format or count.", field="format")


def _checked(query: Mapping[str, str], name: str, rule: re.Pattern[str], requirement: str, default: str) -> str:
    text = query.get(name, default)
    if name in query and not rule.fullmatch(text):
        raise UnprocessableValue(f"{name} must be {requirement}.", field=name)
    return text


def _text(query: Mapping[str, str], name: str) -> str:
    if name in query and not 1 <= len(query[name]) <= TEXT_MAX:
        raise UnprocessableValue(f"{name} must have 1 to {TEXT_MAX} characters.", field=name)
    return query.get(name, "")
