"""Reconcile repairs exactly what is wrong, and changes nothing else."""

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from shared import aws, settings
from shared.errors import Unavailable
from shared.images import Image
from shared.index_queue import IndexQueue, parse
from shared.pictures.bucket import Bucket, ThumbnailBucket, Version
from shared.settings import read_settings
from shared.tiles import TILE_BYTES, Tile, Tiles
from tests.support import pictures
from tests.support.cloud import ROOT
from tests.support.hosts import Api, Handlers, json_of
from tools.reconcile import reconcile, streams
from tools.reconcile.__main__ import main
from tools.reconcile.inventory import Inventory
from tools.reconcile.reconcile import Reconciliation
from tools.reconcile.report import TRIES, Report

NOW = datetime.now(UTC)


def run(*, key: str = "", min_age: timedelta = timedelta(0), **more: Any) -> tuple[Report, list[str]]:
    names = read_settings()
    lines: list[str] = []
    until = datetime.now(UTC) + timedelta(seconds=2) - min_age
    store, bucket = Inventory(aws.dynamodb(), names), Bucket(aws.s3(), names.bucket)
    reconciliation = Reconciliation(store, bucket, until, log=lines.append, **more)
    thumbnails = ThumbnailBucket(aws.s3(), names.thumbnail_bucket)
    return reconciliation.run_key(key, thumbnails) if key else reconciliation.run(), lines


@pytest.fixture
def api(moto_aws: None) -> Api:
    """Make two consistent labels: three cats and two dogs."""
    dogs = Api(Handlers(), "dog")
    for seed in range(2):
        dogs.upload(pictures.tiny(seed))
    cats = Api(Handlers(), "cat")
    for seed in range(3):
        cats.upload(pictures.tiny(seed))
    return cats


def put(key: str, content: bytes = b"any") -> str:
    return str(boto3.client("s3").put_object(Bucket="pictures", Key=key, Body=content)["VersionId"])


def versions(key: str) -> set[str]:
    found = boto3.client("s3").list_object_versions(Bucket="pictures", Prefix=key)
    return {v["VersionId"] for kind in ("Versions", "DeleteMarkers") for v in found.get(kind, [])}


def drawn_names(api: Api) -> set[str]:
    return {api.random().headers["image-id"] for _ in range(60)}


def test_a_consistent_store_is_not_changed(api: Api) -> None:
    report, lines = run()
    assert report == Report(images=5, versions=5)
    assert not lines


def test_labels_missing_in_the_list_of_labels_are_added(api: Api) -> None:
    for label in ("cat", "dog"):
        key = {"label": {"S": "#labels"}, "s3key": {"S": label}}
        boto3.client("dynamodb").delete_item(TableName="ImageChunksTable", Key=key)
    assert json_of(api.get("/labels"))["labels"] == []
    run(dry_run=True)
    assert json_of(api.get("/labels"))["labels"] == []
    run()
    run()
    assert [each["label"] for each in json_of(api.get("/labels"))["labels"]] == ["cat", "dog"]


def test_versions_without_an_image_are_removed(api: Api) -> None:
    image = json_of(api.upload(pictures.tiny(0)))
    kept = versions(image["id"])
    put(image["id"], pictures.tiny(0))
    put("cat/" + "0" * 32 + ".png")
    put("emu/" + "0" * 32 + ".png")
    report, lines = run()
    assert (report.versions_removed, report.rows_removed, report.rows_renamed, len(lines)) == (3, 0, 0, 3)
    assert versions(image["id"]) == kept
    assert not versions("cat/000")
    assert not versions("emu/")
    assert run()[0] == Report(images=5, versions=5)


def test_a_version_is_kept_for_an_hour(api: Api) -> None:
    put("cat/" + "0" * 32 + ".png")
    assert run(min_age=reconcile.MIN_AGE)[0].versions_removed == 0
    assert timedelta(hours=1) == reconcile.MIN_AGE
    assert run()[0].versions_removed == 1


def test_an_image_without_a_picture_is_removed_and_never_drawn(api: Api) -> None:
    image = json_of(api.upload(pictures.tiny(0)))
    (version,) = versions(image["id"])
    boto3.client("s3").delete_object(Bucket="pictures", Key=image["id"], VersionId=version)
    assert image["id"] in drawn_ids_by_json(api)
    report, _ = run()
    assert (report.rows_removed, report.versions_removed, report.rows_renamed) == (1, 0, 0)
    assert image["id"] not in drawn_ids_by_json(api)
    assert len(drawn_names(api)) == 2
    assert run()[0] == Report(images=4, versions=4)


def drawn_ids_by_json(api: Api) -> set[str]:
    return {json_of(api.random(format="json"))["id"] for _ in range(60)}


def test_an_image_whose_version_was_replaced_gets_the_other_version(api: Api) -> None:
    image = json_of(api.upload(pictures.tiny(0)))
    (version,) = versions(image["id"])
    other = put(image["id"], pictures.tiny(0))
    boto3.client("s3").delete_object(Bucket="pictures", Key=image["id"], VersionId=version)
    report, _ = run()
    assert (report.rows_renamed, report.rows_removed, report.versions_removed) == (1, 0, 0)
    assert api.delete(image["url"]).status == 204
    assert other not in versions(image["id"])


def test_a_delete_marker_that_hides_a_picture_from_draws_is_removed(api: Api) -> None:
    image = json_of(api.upload(pictures.tiny(0)))
    bucket = Bucket(aws.s3(), "pictures")
    boto3.client("s3").delete_object(Bucket="pictures", Key=image["id"])
    assert bucket.get(image["id"]) is None
    assert run()[0].versions_removed == 1
    assert bucket.get(image["id"]) == pictures.tiny(0)


def test_a_dry_run_reports_and_changes_nothing(api: Api) -> None:
    put("cat/" + "0" * 32 + ".png")
    image = json_of(api.upload(pictures.tiny(0)))
    (version,) = versions(image["id"])
    boto3.client("s3").delete_object(Bucket="pictures", Key=image["id"], VersionId=version)
    first, second = run(dry_run=True), run(dry_run=True)
    assert first == second
    assert (first[0].versions_removed, first[0].rows_removed) == (1, 1)


def test_a_finding_is_one_line_that_says_what_was_done_or_would_be(api: Api) -> None:
    image = json_of(api.upload(pictures.tiny(0)))
    stray = put(image["id"], pictures.tiny(0))
    assert run(dry_run=True)[1] == [f"{image['id']}: version {stray} has no image: would be removed"]
    assert run()[1] == [f"{image['id']}: version {stray} has no image: removed"]


def test_only_what_was_removed_is_counted(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    stray = put("cat/" + "0" * 32 + ".png")
    monkeypatch.setattr(Bucket, "discard", lambda self, key, version_id: False)
    report, lines = run()
    assert (report.versions_removed, report.not_repaired, report.is_clean) == (0, 1, False)
    assert lines == [f"cat/{'0' * 32}.png: version {stray} has no image, and could not be removed"]


def test_a_version_that_gets_its_image_at_the_last_moment_is_kept(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image of another upload names the version after its key was compared, just before it would be removed."""
    image = json_of(api.upload(pictures.tiny(0)))
    late = put(image["id"])
    discard_unnamed = Reconciliation._discard_unnamed

    def name_it_first(self: Any, key: str, found: Any, **more: Any) -> None:
        if key == image["id"]:
            name_version(image, late)
        discard_unnamed(self, key, found, **more)

    monkeypatch.setattr(Reconciliation, "_discard_unnamed", name_it_first)
    run()
    assert late in versions(image["id"])


@pytest.mark.parametrize("which", [0, 1])
def test_a_version_that_a_pass_removes_while_another_names_it_was_not_the_last_one(
    api: Api, monkeypatch: pytest.MonkeyPatch, which: int
) -> None:
    image = json_of(api.upload(pictures.tiny(0)))
    (own,) = versions(image["id"])
    two = [put(image["id"], pictures.tiny(0)) for _ in range(2)]
    discard = Bucket.discard

    def late(bucket: Bucket, key: str, version: str) -> bool:
        """Remove it after the image's own version is lost and another pass has repaired that."""
        monkeypatch.setattr(Bucket, "discard", discard)
        boto3.client("s3").delete_object(Bucket="pictures", Key=key, VersionId=own)
        assert run()[0].rows_renamed == 1
        return discard(bucket, key, two[which])

    monkeypatch.setattr(Bucket, "discard", late)
    assert [run()[0].errors for _ in range(3)] == [0] * 3
    assert api.get(image["url"]).body == pictures.tiny(0)
    assert len(versions(image["id"])) == 1


def test_an_emptied_object_is_told_of_and_replaced_by_a_whole_version(api: Api) -> None:
    image = json_of(api.upload(pictures.tiny(0)))
    lose(image["id"])
    empty = put(image["id"], b"")
    name_version(image, empty)
    size = len(pictures.tiny(0))
    report, lines = run()
    assert (report.not_repaired, report.is_clean, report.rows_removed) == (1, False, 0)
    assert lines == [
        f"{image['id']}: version {empty} has 0 bytes instead of {size}, and no version has its {size} bytes"
    ]
    assert versions(image["id"]) == {empty}
    whole = put(image["id"], pictures.tiny(0))
    report, lines = run()
    assert (report.rows_renamed, report.versions_removed, report.is_clean) == (1, 0, True)
    assert lines[0] == f"{image['id']}: version {empty} has 0 bytes instead of {size}: replaced by version {whole}"
    assert api.get(image["url"]).body == pictures.tiny(0)
    assert run()[0].versions_removed == 1, "only the next pass removes the old one"
    assert versions(image["id"]) == {whole}
    assert run()[0] == Report(images=5, versions=5)


def name_version(image: Any, version: str) -> None:
    """Let the image's row name this version."""
    label, _, name = image["id"].partition("/")
    boto3.client("dynamodb").update_item(
        TableName="ImageChunksTable",
        Key={"label": {"S": label}, "s3key": {"S": name}},
        UpdateExpression="SET versionId = :version",
        ExpressionAttributeValues={":version": {"S": version}},
    )


def test_a_takedown_removes_what_is_left_of_one_key_and_nothing_else(api: Api) -> None:
    image = json_of(api.upload(pictures.tiny(0)))
    kept = versions(image["id"])
    other = put("cat/" + "0" * 32 + ".png")
    longer = put(f"{image['id']}.more")
    put(image["id"], pictures.tiny(0))
    assert run(key=image["id"], min_age=reconcile.MIN_AGE)[0].versions_removed == 0
    assert run(key=image["id"], dry_run=True)[0].versions_removed == 1
    assert run(key=image["id"])[0].versions_removed == 1
    assert versions(image["id"]) == {*kept, longer}
    assert api.delete(image["url"]).status == 204
    put(image["id"], pictures.tiny(0))
    assert run(key=image["id"])[0].versions_removed == 1
    assert versions(image["id"]) == {longer}
    assert versions("cat/000") == {other}


def test_a_takedown_removes_the_thumbnails_of_an_image_that_is_gone(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    image = json_of(api.upload(pictures.tiny(0)))
    thumbnails = ThumbnailBucket(aws.s3(), "thumbnails")
    thumbnails.put(image["id"], 256, "webp", b"small")
    run(key=image["id"])
    assert thumbnails.get(image["id"], 256, "webp") == b"small"
    assert api.delete(image["url"]).status == 204
    thumbnails.put(image["id"], 256, "webp", b"small")  # by a look that was under way
    run(key=image["id"], dry_run=True)
    assert thumbnails.get(image["id"], 256, "webp") == b"small"
    assert run(key=image["id"])[0].is_clean
    assert thumbnails.get(image["id"], 256, "webp") is None
    monkeypatch.setattr(ThumbnailBucket, "discard", lambda *_: False)
    assert run(key=image["id"])[1] == [f"{image['id']}: its thumbnails could not be removed"]


def test_a_bad_row_does_not_end_the_run(api: Api) -> None:
    name = "0" * 32 + ".png"
    bad = {"label": {"S": "cat"}, "s3key": {"S": name}, "chunkNumber": {"N": "1"}}
    boto3.client("dynamodb").put_item(TableName="ImageChunksTable", Item=bad)
    put("emu/" + "0" * 32 + ".png")
    report, lines = run()
    assert (report.versions_removed, report.is_clean) == (1, False)
    assert lines[0] == f"cat/{name}: its row cannot be read (KeyError 'weight')"


def test_a_bad_label_does_not_end_the_run(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = Inventory.rows

    def break_off(self: Inventory, label: str, tags: set[str]) -> Iterator[streams.Rows]:
        if label == "cat":
            raise Unavailable("The storage cannot be reached now; retry in a moment.")
        return rows(self, label, tags)

    monkeypatch.setattr(Inventory, "rows", break_off)
    put("dog/" + "0" * 32 + ".png")
    report, lines = run()
    assert (report.versions_removed, report.errors) == (1, 1)
    assert lines[0] == "cat: The storage cannot be reached now; retry in a moment."


def with_a_damaged_tag(api: Api) -> Any:
    """Store an image, and let its row under a tag name another version."""
    image = json_of(api.post([("label", "cat"), ("tags", "blue"), ("img", pictures.File(pictures.png(1)))]))
    boto3.client("dynamodb").update_item(
        TableName="ImageChunksTable",
        Key={"label": {"S": "cat#blue"}, "s3key": {"S": image["id"].partition("/")[2]}},
        UpdateExpression="SET versionId = :other",
        ExpressionAttributeValues={":other": {"S": "other"}},
    )
    return image


@pytest.mark.parametrize("key", ["", f"cat/{'0' * 32}.png"])
def test_what_aws_does_not_let_it_list_is_an_error_and_no_trace(
    api: Api, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    def denied(*_: object) -> Any:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "List")

    monkeypatch.setattr(Inventory, "labels", denied)
    monkeypatch.setattr(Bucket, "versions", denied)
    report, lines = run(key=key)
    assert (report, lines) == (Report(errors=1), [f"{key or 'labels'}: AWS refused List (AccessDeniedException)"])


def test_a_repair_is_tried_again_while_others_write_the_label(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request gives up after five seconds, but a pass has time: on a busy machine, writers can win for that long."""
    with_a_damaged_tag(api)
    busy = {name: itertools.count(1) for name in ("mend", "disagreements")}

    def last_of_ten(name: str) -> Callable[..., Any]:
        whole = getattr(Inventory, name)

        def losing(*given: Any) -> Any:
            if next(busy[name]) % TRIES:
                raise Unavailable("This label is busy; retry in a moment.")
            return whole(*given)

        return losing

    for name in busy:
        monkeypatch.setattr(Inventory, name, last_of_ten(name))
    report, _ = run()
    assert (report.rows_mended, report.is_clean) == (1, True)
    assert run()[0].rows_mended == 0


def test_a_repair_that_never_succeeds_is_an_error(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    image = with_a_damaged_tag(api)
    tries = []

    def lose(*_: Any) -> bool:
        tries.append(1)
        raise Unavailable("This label is busy; retry in a moment.")

    monkeypatch.setattr(Inventory, "mend", lose)
    report, lines = run()
    assert (report.rows_mended, report.errors, len(tries)) == (0, 1, TRIES)
    assert lines == [f"{image['id']}: This label is busy; retry in a moment."]


# --- the command ---


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"DRY": "yes"}, "Use DRY=1 or DRY=0."),
        ({"OPTIONS": "--dry-run"}, "Use DRY=1 instead of OPTIONS=--dry-run."),
        ({"REBUILD": "Cat Dog"}, "Name a label, or * for all of them."),
        ({"KEY": "cat"}, "Name an image by its label and name"),
        ({"KEY": "cat/" + "0" * 32 + ".png", "REBUILD": "cat"}, "Leave one of them out."),
        ({"RATE": "fast"}, "It is a number of images a second, such as RATE=10."),
        ({"REBUILD": "cat"}, "Writes are open, and a rebuild must be the only writer."),
    ],
)
def test_a_command_that_cannot_be_done_is_refused(
    api: Api, capsys: pytest.CaptureFixture[str], wrong: dict[str, str], rule: str
) -> None:
    assert main(wrong) == 2
    printed = capsys.readouterr()
    assert (printed.out, rule in printed.err) == ("", True)


def test_without_names_of_tables_the_command_says_what_to_set() -> None:
    command = [sys.executable, "-m", "tools.reconcile"]
    done = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Set AWS credentials, a region" in done.stderr.splitlines()[-1]


def test_the_command_prints_counts_and_tells_by_its_exit_code_what_is_left(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main({"DRY": "0"}) == 0
    *found, left, done = capsys.readouterr().out.splitlines()
    assert done.startswith("5 images, 5 versions; removed: 0 versions without an image, ")
    assert len(found) == 5
    assert all(line.endswith(": is not indexed: queued") for line in found)
    assert left == "index: 5 images compared, 5 queued, 5 left to index"
    lanes = boto3.client("dynamodb").scan(TableName="ChunkInfoTable")["Items"]
    for item in lanes:
        key = {name: item[name] for name in ("label", "chunkNumber")}
        boto3.client("dynamodb").delete_item(TableName="ChunkInfoTable", Key=key)
    assert main({}) == 1
    found = capsys.readouterr().out.splitlines()
    assert found[0] == (
        "cat: 3 images, but its chunks hold 0 and its lanes count 0; repair it with make reconcile REBUILD=cat"
    )
    assert found[-1].endswith("; 2 not repaired")
    assert main({"REBUILD": "*", "DRY": "1"}) == 1
    *_, left, would = capsys.readouterr().out.splitlines()
    assert left == "index: 5 images compared, 5 would be queued, 5 left to index"
    assert would.startswith("Nothing was changed. Without DRY=1 it would be: ")
    parameter = {"Name": "/pet-api/production/writes", "Value": "closed", "Type": "String"}
    boto3.client("ssm").put_parameter(**parameter, Overwrite=True)
    settings._cache.cache_clear()
    assert main({"REBUILD": "*"}) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("cat: rebuilt from 3 images and 0 tags; ")
    assert printed[-1].endswith("; 2 labels rebuilt")
    assert len(drawn_names(api)) == 3


def test_a_takedown_removes_what_is_left_of_the_image_in_the_index(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    gone, other = Tile("cat", f"{1:032x}.png", "v1", bytes(TILE_BYTES)), Tile("cat", f"{2:032x}.png", "v1")
    for tile in (gone, other):
        Tiles(aws.dynamodb(), "TilesTable").put(tile)
    assert main({"KEY": gone.id, "DRY": "1"}) == 0
    assert IndexQueue(aws.sqs(), read_settings().index_queue).waiting() == 0
    assert main({"KEY": gone.id}) == 0
    assert f"{gone.id}: is indexed, and there is no such image: queued" in capsys.readouterr().out
    (message,) = aws.sqs().receive_message(QueueUrl=read_settings().index_queue)["Messages"]
    assert parse(message["Body"]).id == gone.id


# --- during other writes ---


def lose(key: str) -> str:
    """Remove the only version of this key and return its id."""
    (version,) = versions(key)
    boto3.client("s3").delete_object(Bucket="pictures", Key=key, VersionId=version)
    return version


def aged(monkeypatch: pytest.MonkeyPatch, ages: dict[str, timedelta]) -> None:
    """Let the bucket list these versions as older than they are, by these ages."""
    listed = Bucket.versions

    def versions(self: Bucket, prefix: str) -> Iterator[Version]:
        for version in listed(self, prefix):
            yield version._replace(modified=version.modified - ages.get(version.id, timedelta(0)))

    monkeypatch.setattr(Bucket, "versions", versions)


def test_the_version_of_an_upload_in_progress_is_given_to_no_image(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    image = json_of(api.upload(pictures.tiny(0)))
    lose(image["id"])
    young = put(image["id"], pictures.tiny(0))
    report, lines = run(min_age=reconcile.MIN_AGE)
    assert (report.rows_renamed, report.rows_removed, report.versions_removed, lines) == (0, 0, 0, [])
    assert versions(image["id"]) == {young}

    old = put(image["id"], pictures.tiny(0))
    aged(monkeypatch, {old: timedelta(hours=2)})
    report, _ = run(min_age=reconcile.MIN_AGE)
    assert (report.rows_renamed, report.rows_removed, report.versions_removed) == (1, 0, 0)
    boto3.client("s3").delete_object(
        Bucket="pictures", Key=image["id"], VersionId=young
    )  # as the upload does when it finds the row
    assert api.get(image["url"]).body == pictures.tiny(0)
    assert run(min_age=reconcile.MIN_AGE)[0] == Report(images=5, versions=5)


def test_an_image_that_was_not_listed_yet_keeps_its_version(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Inventory, "rows", lambda self, label, tags: iter(()))
    assert run()[0].versions_removed == 0


def test_a_version_that_was_not_listed_yet_keeps_its_image(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bucket, "versions", lambda self, prefix: iter(()))
    report, _ = run()
    assert (report.rows_removed, report.rows_renamed) == (0, 0)


@pytest.mark.parametrize("other_version", [False, True])
def test_an_image_uploaded_again_meanwhile_is_not_changed(
    api: Api, monkeypatch: pytest.MonkeyPatch, other_version: bool
) -> None:
    image = json_of(api.upload(pictures.tiny(0)))
    lose(image["id"])
    if other_version:
        put(image["id"], pictures.tiny(0))

    anew: list[str] = []

    def size(self: Bucket, key: str, version_id: str) -> None:
        assert api.delete(image["url"]).status == 204
        before = versions(key)
        assert api.upload(pictures.tiny(0)).status == 201
        anew.extend(versions(key) - before)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Bucket, "size", size)
        run()
    (row,) = [row for row in Inventory(aws.dynamodb(), read_settings()).images("cat") if row.id == image["id"]]
    assert [row.version_id] == anew
    assert api.get(image["url"]).body == pictures.tiny(0)


KEYS = st.lists(st.integers(0, 12), max_size=20)


@given(KEYS, KEYS)
def test_the_two_streams_are_merged_by_key(version_keys: list[int], row_keys: list[int]) -> None:
    found = [Version(f"cat/{n:02}", f"v{i}", NOW, False) for i, n in enumerate(sorted(version_keys))]
    rows = [Image("cat", f"{n:02}", 1, "v", 1, 1, 1, "") for n in sorted(set(row_keys))]
    merged = list(streams.merged(found, rows))
    assert [key for key, _, _ in merged] == sorted({*(f"cat/{n:02}" for n in version_keys), *(row.id for row in rows)})
    by_key = {key: list(group) for key, group in groupby(found, key=lambda version: version.key)}
    assert all(group == by_key.get(key, []) for key, group, _ in merged)
    assert [row for _, _, row in merged if row] == rows
    assert all(row is None or row.id == key for key, _, row in merged)
