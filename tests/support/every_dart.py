"""Every dart once, through the shipped draw: what each of them hits, for reads of chosen moments.

A draw reads the lanes and a chunk in either order, and remembers a strip of long ago.  Here each of these reads returns
the chunk table as it was at a moment of its own, and the random generator gives one dart after the other.
"""

import itertools
import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

import darts
import draw
from foresight import Memory
from pools import Pools, of_pool
from shared.errors import Unavailable
from shared.images import Pool
from shared.labels import chunks, items
from shared.labels.chunks import Lane
from shared.labels.store import Store
from tests.support import invariants, memory_label
from tests.support.memory_aws import CHUNKS, IMAGES, DynamoDB, Key, World
from tests.support.memory_label import POOL
from tests.support.simulation import SETTINGS, shipped_code_on

MISSED, FAILED = "missed", "failed"
ONE, TWINS = (POOL,), (Pool("cat"), Pool("dog"))
NEAR = 40  # transactions between the reads of a draw and what it remembers, at most

Moment = Mapping[Key, Any]  # the items of the chunk table


class Missed(BaseException):
    """All darts that were to be thrown have missed."""


class Given(random.Random):
    """A generator that gives these darts."""

    def __init__(self, given: Sequence[int]) -> None:
        super().__init__(0)
        self.left = list(given)

    def randrange(self, stop: int, *_: Any) -> int:  # type: ignore[override]
        """Return the next dart."""
        if not self.left:
            raise Missed
        dart = self.left.pop(0)
        assert 0 <= dart < stop
        return dart


class Reads(DynamoDB):
    """DynamoDB whose lanes are those of one moment, and whose chunks those of another; some cannot be read.

    A transaction reads the lanes, and the rows of the images that the chunks have.
    """

    def __init__(self, lanes: Moment, chunks: Moment, unread: Collection[int] = ()) -> None:
        super().__init__(World(random.Random(0)))
        self._moments = {"query": lanes, "batch_get_item": chunks, "transact_get_items": lanes}
        self.world.tables[IMAGES] = rows_of(chunks)
        self._unread = set(unread)
        self.calls: Counter[str] = Counter()
        self.world.pause = self._turn

    def _turn(self, call: str) -> None:
        self.calls[call] += 1
        self.world.tables[CHUNKS] = dict(self._moments[call])

    def batch_get_item(self, *, RequestItems: Any) -> Any:
        """Return the chunks that can be read, and the keys of the others as throttling leaves them."""
        ((table, request),) = RequestItems.items()
        keys = request["Keys"]
        left = [key for key in keys if int(key["chunkNumber"]["N"]) in self._unread]
        asked = [key for key in keys if key not in left]
        if not asked:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "BatchGetItem")
        answer = super().batch_get_item(RequestItems={table: {**request, "Keys": asked}})
        return {**answer, "UnprocessedKeys": {table: {**request, "Keys": left}} if left else {}}


def side_by_side(first: Sequence[Moment], second: Sequence[Moment]) -> list[Moment]:
    """Return the history of two labels, TWINS, in turn: the one that the first has, and the other the second."""
    history, moments = list[Moment](), [dict[Key, Any](), dict[Key, Any]()]
    for step in range(2 * min(len(first), len(second))):
        which = step % 2
        moment = (first, second)[which][step // 2]
        label = TWINS[which].key
        moments[which] = {
            (label, key[1]): {**item, "label": {"S": label}} for key, item in moment.items() if key[0] == POOL.key
        }
        history.append(moments[0] | moments[1])
    return history


def lanes_of(moment: Moment, pool: Pool = POOL) -> dict[int, Lane]:
    """Return the lanes of a label at a moment."""
    numbered = {int(key[1]): item for key, item in moment.items() if key[0] == pool.key}
    return {number: items.lane(item) for number, item in numbered.items() if number < chunks.FIRST_CHUNK_NUMBER}


def chunks_of(moment: Moment, pool: Pool = POOL) -> dict[int, dict[str, int]]:
    """Return the chunks of a label at a moment."""
    numbered = {int(key[1]): item for key, item in moment.items() if key[0] == pool.key}
    return {number: items.weights(item) for number, item in numbered.items() if number >= chunks.FIRST_CHUNK_NUMBER}


def rows_of(moment: Moment) -> dict[Key, Any]:
    """Return a row for each image in the chunks of a moment."""
    rows: dict[Key, Any] = {}
    for (label, number), item in moment.items():
        for name, weight in item.get("images", {"M": {}})["M"].items():
            place = {"chunkNumber": {"N": number}, "weight": weight, "versionId": {"S": "v"}}
            rows[label, name] = {**items.image_key(label, name), **place}
    return rows


def strip_at(moment: Moment, pools: Pools = ONE) -> darts.Strip:
    """Return the strip of some labels at a moment."""
    each = (of_pool(pool, lanes_of(moment, pool)) for pool in pools)
    return darts.strip_of({place: lane for lanes in each for place, lane in lanes.items()})


def one_at_a_time(strip: darts.Strip | None, pools: Pools = ONE) -> Memory:
    """Return a memory of a strip, and of no chunk, that throws one dart a row."""
    return knowing(strip, Memory(unknown=1), pools) if strip else Memory(unknown=1)


def knowing(strip: darts.Strip, memory: Memory | None = None, pools: Pools = ONE) -> Memory:
    """Return a memory that has seen this strip of these labels twice."""
    memory = memory or Memory()
    for _ in range(2):
        memory.keep_strip(pools, strip)
    return memory


def hit(reads: Reads, memory: Memory, *given: int, pools: Pools = ONE) -> str:
    """Return the name of the image that these darts draw, for several labels its id; MISSED or FAILED if none."""
    store = Store(reads, SETTINGS)  # type: ignore[arg-type]
    try:
        drawn, _ = draw.draw(store, pools, Given(given), "{}/{}".format, memory)
        return drawn.name if pools == ONE else drawn.id
    except Missed:
        return MISSED
    except (ClientError, Unavailable):
        return FAILED


def hits(reads: Reads, remembered: darts.Strip | None, length: int, *before: int, pools: Pools = ONE) -> Counter[str]:
    """Return how many of all darts on a strip of this length hit each image, thrown after these."""
    with shipped_code_on(reads.world):
        memories = (one_at_a_time(remembered, pools) for _ in range(length))
        return Counter(hit(reads, memory, *before, dart, pools=pools) for dart, memory in enumerate(memories))


def in_turn(history: Sequence[Moment], rng: random.Random, *, count: int, longest: int, pools: Pools = ONE) -> int:
    """Check draws whose reads are of different moments of this history.  Return how many rows counted ahead.

    Each image in a chunk that the lanes count is hit by exactly its weight in darts.  An image that nobody touched
    between the reads is one of them.  A row on a strip that was not confirmed does not count, wherever it falls.
    """
    ahead, strips = 0, [strip_at(moment, pools) for moment in history]
    for number in range(count):
        start = rng.randrange(len(history))
        near = range(start, min(start + NEAR, len(history)))
        of_lanes, of_chunks = (rng.choice(near) for _ in range(2))
        if number % 2:  # the layout is the same again, and the chunk was read in between
            of_lanes = max(moment for moment in near if strips[moment].segments == strips[start].segments)
            of_chunks = rng.choice(range(start, of_lanes + 1))
        remembered, strip = strips[start], strips[of_lanes]
        if not 0 < strip.length <= longest:
            continue
        is_confirmed = remembered == strip
        if not is_confirmed:
            of_chunks = max(of_lanes, of_chunks)  # then they are read one after the other
        before = [] if is_confirmed or not remembered.length else [rng.randrange(remembered.length)]
        reads = Reads(history[of_lanes], history[of_chunks])
        found = hits(reads, remembered, strip.length, *before, pools=pools)
        assert reads.calls["query"] == found.total() * len(pools), (
            "the lanes are read again because a strip was refused"
        )
        del found[MISSED]
        assert found == known(history[of_lanes], history[of_chunks], pools)
        between = history[min(of_lanes, of_chunks) : max(of_lanes, of_chunks) + 1]
        assert untouched(between, pools) <= found.items(), "an image that nobody touched is never drawn"
        ahead += is_confirmed
    return ahead


def known(of_lanes: Moment, of_chunks: Moment, pools: Pools) -> dict[str, int]:
    """Return the weights of the images in the chunks that the lanes count, by name or id as `hit` has it."""
    found: dict[str, int] = {}
    for pool in pools:
        lanes = lanes_of(of_lanes, pool)
        for number, weights in chunks_of(of_chunks, pool).items():
            if invariants.knows(lanes, number):
                found |= {shown(pool, name, pools): weight for name, weight in weights.items()}
    return found


def shown(pool: Pool, name: str, pools: Pools) -> str:
    """Return an image as `hit` has it."""
    return name if pools == ONE else f"{pool.label}/{name}"


def untouched(moments: Sequence[Moment], pools: Pools = ONE) -> set[tuple[str, int]]:
    """Return name, or id, and weight of the images that have one weight at all these moments."""
    at_each = [
        {
            (shown(pool, name, pools), weight)
            for pool in pools
            for weights in chunks_of(moment, pool).values()
            for name, weight in weights.items()
        }
        for moment in moments
    ]
    return set.intersection(*at_each)


def check_failed_reads(*, is_remembered: bool) -> None:
    """Check that a dart on a chunk that cannot be read fails the draw.

    With another dart, the images of a throttled chunk would be drawn too rarely.
    """
    moment, (busy, _) = of_one_chunk_each(2)
    strip = strip_at(moment)
    found = hits(Reads(moment, moment, unread={busy}), strip if is_remembered else None, strip.length)
    assert found == {FAILED: 8, MISSED: 3, name_of(1): 5}, "a chunk that cannot be read changes the law"


def check_order() -> None:
    """Check that a hit before a chunk that cannot be read is answered, and that a miss before it is not passed over."""
    moment, (busy, _) = of_one_chunk_each(2)
    reads, strip = Reads(moment, moment, unread={busy}), strip_at(moment)
    outcomes: dict[str, set[str]] = {}
    with shipped_code_on(reads.world):
        for row in itertools.permutations(range(strip.length), 2):
            kinds = ["busy" if dart < 8 else "hit" if dart < 13 else "miss" for dart in row]
            if kinds.count("busy") == 1:  # or else both chunks are one, and the row goes on
                outcomes.setdefault(" ".join(kinds), set()).add(hit(reads, knowing(strip), *row))
    failed, drawn = {FAILED}, {name_of(1)}
    assert outcomes == {"busy hit": failed, "busy miss": failed, "miss busy": failed, "hit busy": drawn}


def check_picture() -> None:
    """Check that only the picture of the drawn image is shown, where memory has another one in the chunk."""
    moment, (number, *_) = of_one_chunk_each(1)
    reads, memory, fetched = Reads(moment, moment), knowing(strip_at(moment)), list[str]()
    memory.keep_chunk((POOL, number), {"another": 7})

    def fetch(label: str, name: str) -> str:
        fetched.append(name)
        return f"picture of {name}"

    with shipped_code_on(reads.world):
        drawn, picture = draw.draw(Store(reads, SETTINGS), (POOL,), Given([0]), fetch, memory)  # type: ignore[arg-type]
    assert (drawn.name, picture) == (name_of(0), f"picture of {name_of(0)}"), "a picture of another image"
    assert fetched == ["another", name_of(0)]


def check_total() -> None:
    """Check that an image heavier than the total that was read, as its weight has just changed, is hit by its weight.

    With another dart, it would never be drawn.
    """
    after, numbers = of_one_chunk_each(1)
    before = {**after, (POOL.key, "0"): items.lane_item(POOL, Lane(0, 4, {3: 1}))}
    before[POOL.key, str(numbers[0])] = items.chunk_item(POOL, numbers[0], {name_of(0): 4})
    strip = strip_at(before)
    found = hits(Reads(before, after), None, strip.length)
    assert found == {name_of(0): 5, MISSED: 3}, "an image that is heavier than the total is drawn too rarely"


def of_one_chunk_each(count: int) -> tuple[Moment, list[int]]:
    """Return a label of images of weight 5, each in a lane and a chunk of its own, 8 units long, and the chunks."""
    numbers = [chunks.chunk_number(lane, 3, 0) for lane in range(count)]
    moment: dict[Key, Any] = {}
    for lane, number in enumerate(numbers):
        moment[POOL.key, str(number)] = items.chunk_item(POOL, number, {name_of(lane): 5})
        moment[POOL.key, str(lane)] = items.lane_item(POOL, Lane(lane, 5, {3: 1}))
    return moment, numbers


def name_of(number: int) -> str:
    """Return the name of an image with this number."""
    return memory_label.image(number, 1).name
