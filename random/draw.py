"""Draw an image of a pool with probability exactly weight / total."""

import random
from dataclasses import dataclass

import darts
from shared import images
from shared.errors import NotFound, Unavailable
from shared.images import Pool
from shared.labels import chunks
from shared.labels.store import Store

MISSES_MAX = 100  # in a row; at most three darts in four miss, so the probability of this is below 10^-12


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawn image with its weight and the total weight of its pool, as they were read, in units.

    `gone_before` is the weight of the images at earlier positions of a session, which cannot come again.  It is 0 for
    every other draw.
    """

    label: str
    name: str
    weight: int
    total_weight: int
    gone_before: int = 0

    @property
    def id(self) -> str:
        """The image's id."""
        return f"{self.label}/{self.name}"

    @property
    def probability(self) -> float:
        """The weight / total weight of the images that could come, as the nearest floating-point number."""
        return images.probability(self.weight, self.total_weight - self.gone_before)


def draw(store: Store, pool: Pool, rng: random.Random) -> Drawn:
    """Draw an image of the pool.  Raise NotFound if it has none, Unavailable if every dart misses.

    Lanes that are out of date may show no image, or only chunks that are gone.  So if nothing was drawn, read the lanes
    again, consistently.
    """
    for consistent in (False, True):
        lanes = store.lanes(pool, consistent=consistent)
        strip = darts.strip_of(lanes)
        drawn = _throw(store, pool, strip, chunks.total_weight(lanes), rng)
        if drawn:
            return drawn
    if not strip.length:
        raise no_images_of(pool)
    raise Unavailable(f"No image of {pool} could be drawn; retry in a moment.")


def no_images_of(pool: Pool) -> NotFound:
    """Return the error for a pool without images."""
    if pool.tag:
        detail = f"There are no images of {pool}; leave tag out, or upload one with this tag by POST /upload."
        return NotFound(detail, field="tag")
    return NotFound(f"There are no images of {pool}; upload one with POST /upload.", field="label")


def _throw(store: Store, pool: Pool, strip: darts.Strip, total_weight: int, rng: random.Random) -> Drawn | None:
    """Throw darts until one hits an image.  Return None after MISSES_MAX misses, or if the strip is empty."""
    for _ in range(MISSES_MAX if strip.length else 0):
        landing = darts.locate(strip, rng.randrange(strip.length))
        weights = store.chunks(pool, [landing.chunk_number]).get(landing.chunk_number, {})
        name = darts.image_at(weights, landing.offset)
        if name and weights[name] <= total_weight:  # else the two reads disagree: state no probability above 1
            return Drawn(pool.label, name, weights[name], total_weight)
    return None
