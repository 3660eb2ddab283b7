"""What a container remembers of pools, and the rows of darts that it throws."""

import pytest

import darts
import foresight
from foresight import Memory
from shared.images import Pool
from shared.labels import chunks
from shared.labels.chunks import Lane
from tests.support.every_dart import Given

POOL, OTHER = Pool("cat"), Pool("cat", "red")
# Class 3, 8 units each: chunks of 1, 1, 2, 4 and 8 places, so 16 places are 128 units.
STRIP, OTHERS_STRIP = (darts.strip_of({(pool, 0): Lane(0, 0, {3: 16})}) for pool in (POOL, OTHER))
FIRST = chunks.chunk_number(0, 3, 0)


def known(*contents: dict[str, int]) -> Memory:
    """Return a memory of the strip whose first chunks have these contents."""
    memory = Memory()
    for _ in range(2):
        memory.keep_strip((POOL,), STRIP)
    for index, weights in enumerate(contents):
        memory.keep_chunk((POOL, FIRST + index), weights)
    return memory


def test_a_row_ends_with_the_first_hit_by_memory() -> None:
    rng = Given([7, 15, 3, 0])  # the two first chunks are 8 units each
    row = known({"a": 5}, {"b": 6}).row(STRIP, rng)
    assert (row.expected, [landing.offset for landing in row.landings]) == (("cat", "a"), [7, 7, 3])
    assert rng.left == [0]


def test_no_image_is_expected_behind_a_chunk_that_was_never_read() -> None:
    rng = Given([16, 3, 0])
    row = known({"a": 5}).row(STRIP, rng)
    assert (row.expected, len(row.landings), rng.left) == (None, 2, [0])


def test_a_row_has_two_chunks_at_most_that_were_never_read() -> None:
    rng = Given([16, 17, 127, 0])
    row = known({"a": 5}).row(STRIP, rng)
    assert row.expected is None
    assert [landing.chunk for landing in row.landings] == [(POOL, FIRST + index) for index in (2, 2, 4)]
    assert rng.left == [0]


def test_a_row_has_twelve_darts_at_most() -> None:
    row = known({"a": 5}).row(STRIP, Given([7] * 13))
    assert (len(row.landings), row.expected) == (foresight.DARTS_MAX, None)


def test_what_is_remembered_is_of_its_pool() -> None:
    memory = known({"a": 8})
    assert memory.steady_strip((OTHER,)) is None
    assert memory.steady_strip((POOL,)) == STRIP
    assert memory.steady_strip((POOL, OTHER)) is None
    assert memory.row(OTHERS_STRIP, Given([0, 8])).expected is None
    assert memory.row(STRIP, Given([0])).expected == ("cat", "a")


def test_a_chunk_that_is_gone_is_remembered_as_empty() -> None:
    memory = known({}, {"b": 8})
    assert memory.row(STRIP, Given([0, 8])).expected == ("cat", "b")


@pytest.mark.parametrize("most", [1, 3])
def test_the_strips_and_chunks_that_were_used_last_stay(most: int) -> None:
    memory = Memory(strips=most, chunks=most)
    pools = [Pool(f"label-{number}") for number in range(most + 1)]
    strips = {pool: darts.strip_of({(pool, 0): Lane(0, 0, {3: 16})}) for pool in pools}

    def keep(pool: Pool) -> None:
        for _ in range(2):
            memory.keep_strip((pool,), strips[pool])
        memory.keep_chunk((pool, FIRST), {"a": 8})

    for pool in pools[:most]:
        keep(pool)
    assert memory.steady_strip((pools[0],)) == strips[pools[0]]  # used, so it stays if it can
    memory.row(strips[pools[0]], Given([0]))
    keep(pools[most])
    kept = [pool for pool in pools if memory.steady_strip((pool,))]
    assert kept == (pools[1:] if most == 1 else [pools[0], *pools[2:]])
    rows = {pool: memory.row(strips[pool], Given([0] * 12)).expected for pool in pools}
    assert {pool for pool, expected in rows.items() if expected} == set(kept)


def test_a_memory_of_nothing_throws_one_dart_a_row() -> None:
    memory = Memory(strips=0, chunks=0, unknown=1)
    for _ in range(2):
        memory.keep_strip((POOL,), STRIP)
    memory.keep_chunk((POOL, FIRST), {"a": 8})
    assert memory.steady_strip((POOL,)) is None
    assert memory.row(STRIP, Given([0])) == foresight.Row([darts.Landing((POOL, FIRST), 0)], None)


def test_equal_lanes_have_one_strip_and_other_lanes_have_their_own() -> None:
    memory = Memory()
    lanes = [
        {(POOL, 0): Lane(0, weight, {3: volume}, opened)}
        for weight, volume, opened in ((5, 1, 1), (7, 1, 1), (7, 1, 2))
    ]
    strips = [memory.strip_of((POOL,), each) for each in (lanes[0], dict(lanes[0]), *lanes)]
    assert strips == [darts.strip_of(each) for each in (lanes[0], *lanes[:1], *lanes)]
    assert strips[0] is strips[1]
    assert memory.steady_strip((POOL,)) is None, "a chunk was begun"
    memory.strip_of((POOL,), lanes[2])
    assert memory.steady_strip((POOL,)) == strips[-1]


def test_a_strip_that_has_just_changed_is_not_steady() -> None:
    memory, other = known(), darts.strip_of({(POOL, 0): Lane(0, 0, {3: 17})})
    for strip, steady in ((other, None), (STRIP, None), (STRIP, STRIP), (STRIP, STRIP), (other, None)):
        memory.keep_strip((POOL,), strip)
        assert memory.steady_strip((POOL,)) == steady
