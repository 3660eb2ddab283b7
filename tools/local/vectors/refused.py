"""The refusals of S3 Vectors, with the names and statuses of its service model."""

from http import HTTPStatus


class Refused(Exception):
    """A request that is not carried out. `field` is the member of the request at fault, if there is one."""

    code = "InternalServerException"
    status = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.message, self.field = message, field


class Invalid(Refused):
    """A request that breaks a rule of the service."""

    code = "ValidationException"
    status = HTTPStatus.BAD_REQUEST


class NotFound(Refused):
    """A bucket or an index that does not exist."""

    code = "NotFoundException"
    status = HTTPStatus.NOT_FOUND


class Conflict(Refused):
    """A bucket or an index that exists already, or a bucket that is not empty."""

    code = "ConflictException"
    status = HTTPStatus.CONFLICT


class Unavailable(Refused):
    """A request that the disk does not allow now."""

    code = "ServiceUnavailableException"
    status = HTTPStatus.SERVICE_UNAVAILABLE


class NotServed(Refused):
    """An operation or a choice that S3 Vectors has and this service has not."""

    code = "NotImplemented"
    status = HTTPStatus.NOT_IMPLEMENTED
