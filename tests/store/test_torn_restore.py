"""The two tables restored to moments one transaction apart: a rebuild makes all that follows from the rows anew."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

import delete_image
import edit_image
import upload_image
from shared import aws, settings
from shared.images import Pool
from shared.labels import items
from shared.pictures.bucket import Bucket
from tests.support import invariants
from tests.support.memory_aws import BUCKET, CHUNKS, IMAGES, World
from tests.support.pictures import File, multipart_body, name_of, tiny
from tests.support.simulation import LABEL, SETTINGS, Killed, call, shipped_code_on
from tools.reconcile.inventory import Inventory
from tools.reconcile.reconcile import Reconciliation
from tools.reconcile.report import Report

TAGS = ("blue", "red")
FIRST, LAST = 0, 19  # of the pictures that are there
MANY = 20
NEVER = datetime.max.replace(tzinfo=UTC)

Tables = dict[str, dict[Any, Any]]


def upload(picture: int, weight: str = "0.000000003", tags: str = "", label: str = LABEL) -> int:
    fields = [("label", label), ("weight", weight), ("tags", tags), ("img", File(tiny(picture)))]
    body, content_type = multipart_body(fields)
    answer = call(upload_image, "POST", "/upload", "/upload", body=body, headers={"Content-Type": content_type})
    return int(answer["statusCode"])


def delete(picture: int) -> Any:
    return call(delete_image, "DELETE", "/images/{label}/{name}", f"/images/{LABEL}/{name_of(tiny(picture))}")


def patch(picture: int, **changes: Any) -> Any:
    path = f"/images/{LABEL}/{name_of(tiny(picture))}"
    body, headers = json.dumps(changes).encode(), {"Content-Type": "application/json"}
    return call(edit_image, "PATCH", "/images/{label}/{name}", path, body=body, headers=headers)


@dataclass(frozen=True)
class Operation:
    """What happens between the two moments, after `before` has been done."""

    title: str
    then: Callable[[], object]
    pictures: int = MANY


OPERATIONS = (
    Operation("the first upload of a label", partial(upload, FIRST), pictures=0),
    Operation("the first upload of a tag", partial(upload, MANY, tags="green")),
    Operation("an upload", partial(upload, MANY)),
    Operation("an upload with tags", partial(upload, MANY, tags="blue,red")),
    Operation("an upload that begins a chunk", partial(upload, MANY, "0.00000004")),
    Operation("a delete", partial(delete, FIRST)),
    Operation("a delete of the newest", partial(delete, LAST)),
    Operation("a delete of the only image", partial(delete, FIRST), pictures=1),
    Operation("a new weight of the same class", partial(patch, FIRST, weight=2e-9)),
    Operation("a new weight of another class", partial(patch, FIRST, weight=5e-9)),
    Operation("a new weight of the newest", partial(patch, LAST, weight=5e-9)),
    Operation("a tag that comes", partial(patch, FIRST, tags=["blue", "green", "red"])),
    Operation("a tag that goes", partial(patch, FIRST, tags=["blue"])),
    Operation("a tag that is exchanged, and a weight", partial(patch, FIRST, tags=["green"], weight=9e-9)),
    Operation("a new file name", partial(patch, FIRST, filename="tom.png")),
)
CASES = [
    pytest.param(operation, earlier, id=f"{operation.title}, {earlier} earlier")
    for operation in OPERATIONS
    for earlier in (IMAGES, CHUNKS)
]


def torn(world: World, operation: Operation, earlier: str) -> None:
    """Let the world have this table as it was before the operation, and the other as it is after it."""
    for picture in range(operation.pictures):
        weight = f"0.00000000{1 + picture % 4}"
        assert upload(picture, weight, "blue,red" if picture % 3 == 0 else "") == 201
    before = dict(world.tables[earlier])
    operation.then()
    assert before != world.tables[earlier] or "file name" in operation.title
    world.tables[earlier] = before


@pytest.fixture
def world() -> Iterator[World]:
    world = World(random.Random(5))
    any_label = SimpleNamespace(read=lambda: replace(SETTINGS, labels=frozenset("*")))
    with shipped_code_on(world), mock.patch.object(settings, "_cache", return_value=any_label):
        yield world


def reconcile(*, rebuild: str = "", dry_run: bool = False) -> tuple[Report, list[str]]:
    lines: list[str] = []
    both = Inventory(aws.dynamodb(), SETTINGS), Bucket(aws.s3(), BUCKET)
    reconciliation = Reconciliation(*both, NEVER, dry_run=dry_run, log=lines.append)
    return reconciliation.run(rebuild=rebuild), lines


def pools(world: World) -> list[Pool]:
    keys = {key for table in (IMAGES, CHUNKS) for key, _ in world.tables[table]} - {items.LABELS}
    return [Pool.of_key(key) for key in sorted(keys)]


def agree(world: World, pool: Pool) -> bool:
    rows, chunks = (list(world.tables[table].values()) for table in (IMAGES, CHUNKS))
    try:
        invariants.check(*invariants.label_of(pool.key, rows, chunks))
    except AssertionError:
        return False
    return True


def check(world: World) -> None:
    """Check all invariants, and that every image is hit by exactly its weight in darts."""
    rows, chunks = (list(world.tables[table].values()) for table in (IMAGES, CHUNKS))
    for pool in pools(world):
        entries, lanes, found = invariants.label_of(pool.key, rows, chunks)
        invariants.check(entries, lanes, found)
        assert invariants.throw_every_dart(lanes, found) == {entry.name: entry.weight for entry in entries}
    invariants.check_tags(rows)
    named = {
        (f"{LABEL}/{name}", row["versionId"]["S"]) for (key, name), row in world.tables[IMAGES].items() if key == LABEL
    }
    assert named == {(key, version) for key, versions in world.objects.items() for version in versions}


@pytest.mark.parametrize(("operation", "earlier"), CASES)
def test_reconcile_tells_of_each_label_and_tag_that_is_torn(world: World, operation: Operation, earlier: str) -> None:
    torn(world, operation, earlier)
    expected = {str(pool) for pool in pools(world) if not agree(world, pool)}
    tables = {table: dict(world.tables[table]) for table in world.tables}
    report, lines = reconcile(dry_run=True)
    assert {line.partition(":")[0] for line in lines if line.endswith("make reconcile REBUILD=cat")} == expected
    assert report.not_repaired == len(expected)
    assert world.tables == tables
    assert bool(expected) == ("file name" not in operation.title)


@pytest.mark.parametrize(("operation", "earlier"), CASES)
def test_no_image_of_a_torn_label_is_busy_for_ever(world: World, operation: Operation, earlier: str) -> None:
    torn(world, operation, earlier)
    tables = {table: dict(world.tables[table]) for table in world.tables}
    for picture in range(operation.pictures + 1):
        for request in (
            partial(delete, picture),
            partial(patch, picture, weight=7e-9),
            partial(patch, picture, tags=[]),
        ):
            world.tables = {table: dict(tables[table]) for table in tables}
            answer = request()
            assert answer["statusCode"] in (200, 204, 404, 500)
            if answer["statusCode"] == 500:
                assert "make reconcile REBUILD=cat" in json.loads(answer["body"])["detail"]
                assert "Retry-After" not in answer["headers"]


@pytest.mark.parametrize(("operation", "earlier"), CASES)
def test_a_rebuild_heals_a_torn_label_also_if_it_is_killed_half_way(
    world: World, operation: Operation, earlier: str
) -> None:
    torn(world, operation, earlier)
    tables = {table: dict(world.tables[table]) for table in world.tables}
    objects = {key: dict(versions) for key, versions in world.objects.items()}
    writes = killed_at(world, 10**6)
    healed = {table: dict(world.tables[table]) for table in world.tables}
    check(world)
    for number in sorted({0, 1, writes // 2, writes - 1} & set(range(writes))):
        world.tables = {table: dict(tables[table]) for table in tables}
        world.objects = {key: dict(versions) for key, versions in objects.items()}
        with pytest.raises(Killed):
            killed_at(world, number)
        assert killed_at(world, 10**6) <= writes
        assert world.tables[IMAGES] == healed[IMAGES]
        assert world.tables[CHUNKS] == healed[CHUNKS]
    assert reconcile(rebuild="*")[0].is_clean
    check(world)
    use(world)


def killed_at(world: World, number: int) -> int:
    """Rebuild and die before the transaction with this number.  Return how many there were."""
    made = 0

    def pause(name: str) -> None:
        nonlocal made
        if name == "transact_write_items":
            if made == number:
                raise Killed
            made += 1

    world.pause = pause
    try:
        report, _ = reconcile(rebuild=LABEL)
    finally:
        world.pause = lambda name: None
    assert report.is_clean
    return made


def use(world: World) -> None:
    """Change every image, and delete each."""
    names = {name for key, name in world.tables[IMAGES] if key == LABEL}
    for picture in (picture for picture in range(MANY + 1) if name_of(tiny(picture)) in names):
        assert patch(picture, weight=7e-9, tags=["red"])["statusCode"] == 200
    check(world)
    for picture in (picture for picture in range(MANY + 1) if name_of(tiny(picture)) in names):
        assert delete(picture)["statusCode"] == 204
    check(world)
    assert {key for key, _ in world.tables[IMAGES]} <= {items.LABELS}


def test_a_rebuild_of_all_labels_goes_on_after_a_bad_one(world: World) -> None:
    for label in ("ant", "cat", "dog"):
        for picture in range(5):
            assert upload(picture, tags="red", label=label) == 201
    name = name_of(tiny(2))
    world.tables[IMAGES]["cat", name] = {"label": {"S": "cat"}, "s3key": {"S": name}}
    for key in [key for key in world.tables[CHUNKS] if key[0] != "ant#red"]:
        del world.tables[CHUNKS][key]
    report, lines = reconcile(rebuild="*")
    assert not report.is_clean
    assert report.labels_rebuilt == 3
    assert any(line.startswith(f"cat/{name}: its row cannot be read") for line in lines)
    for pool in (Pool("ant"), Pool("ant", "red"), Pool("dog"), Pool("dog", "red")):
        assert agree(world, pool), pool
    assert {pool for pool in pools(world) if pool.label != "cat"} == {
        Pool(label, tag) for label in ("ant", "dog") for tag in ("", "red")
    }


def test_a_rebuild_that_meets_another_writer_says_so(world: World) -> None:
    torn(world, OPERATIONS[2], CHUNKS)

    def pause(name: str) -> None:
        if name == "transact_write_items":
            for key in [key for key in world.tables[IMAGES] if key[0] == LABEL]:
                world.tables[IMAGES][key] = world.tables[IMAGES][key] | {"versionId": {"S": "other"}}

    world.pause = pause
    report, lines = reconcile(rebuild=LABEL)
    assert report.errors
    assert lines[0] == "cat: The label cat is written to during its rebuild. Close writes, then rebuild it again."


def test_a_dry_rebuild_writes_nothing(world: World) -> None:
    torn(world, OPERATIONS[2], IMAGES)
    tables = {table: dict(world.tables[table]) for table in world.tables}
    _, lines = reconcile(rebuild=LABEL, dry_run=True)
    assert lines[0].startswith("cat: would be rebuilt from 20 images and 2 tags; ")
    assert lines[0].endswith("items would be written")
    assert world.tables == tables


def test_a_row_under_a_tag_that_no_chunk_holds_is_damage_and_not_a_busy_label(world: World) -> None:
    assert upload(FIRST, tags="red") == 201
    stray = {"s3key": {"S": name_of(tiny(FIRST + 1))}}
    world.tables[IMAGES][f"{LABEL}#red", stray["s3key"]["S"]] = (
        world.tables[IMAGES][f"{LABEL}#red", name_of(tiny(FIRST))] | stray
    )
    report, lines = reconcile()
    assert (report.errors, report.rows_mended) == (1, 0)
    assert lines[0].endswith("with make reconcile REBUILD=cat.")
    reconcile(rebuild=LABEL)
    check(world)
    assert reconcile()[0].is_clean


def test_a_rebuild_of_a_label_that_does_not_exist_is_told(world: World) -> None:
    assert upload(FIRST) == 201
    report, lines = reconcile(rebuild="cta")
    assert lines == ["cta: there is no label of this name"]
    assert not report.is_clean
    assert not report.labels_rebuilt


def test_a_version_that_only_an_old_read_hides_is_kept(world: World) -> None:
    """A delete that was killed left its version, and the picture was uploaded again."""
    key = f"{LABEL}/{name_of(tiny(FIRST))}"
    assert upload(FIRST) == 201
    ((left, content),) = world.objects[key].items()
    assert delete(FIRST)["statusCode"] == 204
    assert upload(FIRST) == 201
    ((named, _),) = world.objects[key].items()
    world.objects[key][left] = content
    row = world.tables[IMAGES][LABEL, name_of(tiny(FIRST))]
    world.previous[IMAGES][LABEL, name_of(tiny(FIRST))] = row | {"versionId": {"S": left}}
    world.stale = 1.0
    report, _ = reconcile()
    assert report.versions_removed == 1
    assert list(world.objects[key]) == [named]


def test_a_row_that_is_mended_while_its_image_is_deleted_does_not_stay(world: World) -> None:
    name = name_of(tiny(FIRST))
    assert upload(FIRST, tags="red") == 201
    inventory = Inventory(aws.dynamodb(), SETTINGS)
    inventory.write(inventory._take({}, items.entry(world.tables[IMAGES][f"{LABEL}#red", name])))

    def pause(call_name: str) -> None:
        if call_name == "transact_write_items":
            world.pause = lambda name: None
            assert inventory.mend(LABEL, name, ())

    world.pause = pause
    assert delete(FIRST)["statusCode"] == 204
    assert set(world.tables[IMAGES]) == {(items.LABELS, LABEL)}
    check(world)


@pytest.mark.parametrize("pictures", [1, 3, MANY])
def test_a_row_that_is_missing_under_a_tag_comes_back_to_the_place_that_it_had(world: World, pictures: int) -> None:
    for picture in range(pictures):
        assert upload(picture, tags="red") == 201
    del world.tables[IMAGES][f"{LABEL}#red", name_of(tiny(0))]
    report, lines = reconcile()
    assert report.is_clean
    assert (report.rows_mended, lines[0].endswith("it has no row under its tag red: mended")) == (1, True)
    check(world)
    assert patch(0, weight=7e-9, tags=["red"])["statusCode"] == 200
    assert delete(0)["statusCode"] == 204
    check(world)
