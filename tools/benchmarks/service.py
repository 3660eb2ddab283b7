"""The section "service" of results.json: what each request costs in AWS calls and CPU time, in the shipped handlers.

They run in this process. DynamoDB is dynoxide, and S3 and SSM are those of a `make run`. Each figure is a mean of
requests on a label of IMAGES images with uniform weights. Each picture is a JPEG of about 300 kB. The requests of all
kinds are interleaved. Plain draws are of a label that does not change, by a container that knows it.
"""

import importlib
import io
import json
import logging
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from statistics import mean, median
from typing import Any

from PIL import Image as Pillow

from shared import aws, settings
from shared.images import UNITS, Image
from shared.labels.store import Store
from shared.pictures.bucket import Bucket
from shared.settings import read_settings
from tests.support import cloud
from tests.support.cloud import ROOT
from tests.support.hosts import proxy_event
from tests.support.local_service import LocalService
from tests.support.pictures import File, multipart_body
from tools.benchmarks import results
from tools.benchmarks.engine import dynamodb_by, dynoxide
from tools.benchmarks.meter import CALLS_WITH_UNITS, Reading, metered

IMAGES = 1_000
ROUNDS = 100
SIZE = (1_300, 900)  # pixels; 300 kB as a JPEG of this quality
LABEL, STEADY = "cat", "dog"  # of the same images; only the first one changes
KNOWN = 500  # draws after which the container knows nearly all chunks
FILLED = [f"{number:032x}.jpg" for number in range(IMAGES)]  # names of the images that are there before
KINDS = (  # of requests, in the order of a round
    *("upload", "upload again", "upload with 1 tag", "draw image", "draw redirect", "draw json", "draw 20"),
    *("download", "thumbnail first", "thumbnail again", "info", "list 100", "patch", "delete"),
)
S3 = {"get": ("GetObject", "HeadObject"), "put": ("PutObject",), "delete": ("DeleteObject", "DeleteObjects")}
# Measured by this program at commit dabcbac, the last one before the profile was improved.
OWN_RATIO_BEFORE = {"draw image": 0.206, "upload": 0.41}


class Requests:
    """One request of each kind after the other, each with new pictures and weights."""

    def __init__(self, rng: random.Random, filled: Sequence[str] = ()) -> None:
        self._rng = rng
        self._filled = rng.sample(filled, len(filled))
        with Pillow.open(ROOT / "tests/images/chelsea.png") as cat:
            self._cat = cat.convert("RGB").resize(SIZE, Pillow.Resampling.BICUBIC)

    def picture(self) -> bytes:
        """Return a new photograph."""
        noise = Pillow.frombytes("RGB", (8, 8), self._rng.randbytes(192))
        self._cat.paste(noise, (0, 0))
        out = io.BytesIO()
        self._cat.save(out, "JPEG", quality=96)
        return out.getvalue()

    def round(self) -> Generator[tuple[str, tuple[str, dict[str, Any]]], Any, None]:
        """Yield (kind, module, event) of each request. Send the response to an upload back into the generator."""
        form: dict[str, str | File] = {"label": LABEL, "weight": self.weight(), "img": File(self.picture())}
        answer = yield "upload", self._form(form)
        yield "upload again", self._form(form)
        yield "upload with 1 tag", self._form({**form, "img": File(self.picture()), "tags": "calm"})
        draw = f"/random?label={STEADY}"
        yield "draw image", proxy_event("GET", draw)
        yield "draw redirect", proxy_event("GET", f"{draw}&format=redirect")
        yield "draw json", proxy_event("GET", f"{draw}&format=json")
        yield "draw 20", proxy_event("GET", f"/random?label={LABEL}&count=20")
        image = "/images/" + json.loads(answer["body"])["id"]
        yield "download", proxy_event("GET", image)
        for kind in ("thumbnail first", "thumbnail again"):
            yield kind, proxy_event("GET", f"{image}?size=512", headers={"Accept": "image/webp"})
        yield "info", proxy_event("GET", f"{image}/info")
        yield "list 100", proxy_event("GET", f"/images?label={LABEL}&limit=100")
        change = json.dumps({"weight": float(self.weight())}).encode()
        yield "patch", proxy_event("PATCH", image, change, {"Content-Type": "application/json"})
        yield "delete", proxy_event("DELETE", f"/images/{LABEL}/{self._filled.pop()}")

    def weight(self) -> str:
        """Return a uniform weight."""
        return f"{self._rng.randrange(1, UNITS) / UNITS:.9f}"

    def _form(self, fields: Mapping[str, str | File]) -> tuple[str, dict[str, Any]]:
        body, content_type = multipart_body(list(fields.items()))
        return proxy_event("POST", "/upload", body, {"Content-Type": content_type})


@dataclass(frozen=True, slots=True)
class Answered:
    """What a request used, and the bytes of its response and of its log."""

    reading: Reading
    response_bytes: int
    log_bytes: int


OF_EVERY_RECORD = set(logging.makeLogRecord({}).__dict__)


class Log(logging.Handler):
    """A log handler that counts bytes, with each line in Lambda's JSON format."""

    bytes = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count a line."""
        envelope = {"timestamp": "2026-01-01T00:00:00Z", "level": record.levelname, "logger": record.name}
        fields = {name: value for name, value in record.__dict__.items() if name not in OF_EVERY_RECORD}
        line = {**envelope, "message": record.getMessage(), "requestId": "8286a188-ba32-4475-8077-530cd35c09a9"}
        self.bytes += len(json.dumps({**line, **fields})) + 1


def measured(requests: Requests, log: Log, rounds: int, *, units: bool) -> dict[str, list[Answered]]:
    """Measure so many requests of each kind."""
    found: dict[str, list[Answered]] = {kind: [] for kind in KINDS}
    for _ in range(rounds):
        events, answer = requests.round(), None
        while True:
            try:
                kind, (module, event) = events.send(answer)
            except StopIteration:
                break
            event["requestContext"]["authorizer"] = {"scope": "images:write images:delete"}
            handler = importlib.import_module(module).handler
            before = log.bytes
            with metered(units=units) as reading:
                answer = handler(event, None)
            if answer["statusCode"] >= 400:
                raise RuntimeError(f"{kind}: {answer}")
            found[kind].append(Answered(reading, len(answer["body"]), log.bytes - before))
    return found


def summary(timed: list[Answered], counted: list[Answered]) -> dict[str, Any]:
    """Return means, and medians of CPU ms. `own_ratio` is our CPU time divided by that of the AWS calls."""
    cpu, units = [each.reading for each in timed], [each.reading for each in counted]
    calls = sum((reading.calls for reading in units), Counter[str]())
    per_request = {name: count / len(units) for name, count in calls.items()}
    return {
        "read_units": mean(reading.read_units for reading in units),
        "write_units": mean(reading.write_units for reading in units),
        "trips": sum(per_request.get(name, 0) for name in CALLS_WITH_UNITS),
        "s3": {kind: sum(per_request.get(name, 0) for name in names) for kind, names in S3.items()},
        "cpu_ms": median(reading.cpu for reading in cpu) / 1e6,
        "pillow_cpu_ms": median(reading.pillow_cpu for reading in cpu) / 1e6,
        "own_ratio": median(reading.own_cpu / reading.aws_cpu for reading in cpu),
        "response_bytes": mean(each.response_bytes for each in timed),
        "log_bytes": mean(each.log_bytes for each in timed),
    }


def own_ratios(program: str, images: int, rounds: int, *, medians: int) -> dict[str, float]:
    """Return the CPU time of our code divided by that of the AWS calls, for each kind of request.

    It is the least of these medians, each of so many rounds, because a busy machine only adds to it.
    """
    logging.basicConfig(handlers=[Log()])
    with service(program, dict.fromkeys((LABEL, STEADY), images)):
        requests = Requests(random.Random(2), FILLED[:images])
        timed = [measured(requests, Log(), rounds, units=False) for _ in range(medians)]
    return {kind: min(summary(each[kind], each[kind])["own_ratio"] for each in timed) for kind in KINDS}


@contextmanager
def service(program: str, images: Mapping[str, int]) -> Iterator[None]:
    """Run a DynamoDB with this program, an S3 and an SSM for the functions' clients, with so many images by label."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalService(Path(folder) / "data") as local,
        dynamodb_by(program, connections=1) as dynamodb,
    ):
        os.environ |= local.aws_variables() | {"AWS_ENDPOINT_URL_DYNAMODB": dynamodb.meta.endpoint_url}
        settings = read_settings()
        tables = {
            "ImageChunksTable": settings.image_chunks_table,
            "ChunkInfoTable": settings.chunk_info_table,
            "TilesTable": settings.tiles_table,
        }
        for table, name in tables.items():
            dynamodb.create_table(TableName=name, **cloud.table(table))
        _fill(settings, images)
        yield


def _fill(names: settings.Settings, images: Mapping[str, int]) -> None:
    rng = random.Random(1)
    requests, store, bucket = Requests(rng), Store(aws.dynamodb(), names), Bucket(aws.s3(), names.bucket)
    content = requests.picture()
    digest, created = sha256(content).digest(), "2026-01-01T00:00:00.000Z"
    for label, name in ((label, name) for label, count in images.items() for name in FILLED[:count]):
        image = Image(label, name, rng.randrange(1, UNITS), "", len(content), *SIZE, created)
        version = bucket.put(image.id, content, "image/jpeg", digest)
        store.add(replace(image, version_id=version))
    module, event = proxy_event("GET", f"/random?label={STEADY}&format=json")
    for _ in range(KNOWN):
        importlib.import_module(module).handler(event, None)


def main() -> None:
    """Write the section."""
    log = Log()
    logging.basicConfig(handlers=[log])
    with tempfile.TemporaryDirectory() as folder:
        program = dynoxide(Path(folder))
        if not program:
            sys.exit("There is no dynoxide; name one by DYNOXIDE or install npm.")
        with service(program, dict.fromkeys((LABEL, STEADY), IMAGES)):
            requests = Requests(random.Random(2), FILLED)
            counted = measured(requests, log, ROUNDS, units=True)
            timed = measured(requests, log, ROUNDS, units=False)
    operations = {kind: summary(timed[kind], counted[kind]) for kind in KINDS}
    for kind, each in operations.items():
        print(kind, json.dumps(each))
    found = {"images": IMAGES, "rounds": ROUNDS, "operations": operations, "own_ratio_before": OWN_RATIO_BEFORE}
    results.update("service", found | {"machine": results.machine()})


if __name__ == "__main__":
    main()
