"""The mistakes a caller can make, and how HTTP names each (RFC 9110, RFC 9457)."""

from http import HTTPStatus

DETAIL_MAX = 400  # characters: texts of the caller's are in it, and go to the log, too
FIELD_MAX = 80


class ApiError(Exception):
    """A refusal that the caller should read.

    `detail` is one sentence: which field, which rule, what to do next.  `field` names the form field, parameter
    or JSON member at fault, if there is one.
    """

    status = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, detail: str, *, field: str | None = None, headers: dict[str, str] | None = None) -> None:
        self.detail = _printable(detail, DETAIL_MAX)
        self.field = _printable(field, FIELD_MAX) if field is not None else None
        super().__init__(self.detail)
        self.headers = headers or {}


class BadRequest(ApiError):
    """The request cannot be read: wrong syntax, an unknown, missing or repeated field."""

    status = HTTPStatus.BAD_REQUEST


class Forbidden(ApiError):
    """The caller may not do this."""

    status = HTTPStatus.FORBIDDEN


class NotFound(ApiError):
    """There is nothing under this path or label."""

    status = HTTPStatus.NOT_FOUND


class MethodNotAllowed(ApiError):
    """The path exists; this method on it does not."""

    status = HTTPStatus.METHOD_NOT_ALLOWED

    def __init__(self, method: str, allow: str) -> None:
        super().__init__(f"{method} is not possible here; use one of {allow}.", headers={"Allow": allow})


class Conflict(ApiError):
    """The request contradicts what is stored."""

    status = HTTPStatus.CONFLICT


class PreconditionFailed(ApiError):
    """If-Match names a state that is no longer the present one."""

    status = HTTPStatus.PRECONDITION_FAILED


class PayloadTooLarge(ApiError):
    """The body is larger than a Lambda event can carry."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnsupportedMediaType(ApiError):
    """The body, or the file in it, is of a type that is not taken here."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class UnprocessableValue(ApiError):
    """A field can be read, but its value breaks a rule."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class Unavailable(ApiError):
    """The service cannot answer now; the same request may succeed a little later."""

    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Retry-After": "1"})


def _printable(text: str, length: int) -> str:
    """The text, cut to a length, with lone surrogates (JSON may have them, UTF-8 not) escaped."""
    cut = text if len(text) <= length else text[: length - 2] + "…."
    return cut.encode("utf-8", "backslashreplace").decode()
