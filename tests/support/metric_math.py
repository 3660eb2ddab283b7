"""Metric math as alarms use it: what an expression makes of the metrics that are there, and whether the alarm comes.

What is missing makes a sum, product or quotient missing, as AWS does not promise that it counts as zero. CloudWatch
drops what is divided by zero.
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Value = float | None  # of a metric in a period; None if nothing was written
OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def evaluate(expression: str, values: Mapping[str, Value]) -> Value:
    """Return the value of an expression in a period in which the metrics with these ids have these values."""

    def of(node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.Name(id=name):
                return values[name]
            case ast.Call(func=ast.Name(id="FILL"), args=[filled, filling]):
                found = of(filled)
                return of(filling) if found is None else found
            case ast.BinOp(left=left, op=op, right=right):
                first, second = of(left), of(right)
                if first is None or second is None or (isinstance(op, ast.Div) and second == 0):
                    return None
                return OPERATORS[type(op)](first, second)
        raise ValueError(ast.unparse(node))

    return of(ast.parse(expression, mode="eval").body)


def expression_of(properties: Mapping[str, Any], parameters: Mapping[str, str] | None = None) -> str:
    """Return the expression of an alarm, with the values of these parameters in it."""
    (found,) = (query["Expression"] for query in properties["Metrics"] if "Expression" in query)
    text = found["Fn::Sub"] if isinstance(found, dict) else found
    return re.sub(r"\$\{(\w+)\}", lambda match: (parameters or {})[match[1]], text)


def comes(properties: Mapping[str, Any], periods: Sequence[Mapping[str, Value]], **parameters: str) -> bool:
    """Return whether an alarm comes at the end of any of these periods.

    Each has the values of the alarm's metrics by their ids. A metric that a period does not name is missing in it.
    """
    ids = [query["Id"] for query in properties["Metrics"] if "MetricStat" in query]
    expression = expression_of(properties, parameters)
    assert properties["ComparisonOperator"] == "GreaterThanThreshold"
    assert properties["TreatMissingData"] == "notBreaching"
    values = [evaluate(expression, dict.fromkeys(ids) | dict(period)) for period in periods]
    breaches = [value is not None and value > properties["Threshold"] for value in values]
    last, wanted = properties["EvaluationPeriods"], properties.get("DatapointsToAlarm", properties["EvaluationPeriods"])
    return any(sum(breaches[max(0, end - last) : end]) >= wanted for end in range(1, len(breaches) + 1))
