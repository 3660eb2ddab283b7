"""Write the lanes, chunks and tags' rows of a label anew from the rows of its images, while writes are stopped.

The rows of the label are the truth: names, weights, versions and tags.  The places that follow from them are always the
same, and what is right already is not written.  So a rebuild that was killed goes on when it is run again.  It holds a
chunk of each class for the label and for each of its tags.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from shared.errors import Unavailable
from shared.images import Image, Pool
from shared.labels import chunks
from shared.labels.chunks import Lane
from shared.labels.transactions import Write
from tools.reconcile.inventory import Inventory
from tools.reconcile.placing import Filled, Placing
from tools.reconcile.rebuild_writes import Placed
from tools.reconcile.report import Findings
from tools.reconcile.streams import Rows


class Disturbed(Unavailable):
    """Another writer is at work during a rebuild."""

    def __init__(self, label: str) -> None:
        super().__init__(f"The label {label} is written to during its rebuild. Close writes, then rebuild it again.")


@dataclass(slots=True)
class Rebuild:
    """The rebuild of one label."""

    store: Inventory
    label: str
    findings: Findings
    _pools: dict[str, Placing[Placed]] = field(default_factory=dict)  # by tag, empty for the label
    _written: int = 0

    def run(self, tags: Collection[str]) -> None:
        """Rebuild the label and each of its tags; `tags` are those that have lanes."""
        every = sorted({*tags, *self._tags()})
        self._pools = {tag: Placing() for tag in ("", *every)}
        for rows in self.store.rows(self.label, every, consistent=True):
            image = None
            with self.findings.errors_of(rows.id):
                image = rows.image
            if image or not rows.own:  # a row that cannot be read gets no place
                self._place(rows, image)
        for tag, placing in self._pools.items():
            for chunk in placing.rest():
                self._write_chunk(Pool(self.label, tag), chunk)
            self._finish(Pool(self.label, tag), placing)
        self._tell(len(every))

    def _tags(self) -> set[str]:
        """Return the tags that images of the label have."""
        rows = self.store.rows_under(self.label, consistent=True)
        return {tag for row in rows for tag in row.get("tags", {}).get("SS", [])}

    def _place(self, rows: Rows, image: Image | None) -> None:
        """Give the image its place in each of its pools, and remove what stands under other tags."""
        stands = {"": rows.own, **rows.tagged}
        wanted = {pool.tag: stands.get(pool.tag) for pool in image.pools} if image else {}
        for tag, row in wanted.items():
            if image and (chunk := self._pools[tag].add(image.weight, Placed(image, row))):
                self._write_chunk(Pool(self.label, tag), chunk)
        for tag in rows.tagged.keys() - wanted.keys():
            self._write([self.store.rebuilding.no_row(Pool(self.label, tag), rows.name)])

    def _write_chunk(self, pool: Pool, chunk: Filled[Placed]) -> None:
        """Write a chunk and the rows of its images in one transaction, if any of them is not as it should be."""
        rows = [self.store.rebuilding.row(pool, placed, chunk.number) for placed in chunk.images]
        changes = [row for row in rows if row]
        whole = self.store.rebuilding.chunk(pool, chunk)
        (stored,) = self.store.snapshot([self.store.chunk_key(pool, chunk.number)])
        if changes or stored != whole["Put"]["Item"]:
            self._write([*changes, whole])

    def _finish(self, pool: Pool, placing: Placing[Placed]) -> None:
        """Delete the chunks that are left over, then write the lanes, which show the new chunks to draws."""
        for item in self.store.chunk_items(pool):
            number = int(item["chunkNumber"]["N"])
            if not placing.has(number):
                self._write([self.store.rebuilding.no_chunk(pool, number)])
        found = self.store.lanes(pool, consistent=True)
        wanted = {number: _after(found.get(number), lane) for number, lane in placing.lanes().items()}
        writes = [
            self.store.rebuilding.lane(pool, lane) for number, lane in wanted.items() if found.get(number) != lane
        ]
        writes += [self.store.rebuilding.no_chunk(pool, number) for number in found if number not in wanted]
        if writes:
            self._write(writes)

    def _write(self, writes: list[Write]) -> None:
        self._written += len(writes)
        if self.findings.dry_run:
            return
        try:
            self.store.write(writes)
        except Unavailable as error:
            raise Disturbed(self.label) from error

    def _tell(self, tags: int) -> None:
        self.findings.report.labels_rebuilt += 1
        images = chunks.image_count(self._pools[""].lanes())
        rebuilt, written = ("would be rebuilt", "would be written") if self.findings.dry_run else ("rebuilt", "written")
        sources = f"{images} images and {tags} tags"
        self.findings.log(f"{self.label}: {rebuilt} from {sources}; {self._written} items {written}")


def _after(found: Lane | None, lane: Lane) -> Lane:
    """Return the lane as it is written in place of the one that was found; that one, if it counts right.

    It goes on counting openings, so that containers which remember the old layout do not take it for the new one.
    """
    opened = found.opened if found else 0
    counted = replace(lane, opened=opened)
    return counted if counted == found else replace(lane, opened=opened + 1)
