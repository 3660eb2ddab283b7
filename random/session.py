"""Walk through all images of a label in a random order of one's own, one image a request; nothing is stored."""

import session_order
from bulk_reads import Rows
from draw import Drawn, none_of
from shared.errors import UnprocessableValue
from shared.images import Pool
from shared.labels import chunks
from shared.labels.retries import LostRace, retried
from shared.labels.store import Store

IMAGES_MAX = 1000  # of a label: each request reads the weights of all, up to 60 kB


def image_at_position(store: Store, rows: Rows, pool: Pool, session: str, position: int) -> Drawn:
    """The image at this position, from 0, of the session's order; with the probability that it was to come there.

    NotFound if the label has no images, UnprocessableValue if it has too many, or none at this position.
    """

    def attempt(again: bool) -> Drawn:
        lanes = store.lanes(pool, consistent=again)
        count, total_weight = chunks.count(lanes), chunks.total_weight(lanes)
        _check(count, position, pool)
        weights = rows.weights(pool)
        if (len(weights), sum(weights.values())) != (count, total_weight):  # the two reads straddle a write
            raise LostRace
        *before, name = session_order.names_in_order(weights, session)[: position + 1]
        return Drawn(pool.label, name, weights[name], total_weight, sum(weights[other] for other in before))

    return retried(attempt)


def _check(count: int, position: int, pool: Pool) -> None:
    """Refuse what a label of so many images has no place for."""
    if not count:
        raise none_of(pool)
    if count > IMAGES_MAX:
        raise UnprocessableValue(
            f"A session takes labels of at most {IMAGES_MAX} images, and {pool} has {count}; draw without session.",
            field="session",
        )
    if position >= count:
        raise UnprocessableValue(
            f"position must be below {count}, the number of images of {pool}; begin another session to go on.",
            field="position",
        )
