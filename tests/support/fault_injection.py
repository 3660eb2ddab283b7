"""Faults between the shipped code and AWS, which no emulator shows: botocore asks `before-send` at each HTTP attempt.

The injector sends the attempt itself, or not, and answers, fails or ends the process in the emulator's place.
"""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import urllib3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

CONNECT_TIMEOUT, READ_TIMEOUT = 1.0, 2.0  # seconds, as shared/aws.py has them
BACK_OFF_MAX = 2.0  # seconds that botocore may wait before it tries again


class Killed(BaseException):
    """The process dies here."""


class Clock:
    """The time as the shipped code sees it: it passes where a call or a pause would let it pass."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the time of our own pause pass."""
        self.now += seconds

    def back_off(self, _: float) -> None:
        """Let the time of botocore's pause pass, always as long as it may be."""
        self.now += BACK_OFF_MAX


@dataclass(frozen=True)
class Attempt:
    """One HTTP attempt of an AWS call."""

    service: str  # as botocore writes it: dynamodb, s3, ssm
    operation: str
    request: AWSPreparedRequest
    clock: Clock
    send: Callable[[AWSPreparedRequest], AWSResponse]

    @property
    def document(self) -> Any:
        """The request's JSON."""
        return json.loads(self.request.body)

    def done(self) -> AWSResponse:
        """Send the attempt and return AWS's response."""
        return self.send(self.request)

    def answer(self, status: int, document: Any) -> AWSResponse:
        """Return a response of DynamoDB or SSM."""
        return self.raw(status, json.dumps(document).encode(), {"Content-Type": "application/x-amz-json-1.0"})

    def error(self, status: int, code: str, **members: Any) -> AWSResponse:
        """Return an error of DynamoDB, S3 or SSM."""
        if self.service == "s3":
            return self.raw(status, f"<Error><Code>{code}</Code><Message>Injected.</Message></Error>".encode(), {})
        return self.answer(status, {"__type": code, "message": "Injected.", **members})

    def cancelled(self, *codes: str) -> AWSResponse:
        """Return the response to a transaction whose first writes were cancelled for these reasons."""
        reasons = [{"Code": code} for code in codes]
        reasons += [{"Code": "None"}] * (len(self.document["TransactItems"]) - len(codes))
        return self.error(400, "TransactionCanceledException", CancellationReasons=reasons)

    def raw(self, status: int, body: bytes, headers: dict[str, str]) -> AWSResponse:
        """Return a response of these parts."""
        stream = urllib3.HTTPResponse(io.BytesIO(body), headers, status, preload_content=False)
        return AWSResponse(self.request.url, status, stream.headers, stream)


# --- what may happen to an attempt ---

Happening = Callable[[Attempt], AWSResponse]


def refused(attempt: Attempt) -> AWSResponse:
    raise EndpointConnectionError(endpoint_url=attempt.request.url)


def unreachable(attempt: Attempt) -> AWSResponse:
    attempt.clock.now += CONNECT_TIMEOUT
    raise ConnectTimeoutError(endpoint_url=attempt.request.url)


def silent(attempt: Attempt) -> AWSResponse:
    """Lose the request on its way."""
    attempt.clock.now += CONNECT_TIMEOUT + READ_TIMEOUT
    raise ReadTimeoutError(endpoint_url=attempt.request.url)


def lost(attempt: Attempt) -> AWSResponse:
    """Lose the response on its way."""
    attempt.done()
    return silent(attempt)


def failed(attempt: Attempt) -> AWSResponse:
    return attempt.error(500, "InternalError" if attempt.service == "s3" else "InternalServerError")


def failed_afterwards(attempt: Attempt) -> AWSResponse:
    attempt.done()
    return failed(attempt)


def busy(attempt: Attempt) -> AWSResponse:
    return attempt.error(503, "SlowDown") if attempt.service == "s3" else attempt.error(400, "ThrottlingException")


def over_capacity(attempt: Attempt) -> AWSResponse:
    return attempt.error(400, "ProvisionedThroughputExceededException")


def conflict(attempt: Attempt) -> AWSResponse:
    return attempt.cancelled("TransactionConflict")


def throttled_inside(attempt: Attempt) -> AWSResponse:
    return attempt.cancelled("None", "ThrottlingError")


def unprocessed(attempt: Attempt) -> AWSResponse:
    asked = attempt.document["RequestItems"]
    return attempt.answer(200, {"Responses": {table: [] for table in asked}, "UnprocessedKeys": asked})


def broken_off(attempt: Attempt) -> AWSResponse:
    whole = attempt.done()
    return attempt.raw(whole.status_code, whole.content[:-9], dict(whole.headers))


def dies_before(attempt: Attempt) -> AWSResponse:
    raise Killed


def dies_after(attempt: Attempt) -> AWSResponse:
    attempt.done()
    raise Killed


@dataclass
class Injector:
    """Knows each AWS call since `arm`, and lets `happening` come upon the attempts that `hits` chooses.

    `hits` is asked with the attempt and the numbers of its call and of the attempt in the call, both from 1.
    """

    clock: Clock
    send: Callable[[AWSPreparedRequest], AWSResponse]  # to the cloud
    calls: list[tuple[str, str]] = field(default_factory=list)
    hits: Callable[[Attempt, int, int], bool] = lambda attempt, call, number: False
    happening: Happening = refused
    _id: str = ""
    _number: int = 0

    def arm(self, happening: Happening, hits: Callable[[Attempt, int, int], bool]) -> None:
        """Count the calls anew from now on, and let this happen."""
        self.calls, self.happening, self.hits = [], happening, hits

    def disarm(self) -> list[tuple[str, str]]:
        """Let nothing happen any more; return service and operation of each call since `arm`."""
        self.hits = lambda attempt, call, number: False
        return list(self.calls)

    def before_send(self, request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse:
        """Return the response to this attempt."""
        _, service, operation = event_name.split(".")
        header: Any = request.headers["amz-sdk-invocation-id"]
        call = header.decode() if isinstance(header, bytes) else header
        self._number = self._number + 1 if call == self._id else 1
        if call != self._id:
            self._id = call
            self.calls.append((service, operation))
        attempt = Attempt(service, operation, request, self.clock, self.send)
        hit = self.hits(attempt, len(self.calls), self._number)
        return self.happening(attempt) if hit else attempt.done()
