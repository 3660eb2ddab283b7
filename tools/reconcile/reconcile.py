"""Compare the bucket's versions with the images' rows, label by label, and mend what a crash or a restore left.

Three things can be wrong, and each is looked at again, consistently, before it is mended: a version that no row names
(removed); a row whose version is gone while the same bytes are there under another one (it names that one from now
on); a row whose bytes are gone altogether (removed from its label, as a delete does).  Both sides are read as sorted
streams, so memory does not grow with a label.  Labels of images that came before labels were listed are listed.
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

MIN_AGE = timedelta(hours=1)  # an upload in progress has a version and no row yet: for seconds, at most


@dataclass(slots=True)
class Report:
    """How many images and versions there were, and how many of which were mended."""

    images: int = 0
    versions: int = 0
    versions_removed: int = 0
    rows_renamed: int = 0
    rows_removed: int = 0

    def __str__(self) -> str:
        return (
            f"{self.images} images, {self.versions} versions; removed: {self.versions_removed} versions without an "
            f"image, {self.rows_removed} images without a picture; {self.rows_renamed} images name another version now"
        )


@dataclass(slots=True)
class Reconciliation:
    """One pass over store and bucket.  Versions later than `until` are left alone; with `dry_run` all are."""

    store: Inventory
    bucket: Bucket
    until: datetime
    dry_run: bool = False
    tell: Callable[[str], None] = print
    report: Report = field(default_factory=Report)

    def run(self) -> Report:
        """Look at every label."""
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
                self.tell(f"{key}: version {version.id} has no image: removed")
                if not self.dry_run:
                    self.bucket.discard(key, version.id)

    def _named(self, row: Image, versions: list[Version]) -> str | None:
        """The version that the row names when it has been mended; None if the row is gone."""
        pictures = [version for version in versions if not version.is_marker]
        if row.version_id in {picture.id for picture in pictures} or self.bucket.has(row.id, row.version_id):
            return row.version_id
        if not pictures:
            self._remove(row)
            return None
        old = [picture.id for picture in pictures if picture.modified <= self.until]
        if not old:  # an upload in progress, which may yet take its version away
            return row.version_id
        self.report.rows_renamed += 1
        self.tell(f"{row.id}: version {row.version_id} is gone: the image names {old[0]} now")
        if not self.dry_run:
            self.store.rename_version(row, old[0])
        return old[0]

    def _remove(self, row: Image) -> None:
        self.report.rows_removed += 1
        self.tell(f"{row.id}: the picture is gone: image removed")
        if not self.dry_run:
            with suppress(PreconditionFailed):  # uploaded anew, or weighed anew: for another pass
                self.store.remove(row.label, row.name, check=partial(require_match, if_match=etag_of(row)))

    def _is_named(self, key: str, version: Version) -> bool:
        label, _, name = key.partition("/")
        row = self.store.image(label, name, consistent=True)
        return row is not None and row.version_id == version.id


def merged(versions: Iterable[Version], rows: Iterable[Image]) -> Iterator[tuple[str, list[Version], Image | None]]:
    """Each key once, with its versions and its row; both inputs are sorted by key."""
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
