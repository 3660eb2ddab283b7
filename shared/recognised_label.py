"""A recognised label, as tables and digests have it: its name, and its confidence in percent."""

from typing import Any

DECIMALS = 6  # of a confidence: softmax makes numbers below 1e-130, which DynamoDB refuses


def text_of(confidence: float) -> str:
    """Return a confidence as it is kept."""
    return f"{confidence:.{DECIMALS}f}"


def item(name: str, confidence: float) -> dict[str, Any]:
    """Return the label as an entry of a list in DynamoDB."""
    return {"M": {"name": {"S": name}, "confidence": {"N": text_of(confidence)}}}


def of_item(found: dict[str, Any]) -> tuple[str, float]:
    """Return name and confidence of such an entry."""
    return found["M"]["name"]["S"], float(found["M"]["confidence"]["N"])
