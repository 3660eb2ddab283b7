"""The token: from a file or the variable PETAPI_TOKEN, never from the command line, which others can read."""

import os
import re
from pathlib import Path

from petapi_client.problem import BadInput

VARIABLE = "PETAPI_TOKEN"
TOKEN = re.compile(r"[!-~]{1,16384}")
LENGTH_MAX = 20_000


def token_of(file: str | None) -> str | None:
    """Return the token, None if there is none.  Raise BadInput if the file cannot be read or has no token."""
    text, source = os.environ.get(VARIABLE, ""), VARIABLE
    if file:
        text, source = _content(file), file
    if not text.strip() and not file:
        return None
    if not TOKEN.fullmatch(text.strip()):
        raise BadInput(f"{source} must have one token and nothing else; put it there again.")
    return text.strip()


def _content(file: str) -> str:
    try:
        with Path(file).open(encoding="ascii", errors="replace") as opened:
            return opened.read(LENGTH_MAX)
    except OSError as error:
        raise BadInput(f"The token file {file} cannot be read ({error.strerror}); name another.") from error
