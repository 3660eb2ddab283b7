"""Two reconciliations beside sixteen writers of `make run`, while tags' rows are damaged: exact at the end."""

import itertools
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared import settings
from shared.pictures.bucket import Bucket
from tests.support import invariants
from tests.support.hosts import Api, Running
from tests.support.local_service import LocalService
from tests.support.pictures import File, name_of, tiny
from tools.benchmarks import soak, soak_clients
from tools.benchmarks.soak_targets import OverHttp
from tools.reconcile.inventory import Inventory
from tools.reconcile.reconcile import MIN_AGE, Reconciliation
from tools.reconcile.report import Report

SECONDS = 60.0
LABEL, TAGS, TAGGED = "beside", ("blue", "red"), 24
PICTURES = itertools.count(10**6)  # of tagged images; the clients of the soak have lower numbers
UNITS = 500_000_000


@pytest.fixture
def running(tmp_path: Path) -> Iterator[LocalService]:
    """Run `make run` for this test alone: others damage labels that nobody repairs."""
    with LocalService(tmp_path / "data", variables={"LABELS": "*"}) as service:
        yield service.be_patient()


class Reconcilers:
    """Reconcilers of a running service, with clients of their own, and what they tell."""

    def __init__(self, service: LocalService) -> None:
        self._service, self.lines, self.reports = service, list[str](), list[Report]()
        ssm = service.aws().client("ssm", endpoint_url=service.aws_endpoint)
        self.names = settings.SettingsCache(lambda: ssm, "production").read()

    def client(self, name: Any) -> Any:
        return self._service.aws().client(name, endpoint_url=self._service.aws_endpoint)

    def until(self, stop: threading.Event) -> None:
        """Reconcile again and again."""
        both = Inventory(self.client("dynamodb"), self.names), Bucket(self.client("s3"), self.names.bucket)
        while not stop.wait(0.2):
            before = datetime.now(UTC) - MIN_AGE
            self.reports.append(Reconciliation(*both, before, log=self.lines.append).run())

    def once(self) -> Report:
        both = Inventory(self.client("dynamodb"), self.names), Bucket(self.client("s3"), self.names.bucket)
        return Reconciliation(*both, datetime.now(UTC) + timedelta(hours=1), log=self.lines.append).run()


def damage(reconcilers: Reconcilers, stop: threading.Event, names: list[str]) -> None:
    """Let a row under a tag name another version, now and then, until the end."""
    dynamodb, rng = reconcilers.client("dynamodb"), random.Random(1)
    while not stop.wait(0.5):
        dynamodb.update_item(
            TableName=reconcilers.names.image_chunks_table,
            Key={"label": {"S": f"{LABEL}#{rng.choice(TAGS)}"}, "s3key": {"S": rng.choice(names)}},
            UpdateExpression="SET versionId = :other",
            ExpressionAttributeValues={":other": {"S": "other"}},
        )


@pytest.mark.usefixtures("slow_tier")
def test_two_reconciliations_beside_sixteen_writers_leave_all_exact(running: LocalService) -> None:
    api, reconcilers, stop = Api(Running(running), LABEL), Reconcilers(running), threading.Event()
    content = [tiny(next(PICTURES)) for _ in range(TAGGED)]
    for each in content:
        assert api.post([("label", LABEL), ("tags", ",".join(TAGS)), ("img", File(each))]).status == 201
    names = [name_of(each) for each in content]
    with ThreadPoolExecutor(3) as pool:
        work = [pool.submit(reconcilers.until, stop), pool.submit(reconcilers.until, stop)]
        work.append(pool.submit(damage, reconcilers, stop, names))
        try:
            outcome = soak_clients.soak(OverHttp(api), SECONDS)
        finally:
            stop.set()
        for each in work:
            each.result()

    assert not any(report.errors or report.not_repaired for report in reconcilers.reports), reconcilers.lines
    assert not any(report.rows_removed or report.versions_removed for report in reconcilers.reports)
    assert sum(report.rows_mended for report in reconcilers.reports) > SECONDS / 10
    reconcilers.once()
    again = reconcilers.once()
    assert again == Report(images=again.images, versions=again.versions)
    tagged = {name: UNITS for name in names if name not in outcome.steady}
    soak.check(running, api, outcome.record.weights | tagged)
    tables = (reconcilers.names.image_chunks_table, reconcilers.names.chunk_info_table)
    rows, chunks = (
        [
            item
            for page in reconcilers.client("dynamodb").get_paginator("scan").paginate(TableName=table)
            for item in page["Items"]
        ]
        for table in tables
    )
    mine = [row for row in rows if row["label"]["S"].partition("#")[0] == LABEL]
    for tag in TAGS:
        entries, lanes, found = invariants.label_of(f"{LABEL}#{tag}", rows, chunks)
        invariants.check(entries, lanes, found)
        assert {entry.name for entry in entries} == set(names)
    invariants.check_tags(mine)
    for name in names:
        assert api.delete(f"/images/{LABEL}/{name}").status == 204
