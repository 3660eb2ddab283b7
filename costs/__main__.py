"""Print what a month of petAPI costs on AWS. The exit code is 2 if a figure is unusable or nothing was measured yet."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import Field, fields
from decimal import Decimal, InvalidOperation
from typing import Any

from costs.bill import Bill, PlanNotApplicable, at_rest, bill
from costs.measured import Unmeasured
from costs.prices import document
from costs.tables import bill_table, dollars
from costs.use import Assumed, Use, is_number


def main() -> int:
    """Print the bill. Return the exit code."""
    arguments = _parser().parse_args()
    use, assumed = Use(**_given(Use, arguments)), Assumed(**_given(Assumed, arguments))
    try:
        month, rest = bill(use, assumed), bill(at_rest(use), assumed)
        if arguments.write:
            from costs.report import write  # imports matplotlib, which the bill does not need

            write()
    except (PlanNotApplicable, Unmeasured) as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(_as_dict(month, rest), indent=2) if arguments.json else _as_text(month, rest))
    return 0


def _given(kind: type[Use] | type[Assumed], arguments: argparse.Namespace) -> dict[str, Any]:
    return {each.name: getattr(arguments, each.name) for each in fields(kind)}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m costs", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the bill as JSON, unrounded")
    parser.add_argument("--write", action="store_true", help="also write costs/README.md and its plot")
    for title, kind in (("use", Use), ("assumptions", Assumed)):
        group = parser.add_argument_group(title)
        for each in fields(kind):
            _add(group, each)
    return parser


def _add(group: Any, each: Field[Any]) -> None:
    option, why = f"--{each.name.replace('_', '-')}", each.metadata["why"]
    if is_number(each):
        text = f"{each.metadata['unit']} {why} ({each.default})"
        group.add_argument(option, type=_number(each), default=each.default, metavar="N", help=text)
    else:
        group.add_argument(
            option, choices=each.metadata["choices"], default=each.default, help=f"{why} ({each.default})"
        )


def _number(each: Field[Any]) -> Callable[[str], Decimal]:
    """Return a parser of an option: it takes a number within the field's bounds, and names them otherwise."""
    least, most = each.metadata["least"], each.metadata["most"]

    def parse(text: str) -> Decimal:
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal("nan")
        if not value.is_finite() or (value and not least <= value <= most):
            raise argparse.ArgumentTypeError(f"{text} is not a number from {least} to {most:,}")
        return value

    return parse


def _as_text(month: Bill, rest: Bill) -> str:
    rules = "\n".join(f"- {rule['rule']}" for rule in document()["free_tier"])
    return f"{bill_table(month)}\n\nOf this, {dollars(rest.net)} are due without any request.\n\n{rules}"


def _as_dict(month: Bill, rest: Bill) -> dict[str, Any]:
    lines = [
        {
            "name": line.price.name,
            "quantity": float(line.quantity),
            "unit": line.price.unit,
            "gross": float(line.gross),
            "free": float(line.waived),
            "net": float(line.net),
        }
        for line in month.lines
    ]
    total = {"gross": float(month.gross), "free": float(month.waived), "net": float(month.net)}
    return {"lines": lines, "total": total, "atRest": float(rest.net)}


if __name__ == "__main__":
    sys.exit(main())
