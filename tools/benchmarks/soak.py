"""`make soak`: 16 writers and 16 readers on one label for a minute, over HTTP and on the store only; then 200 stops.

The exit code is 1 if a response was wrong, if the images at the end are not exactly the acknowledged ones, if draws do
not follow the weights, if memory grew, if a part was too slow, or if a stop did not end or lost an image. SECONDS is
the length of each of the two parts, STOPS the number of stops.
"""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from shared import settings
from shared.labels import retries
from shared.pictures.bucket import Bucket
from tests.support.hosts import Api, Running
from tests.support.local_service import LocalService
from tools.benchmarks import page, results
from tools.benchmarks.engine import dynamodb_by, dynoxide
from tools.benchmarks.soak_checks import check_bucket, check_label, cpu_seconds, law, memory
from tools.benchmarks.soak_clients import CLIENTS, Outcome, soak
from tools.benchmarks.soak_targets import OnStore, OverHttp
from tools.benchmarks.stops import stops as stops_of
from tools.reconcile.inventory import Inventory

SECONDS = 60.0
STOPS = 200
LABEL = "cat"
P_MIN = 1e-4  # fair draws are below it once in 10,000 soaks
GROWTH_MAX = 0.10  # of resident memory, from a quarter of the time to its end
NAMES = settings.Settings("", "ChunkInfoTable", "ImageChunksTable", frozenset({LABEL}), "")


@dataclass(frozen=True)
class Rate:
    """Acknowledged writes, and draws, a second."""

    writes: float
    draws: float


HTTP_MIN = Rate(5, 5)  # a tenth of what two cores can do
STORE_MIN = Rate(3_000 / 60, 10_000 / 60)


Kept = dict[str, Any]  # the figures of a part


def over_http(seconds: float, *, clients: int = CLIENTS, kept: Kept | None = None) -> Iterator[str]:
    """Soak a new `make run` on fresh data. Return what is wrong, and put its figures into `kept`."""
    with tempfile.TemporaryDirectory() as folder, LocalService(Path(folder) / "data") as service:
        api = Api(Running(service), LABEL)
        cpu = (cpu_seconds(service.pid), cpu_seconds(service.pid, alone=True))
        outcome = soak(OverHttp(api), seconds, clients=clients, gauge=lambda: memory(service.pid))
        used = cpu_seconds(service.pid) - cpu[0], cpu_seconds(service.pid, alone=True) - cpu[1]
        check(service, api, outcome.record.weights)
    print_figures("HTTP, through make run", outcome)
    if kept is not None:
        requests = outcome.record.writes.total() + outcome.record.draws.total()
        kept |= counts(outcome) | {"cpu_ms": used[0] / requests * 1000, "emulator_ms": used[1] / requests * 1000}
    yield from complaints(outcome, HTTP_MIN)


def check(service: LocalService, api: Api, weights: Mapping[str, int]) -> None:
    """Raise AssertionError unless tables, bucket and responses agree with what was acknowledged."""
    aws, at = service.aws(), service.aws_endpoint
    names = settings.SettingsCache(lambda: aws.client("ssm", endpoint_url=at), "production").read()
    dynamodb, s3 = aws.client("dynamodb", endpoint_url=at), aws.client("s3", endpoint_url=at)
    check_label(dynamodb, names, api.label, weights)
    check_bucket(Inventory(dynamodb, names), Bucket(s3, names.bucket), api.label)
    assert OverHttp(api).total_weight() == sum(weights.values()), "a draw tells another total"


def counts(outcome: Outcome) -> Kept:
    """Return how much was done."""
    return {"writes": outcome.record.writes.total(), "draws": outcome.record.draws.total()}


def on_store(seconds: float, *, clients: int = CLIENTS, kept: Kept | None = None) -> Iterator[str]:
    """Soak the store on dynoxide, where transactions run at the same time. Return what is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        program = dynoxide(Path(folder))
        if not program:
            print("store: skipped, because dynoxide is missing. Name it in DYNOXIDE or install npm.")
            return
        with (
            dynamodb_by(program, connections=2 * clients) as dynamodb,
            mock.patch.object(retries, "SLEEP", mock.Mock(side_effect=retries.SLEEP)) as sleep,
        ):
            outcome = soak(OnStore(dynamodb, NAMES, LABEL), seconds, clients=clients)
            check_label(dynamodb, NAMES, LABEL, outcome.record.weights)
    print_figures("store, on dynoxide", outcome, f", {sleep.call_count} lost races tried again")
    if kept is not None:
        kept |= counts(outcome)
    yield from complaints(outcome, STORE_MIN)


def print_figures(what: str, outcome: Outcome, more: str = "") -> None:
    """Print the figures."""
    record, seconds = outcome.record, outcome.seconds
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(record.writes.items()))
    print(f"{what}, {seconds:.0f} s: {record.busy} times 503{more}; {len(record.weights)} images are left, all exact")
    print(f"  {record.writes.total()} writes, {record.writes.total() / seconds:.0f}/s ({kinds})")
    hits = sum(record.draws[name] for name in outcome.steady)
    p = law(record.draws, outcome.steady)
    draws = record.draws.total()
    print(f"  {draws} draws, {draws / seconds:.0f}/s; of {hits} on steady images p = {p:.4f}")
    if all(outcome.gauged):
        quarter, end = (resident / 1e6 for resident in outcome.gauged)
        grown = f"{end / quarter - 1:+.1%}"
        print(f"  resident memory {quarter:.0f} MB at {seconds / 4:.0f} s, {end:.0f} MB at the end ({grown})")


def complaints(outcome: Outcome, least: Rate) -> Iterator[str]:
    """Return what is wrong, apart from exactness."""
    record, seconds = outcome.record, outcome.seconds
    if (p := law(record.draws, outcome.steady)) < P_MIN:
        yield f"draws do not follow the weights: p = {p}"
    if record.writes.total() < least.writes * seconds or record.draws.total() < least.draws * seconds:
        yield f"too slow: at least {least.writes:.0f} writes/s and {least.draws:.0f} draws/s are expected"
    quarter, end = outcome.gauged
    if end > quarter * (1 + GROWTH_MAX):
        yield f"memory grew by {end / quarter - 1:.1%}, more than {GROWTH_MAX:.0%}"


def stopping(count: int) -> Iterator[str]:
    """Stop a new `make run` under load so many times. Return what is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        yield from stops_of(Path(folder) / "data", count)


def main(seconds: float, stops: int) -> int:
    """Soak both, then stop again and again. Return the exit code."""
    if not memory(os.getpid()):
        print("memory is not measured, because there is no /proc")
    http, store = Kept(), Kept()
    wrong = [*over_http(seconds, kept=http), *on_store(seconds, kept=store), *stopping(stops)]
    for complaint in wrong:
        print(complaint, file=sys.stderr)
    if not wrong and store and seconds >= SECONDS:
        part = {"seconds": seconds, "clients": 2 * CLIENTS, "machine": results.machine()}
        results.update("soak", part | {"http": http, "store": store})
        page.write()
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(float(os.environ.get("SECONDS") or SECONDS), int(os.environ.get("STOPS") or STOPS)))
