"""tools/benchmarks/results.json: what the benchmarks found, a section for each of them."""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("results.json")
DIGITS = 4  # that a figure is kept with


def read() -> dict[str, Any]:
    """Read all sections."""
    return json.loads(PATH.read_text()) if PATH.exists() else {}


def update(section: str, value: Any) -> None:
    """Replace this section and keep the others."""
    PATH.write_text(json.dumps(read() | {section: rounded(value)}, indent=1, sort_keys=True) + "\n")


def rounded(value: Any) -> Any:
    """Return the value with floats rounded to DIGITS significant digits, and whole ones as integers."""
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(each) for each in value]
    if isinstance(value, float):
        short = float(f"{value:.{DIGITS}g}")
        return int(short) if short.is_integer() else short
    return value


def machine() -> dict[str, Any]:
    """Return the machine and the date of a measurement."""
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "date": datetime.now(UTC).date().isoformat(),
    }
