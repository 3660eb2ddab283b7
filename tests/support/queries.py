"""What a query of JMESPath finds in an answer of AWS: the shape of its result, or the name that is not there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import jmespath
from botocore.model import ListShape, MapShape, Shape, StructureShape
from jmespath.exceptions import JMESPathError


@dataclass(frozen=True, slots=True)
class Many:
    """A list that the query makes."""

    element: "Result"


@dataclass(frozen=True, slots=True)
class Picked:
    """An object that the query makes."""

    members: Mapping[str, "Result"]


Result: TypeAlias = Shape | Many | Picked | None  # None: a text, a number, or more than one kind
Node: TypeAlias = dict[str, Any]


class Wrong(Exception):
    """The query is none, or asks for what the answer does not have; the text says which."""


def found(query: str, shape: Shape) -> Result:
    """Return what the query finds in an answer of this shape. Raise Wrong for a name that is not there."""
    try:
        parsed: Node = jmespath.compile(query).parsed
    except JMESPathError as error:
        raise Wrong(f"{query!r} is no query") from error
    return _walk(parsed, shape)


def _walk(node: Node, shape: Result) -> Result:
    return _KINDS[node["type"]](node, shape)


def _in_turn(node: Node, shape: Result) -> Result:
    """Let each step look at what the one before found."""
    for child in node["children"]:
        shape = _walk(child, shape)
    return shape


def _either(node: Node, shape: Result) -> Result:
    """Return the first of the alternatives, which must all be there."""
    first, *_ = [_walk(child, shape) for child in node["children"]]
    return first


def _nothing_more(node: Node, shape: Result) -> None:
    for child in node["children"]:
        _walk(child, shape)


def _compared(node: Node, shape: Result) -> None:
    sides = [_walk(child, shape) for child in node["children"]]
    texts = [child["value"] for child in node["children"] if child["type"] == "literal"]
    for side in sides:
        choices = getattr(side, "enum", None) or texts
        for text in texts:
            if text not in choices:
                raise Wrong(f"{side.name} is never {text}" if isinstance(side, Shape) else text)


def _member(shape: Result, name: str) -> Result:
    if shape is None:
        return None
    if isinstance(shape, MapShape):
        return shape.value  # type: ignore[no-any-return]
    members = shape.members if isinstance(shape, StructureShape | Picked) else {}
    if name not in members:
        raise Wrong(f"there is no {name}")
    return members[name]  # type: ignore[no-any-return]


def _element(shape: Result) -> Result:
    if shape is None:
        return None
    if isinstance(shape, Many):
        return shape.element
    if isinstance(shape, ListShape):
        return shape.member  # type: ignore[no-any-return]
    raise Wrong(f"{shape.name if isinstance(shape, Shape) else 'an object'} is no list")


def _flat(node: Node, shape: Result) -> Result:
    whole = _in_turn(node, shape)
    inner = _element(whole)
    return Many(_element(inner)) if isinstance(inner, Many | ListShape) else whole


def _sliced(_: Node, shape: Result) -> Result:
    return Many(_element(shape))


def _projected(node: Node, shape: Result) -> Result:
    left, right, *conditions = node["children"]
    element = _element(_walk(left, shape))
    for condition in conditions:
        _walk(condition, element)
    return Many(_walk(right, element))


def _values(node: Node, shape: Result) -> Result:
    left, right = node["children"]
    whole = _walk(left, shape)
    return Many(_walk(right, whole.value if isinstance(whole, MapShape) else None))


def _object(node: Node, shape: Result) -> Result:
    return Picked({pair["value"]: _in_turn(pair, shape) for pair in node["children"]})


def _called(node: Node, shape: Result) -> Result:
    """Return what a function makes of its arguments: the same list, one of its elements, or something plain."""
    plain = [_walk(child, shape) for child in node["children"] if child["type"] != "expref"]
    for child in node["children"]:
        if child["type"] == "expref":  # of each element
            _in_turn(child, _element(plain[0]))
    if node["value"] in ("sort", "sort_by", "reverse", "not_null"):
        return plain[0]
    return _element(plain[0]) if node["value"] in ("max_by", "min_by") else None


_KINDS: dict[str, Callable[[Node, Result], Result]] = {
    "field": lambda node, shape: _member(shape, node["value"]),
    "index": lambda _, shape: _element(shape),
    "slice": _sliced,
    "flatten": _flat,
    **dict.fromkeys(("subexpression", "index_expression", "pipe", "identity", "current"), _in_turn),
    **dict.fromkeys(("projection", "filter_projection"), _projected),
    "value_projection": _values,
    **dict.fromkeys(("or_expression", "and_expression"), _either),
    **dict.fromkeys(("not_expression", "multi_select_list"), _nothing_more),
    "multi_select_dict": _object,
    "comparator": _compared,
    "literal": lambda *_: None,
    "function_expression": _called,
}
