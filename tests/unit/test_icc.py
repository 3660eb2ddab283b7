"""A colour profile is stored as it is, but for the tags that cost a decoder more than their bytes."""

import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from shared.pictures.icc import PROFILE_MAX, TAGS_MAX, stored_profile
from tests.support import profiles
from tests.support.profiles import CHAINS, SRGB, case, chain, of_tags, profile, profile_of, tags_of

PLAIN_TAGS = dict(tags_of(SRGB))


def shown(profile_bytes: bytes, mode: str = "RGB") -> bytes:
    """Return the pixels of a gradient in sRGB."""
    picture = Image.merge(mode, [Image.linear_gradient("L").rotate(90 * n) for n in range(len(mode))])
    given_profile = ImageCms.ImageCmsProfile(io.BytesIO(profile_bytes))
    converted = ImageCms.profileToProfile(picture, given_profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert converted is not None
    return converted.tobytes()


# -- what stays byte for byte ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"x", SRGB, SRGB[:200], bytes(140), b"\xff" * 140, of_tags({})])
def test_a_profile_without_chains_stays_byte_for_byte(content: bytes) -> None:
    assert stored_profile(content) == content


NAMES = st.sampled_from([*PLAIN_TAGS, b"A2B0", b"B2A0", b"D2B4", b"d2b0", b"C2S0"])
ENTRIES = st.tuples(NAMES, st.integers(0, 60), st.integers(0, 80))


@given(st.lists(ENTRIES), st.binary(max_size=80), st.integers(0, 300), st.binary(max_size=4))
def test_any_profile_without_chains_stays_byte_for_byte(
    entries: list[tuple[bytes, int, int]], data: bytes, at: int, lie: bytes
) -> None:
    content = profile(entries, data)
    content = content[:at] + lie + content[at + len(lie) :]
    assert stored_profile(content) == content


@given(st.binary())
def test_bytes_that_are_no_profile_stay_byte_for_byte(content: bytes) -> None:
    assert stored_profile(content) == content


# -- chains ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("first", [True, False])
def test_a_chain_is_removed_with_its_data(name: bytes, first: bool) -> None:
    bomb = {name: chain(50)}
    stored = stored_profile(of_tags(bomb | PLAIN_TAGS if first else PLAIN_TAGS | bomb))
    assert stored is not None
    assert tags_of(stored) == list(PLAIN_TAGS.items())
    assert len(stored) == len(of_tags(PLAIN_TAGS)) == int.from_bytes(stored[:4])
    assert stored[84:100] == bytes(16)  # the ID was the old profile's
    assert shown(stored) == shown(SRGB)


def test_all_chains_are_removed_at_once() -> None:
    stored = stored_profile(of_tags(PLAIN_TAGS | {name: chain(3) for name in CHAINS}))
    assert stored is not None
    assert tags_of(stored) == list(PLAIN_TAGS.items())


@given(
    st.lists(st.tuples(NAMES | st.sampled_from(CHAINS), st.integers(0, 60), st.integers(4, 60)), max_size=8),
    st.sampled_from(CHAINS),
    st.binary(min_size=120, max_size=120),
)
def test_the_other_tags_keep_their_data(entries: list[tuple[bytes, int, int]], name: bytes, data: bytes) -> None:
    """The places of the data are any: shared, overlapping, with gaps between."""
    sent = profile([*entries, (name, 0, 4)], data)
    stored = stored_profile(sent)
    assert stored is not None
    assert tags_of(stored) == [(name, content) for name, content in tags_of(sent) if name not in CHAINS]
    assert len(stored) == int.from_bytes(stored[:4]) <= len(sent) + 4
    assert len(stored) % 4 == 0
    assert stored_profile(stored) == stored


def test_data_that_a_chain_shares_with_another_tag_stay_and_are_still_shared() -> None:
    data = b"".join(PLAIN_TAGS.values())
    sent = profile([(b"D2B0", 0, 40), (b"rTRC", 0, 40), (b"gTRC", 0, 40), (b"bTRC", 8, 40)], data)
    stored = stored_profile(sent)
    assert stored is not None
    assert tags_of(stored) == tags_of(sent)[1:]
    assert len(stored) == 132 + 3 * 12 + 48


WRONG = {
    "a size beyond the file": lambda sent: (len(sent) + 1).to_bytes(4) + sent[4:],
    "no size": lambda sent: bytes(4) + sent[4:],
    "no signature": lambda sent: sent[:36] + b"ascp" + sent[40:],
    "more tags than follow": lambda sent: sent[:128] + (1000).to_bytes(4) + sent[132:],
    "data in the header": lambda sent: sent[:136] + (64).to_bytes(4) + sent[140:],
    "data beyond the file": lambda sent: sent[:136] + len(sent).to_bytes(4) + sent[140:],
    "data of 3 bytes": lambda sent: sent[:140] + (3).to_bytes(4) + sent[144:],
    "data of 4 GB": lambda sent: sent[:140] + b"\xff" * 4 + sent[144:],
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_profile_with_a_chain_and_a_wrong_table_is_dropped(wrong: str) -> None:
    assert stored_profile(WRONG[wrong](of_tags(PLAIN_TAGS | {b"D2B0": chain(3)}))) is None


@pytest.mark.parametrize("more", [0, 1])
def test_a_profile_with_a_chain_has_a_limit_of_tags(more: int) -> None:
    entries = [(b"D2B0", 0, 4), *[(b"rTRC", 0, 4)] * (TAGS_MAX - 1 + more)]
    assert (stored_profile(profile(entries, bytes(4))) is None) == bool(more)


# -- limits ------------------------------------------------------------------------------------------------------------


def test_a_profile_has_a_limit_of_bytes() -> None:
    largest = SRGB + bytes(PROFILE_MAX - len(SRGB))
    assert stored_profile(largest) == largest
    assert stored_profile(largest + b"\0") is None


def test_the_largest_table_takes_no_time() -> None:
    tags = (PROFILE_MAX - 132) // 12
    sent = profiles.HEADER + tags.to_bytes(4) + (b"rTRC" + bytes(8)) * (tags - 1) + b"D2B0" + bytes(8)
    assert len(sent) <= PROFILE_MAX
    start = time.process_time()
    assert stored_profile(sent) is None
    assert time.process_time() - start < 0.5  # second


def test_a_bomb_takes_no_time_once_it_is_stored() -> None:
    content = profile_of(case("bomb-icc-9000-stages.png"))
    assert content is not None
    assert [name for name, _ in tags_of(content)] == [b"desc", b"wtpt", b"D2B0"]
    stored = stored_profile(content)
    assert stored is not None
    start = time.process_time()
    with pytest.raises(ImageCms.PyCMSError):  # what is left says nothing about colours
        shown(stored)
    assert time.process_time() - start < 0.5  # second; it was 6.8
