"""The pools that a draw chooses from: those that the query names, and their lanes, as if they were of one pool.

One law holds over all of them: weight / total weight of all their images.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial

from shared import images
from shared.errors import NotFound, UnprocessableValue
from shared.images import Pool
from shared.labels.chunks import Lane
from shared.labels.items import Chunk
from shared.labels.reading import Reader
from shared.parallel import beside

LABELS_MAX = 5  # of a draw; their lanes are read at the same time, for 0.5 read units each

Pools = tuple[Pool, ...]  # sorted, so that the order in which a query names labels means nothing to a seed


def parse(labels: str, tag: str | None) -> Pools:
    """Parse labels, separated by commas, and a tag that all images must have.

    Raise UnprocessableValue if one breaks its rule, if a label occurs twice, or if there are too many.
    """
    texts = labels.split(",")
    if len(texts) > LABELS_MAX:
        detail = f"label has {len(texts)} labels; name at most {LABELS_MAX}, or send several requests."
        raise UnprocessableValue(detail, field="label")
    if len(texts) > 1 and not all(text.strip(" \t\r\n") for text in texts):
        detail = "label has a comma without a label beside it; remove it, or name several labels such as cat,dog."
        raise UnprocessableValue(detail, field="label")
    names = [_label(text, is_one_of_several=len(texts) > 1) for text in texts]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UnprocessableValue(f"label names {twice} twice; name each label once.", field="label")
    return tuple(sorted(Pool(name, "" if tag is None else images.parse_tag(tag)) for name in names))


def _label(text: str, *, is_one_of_several: bool) -> str:
    try:
        return images.parse_label(text)
    except UnprocessableValue as refusal:
        said = f" {text.strip()[:40]!r} is none." if is_one_of_several else " Separate several by commas."
        raise UnprocessableValue(refusal.detail + said, field="label") from refusal


def named(pools: Pools) -> str:
    """Return the pools as an error names them: cat, dog or owl with the tag small."""
    *others, last = pools
    return f"{', '.join(pool.label for pool in others)} or {last}" if others else str(last)


def no_images_of(pools: Pools) -> NotFound:
    """Return the error for pools without images."""
    if pools[0].tag:
        detail = f"There are no images of {named(pools)}; leave tag out, or upload one with this tag by POST /upload."
        return NotFound(detail, field="tag")
    return NotFound(f"There are no images of {named(pools)}; upload one with POST /upload.", field="label")


def lanes_of(reader: Reader, pools: Sequence[Pool], *, consistent: bool) -> Mapping[Chunk, Lane]:
    """Return the lanes of all pools, which are read at the same time."""
    first, *others = pools
    with ExitStack() as stack:
        waits = [stack.enter_context(beside(partial(reader.lanes, pool, consistent=consistent))) for pool in others]
        found = [reader.lanes(first, consistent=consistent), *(wait() for wait in waits)]
    return {
        place: lane for pool, lanes in zip(pools, found, strict=True) for place, lane in of_pool(pool, lanes).items()
    }


def of_pool(pool: Pool, lanes: Mapping[int, Lane]) -> dict[Chunk, Lane]:
    """Return the lanes of one pool as those of several are returned."""
    return {(pool, number): lane for number, lane in lanes.items()}
