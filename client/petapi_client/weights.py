"""Weights of any scale: divided by one power of ten, so that their proportions stay exactly as they are.

All arithmetic is on fractions and whole numbers.  A weight of the API is above 0 and below 1 with at most 9 decimals,
so it is a whole number of units of 10^-9.  A division by the largest weight or by the sum is not exact: of 1..100, none
would come out right.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

DECIMALS = 9
UNITS: int = 10**DECIMALS
NUMBER = re.compile(r"\+?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?")
LENGTH_MAX = 60  # characters of a number
POWER = re.compile(r"10{0,160}")  # above all numbers of this length


def parse_weight(text: str) -> Fraction:
    """Parse a weight of any scale.  Raise ValueError with the rule that it breaks."""
    if "," in text:
        raise ValueError(f"weight {text} has a comma; write it with a point, such as {text.replace(',', '.')}")
    if len(text) > LENGTH_MAX or not NUMBER.fullmatch(text):
        raise ValueError(f"weight {text[:LENGTH_MAX]} is no number above 0; write one, such as 2.5")
    if not (weight := Fraction(text)):
        raise ValueError(f"weight {text} is not above 0; leave out a picture that is never to be drawn")
    return weight


def parse_divisor(text: str) -> int:
    """Parse what weights are divided by.  Raise ValueError if it is no power of ten."""
    if not POWER.fullmatch(text):
        raise ValueError(f"{text} is no power of ten; name one, such as 1, 10 or 1000")
    return int(text)


def smallest_divisor(weights: Iterable[Fraction]) -> int:
    """Return the smallest power of ten above all weights, at least 1."""
    largest, divisor = max(weights, default=Fraction(0)), 1
    while divisor <= largest:
        divisor *= 10
    return divisor


def units_of(weight: Fraction, divisor: int) -> Fraction:
    """Return the weight in units of 10^-9 once it is divided; it is a whole number if it has at most 9 decimals."""
    return Fraction(weight * UNITS, divisor)


def rounded(units: Fraction) -> int:
    """Return the nearest whole number of units that is a weight.  Raise ValueError if that would be 0."""
    whole: int = round(units)
    if not whole:
        raise ValueError("rounds to 0; leave out a picture that is hardly ever to be drawn, or write a larger weight")
    return min(whole, UNITS - 1)


def weight_of(units: int) -> Decimal:
    """Return units as a weight of the API."""
    return Decimal(units).scaleb(-DECIMALS)


def text_of(weight: Decimal) -> str:
    """Write a weight of the API without an exponent and without zeros at the end."""
    return f"{weight:f}".rstrip("0").rstrip(".") if "." in f"{weight:f}" else f"{weight:f}"
