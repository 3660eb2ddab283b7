"""Compare the rows of images with tiles and vectors, both ways, and put what differs into the queue of index/.

Only pages are held in memory. The function does the work, so it does not matter who finds what differs, or how often.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice

from shared import aws
from shared.images import is_image_path
from shared.index_queue import IndexQueue, of_id
from shared.index_state import Need, Observer, Seen, name_of
from shared.settings import Settings
from shared.tiles import Tiles
from shared.vectors.vector_index import VectorIndex
from tools.reconcile.inventory import Inventory
from tools.reconcile.report import Findings

PAGE = 100  # images that are looked at in one step: what BatchGetItem and GetVectors take
FINDINGS = {
    Need.PICTURE: "is not indexed",
    Need.LABELS: "was not recognised",
    Need.WORDS: "is indexed with other tags, file name or labels",
    Need.REMOVAL: "is indexed, and there is no such image",
}


WITH_ROW, WITHOUT_ROW = (Need.PICTURE, Need.LABELS, Need.WORDS), (Need.REMOVAL,)


@dataclass(slots=True)
class IndexReport:
    """How many images were compared, how many of them go to the queue, and how many are left to index then."""

    dry_run: bool = False
    compared: int = 0
    queued: int = 0
    left: int = 0
    unreadable: int = 0
    errors: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether everything was compared."""
        return not self.unreadable and not self.errors

    def __str__(self) -> str:
        queued = "would be queued" if self.dry_run else "queued"
        counts = f"index: {self.compared} images compared, {self.queued} {queued}, {self.left} left to index"
        more = {"rows that cannot be read": self.unreadable, "errors": self.errors}
        return "; ".join([counts, *(f"{count} {what}" for what, count in more.items() if count)])


@dataclass(frozen=True, slots=True)
class Stores:
    """What is compared, and the queue; `vectors` is None if there is no encoder."""

    inventory: Inventory
    observer: Observer
    tiles: Tiles
    vectors: VectorIndex | None
    queue: IndexQueue


@dataclass(slots=True)
class IndexReconciliation:
    """One pass over the index of this name, which is empty if there is no encoder.

    At most `rate` images a second go to the queue; 0 means as many as there are.  With `wants_labels`, an image whose
    picture was not recognised differs, too.  `stopped` says whether to end early.
    """

    stores: Stores
    index: str
    dry_run: bool = False
    rate: float = 0.0
    wants_labels: bool = False
    log: Callable[[str], None] = print
    stopped: Callable[[], bool] = lambda: False
    sleep: Callable[[float], None] = time.sleep
    report: IndexReport = field(default_factory=IndexReport)

    def run(self) -> IndexReport:
        """Compare both ways, and return the report."""
        self.compare_rows()
        self.compare_entries()
        return self.count_left()

    def run_key(self, key: str) -> IndexReport:
        """Compare one image, which may be gone, and return the report."""
        self._compare([key], (*WITH_ROW, *WITHOUT_ROW))
        return self.count_left()

    def compare_rows(self) -> None:
        """Look for images that are not indexed as they are."""
        with self._errors("labels"):
            for label in sorted(self.stores.inventory.labels()):
                rows = self.stores.inventory.rows_under(label)
                self._compare((f"{label}/{row['s3key']['S']}" for row in rows), WITH_ROW)

    def compare_entries(self) -> None:
        """Look for vectors and tiles whose image is gone."""
        if vectors := self.stores.vectors:
            self._compare((vector.key for page in vectors.pages() for vector in page), WITHOUT_ROW)
        self._compare((image_id for page in self.stores.tiles.pages() for image_id in page), WITHOUT_ROW)

    def count_left(self) -> IndexReport:
        """Note how many images are left to index, and return the report."""
        self.report.dry_run = self.dry_run
        self.report.left = self.report.queued
        if not self.dry_run:
            with self._errors("queue"):
                self.report.left = self.stores.queue.waiting()
        return self.report

    def _compare(self, ids: Iterable[str], kinds: Collection[Need]) -> None:
        """Queue the images that need one of these kinds of work."""
        with self._errors("index"):
            for page in pages_of(filter(is_id, ids), PAGE):
                if self.stopped():
                    return
                with self._errors(page[0]):
                    self._compare_page(page, kinds)

    def _compare_page(self, page: list[str], kinds: Collection[Need]) -> None:
        seen = self.stores.observer.look(page)
        if kinds != WITHOUT_ROW:  # each image is counted once
            self.report.compared += len(seen)
            self._report_damage(seen)
        self._queue([each for each in seen if self._need(each) in kinds])

    def _report_damage(self, seen: list[Seen]) -> None:
        for each in seen:
            if each.damage:
                self.log(f"{each.id}: its row cannot be read ({each.damage})")
                self.report.unreadable += 1

    def _need(self, seen: Seen) -> Need:
        if seen.damage:
            return Need.NOTHING
        return seen.need(self.index, wants_labels=self.wants_labels)

    def _queue(self, found: list[Seen]) -> None:
        for each in found:
            outcome = "would be queued" if self.dry_run else "queued"
            self.log(f"{each.id}: {FINDINGS[self._need(each)]}: {outcome}")
        self.report.queued += len(found)
        if found and not self.dry_run:
            self.stores.queue.put(of_id(each.id) for each in found)
            self.sleep(len(found) / self.rate if self.rate else 0.0)

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        """Tell and count a failure, and go on with the next page."""
        findings = Findings(log=self.log)
        with findings.errors_of(what):
            yield
        self.report.errors += findings.report.errors


def is_id(text: str) -> bool:
    """Return whether an image can have this id."""
    label, _, name = text.partition("/")
    return is_image_path(label, name)


def index_reconciliation(
    settings: Settings, inventory: Inventory, *, dry_run: bool = False, rate: float = 0.0, wants_labels: bool = False
) -> IndexReconciliation:
    """Return a pass over what these settings name, with the AWS credentials of the environment."""
    index, tiles = name_of(settings.vector_index), Tiles(aws.dynamodb(), settings.tiles_table)
    vectors = VectorIndex(aws.s3vectors(), settings.vector_index) if index else None
    observer = Observer(aws.dynamodb(), settings, tiles, vectors)
    stores = Stores(inventory, observer, tiles, vectors, IndexQueue(aws.sqs(), settings.index_queue))
    return IndexReconciliation(stores, index, dry_run=dry_run, rate=rate, wants_labels=wants_labels)


def pages_of(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    """Yield lists of at most so many ids, each id once in a list."""
    iterator = iter(ids)
    while page := list(dict.fromkeys(islice(iterator, size))):
        yield page
