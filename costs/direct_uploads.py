"""What a direct upload needs, from its form to its callback: counted in presign/, ingest/ and notify/, or assumed.

| step                               | DynamoDB and SQS                                              | S3       |
|------------------------------------|---------------------------------------------------------------|----------|
| ask: POST /uploads                 | PutItem                                                       |          |
| the form                           | S3 sends a message                                            | PUT      |
| follow: GET /uploads/{id}          | the upload, its image                                         |          |
| receive: the file becomes an image | the upload; `received`; the image's transaction with `stored` | GET, PUT |
| receive: it is recognised          | the upload, the image, a result; `recognised`; a message      | GET      |
| receive: its callback is due       | the upload, the image; a message; that it was queued          | DELETE   |
| notify: the callback               |                                                               |          |

Rows are read consistently, for 1 unit each. Those of uploads and of results are below 1 KB, so a write is 1 unit, and 2
in a transaction. Only the upload through the API that it contains is measured.
"""

from dataclasses import replace
from decimal import Decimal

from costs.measured import NO_S3, Measured, Operation, Requests
from costs.use import Assumed, Use
from shared.uploads.upload import LIFETIME

ASK, FOLLOW, RECEIVE, NOTIFY = "ask", "follow", "receive", "notify"
STEPS = {ASK: "PresignFunction", FOLLOW: "PresignFunction", RECEIVE: "IngestFunction", NOTIFY: "NotifyFunction"}
FORM_BYTES = Decimal(3000)  # of a response with a form: a policy, a signature, and the token of the function's role
STATE_BYTES = Decimal(1000)  # of a response with an upload's state, and of a callback, which has the same content
REQUESTS_OF_MESSAGE = Decimal(3)  # of SQS: send, receive, delete
UPLOAD_DAYS = Decimal(LIFETIME) / 86_400


def requests(use: Use, assumed: Assumed) -> Requests:
    """Return the requests of clients to the API, by step."""
    return {ASK: use.direct_uploads, FOLLOW: use.direct_uploads * assumed.follows}


def messages(use: Use, assumed: Assumed) -> Requests:
    """Return the messages that queues send to functions, by step."""
    return {RECEIVE: use.direct_uploads, NOTIFY: use.direct_uploads * assumed.callbacks}


def with_steps(measured: Measured, use: Use, assumed: Assumed) -> Measured:
    """Return the measured requests and the steps of a direct upload."""
    info, upload = measured.operations["info"], measured.operations["upload"]
    ask = replace(info, read_units=Decimal(0), write_units=Decimal(1), trips=Decimal(1), response_bytes=FORM_BYTES)
    follow = replace(info, read_units=Decimal(2), trips=Decimal(2), response_bytes=STATE_BYTES)
    steps = {ASK: ask, FOLLOW: follow, RECEIVE: _receive(upload, use, assumed), NOTIFY: _notify(upload, assumed)}
    return replace(measured, operations={**measured.operations, **steps})


def kept_bytes(use: Use, assumed: Assumed, recognition_days: Decimal, month: Decimal) -> Decimal:
    """Return the bytes in the tables of uploads and of results, once as many rows expire as arrive."""
    months = (UPLOAD_DAYS + use.new_pictures * recognition_days) / month
    return use.direct_uploads * months * assumed.row_bytes


def _receive(upload: Operation, use: Use, assumed: Assumed) -> Operation:
    """Return an upload with 5 more reads, the states `received`, `recognised` and `stored`, a result and a callback."""
    callbacks, new = assumed.callbacks, use.new_pictures
    return replace(
        upload,
        read_units=upload.read_units + 5 + callbacks,
        write_units=upload.write_units + 2 + 2 + new + callbacks,
        trips=upload.trips + 5 + 2 + 1 + new + 3 * callbacks,
        s3={"get": Decimal(2), "put": Decimal(1), "delete": Decimal(1)},
        cpu_ms=upload.cpu_ms * assumed.receive_cpu,
        other_ms=new * assumed.rekognition_ms,
        response_bytes=Decimal(0),
    )


def _notify(upload: Operation, assumed: Assumed) -> Operation:
    none = Decimal(0)
    sent = replace(upload, read_units=none, write_units=none, trips=none, s3=NO_S3)
    return replace(sent, other_ms=assumed.callback_ms, response_bytes=STATE_BYTES)
