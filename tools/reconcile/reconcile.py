"""Compare the versions in the bucket with the rows of images, label by label, and repair what a crash or restore left.

Three things can be wrong.  Each is read again, consistently, before the repair.

- No row names a version: remove the version.
- A row names a version that is gone, and the bucket has the same picture under another version: name that one.
- A row names a version that is gone, and the bucket has no other: remove the image from its label, like a delete.

Both sides are read as sorted streams, so the memory does not grow with a label.  Labels that are missing in the list of
labels are added.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby

from shared.api.etags import etag_of, require_match
from shared.errors import PreconditionFailed
from shared.images import Image
from shared.pictures.bucket import Bucket, Version
from tools.reconcile.inventory import Inventory

MIN_AGE = timedelta(hours=1)  # for some seconds, an upload in progress has a version but no row


@dataclass(slots=True)
class Report:
    """The numbers of images and versions, and of each kind of repair."""

    images: int = 0
    versions: int = 0
    versions_removed: int = 0
    rows_renamed: int = 0
    rows_removed: int = 0

    def __str__(self) -> str:
        return (
            f"{self.images} images, {self.versions} versions; removed: {self.versions_removed} versions without an "
            f"image, {self.rows_removed} images without a picture; {self.rows_renamed} images now name another version"
        )


@dataclass(slots=True)
class Reconciliation:
    """One pass over store and bucket.  It keeps versions later than `until`; with `dry_run` it changes nothing."""

    store: Inventory
    bucket: Bucket
    until: datetime
    dry_run: bool = False
    log: Callable[[str], None] = print
    report: Report = field(default_factory=Report)

    def run(self) -> Report:
        """Compare every label and return the report."""
        labels = set(self.store.labels())
        for label in sorted(labels):
            if not self.dry_run:
                self.store.list_label(label)
        for label in sorted({*labels, *self.bucket.labels()}):
            for key, versions, row in merged(self.bucket.versions(label), self.store.images(label)):
                self.report.versions += len(versions)
                self.report.images += row is not None
                self._compare(key, versions, row)
        return self.report

    def _compare(self, key: str, versions: list[Version], row: Image | None) -> None:
        named = self._named(row, versions) if row else None
        for version in versions:
            if version.id != named and version.modified <= self.until and not self._is_named(key, version):
                self.report.versions_removed += 1
                self.log(f"{key}: version {version.id} has no image: removed")
                if not self.dry_run:
                    self.bucket.discard(key, version.id)

    def _named(self, row: Image, versions: list[Version]) -> str | None:
        """Repair the row and return the version that it names then; None if the row was removed."""
        pictures = [version for version in versions if not version.is_marker]
        if row.version_id in {picture.id for picture in pictures} or self.bucket.has(row.id, row.version_id):
            return row.version_id
        if not pictures:
            self._remove(row)
            return None
        old = [picture.id for picture in pictures if picture.modified <= self.until]
        if not old:  # an upload in progress, which may still remove its version
            return row.version_id
        self.report.rows_renamed += 1
        self.log(f"{row.id}: version {row.version_id} is gone: the image now names {old[0]}")
        if not self.dry_run:
            self.store.rename_version(row, old[0])
        return old[0]

    def _remove(self, row: Image) -> None:
        self.report.rows_removed += 1
        self.log(f"{row.id}: the picture is gone: image removed")
        if not self.dry_run:
            with suppress(PreconditionFailed):  # uploaded or edited meanwhile: leave it to the next pass
                self.store.remove(row.label, row.name, check=partial(require_match, if_match=etag_of(row)))

    def _is_named(self, key: str, version: Version) -> bool:
        label, _, name = key.partition("/")
        row = self.store.image(label, name, consistent=True)
        return row is not None and row.version_id == version.id


def merged(versions: Iterable[Version], rows: Iterable[Image]) -> Iterator[tuple[str, list[Version], Image | None]]:
    """Yield each key once, with its versions and its row.  Both inputs are sorted by key."""
    waiting = iter(rows)
    row = next(waiting, None)
    for key, group in groupby(versions, key=lambda version: version.key):
        while row and row.id < key:
            yield row.id, [], row
            row = next(waiting, None)
        if row and row.id == key:
            yield key, list(group), row
            row = next(waiting, None)
        else:
            yield key, list(group), None
    while row:
        yield row.id, [], row
        row = next(waiting, None)
