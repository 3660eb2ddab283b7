"""The filters of QueryVectors: conditions on the filterable metadata of a vector.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-metadata-filtering.html has the operators. Where that
page leaves a choice, the stricter one is taken here, so that what works here works there:

- A filter has one field, `$and` or `$or`. Several fields are joined by `$and`.
- A condition on a field that a vector lacks does not hold, `$ne` and `$nin` included. Only `{"$exists": false}` does.
- A list matches by element: `$eq`, `$in` and the comparisons if one element does, `$ne` and `$nin` if none is equal.
"""

import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from tools.local.vectors.refused import Invalid

Value = str | int | float | bool
Condition = Callable[[Mapping[str, Any]], bool]
Test = Callable[[Sequence[Value]], bool]

DEPTH_MAX = 20  # filters in filters; far more than anybody writes, and far less than Python's stack has
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}


def _all_of(conditions: Sequence[Condition]) -> Condition:
    def holds(metadata: Mapping[str, Any]) -> bool:
        for condition in conditions:  # noqa: SIM110 (`all` with a generator takes twice as long)
            if not condition(metadata):
                return False
        return True

    return holds


def _any_of(conditions: Sequence[Condition]) -> Condition:
    def holds(metadata: Mapping[str, Any]) -> bool:
        for condition in conditions:  # noqa: SIM110
            if condition(metadata):
                return True
        return False

    return holds


JOINED: Mapping[str, Callable[[Sequence[Condition]], Condition]] = {"$and": _all_of, "$or": _any_of}


def parse(document: Any, hidden: Collection[str], depth: int = 0) -> Condition:
    """Return the condition of this filter. Raise Invalid if it is none, or is about a `hidden` key."""
    if depth > DEPTH_MAX:
        raise Invalid(f"A filter has at most {DEPTH_MAX} levels.", "filter")
    if not isinstance(document, dict) or len(document) != 1:
        raise Invalid("A filter is an object with one field, $and or $or. Join several fields by $and.", "filter")
    ((name, content),) = document.items()
    if name in JOINED:
        return JOINED[name](_several(name, content, hidden, depth))
    if name.startswith("$"):
        raise Invalid(f"{name} is no operator that joins filters.", "filter")
    if name in hidden:
        raise Invalid(f"{name} is a non-filterable metadata key.", "filter")
    return _about_field(name, content)


def _several(name: str, content: Any, hidden: Collection[str], depth: int) -> list[Condition]:
    if not isinstance(content, list) or not content:
        raise Invalid(f"{name} has a list of at least one filter.", "filter")
    return [parse(each, hidden, depth + 1) for each in content]


def _about_field(name: str, content: Any) -> Condition:
    tests = content if isinstance(content, dict) else {"$eq": content}
    if not tests:
        raise Invalid(f"The filter of {name} has no operator.", "filter")
    conditions = [_condition(name, operation, value) for operation, value in tests.items()]
    return conditions[0] if len(conditions) == 1 else _all_of(conditions)


def _condition(name: str, operation: str, value: Any) -> Condition:
    if operation == "$exists":
        if not isinstance(value, bool):
            raise Invalid(f"$exists of {name} is true or false.", "filter")
        return lambda metadata: (name in metadata) == value
    matches = _test(name, operation, value)

    def holds(metadata: Mapping[str, Any]) -> bool:
        found = metadata.get(name)
        return found is not None and matches(found if type(found) is list else (found,))

    return holds


def _test(name: str, operation: str, value: Any) -> Test:
    """Return the test of a metadata value, which is given as its elements."""
    if operation in ("$eq", "$ne"):
        return _equals([_primitive(name, operation, value)], negated=operation == "$ne")
    if operation in ("$in", "$nin"):
        if not isinstance(value, list) or not value:
            raise Invalid(f"{operation} of {name} has a list of at least one value.", "filter")
        return _equals([_primitive(name, operation, each) for each in value], negated=operation == "$nin")
    if compare := COMPARISONS.get(operation):
        if not is_number(value):
            raise Invalid(f"{operation} of {name} compares with a number.", "filter")
        return lambda elements: any(is_number(each) and compare(each, value) for each in elements)
    raise Invalid(f"{operation} of {name} is no operator.", "filter")


def _equals(values: Sequence[Value], *, negated: bool) -> Test:
    """Return the test whether an element is one of these values, or, negated, none is.

    Texts are looked up as they are: no number equals one. That is four times as fast, and our filters have texts only.
    """
    if all(isinstance(value, str) for value in values):
        texts = frozenset(values)
        return lambda elements: texts.isdisjoint(elements) == negated
    typed = {_typed(value) for value in values}
    return lambda elements: typed.isdisjoint(map(_typed, elements)) == negated


def _primitive(name: str, operation: str, value: Any) -> Value:
    if isinstance(value, str | bool) or is_number(value):
        return value  # type: ignore[no-any-return]
    raise Invalid(f"{operation} of {name} compares with texts, numbers and truth values.", "filter")


def _typed(value: Value) -> tuple[bool, Value]:
    """Return a value that no truth value and number have in common: in Python, True equals 1."""
    return isinstance(value, bool), value


def is_number(value: Any) -> bool:
    """Return whether this is a number as JSON has them."""
    return isinstance(value, int | float) and not isinstance(value, bool)
