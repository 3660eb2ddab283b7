"""What policies of IAM allow: an action on a resource, in the circumstances that their conditions ask for.

It knows what the project's policies use, and refuses the rest: it is for tests, which must not take a policy for more
than it is.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Ask:
    """An action, the resource that it acts on (`*` if it knows none), and the keys that conditions look at."""

    action: str
    resource: str = "*"
    keys: Mapping[str, str] = field(default_factory=dict, hash=False)


def allows(statements: Iterable[Mapping[str, Any]], ask: Ask) -> bool:
    """Return whether one of the statements allows it."""
    return any(_matches(each, ask) for each in statements)


def as_list(one_or_more: Any) -> list[Any]:
    """Return what a policy has once or several times as a list."""
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]


def _matches(statement: Mapping[str, Any], ask: Ask) -> bool:
    assert statement["Effect"] == "Allow"
    assert set(statement) <= {"Sid", "Effect", "Action", "Resource", "Condition"}, statement
    has_action = any(is_like(ask.action.lower(), each.lower()) for each in as_list(statement["Action"]))
    return (
        has_action
        and any(is_like(ask.resource, each) for each in as_list(statement["Resource"]))
        and all(
            _holds(operator, ask.keys.get(key), as_list(wanted))
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _holds(operator: str, value: str | None, wanted: list[str]) -> bool:
    """Return whether the value is one that is wanted; a key that is not there is none."""
    alike = {"StringEquals": str.__eq__, "ArnEquals": _is_arn_like, "ArnLike": _is_arn_like}[operator]
    return value is not None and any(alike(value, each) for each in wanted)


def _is_arn_like(arn: str, pattern: str) -> bool:
    """Compare part by part: here a wildcard does not reach beyond a colon, but in the last part."""
    parts, patterns = arn.split(":", 5), pattern.split(":", 5)
    return len(parts) == len(patterns) == 6 and all(map(is_like, parts, patterns))


def is_like(text: str, pattern: str) -> bool:
    """Return whether the text matches a pattern with IAM's two wildcards."""
    assert "${" not in pattern, f"{pattern}: variables of policies are not known here"
    return bool(_compiled(pattern).fullmatch(text))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = (".*" if each == "*" else "." if each == "?" else re.escape(each) for each in pattern)
    return re.compile("".join(parts), re.DOTALL)
