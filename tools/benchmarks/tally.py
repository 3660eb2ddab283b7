"""Count what the calls of boto3 clients use: units as the engine charges them, requests, bytes."""

from typing import Any

from tools.benchmarks.capacity import Usage

READS = {"GetItem", "BatchGetItem", "Query", "Scan"}
S3_READS = {"GetObject", "HeadObject"}


class Tally:
    """What all calls of these clients used since it was last taken."""

    def __init__(self, dynamodb: Any = None, s3: Any = None) -> None:
        self._used = Usage()
        if dynamodb:
            dynamodb.meta.events.register("before-parameter-build.dynamodb", _ask)
            dynamodb.meta.events.register("after-call.dynamodb", self._charge)
        for client in (dynamodb, s3):
            if client:
                client.meta.events.register("before-send", self._sent)
                client.meta.events.register("response-received", self._received)
        if s3:
            s3.meta.events.register("before-call.s3", self._request)

    def take(self) -> Usage:
        """Return what was used, and start again from zero."""
        used, self._used = self._used, Usage()
        return used

    def _charge(self, model: Any, parsed: dict[str, Any], **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity", [])
        units = sum(each["CapacityUnits"] for each in (consumed if isinstance(consumed, list) else [consumed]))
        self._used += Usage(read=units) if model.name in READS else Usage(write=units)

    def _request(self, model: Any, **_: Any) -> None:
        if model.name.startswith("Delete"):  # S3 charges nothing for them
            return
        self._used += Usage(gets=1) if model.name in S3_READS else Usage(puts=1)

    def _sent(self, request: Any, **_: Any) -> None:
        self._used += Usage(
            trips=1, bytes=len(request.body.read() if hasattr(request.body, "read") else request.body or b"")
        )
        if hasattr(request.body, "seek"):
            request.body.seek(0)

    def _received(self, response_dict: dict[str, Any], **_: Any) -> None:
        self._used += Usage(bytes=int(response_dict["headers"].get("content-length", 0)))


def _ask(params: dict[str, Any], model: Any, **_: Any) -> None:
    if "ReturnConsumedCapacity" in model.input_shape.members:
        params["ReturnConsumedCapacity"] = "TOTAL"
