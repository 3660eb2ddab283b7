"""Walk through all images of a pool in the random order of a session, one image a request; nothing is stored."""

import session_order
from bulk_reads import Rows
from draw import Drawn
from pools import no_images_of
from shared.errors import UnprocessableValue
from shared.images import Pool
from shared.labels import chunks
from shared.labels.reading import Reader
from shared.labels.retries import LostRace, retried

IMAGES_MAX = 1000  # of a pool, because each request reads the weights of all of them, up to 60 kB


def image_at_position(reader: Reader, rows: Rows, pool: Pool, session: str, position: int) -> Drawn:
    """Return the image at this position of the session's order, with its probability to come there.

    Positions start at 0.  Raise NotFound if the pool has no images, UnprocessableValue if it has too many, or too few
    for the position.
    """

    def attempt(again: bool) -> Drawn:
        lanes = reader.lanes(pool, consistent=again)
        count, total_weight = chunks.image_count(lanes), chunks.total_weight(lanes)
        _check(count, position, pool)
        weights = rows.weights(pool)
        if (len(weights), sum(weights.values())) != (count, total_weight):  # the two reads straddle a write
            raise LostRace
        *before, name = session_order.names_in_order(weights, session)[: position + 1]
        return Drawn(pool.label, name, weights[name], total_weight, sum(weights[other] for other in before))

    return retried(attempt)


def _check(count: int, position: int, pool: Pool) -> None:
    """Refuse a session of too many images, and a position beyond the last image."""
    if not count:
        raise no_images_of((pool,))
    if count > IMAGES_MAX:
        raise UnprocessableValue(
            f"session works for at most {IMAGES_MAX} images, and {pool} has {count}; draw without session.",
            field="session",
        )
    if position >= count:
        raise UnprocessableValue(
            f"position must be below {count}, the number of images of {pool}; start another session at 0.",
            field="position",
        )
