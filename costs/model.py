"""How much a month of the service needs of each thing that AWS charges: pure arithmetic."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from costs import direct_uploads, edge, monitoring, mosaics, reads, search, sized
from costs.direct_uploads import ASK, NOTIFY, RECEIVE, REQUESTS_OF_MESSAGE
from costs.measured import OF_BASE64, Measured, Operation, Requests
from costs.prices import GB
from costs.rows import rows
from costs.stack import Stack
from costs.use import DAY, DRAWN, MONTH, Assumed, Use

POLLERS = Decimal(5)  # connections on which Lambda waits for messages of a queue where none come
POLL = Decimal(20)  # seconds that each waits
VCPU_MB = Decimal(1769)  # of memory give a function one whole vCPU; less give it that share of one
MB_OF_GB = Decimal(1024)  # as Lambda counts memory
HTTP_BYTES = Decimal(512 * 1024)  # an HTTP API counts each begun 512 KiB as a request

FUNCTIONS = {
    "upload": "UploadFunction",
    "draw image": "RandomFunction",
    "draw redirect": "RandomFunction",
    "download": "BrowseFunction",
    "thumbnail first": "BrowseFunction",
    "thumbnail again": "BrowseFunction",
    "info": "BrowseFunction",
    "list 100": "BrowseFunction",
    "patch": "EditFunction",
    "delete": "DeleteFunction",
}
REFUSED = "refused"
STEPS = direct_uploads.STEPS | search.STEPS | mosaics.STEPS | sized.STEPS | reads.STEPS  # counted from the code
RUN_BY = FUNCTIONS | STEPS | {REFUSED: "BrowseFunction"}
PICTURES = ("draw image", "download")
THUMBNAILS = ("thumbnail first", "thumbnail again")
IN_BASE64 = (*THUMBNAILS, *mosaics.STEPS, *sized.STEPS)  # as Lambda returns them
WRITES = ("upload", ASK, "patch", "delete")  # each asks the authorizer


def requests(use: Use, assumed: Assumed) -> Requests:
    """Return the requests of clients by kind, whatever serves them."""
    drawn = use.mode in DRAWN
    pictures = Decimal(0) if drawn or use.sized else use.draws * (1 - assumed.client_hit)
    thumbnails = use.draws * use.thumbnails
    return {
        "draw image": use.draws if drawn and not use.sized else Decimal(0),
        "draw redirect": Decimal(0) if drawn else use.draws,
        "download": pictures + use.pictures,
        REFUSED: use.refused,
        **sized.requests(use, assumed),
        "thumbnail first": thumbnails * assumed.thumbnail_first,
        "thumbnail again": thumbnails * (1 - assumed.thumbnail_first),
        "upload": use.uploads,
        "patch": use.patches,
        "delete": use.deletes,
        "info": use.infos,
        "list 100": use.lists,
        **direct_uploads.requests(use, assumed),
        **search.requests(use),
        **mosaics.requests(use),
        **reads.requests(use),
    }


@dataclass(frozen=True, slots=True)
class Month:
    """A month's use, what was measured and assumed, and the stack that serves it."""

    use: Use
    assumed: Assumed
    measured: Measured
    stack: Stack

    def quantities(self) -> dict[str, Decimal]:
        """Return quantities by the names of prices."""
        asked = requests(self.use, self.assumed)
        at_edge = {name: count for name, count in asked.items() if edge.serves(name, self.use)}
        direct = {name: count for name, count in asked.items() if name not in at_edge}
        at_api = direct | {name: count * edge.missed(name, self.assumed) for name, count in at_edge.items()}
        messages = direct_uploads.messages(self.use, self.assumed)
        behind = messages | search.indexed(self.use)  # what functions do for queues and streams
        done = at_api | behind
        return {
            f"api-{self.use.api}": _sum(at_api, self._metered),
            **self._functions(at_api, behind),
            "dynamodb-reads": _sum(done, lambda name: self.measured.operations[name].read_units),
            "dynamodb-writes": _sum(done, self._write_units),
            "dynamodb-storage": (self._table_bytes(indexes=True) + self._other_bytes()) / GB,
            "dynamodb-recovery": self._table_bytes(indexes=False) / GB,
            "s3-storage": (
                self.use.images * self.use.bytes + self._thumbnail_bytes(at_api) + self._log_file_bytes(at_edge)
            )
            / GB,
            "s3-puts": at_api[ASK] + _sum(done, lambda name: self.measured.operations[name].s3["put"]),  # forms count
            "s3-gets": _sum(done, lambda name: self.measured.operations[name].s3["get"]),
            "s3-deletes": _sum(done, lambda name: self.measured.operations[name].s3["delete"]),
            "transfer-out": _sum(direct | {NOTIFY: messages[NOTIFY]}, self._answer_bytes) / GB,
            "cloudfront-out": _sum(at_edge, self._answer_bytes) / GB,
            **edge.quantities(at_edge),
            **edge.firewall(self.use, self.assumed, at_edge if edge.is_used(self.use) else at_api),
            **monitoring.quantities(self.use, self.assumed, at_api, behind),
            "alarms": Decimal(self.stack.alarms),
            "secrets": Decimal(self.stack.secrets + edge.is_used(self.use)),  # one more is what CloudFront sends
            # The third message of a direct upload brings its labels to index/, whose batch with it is not counted.
            "sqs-requests": self._polls()
            + (messages[RECEIVE] + sum(messages.values())) * REQUESTS_OF_MESSAGE
            + at_api[reads.LABELS],  # which tell how many images are left to index
            "rekognition": messages[RECEIVE] * self.use.new_pictures,
            **search.quantities(self.use, self.assumed),
            "ssm-parameters": Decimal(self.stack.parameters),
        }

    def _polls(self) -> Decimal:
        """Return how often Lambda polls the queues when no messages come."""
        return self.stack.polled_queues * POLLERS * MONTH * DAY / POLL

    def _functions(self, at_api: Requests, behind: Requests) -> Requests:
        """Return invocations, compute and log lines, with those of the authorizer."""
        done = at_api | behind
        asked = sum((at_api[name] for name in WRITES), Decimal(0))
        invocations = _sum(done, lambda _: Decimal(1)) + asked
        lines = _sum(done, lambda name: self.measured.operations[name].log_bytes)
        lines += _sum(at_api, lambda _: self.assumed.access_log_bytes)
        logged = (lines + invocations * self.assumed.platform_log_bytes) / GB
        compute = _sum(done, self._gb_seconds) + asked * self._billed(self.assumed.authorizer_ms, "AuthorizeFunction")
        return {
            "lambda-requests": invocations,
            f"lambda-{self.use.architecture}": compute,
            "logs-ingested": logged,
            "logs-stored": logged * self.assumed.log_ratio * self.stack.log_days / MONTH,
        }

    def milliseconds(self, name: str) -> Decimal:
        """Return the duration of a warm invocation: CPU time, which is longer with less than a vCPU, and waiting."""
        operation = self.measured.operations[name]
        busy = operation.cpu_ms * self.assumed.cpu * max(VCPU_MB / self._memory(RUN_BY[name]), Decimal(1))
        return busy + self._waits(operation) + operation.other_ms

    def _waits(self, operation: Operation) -> Decimal:
        """Return the ms of waiting for DynamoDB and S3."""
        if operation.overlapping_ms is not None:
            return operation.overlapping_ms * self.assumed.draw_waits
        calls = sum(operation.s3.values(), Decimal(0))
        return operation.trips * self.assumed.dynamodb_ms + calls * self.assumed.s3_ms

    def _gb_seconds(self, name: str) -> Decimal:
        return self._billed(self.milliseconds(name), RUN_BY[name])

    def _billed(self, milliseconds: Decimal, function: str) -> Decimal:
        """Return the GB-seconds of an invocation, with its part of the cold starts."""
        return (milliseconds + self.assumed.cold * self.assumed.cold_ms) / 1000 * self._memory(function) / MB_OF_GB

    def _memory(self, function: str) -> Decimal:
        return self.use.memory or self.stack.memory[function]

    def _write_units(self, name: str) -> Decimal:
        """Return the write units of a request. A tag costs a delete as much as an upload."""
        tags = self.use.tags if name in ("upload", "delete", RECEIVE) else Decimal(0)
        return self.measured.operations[name].write_units + tags * self.measured.write_units_of_tag

    def _table_bytes(self, *, indexes: bool) -> Decimal:
        """Return the charged bytes of the tables. Recovery is charged for the tables without their indexes."""
        size = rows()
        image = size.image + self.use.tags * size.tag + (size.entries if indexes else Decimal(0))
        return self.use.images * image + self.use.labels * size.lanes

    def _other_bytes(self) -> Decimal:
        """Return the bytes of the tables without recovery: of direct uploads, results and tiles."""
        passing = direct_uploads.kept_bytes(self.use, self.assumed, self.stack.recognition_days, MONTH)
        return passing + search.kept_bytes(self.use)

    def _thumbnail_bytes(self, at_api: Requests) -> Decimal:
        """Return the average bytes of thumbnails that are kept."""
        kept = _sum(
            {name: at_api[name] for name in ("thumbnail first", sized.FIRST)},
            lambda name: self.measured.operations[name].response_bytes * OF_BASE64,
        )
        return kept * self.stack.thumbnail_days / MONTH

    def _log_file_bytes(self, at_edge: Requests) -> Decimal:
        """Return the average bytes of CloudFront's log."""
        lines = sum(at_edge.values(), Decimal(0)) if self.use.cdn_logs == "on" else Decimal(0)
        return lines * self.assumed.cdn_log_bytes * self.stack.log_days / MONTH

    def _answer_bytes(self, name: str) -> Decimal:
        """Return the bytes of a response as it leaves AWS. API Gateway decodes the base64 of Lambda's response."""
        if name in PICTURES:
            return self.use.bytes + self.assumed.header_bytes
        body = self.measured.operations[name].response_bytes
        return (body * OF_BASE64 if name in IN_BASE64 else body) + self.assumed.header_bytes

    def _metered(self, name: str) -> Decimal:
        """Return how many requests the API counts for one."""
        if self.use.api == "rest":
            return Decimal(1)
        size = max(self._answer_bytes(name), self.use.bytes if name == "upload" else Decimal(0))
        return (size / HTTP_BYTES).to_integral_value(ROUND_CEILING)


def _sum(counts: Requests, of_one: Callable[[str], Decimal]) -> Decimal:
    """Return what all requests need of something, given what one of each kind needs."""
    return sum((count * of_one(name) for name, count in counts.items()), Decimal(0))
