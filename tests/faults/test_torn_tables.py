"""Tables restored one transaction apart, on the emulator: each operation, both directions, with a rebuild."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from shared import aws
from shared.pictures.bucket import Bucket
from shared.settings import read_settings
from tests.support import fault_matrix
from tests.support.fault_matrix import OPERATIONS, Operation
from tests.support.fault_scene import OTHER_CLASS, WEIGHT, Scene
from tools.reconcile.inventory import Inventory
from tools.reconcile.reconcile import Reconciliation
from tools.reconcile.report import Report

WRITES = [operation for operation in OPERATIONS if operation.title.startswith(("Upload a", "Delete", "Change"))]


@pytest.fixture
def scene(emulated: Scene) -> Iterator[Scene]:
    """Return the scene on the emulator, with its images as they were."""
    yield emulated
    emulated.reset()


def reconcile(*, rebuild: str = "") -> tuple[Report, list[str]]:
    lines: list[str] = []
    both = Inventory(aws.dynamodb(), read_settings()), Bucket(aws.s3(), read_settings().bucket)
    until = datetime.now(UTC) + timedelta(hours=1)
    return Reconciliation(*both, until, log=lines.append).run(rebuild=rebuild), lines


@pytest.mark.parametrize("earlier", [0, 1], ids=["rows earlier", "chunks earlier"])
@pytest.mark.parametrize("operation", WRITES, ids=lambda operation: operation.title)
def test_a_rebuild_heals_tables_that_are_a_transaction_apart(scene: Scene, operation: Operation, earlier: int) -> None:
    scene.reset()
    table = scene.tables[earlier]
    before = scene.items(table)
    assert fault_matrix.request(scene, operation).status == operation.answer
    for item in scene.items(table):
        scene.cloud.delete_item(table, item)
    for item in before:
        scene.cloud.put_item(table, item)

    report, lines = reconcile(rebuild="*")

    assert report.is_clean, lines
    assert scene.check() == 0
    scene.check_answers()
    names = list(scene.rows())
    for name in names:
        assert scene.patch(name, OTHER_CLASS).status == 200
        assert scene.patch(name, WEIGHT).status == 200
    assert scene.check() == 0
    for name in names:
        assert scene.delete(name).status == 204
    assert (scene.rows(), scene.check()) == ({}, 0)
