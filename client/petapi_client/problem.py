"""What goes wrong: a refusal of the API, a server that cannot be reached, input that cannot be used."""

from collections.abc import Iterable
from typing import Any

SHOWN_MAX = 10  # sentences of one kind that are printed


class Problem(Exception):
    """A refusal of the API (RFC 9457).

    `detail` is the API's sentence, and `errors` has the fields at fault: {"field": .., "detail": ..}.  `existing` is
    the JSON of the image that an upload contradicts, if the API has sent it.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Iterable[dict[str, Any]] = (),
        *,
        existing: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.existing = status, detail, existing
        self.errors = tuple(errors)

    @property
    def fields(self) -> set[str]:
        """The names of the fields at fault."""
        return {str(error.get("field")) for error in self.errors}


def problem_of(status: int, document: Any, otherwise: str = "") -> Problem:
    """Make the problem that a refusal says, as far as it is one."""
    members = document if isinstance(document, dict) else {}
    errors, existing = members.get("errors"), members.get("existing")
    return Problem(
        status,
        f"{members.get('detail') or members.get('message') or otherwise}",
        [each for each in errors if isinstance(each, dict)] if isinstance(errors, list) else [],
        existing=existing if isinstance(existing, dict) else None,
    )


class Unreachable(Problem):
    """A server that does not answer, or not as petAPI does.  The status is 0 if there is no answer."""


class BadInput(Exception):
    """Input that cannot be used.  Each of the sentences says what is wrong, and what to do."""

    def __init__(self, *sentences: str) -> None:
        shown = sentences if len(sentences) <= SHOWN_MAX else (*sentences[:SHOWN_MAX], _more(len(sentences)))
        super().__init__("\n".join(map(one_line, shown)))


class Stopped(Exception):
    """A wait that was cut short because the user has pressed Ctrl-C, or because nothing more can succeed."""


def one_line(sentence: str) -> str:
    """Write a sentence in one line: a name of a file in it may have line ends, and look like sentences of ours."""
    return sentence.replace("\n", "\\n").replace("\r", "\\r")


def _more(count: int) -> str:
    return f"(and {count - SHOWN_MAX:,} more of these)"
