"""Reconcile repairs exactly what is wrong, and changes nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import aws
from shared.images import Image
from shared.pictures.bucket import Bucket, Version
from shared.settings import read_settings
from tests.support import pictures
from tests.support.hosts import Api, Handlers, json_of
from tools.reconcile import reconcile
from tools.reconcile.inventory import Inventory
from tools.reconcile.reconcile import Reconciliation, Report

NOW = datetime.now(UTC)


def run(*, min_age: timedelta = timedelta(0), dry_run: bool = False) -> tuple[Report, list[str]]:
    settings = read_settings()
    lines: list[str] = []
    until = datetime.now(UTC) + timedelta(seconds=2) - min_age
    store, bucket = Inventory(aws.dynamodb(), settings), Bucket(aws.s3(), settings.bucket)
    return Reconciliation(store, bucket, until, dry_run=dry_run, log=lines.append).run(), lines


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
    assert json_of(api.get("/labels")) == {"labels": []}
    run(dry_run=True)
    assert json_of(api.get("/labels")) == {"labels": []}
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


def test_a_delete_marker_that_hides_a_picture_is_removed(api: Api) -> None:
    image = json_of(api.upload(pictures.tiny(0)))
    boto3.client("s3").delete_object(Bucket="pictures", Key=image["id"])
    assert api.get(image["url"]).status == 404
    assert run()[0].versions_removed == 1
    assert api.get(image["url"]).body == pictures.tiny(0)


def test_a_dry_run_reports_and_changes_nothing(api: Api) -> None:
    put("cat/" + "0" * 32 + ".png")
    image = json_of(api.upload(pictures.tiny(0)))
    (version,) = versions(image["id"])
    boto3.client("s3").delete_object(Bucket="pictures", Key=image["id"], VersionId=version)
    first, second = run(dry_run=True), run(dry_run=True)
    assert first == second
    assert (first[0].versions_removed, first[0].rows_removed) == (1, 1)


# --- during other writes ---


def lose(key: str) -> str:
    """Remove the only version of this key and return its id."""
    (version,) = versions(key)
    boto3.client("s3").delete_object(Bucket="pictures", Key=key, VersionId=version)
    return version


def aged(monkeypatch: pytest.MonkeyPatch, ages: dict[str, timedelta]) -> None:
    """Let the bucket list these versions as older than they are, by these ages."""
    listed = Bucket.versions

    def versions(self: Bucket, label: str) -> Iterator[Version]:
        for version in listed(self, label):
            yield replace(version, modified=version.modified - ages.get(version.id, timedelta(0)))

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
    monkeypatch.setattr(Inventory, "images", lambda self, label: iter(()))
    assert run()[0].versions_removed == 0


def test_a_version_that_was_not_listed_yet_keeps_its_image(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bucket, "versions", lambda self, label: iter(()))
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

    def has(self: Bucket, key: str, version_id: str) -> bool:
        assert api.delete(image["url"]).status == 204
        before = versions(key)
        assert api.upload(pictures.tiny(0)).status == 201
        anew.extend(versions(key) - before)
        return False

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Bucket, "has", has)
        run()
    (row,) = [row for row in Inventory(aws.dynamodb(), read_settings()).images("cat") if row.id == image["id"]]
    assert [row.version_id] == anew
    assert api.get(image["url"]).body == pictures.tiny(0)


KEYS = st.lists(st.integers(0, 12), max_size=20)


@given(KEYS, KEYS)
def test_the_two_streams_are_merged_by_key(version_keys: list[int], row_keys: list[int]) -> None:
    found = [Version(f"cat/{n:02}", f"v{i}", NOW, False) for i, n in enumerate(sorted(version_keys))]
    rows = [Image("cat", f"{n:02}", 1, "v", 1, 1, 1, "") for n in sorted(set(row_keys))]
    merged = list(reconcile.merged(found, rows))
    assert [key for key, _, _ in merged] == sorted({*(f"cat/{n:02}" for n in version_keys), *(row.id for row in rows)})
    by_key = {key: list(group) for key, group in groupby(found, key=lambda version: version.key)}
    assert all(group == by_key.get(key, []) for key, group, _ in merged)
    assert [row for _, _, row in merged if row] == rows
    assert all(row is None or row.id == key for key, _, row in merged)
