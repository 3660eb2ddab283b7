"""Whether the lanes and chunks of a pool agree with its rows, also while it is written to."""

from shared.images import Pool
from tools.reconcile import tally
from tools.reconcile.inventory import Inventory
from tools.reconcile.tally import Difference

PASSES = 4


class WrittenTo(Exception):
    """The pool is written to all the time, so that it cannot be compared."""


def difference(store: Inventory, pool: Pool) -> Difference | None:
    """Return how rows, chunks and lanes of a pool differ; None if they agree.  Raise WrittenTo if that cannot be said.

    They are read one after the other, so a write in between also makes a difference.  But it changes the lanes, and
    hardly makes the same difference twice.
    """
    before = None
    for _ in range(PASSES):
        lanes = store.lanes(pool, consistent=True)
        rows = tally.of_rows(store.rows_under(pool.key, consistent=True))
        held = tally.of_chunks(store.chunk_items(pool))
        found = tally.difference(rows, held, lanes)
        is_quiet = lanes == store.lanes(pool, consistent=True)
        if found is None or (is_quiet and found == before):
            return found
        before = found if is_quiet else None
    raise WrittenTo
