"""What the user reads.  Names of files and texts of servers come from strangers: nothing in them moves the cursor."""

import sys
from typing import TextIO


def say(*lines: str) -> None:
    """Print results."""
    _print(lines, sys.stdout)


def complain(*lines: str) -> None:
    """Print what went wrong."""
    _print(lines, sys.stderr)


def printable(text: str) -> str:
    """Return the text with escapes in place of control characters and the like, except line ends and tabs."""
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)


def counted(number: int, noun: str) -> str:
    """Return `1 picture` or `1,000 pictures`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _print(lines: tuple[str, ...], stream: TextIO) -> None:
    for line in lines:
        shown = printable(line).encode(stream.encoding or "utf-8", "backslashreplace")
        stream.write(shown.decode(stream.encoding or "utf-8") + "\n")
    stream.flush()
