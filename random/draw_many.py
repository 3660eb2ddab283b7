"""Draw one image or several of pools, of which some images are left out; docs/explanation/draws.md has the proof."""

import random
from collections.abc import Collection
from dataclasses import dataclass, replace

import remaining
from bulk_reads import Rows
from draw import Drawn
from draws import Draws
from pools import Pools, named
from shared import images
from shared.errors import Unavailable
from shared.images import Image
from shared.labels.reading import Reader
from shared.labels.retries import LostRace, retried

ROW_READS_MAX = 4  # if images are deleted between the draw and the read of their rows
SPARE_DARTS = 12  # of a round, besides three for two images: a round for the last few rarely needs another
SPARE_DART = 1  # of a draw of one image: so it throws two at a time, as a container that knows no chunk


@dataclass(frozen=True, slots=True)
class DrawnImages:
    """The images with their weights and probabilities at the draw, in the order of the draws."""

    images: list[tuple[Image, float]]
    total_weight: int


def draw_one(reader: Reader, rows: Rows, pools: Pools, excluded: Collection[str], rng: random.Random) -> Drawn:
    """Draw an image of the pools, but none of these ids, with probability weight / total weight of the others.

    Raise NotFound if there is none.
    """

    def attempt(again: bool) -> tuple[str, int, int]:
        left = remaining.read(reader, rows, pools, excluded, 1, again=again)
        draws = Draws(reader, left.strip, rng, distinct=False, excluded=excluded)
        ((image_id, weight),) = draws.take(1, spare=SPARE_DART, beside=left.to_cut)
        return image_id, weight, left.total_weight

    image_id, weight, total_weight = retried(attempt)
    label, _, name = image_id.partition("/")
    return Drawn(label, name, weight, _total_of(reader, pools, excluded, total_weight, at_least=weight))


def draw_many(
    reader: Reader,
    rows: Rows,
    pools: Pools,
    count: int,
    rng: random.Random,
    *,
    distinct: bool,
    excluded: Collection[str] = (),
) -> DrawnImages:
    """Draw `count` images of the pools, but none of the ids in `excluded`.

    Raise NotFound if there is none, UnprocessableValue if `distinct` needs more than there are.

    With `distinct`, an image's probability is its weight / the total weight of the images not drawn before it.
    An image deleted during the request is skipped and not counted in the total weight.  The others keep their exact
    probabilities.
    """

    def attempt(again: bool) -> tuple[list[Image], int]:
        left = remaining.read(reader, rows, pools, excluded, count if distinct else 1, again=again)
        draws = Draws(reader, left.strip, rng, distinct=distinct, excluded=excluded)
        kept: list[Image] = []
        gone = 0
        for _ in range(ROW_READS_MAX):
            drawn = draws.take(count - len(kept), spare=SPARE_DARTS, beside=left.to_cut)
            found = rows.images([image_id for image_id, _ in drawn])
            kept += [replace(found[image_id], weight=weight) for image_id, weight in drawn if image_id in found]
            missing = {image_id: weight for image_id, weight in drawn if image_id not in found}
            if not missing:
                return kept, left.total_weight - gone
            draws.exclude(missing)
            gone += sum(missing.values())
        raise Unavailable(f"Too many drawn images of {named(pools)} were deleted meanwhile; retry in a moment.")

    kept, total_weight = retried(attempt)
    weights = [image.weight for image in kept]
    at_least = sum(weights) if distinct else max(weights)
    return _with_probability(
        kept, _total_of(reader, pools, excluded, total_weight, at_least=at_least), distinct=distinct
    )


def _total_of(reader: Reader, pools: Pools, excluded: Collection[str], total_weight: int, *, at_least: int) -> int:
    """Return the total weight.  If it is too small for what was drawn, which was read at another time, read it again.

    What was drawn stays.  To draw again because of it would draw heavy images too rarely.
    """

    def attempt(_: bool) -> int:
        total = remaining.at_one_moment(reader, pools, excluded).total_weight
        if total < at_least:
            raise LostRace
        return total

    return total_weight if total_weight >= at_least else retried(attempt)


def _with_probability(drawn: list[Image], total_weight: int, *, distinct: bool) -> DrawnImages:
    """Add the probabilities."""
    rest, drawn_images = total_weight, []
    for image in drawn:
        drawn_images.append((image, images.probability(image.weight, rest)))
        if distinct:
            rest -= image.weight
    return DrawnImages(drawn_images, total_weight)
