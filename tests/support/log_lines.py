"""Log lines in tests: their fields, and the metrics that CloudWatch extracts from them."""

import logging
import time
from typing import Any

OF_RECORDS = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return what Lambda's JSON log handler writes beside the message."""
    return {name: value for name, value in record.__dict__.items() if name not in OF_RECORDS}


def extracted(document: dict[str, Any]) -> dict[tuple[str, ...], float]:
    """Return what CloudWatch extracts, by the specification: (metric, values of dimensions) -> value."""
    assert time.time() * 1000 - document["_aws"]["Timestamp"] < 600_000
    found = {}
    for directive in document["_aws"]["CloudWatchMetrics"]:
        assert set(directive) == {"Namespace", "Dimensions", "Metrics"}
        assert directive["Namespace"] == "petAPI"
        for dimensions in directive["Dimensions"]:
            values = [document[name] for name in dimensions]
            assert all(isinstance(value, str) and value for value in values)
            for metric in directive["Metrics"]:
                assert metric["Unit"] in ("Count", "Bytes")
                assert isinstance(document[metric["Name"]], int)
                found[(metric["Name"], *values)] = document[metric["Name"]]
    return found
