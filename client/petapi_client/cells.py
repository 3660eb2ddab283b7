"""Cells of CSV files that people also open in spreadsheets, with texts of strangers in them.

A spreadsheet computes a cell that begins with =, +, - or @, also after a tab, and may send what it computes elsewhere.
So such a text gets an apostrophe in front, and loses it again when it is read.  A text that begins with apostrophes and
then with one of these gets one more, so that each text comes back as it was.
"""

import re

_FIRST = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"  # the last four are the wide forms of the first four
FORMULA = re.compile(f"'*{_FIRST}")
ESCAPED = re.compile(f"'+{_FIRST}")


def escaped(text: str) -> str:
    """Return the text as a cell that no spreadsheet computes."""
    return f"'{text}" if FORMULA.match(text) else text


def unescaped(cell: str) -> str:
    """Return the text of a cell that `escaped` has made; any other cell is its text."""
    return cell[1:] if ESCAPED.match(cell) else cell
