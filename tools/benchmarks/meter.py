"""What a piece of our code uses of AWS: calls, units, bytes, and the CPU time of botocore and Pillow in it."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import PIL.Image
from botocore.client import BaseClient
from botocore.response import StreamingBody
from PIL.ImageFile import ImageFile

API_CALL = "_make_api_call"  # the method of every client's calls; private to botocore
CALLS_WITH_UNITS = {"GetItem", "Query", "BatchGetItem", "TransactWriteItems"}
WRITES = {"TransactWriteItems"}
SCALING = ("convert", "crop", "paste", "reduce", "resize")  # methods of a picture, with the loading that they cause


@dataclass
class Reading:
    """A reading: AWS's operations by name, capacity units, and CPU time in ns of everything, of botocore, of Pillow.

    A draw makes calls in several threads, so the time of each thread is taken by itself.
    """

    calls: Counter[str] = field(default_factory=Counter)
    read_units: float = 0.0
    write_units: float = 0.0
    cpu: int = 0
    by_thread: Counter[tuple[str, int]] = field(default_factory=Counter)  # (whose time, thread)

    @property
    def aws_cpu(self) -> int:
        """The CPU time of botocore."""
        return self._cpu("aws")

    @property
    def pillow_cpu(self) -> int:
        """The CPU time of Pillow."""
        return self._cpu("pillow")

    def _cpu(self, whose: str) -> int:
        return sum(time for (name, _), time in self.by_thread.items() if name == whose)

    @property
    def own_cpu(self) -> int:
        """The CPU time of neither botocore nor Pillow."""
        return self.cpu - self.aws_cpu - self.pillow_cpu


@contextmanager
def metered(*, units: bool) -> Iterator[Reading]:
    """Measure what runs inside. DynamoDB reports units only on request, because they make its responses larger."""
    reading = Reading()
    patches = (
        mock.patch.object(BaseClient, API_CALL, _call(reading, getattr(BaseClient, API_CALL), units=units)),
        mock.patch.object(StreamingBody, "read", _timed(reading, "aws", StreamingBody.read)),
        mock.patch.object(PIL.Image, "open", _timed(reading, "pillow", PIL.Image.open)),
        mock.patch.object(ImageFile, "load", _timed(reading, "pillow", ImageFile.load)),
        *(
            mock.patch.object(PIL.Image.Image, name, _timed(reading, "pillow", getattr(PIL.Image.Image, name)))
            for name in SCALING
        ),
    )
    with ExitStack() as stack:
        for patch in patches:
            stack.enter_context(patch)
        started = time.process_time_ns()
        yield reading
        reading.cpu += time.process_time_ns() - started


def _call(reading: Reading, original: Callable[..., Any], *, units: bool) -> Callable[..., Any]:
    timed = _timed(reading, "aws", original)

    def make_api_call(client: Any, operation: str, parameters: Mapping[str, Any]) -> Any:
        counted = units and operation in CALLS_WITH_UNITS
        reading.calls[operation] += 1
        more = {"ReturnConsumedCapacity": "TOTAL"} if counted else {}
        answer = timed(client, operation, {**parameters, **more})
        if counted:
            _add_units(reading, operation, answer["ConsumedCapacity"])
        return answer

    return make_api_call


def _add_units(reading: Reading, operation: str, consumed: Any) -> None:
    total = sum(each["CapacityUnits"] for each in (consumed if isinstance(consumed, list) else [consumed]))
    if operation in WRITES:
        reading.write_units += total
    else:
        reading.read_units += total


def _timed(reading: Reading, whose: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that adds its time to the reading. One that it calls, and that is timed too, adds nothing."""

    def timed(*args: Any, **kwargs: Any) -> Any:
        key = whose, threading.get_ident()
        before, started = reading.by_thread[key], time.thread_time_ns()
        try:
            return original(*args, **kwargs)
        finally:
            reading.by_thread[key] = before + time.thread_time_ns() - started

    return timed
