"""The response to a client when something fails that is not its own mistake."""

import re

from shared import errors

BUSY = re.compile(r".*(Throttl|ThroughputExceeded|LimitExceeded|SlowDown|TooManyRequests|RequestTimeout|InProgress)")


def refusal_for(error: Exception) -> errors.ApiError:
    """Return the refusal for a bug or an outage: 503 if AWS was busy, failed or out of reach, otherwise 500."""
    from botocore import exceptions, parsers  # imported only once something has failed
    from urllib3.exceptions import HTTPError  # botocore lets it through if the error response to a GetObject breaks off

    if isinstance(error, exceptions.ClientError):
        busy = BUSY.match(error.response["Error"]["Code"])
        if busy or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
            return errors.Unavailable("The service is busy; retry in a moment.")
    unreachable = (exceptions.ConnectionError, exceptions.HTTPClientError, exceptions.IncompleteReadError)
    if isinstance(error, (*unreachable, parsers.ResponseParserError, HTTPError)):
        return errors.Unavailable("The storage cannot be reached now; retry in a moment.")
    return errors.ApiError("The service failed; report this requestId to its operator, who finds it in the log.")
