"""The options of a draw: several images, some left out, a seed, a position in a session."""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from shared import images
from shared.api.endpoint import required
from shared.errors import UnprocessableValue
from shared.images import Pool

COUNT = re.compile(r"[1-9][0-9]?|100")
POSITION = re.compile(r"[0-9]{1,9}")
TEXT_MAX = 100  # characters of a seed or a session
EXCLUDED_MAX = 20  # images
SHOWN_MAX = 80  # characters of what was sent that a refusal shows


@dataclass(frozen=True, slots=True)
class Options:
    """The parsed options.  `excluded` are ids of images.

    `count` is 0 without the parameter; `seed`, `session` and `excluded` are empty without theirs.
    """

    count: int
    distinct: bool
    seed: str
    session: str
    position: int
    excluded: frozenset[str]


def parse(query: Mapping[str, str], pools: Sequence[Pool]) -> Options:
    """Parse the options of a draw from these pools.

    Raise UnprocessableValue if one breaks its rule, or if two do not go together.
    """
    _check_combinations(query, pools)
    if "session" in query:
        required(query, "position")
    return Options(
        count=int(_checked(query, "count", COUNT, "a whole number from 1 to 100", "0")),
        distinct=_checked(query, "distinct", re.compile("true|false"), "true or false", "false") == "true",
        seed=_text(query, "seed"),
        session=_text(query, "session"),
        position=int(_checked(query, "position", POSITION, "a whole number from 0 to 999999999", "0")),
        excluded=_ids(query["exclude"], pools) if "exclude" in query else frozenset(),
    )


def generator(seed: str) -> random.Random:
    """Return the generator for a seed.  Equal seeds give equal draws, in every process and on every machine."""
    digest = sha256(seed.encode("utf-8", "surrogatepass")).digest()
    return random.Random(int.from_bytes(digest))  # noqa: S311 (a seed is there to make draws predictable)


def _check_combinations(query: Mapping[str, str], pools: Sequence[Pool]) -> None:
    """Refuse a parameter that needs another one, and two that do not go together."""
    for name, other in (("distinct", "count"), ("position", "session")):
        if name in query and other not in query:
            raise UnprocessableValue(f"{name} needs {other}; add {other} or remove {name}.", field=name)
    for name in ("count", "seed", "exclude"):
        if name in query and "session" in query:
            raise UnprocessableValue(f"session and {name} do not go together; remove one of them.", field=name)
    if "session" in query and len(pools) > 1:
        raise UnprocessableValue("session works with one label; name one, or remove session.", field="label")
    if "count" in query and query.get("format", "json") != "json":
        raise UnprocessableValue("format must be json with count; remove format or count.", field="format")


def _ids(text: str, pools: Sequence[Pool]) -> frozenset[str]:
    """Parse ids of images, separated by commas.  Each must be of a label that is drawn from."""
    labels = {pool.label for pool in pools}
    texts = [part.strip(" ") for part in text.split(",")]
    ids = {_id(part) for part in texts}
    if len(ids) > EXCLUDED_MAX:
        raise UnprocessableValue(f"exclude has {len(ids)} ids; send at most {EXCLUDED_MAX}.", field="exclude")
    wrong = [part for part in texts if not images.is_image_path(*_id(part))]
    if wrong:
        raise UnprocessableValue(
            "exclude must be ids of images, separated by commas; an id is a label, a slash and a name, such as "
            f"cat/0123456789abcdef0123456789abcdef.jpg, and {wrong[0][:SHOWN_MAX]!r} is none.",
            field="exclude",
        )
    if foreign := sorted({label for label, _ in ids} - labels):
        detail = f"exclude has an id of {foreign[0]}, which is not drawn from; leave the ids of {foreign[0]} out."
        raise UnprocessableValue(detail, field="exclude")
    return frozenset(f"{label}/{name}" for label, name in ids)


def _id(text: str) -> tuple[str, str]:
    label, _, name = text.partition("/")
    return images.label_of_path(label), name


def _checked(query: Mapping[str, str], name: str, rule: re.Pattern[str], requirement: str, default: str) -> str:
    text = query.get(name, default)
    if name in query and not rule.fullmatch(text):
        raise UnprocessableValue(f"{name} must be {requirement}.", field=name)
    return text


def _text(query: Mapping[str, str], name: str) -> str:
    if name in query and not 1 <= len(query[name]) <= TEXT_MAX:
        raise UnprocessableValue(f"{name} must have 1 to {TEXT_MAX} characters.", field=name)
    return query.get(name, "")
