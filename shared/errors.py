"""The refusals that a caller gets, each with its HTTP status (RFC 9110, RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

DETAIL_MAX = 400  # characters; a detail may quote the caller
FIELD_MAX = 80


class ApiError(Exception):
    """A refusal that the caller reads.

    `detail` is a sentence that says which field broke which rule and what to do next.  `field` is the form field,
    parameter or JSON member at fault, if there is one.  `members` are further members of the problem (RFC 9457,
    section 3.2).
    """

    status = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(
        self,
        detail: str,
        *,
        field: str | None = None,
        headers: dict[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        self.detail = _printable(detail, DETAIL_MAX)
        self.field = _printable(field, FIELD_MAX) if field is not None else None
        super().__init__(self.detail)
        self.headers = headers or {}
        self.members = members or {}


class BadRequest(ApiError):
    """A request that cannot be read: its syntax is wrong, or a field is unknown, missing or repeated."""

    status = HTTPStatus.BAD_REQUEST


class Forbidden(ApiError):
    """A request that the caller has no permission for."""

    status = HTTPStatus.FORBIDDEN


class NotFound(ApiError):
    """A path or label with nothing under it."""

    status = HTTPStatus.NOT_FOUND


class MethodNotAllowed(ApiError):
    """A method that this path does not have."""

    status = HTTPStatus.METHOD_NOT_ALLOWED

    def __init__(self, method: str, allow: str) -> None:
        super().__init__(f"{method} is not allowed on this path; use one of {allow}.", headers={"Allow": allow})


class Conflict(ApiError):
    """A request that contradicts the stored state."""

    status = HTTPStatus.CONFLICT


class PreconditionFailed(ApiError):
    """An If-Match that does not name the present state."""

    status = HTTPStatus.PRECONDITION_FAILED


class PayloadTooLarge(ApiError):
    """A body that is larger than a Lambda event can carry."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnsupportedMediaType(ApiError):
    """A body, or a file in it, of a type that this operation does not accept."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class UnprocessableValue(ApiError):
    """A field that can be read, but whose value breaks a rule."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class Unavailable(ApiError):
    """A failure that may pass: the same request may succeed a little later."""

    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Retry-After": "1"})


def _printable(text: str, length: int) -> str:
    """Cut the text to this length, and escape lone surrogates, which JSON allows and UTF-8 does not."""
    cut = text if len(text) <= length else text[: length - 2] + "…."
    return cut.encode("utf-8", "backslashreplace").decode()
