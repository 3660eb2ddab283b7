"""Compare all that is stored of images, label by label, and repair what a crash, a bug or a restore left.

- No row names a version: remove the version.
- A row names a version that is gone or damaged, and the bucket has a whole one of the same picture: name that one.
- A row names a version that is gone, and the bucket has no other: remove the image from its label, like a delete.
- An image's rows under its tags disagree with its row under its label: let them agree.
- A label is missing in the list of labels: add it.
- Lanes and chunks disagree with the rows: tell it.  Only a rebuild repairs this, while writes are stopped (rebuild.py).

Each is read again, consistently, before the repair, and each repair is one transaction, beside any traffic.  All is
read as sorted streams, so the memory does not grow with a label's images: it holds the names of all labels and tags,
and of each stream a page.
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from shared.api.etags import etag_of, require_match
from shared.errors import PreconditionFailed
from shared.images import Image, Pool
from shared.pictures.bucket import Bucket, ThumbnailBucket, Version
from tools.reconcile import comparing, streams
from tools.reconcile.comparing import WrittenTo
from tools.reconcile.inventory import Inventory
from tools.reconcile.rebuild import Rebuild
from tools.reconcile.report import Findings, Report, patiently
from tools.reconcile.streams import Rows, merged

MIN_AGE = timedelta(hours=1)  # for some seconds, an upload in progress has a version but no row
ALL = "*"  # all labels


class Reconciliation:
    """One pass over store and bucket.  It keeps versions later than `until`."""

    def __init__(
        self,
        store: Inventory,
        bucket: Bucket,
        until: datetime,
        *,
        dry_run: bool = False,
        log: Callable[[str], None] = print,
    ) -> None:
        self._store, self._bucket, self._until = store, bucket, until
        self._findings = Findings(dry_run, log)

    def run(self, *, rebuild: str = "") -> Report:
        """Compare every label and return the report.  First rebuild the label with this name, `*` for all of them."""
        with self._findings.errors_of("labels"):
            if rebuild:
                self._rebuild(rebuild)
            tags_of, listed = self._store.labels(), self._store.listed()
            for label in sorted({*tags_of, *self._bucket.labels()}):
                with self._findings.errors_of(label):
                    self._label(label, tags_of.get(label, set()), is_listed=label in listed, has_lanes=label in tags_of)
        return self._findings.report

    def _rebuild(self, wanted: str) -> None:
        tags_of = self._store.labels()
        known = {*tags_of, *self._bucket.labels()}
        if wanted not in (ALL, *known):
            self._findings.cannot_repair(f"{wanted}: there is no label of this name")
        for label in sorted(known if wanted == ALL else known & {wanted}):
            with self._findings.errors_of(label):
                Rebuild(self._store, label, self._findings).run(tags_of.get(label, set()))

    def run_key(self, key: str, thumbnails: ThumbnailBucket) -> Report:
        """Remove the versions of one key that no image names, and its thumbnails if there is no image.

        Return the report.
        """
        with self._findings.errors_of(key):
            versions = [version for version in self._bucket.versions(key) if version.key == key]
            self._findings.report.versions += len(versions)
            self._compare_versions(key, versions)
            if not self._image(key) and not self._findings.dry_run and not thumbnails.discard(key):
                self._findings.cannot_repair(f"{key}: its thumbnails could not be removed")
        return self._findings.report

    def _label(self, label: str, tags: set[str], *, is_listed: bool, has_lanes: bool) -> None:
        used, report = set(tags), self._findings.report
        has_rows = has_lanes
        for key, versions, rows in merged(self._bucket.versions(f"{label}/"), self._store.rows(label, tags)):
            report.versions += len(versions)
            with self._findings.errors_of(key):
                image = rows.image if rows else None
                report.images += image is not None
                used.update(image.tags if image else ())
                has_rows = has_rows or rows is not None
                self._compare(key, versions, rows, image)
        if has_rows and not is_listed:
            self._list(label)
        for pool in (Pool(label, tag) for tag in ("", *sorted(used))):
            with self._findings.errors_of(str(pool)):
                self._compare_chunks(pool)

    def _compare(self, key: str, versions: list[Version], rows: Rows | None, image: Image | None) -> None:
        if rows and streams.differences(rows):
            self._mend(rows)
        if image is None or [(v.id, v.size) for v in versions] != [(image.version_id, image.size)]:
            self._compare_versions(key, versions)

    def _compare_versions(self, key: str, versions: list[Version]) -> None:
        """Let the image, as it is now, name a whole version, and remove the others.

        What the streams have of the image may be old: a version that seems to have no image may be its only one.
        """
        image = self._image(key)
        keep = self._whole(image, versions) if image else set()
        self._discard_unnamed(key, versions, keep=keep)

    def _mend(self, rows: Rows) -> None:
        """Let the rows of an image under tags agree with its own row."""
        found = patiently(partial(self._store.disagreements, rows.label, rows.name, rows.tagged.keys()))
        if found:
            mend = partial(self._store.mend, rows.label, rows.name, rows.tagged.keys())
            self._findings.repair(f"{rows.id}: {', '.join(found)}", "mended", mend, "rows_mended")

    def _discard_unnamed(self, key: str, versions: list[Version], *, keep: Collection[str]) -> None:
        """Remove the versions that are old enough and that no image names.

        If there is an image that does not name what `keep` has, it has come or changed since: leave it for later.
        """
        for version in versions:
            if version.id in keep or version.modified > self._until:
                continue
            if (image := self._image(key)) and image.version_id not in keep:
                continue
            finding, discard = (
                f"{key}: version {version.id} has no image",
                partial(self._bucket.discard, key, version.id),
            )
            if not self._findings.repair(finding, "removed", discard, "versions_removed"):
                self._findings.cannot_repair(f"{finding}, and could not be removed")

    def _whole(self, image: Image, versions: list[Version]) -> set[str]:
        """Let the image name a version that is there and whole.  Return the versions to keep."""
        pictures = [version for version in versions if not version.is_marker]
        sizes = {picture.id: picture.size for picture in pictures}
        size = sizes.get(image.version_id)
        if size is None:
            size = self._bucket.size(image.id, image.version_id)
        if size == image.size:
            return {image.version_id}
        finding = f"{image.id}: version {image.version_id} "
        finding += "is gone" if size is None else f"has {size} bytes instead of {image.size}"
        old = [picture for picture in pictures if picture.modified <= self._until and picture.id != image.version_id]
        if whole := [picture.id for picture in old if picture.size == image.size]:
            rename = partial(self._store.rename_version, image, whole[0])
            self._findings.repair(finding, f"replaced by version {whole[0]}", rename, "rows_renamed")
        elif size is None and not pictures:
            self._findings.repair(finding, "image removed", partial(self._remove, image), "rows_removed")
        elif old or size is not None:
            self._findings.cannot_repair(f"{finding}, and no version has its {image.size} bytes")
        # All others stay until the next pass: an upload in progress may still remove its version, and another pass one
        # that it found unnamed before it was named here.
        return {image.version_id, *sizes}

    def _remove(self, image: Image) -> bool:
        with suppress(PreconditionFailed):  # uploaded or edited meanwhile: leave it to the next pass
            check = partial(require_match, if_match=etag_of(image))
            return self._store.remove(image.label, image.name, check=check) is not None
        return False

    def _image(self, key: str) -> Image | None:
        label, _, name = key.partition("/")
        return self._store.image(label, name, consistent=True)

    def _list(self, label: str) -> None:
        def add() -> bool:
            self._store.list_label(label)
            return True

        self._findings.repair(f"{label}: missing in the list of labels", "added", add, "labels_listed")

    def _compare_chunks(self, pool: Pool) -> None:
        try:
            found = comparing.difference(self._store, pool)
        except WrittenTo:
            self._findings.report.not_compared += 1
            return
        if found:
            self._findings.cannot_repair(f"{pool}: {found}; repair it with make reconcile REBUILD={pool.label}")
