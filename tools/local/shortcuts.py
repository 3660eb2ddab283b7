"""Shortcuts through ministack: what it computes anew for each request or each item, computed once or faster.

Answers stay the same, also errors.  tests/local/test_shortcuts.py compares them.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import pybase64

from tools.local.unpacked import Instead

EXPRESSIONS = 256  # parsed ones that are kept; shared/ has about 30
POLICIES = 256  # likewise; template.yaml has about 40
# What Queries of petAPI ask for: one value of the first part of the key, and perhaps where the second part is.
KEY_CONDITION = re.compile(r"(#?\w+) (=) (:\w+)(?: AND (#?\w+) (=|<|<=|>|>=) (:\w+))?", re.ASCII)

Item = Mapping[str, Any]
Evaluate = Callable[..., bool]


def install(gateway: Any, iam_evaluator: Any, dynamodb: Any, stacks: Any) -> None:
    """Let these modules of ministack take the shortcuts.

    - API Gateway decodes and encodes bodies with Python's base64, which takes fifty times as long as pybase64.
    - IAM parses the policies of a role twice for each call. Here it parses each text once.
    - DynamoDB parses a condition, and checks its syntax, once per item. Here it does once per text.
    - DynamoDB evaluates the key condition of a Query, with all checks, for each item of the partition. Here it does for
      the first one, and only compares the values of the others.
    - CloudFormation lets SAM copy the description of the API twice for each event, which is three quarters of the work
      of a transform. Here it copies nothing, since it drops the original each time.
    """
    gateway.base64 = Instead(base64, b64decode=decoded, b64encode=pybase64.b64encode)
    iam_evaluator.parse_policy_document = _once_per_text(iam_evaluator.parse_policy_document)
    tokenize = dynamodb._tokenize
    dynamodb._tokenize = lru_cache(EXPRESSIONS)(lambda expression: tuple(tokenize(expression)))
    dynamodb._condition_syntax_error = lru_cache(EXPRESSIONS)(dynamodb._condition_syntax_error)
    dynamodb._evaluate_condition = _KeyConditions(dynamodb._evaluate_condition, dynamodb._compare_ddb)
    stacks._apply_transforms = _without_copies(stacks._apply_transforms)


def decoded(text: str) -> bytes:
    """Decode base64 as `base64.b64decode` does, which skips characters that are not of it."""
    try:
        return pybase64.b64decode(text, validate=True)
    except binascii.Error:
        return base64.b64decode(text)


def _without_copies(transform: Callable[..., Any]) -> Callable[..., Any]:
    """Let SAM, which is imported by the first transform only, copy no description of an API."""

    def transformed(*arguments: Any, **options: Any) -> Any:
        from samtranslator.swagger import swagger

        swagger._deepcopy = lambda description: description
        return transform(*arguments, **options)

    return transformed


def _once_per_text(parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Keep parsed policies. A policy that changes is another text; a parsed one never changes."""
    parsed = lru_cache(POLICIES)(parse)
    return lambda document: parsed(document) if isinstance(document, str) else parse(document)


class _KeyConditions:
    """DynamoDB's `_evaluate_condition`, which knows the key condition of the Query under way.

    A Query is known by its objects, not by what is in them: they stay the same while it goes through the items, and no
    other has them as long as they are kept here.
    """

    def __init__(self, evaluate: Evaluate, compare: Callable[[Any, str, Any], bool]) -> None:
        self._evaluate, self._compare = evaluate, compare
        self._known: tuple[object, object, object, Callable[[Item], bool]] = (None, None, None, bool)

    def __call__(
        self, expression: str, item: Item, values: Item, names: Mapping[str, str], slot: str = "ConditionExpression"
    ) -> bool:
        """Return whether the item meets the condition. Raise ValueError if the expression is none."""
        if slot != "KeyConditionExpression":
            return self._evaluate(expression, item, values, names, slot=slot)
        known_expression, known_values, known_names, meets = self._known
        if known_expression is expression and known_values is values and known_names is names:
            return meets(item)
        answer = self._evaluate(expression, item, values, names, slot=slot)
        if parts := KEY_CONDITION.fullmatch(expression):
            self._known = (expression, values, names, self._condition(parts, values, names))
        return answer

    def _condition(self, parts: re.Match[str], values: Item, names: Mapping[str, str]) -> Callable[[Item], bool]:
        """Return what compares an item's attributes with the values of the condition."""
        compare = self._compare
        name, operator, value = names.get(parts[1], parts[1]), parts[2], values.get(parts[3])
        if not parts[4]:
            return lambda item: compare(item.get(name), operator, value)
        second, comparator, bound = names.get(parts[4], parts[4]), parts[5], values.get(parts[6])
        return lambda item: compare(item.get(second), comparator, bound) and compare(item.get(name), operator, value)
