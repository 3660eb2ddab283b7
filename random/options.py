"""What a request may ask of a draw beside label and form: several images, a seed, a place in a session."""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from shared.api.endpoint import required
from shared.errors import UnprocessableValue

COUNT = re.compile(r"[1-9][0-9]?|100")
POSITION = re.compile(r"[0-9]{1,9}")
TEXT_MAX = 100  # characters of a seed's or session's text


@dataclass(frozen=True, slots=True)
class Options:
    """How many images (0: one, by itself), whether each at most once; the texts of seed and session, empty if none."""

    count: int
    distinct: bool
    seed: str
    session: str
    position: int


def parse(query: Mapping[str, str]) -> Options:
    """The options in a query; UnprocessableValue for a wrong one and for those that do not go together."""
    _check_company(query)
    if "session" in query:
        required(query, "position")
    return Options(
        count=int(_of(query, "count", COUNT, "a whole number from 1 to 100", "0")),
        distinct=_of(query, "distinct", re.compile("true|false"), "true or false", "false") == "true",
        seed=_text(query, "seed"),
        session=_text(query, "session"),
        position=int(_of(query, "position", POSITION, "a whole number from 0", "0")),
    )


def generator(seed: str) -> random.Random:
    """The generator of a seed's draws; the same text gives the same draws, in every process and on every machine."""
    digest = sha256(seed.encode("utf-8", "surrogatepass")).digest()
    return random.Random(int.from_bytes(digest))  # noqa: S311 (who gives a seed wants to foresee the draws)


def _check_company(query: Mapping[str, str]) -> None:
    """Refuse parameters that make sense only together with another one, or not together with it."""
    for name, other in (("distinct", "count"), ("position", "session")):
        if name in query and other not in query:
            raise UnprocessableValue(f"{name} says more of {other}; give {other}, too, or leave it out.", field=name)
    for name in ("count", "seed"):
        if name in query and "session" in query:
            raise UnprocessableValue(f"session and {name} do not go together; leave one out.", field=name)
    if "count" in query and query.get("format", "json") != "json":
        raise UnprocessableValue("Several images come as JSON; leave format out, or count.", field="format")


def _of(query: Mapping[str, str], name: str, rule: re.Pattern[str], said: str, default: str) -> str:
    text = query.get(name, default)
    if name in query and not rule.fullmatch(text):
        raise UnprocessableValue(f"{name} must be {said}.", field=name)
    return text


def _text(query: Mapping[str, str], name: str) -> str:
    if name in query and not 1 <= len(query[name]) <= TEXT_MAX:
        raise UnprocessableValue(f"{name} must have 1 to {TEXT_MAX} characters.", field=name)
    return query.get(name, "")
