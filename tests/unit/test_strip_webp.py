"""A WebP is read as browsers read it: the order of its chunks counts, what they skip is not stored."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import UnprocessableValue
from shared.pictures.icc import PROFILE_MAX
from shared.pictures.stripping.strip_webp import clean
from shared.pictures.stripping.webp_chunks import MAX_CHUNKS
from tests.support import pictures, profiles
from tests.support.hostile_pictures import ANIM, canvas, frame
from tests.support.metadata import PROFILE
from tests.support.pictures import SECRET, riff, riff_chunk, tiff, webp_chunks
from tests.support.pixels import pixels
from tests.support.refusals import sentence_of

LOSSY, LOSSLESS = pictures.webp(1), pictures.webp(1, lossless=True)
WITH_ALPHA, MOVING = pictures.webp(2, mode="RGBA"), pictures.animated_webp(1)
[VP8], [VP8L] = webp_chunks(LOSSY), webp_chunks(LOSSLESS)
_, ALPH, VP8_BELOW = webp_chunks(WITH_ALPHA)
FIRST, SECOND = frame(LOSSY), frame(LOSSLESS)
ICCP, EXIF, XMP, OWN = (b"ICCP", PROFILE), (b"EXIF", tiff(6, order=">")), (b"XMP ", SECRET), (b"prVt", SECRET)
STILL, ALPHA, ANIMATED, TURNED, COLOURED = (canvas(24, 16, flags) for flags in (0, 0x10, 0x02, 0x08, 0x20))


def same_picture(sent, carrier):
    """Assert that the file is stored as this carrier, which is taken again as it is and shows the same."""
    assert clean(sent).content == carrier
    assert clean(carrier).content == carrier
    assert pixels(sent) == pixels(carrier)


# -- the order of chunks --------------------------------------------------------------------------------------------

# name -> (chunks, those that are stored)
TAKEN = {
    "a picture": ([VP8], [VP8]),
    "a picture and more": ([VP8L, EXIF, ICCP, OWN, VP8, STILL], [VP8L]),
    "a header, a picture and more": ([STILL, OWN, VP8, XMP, EXIF, ICCP, OWN], [STILL, VP8]),
    "a frame behind a still picture": ([STILL, VP8, OWN, ANIM, FIRST, OWN, SECOND], [STILL, VP8]),
    "the background of an animation behind a still picture": ([STILL, VP8L, ANIM], [STILL, VP8L]),
    "transparency": ([ALPHA, OWN, ALPH, VP8_BELOW, OWN], [ALPHA, ALPH, VP8_BELOW]),
    "an animation": ([ANIMATED, OWN, ANIM, OWN, FIRST, OWN, SECOND, OWN], [ANIMATED, ANIM, FIRST, SECOND]),
    "two backgrounds": ([ANIMATED, ANIM, (b"ANIM", b"\1" * 6), FIRST, ANIM, SECOND], [ANIMATED, ANIM, FIRST, SECOND]),
    "an animation of one frame": ([ANIMATED, ANIM, FIRST], [ANIMATED, ANIM, FIRST]),
}


@pytest.mark.parametrize("name", TAKEN)
def test_chunks_in_an_order_that_browsers_show_are_taken(name):
    sent, left = TAKEN[name]
    same_picture(riff(sent), riff(left))


REFUSED = {
    "nothing": ([], "no picture"),
    "no picture": ([XMP], "no picture"),
    "a header alone": ([STILL], "order"),
    "a chunk before the picture": ([OWN, VP8], "does not begin with"),
    "a chunk before the header": ([OWN, STILL, VP8], "does not begin with"),
    "transparency without a header": ([ALPH, VP8_BELOW], "does not begin with"),
    "two headers": ([STILL, STILL, VP8], "order"),
    "two pictures": ([STILL, VP8, VP8L], "order"),
    "a picture before its transparency": ([ALPHA, VP8_BELOW, ALPH], "order"),
    "transparency twice": ([ALPHA, ALPH, ALPH, VP8_BELOW], "order"),
    "transparency of a lossless picture": ([ALPHA, ALPH, VP8L], "order"),
    "a chunk between transparency and picture": ([ALPHA, ALPH, OWN, VP8_BELOW], "order"),
    "a background before a still picture": ([STILL, ANIM, VP8], "order"),
    "a frame without a background": ([ANIMATED, FIRST, SECOND], "order"),
    "a background behind the frames": ([ANIMATED, FIRST, ANIM], "order"),
    "an animation without the flag": ([STILL, ANIM, FIRST], "order"),
    "a still picture with the flag": ([ANIMATED, VP8], "order"),
    "a still picture behind an animation": ([ANIMATED, ANIM, FIRST, VP8], "order"),
    "a short background": ([ANIMATED, (b"ANIM", bytes(4)), FIRST], "short header"),
    "an unknown flag": ([canvas(24, 16, 0x40), VP8], "unknown flags"),
    "a short header": ([(b"VP8X", bytes(9)), VP8], "short or long"),
    "a long header": ([(STILL[0], STILL[1] + bytes(2)), VP8], "short or long"),
    "a frame of no picture": ([ANIMATED, ANIM, (b"ANMF", bytes(16))], "a frame does not begin"),
    "a frame of two pictures": ([ANIMATED, ANIM, (b"ANMF", FIRST[1] + riff_chunk(*VP8L))], "or has two"),
    "a frame of three bytes": ([ANIMATED, ANIM, (b"ANMF", bytes(3))], "a frame does not begin"),
    "a frame that begins otherwise": (
        [ANIMATED, ANIM, (b"ANMF", FIRST[1][:16] + riff_chunk(*OWN) + FIRST[1][16:])],
        "a frame does not begin",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_chunks_in_an_order_that_no_browser_shows_are_415(name):
    chunks, reason = REFUSED[name]
    assert reason in sentence_of(clean, riff(chunks))
    assert pixels(riff(chunks)) is None


KINDS = st.binary(min_size=4, max_size=4).filter(
    lambda kind: kind not in {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"}
)


@given(st.data())
def test_any_other_chunks_are_dropped_wherever_browsers_skip_them(data):
    carrier = data.draw(st.sampled_from([LOSSY, LOSSLESS, WITH_ALPHA, MOVING]))
    sent = []
    for kind, payload in webp_chunks(carrier):
        sent.append((kind, payload))
        if kind != b"ALPH":
            sent += data.draw(st.lists(st.tuples(KINDS, st.binary(max_size=9)), max_size=2))
    same_picture(riff(sent), carrier)


# -- padding and sizes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["before", "behind"])
def test_padding_that_browsers_skip_may_be_anything(place):
    odd = riff_chunk(b"prVt", b"odd")[:-1] + b"x"
    body = b"WEBP" + riff_chunk(*STILL) + (odd if place == "before" else b"") + riff_chunk(*VP8) + odd
    same_picture(b"RIFF" + len(body).to_bytes(4, "little") + body, riff([STILL, VP8]))


def test_the_padding_of_a_picture_must_be_zero():
    odd = riff([(VP8[0], VP8[1] + b"\0" * (1 - len(VP8[1]) % 2))])
    assert clean(odd).content == odd
    assert "padding" in sentence_of(clean, odd[:-1] + b"x")


def test_a_last_chunk_without_its_padding_is_415():
    body = b"WEBP" + riff_chunk(*VP8) + riff_chunk(b"prVt", b"odd")[:-1]
    assert "longer than the file" in sentence_of(clean, b"RIFF" + len(body).to_bytes(4, "little") + body)


def test_a_frame_without_its_padding_gets_it():
    odd = VP8[1] + b"\0" * (1 - len(VP8[1]) % 2)
    cut, whole = ((b"ANMF", FIRST[1][:16] + riff_chunk(b"VP8 ", odd)[: end or None]) for end in (-1, 0))
    same_picture(riff([ANIMATED, ANIM, cut, SECOND]), riff([ANIMATED, ANIM, whole, SECOND]))


@given(st.binary(min_size=1, max_size=7))
def test_bytes_that_are_no_chunk_are_415(junk):
    body = LOSSY[8:] + junk
    assert "longer than the file" in sentence_of(clean, b"RIFF" + len(body).to_bytes(4, "little") + body)


# -- what the flags announce ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "left"),
    [
        ([COLOURED, ICCP, VP8], [COLOURED, ICCP, VP8]),
        ([COLOURED, VP8, ICCP], [COLOURED, VP8, ICCP]),
        ([COLOURED, ICCP, VP8, (b"ICCP", b"another")], [COLOURED, ICCP, VP8]),
        ([STILL, ICCP, VP8], [STILL, VP8]),
        ([COLOURED, VP8], [STILL, VP8]),
        ([TURNED, VP8, EXIF], [TURNED, VP8, EXIF]),
        ([TURNED, EXIF, VP8], [TURNED, EXIF, VP8]),
        ([STILL, VP8, EXIF], [STILL, VP8]),
        ([TURNED, VP8, (b"EXIF", b"Exif\0\xff" + tiff(6)), (b"EXIF", tiff(3))], [TURNED, VP8, EXIF]),
        ([TURNED, VP8, (b"EXIF", tiff(1)), EXIF], [STILL, VP8]),
        ([TURNED, VP8, (b"EXIF", b""), EXIF], [STILL, VP8]),
        ([canvas(24, 16, 0x04), VP8, XMP], [STILL, VP8]),
        ([canvas(24, 16, 0x22), ICCP, ANIM, FIRST], [canvas(24, 16, 0x22), ICCP, ANIM, FIRST]),
    ],
)
def test_the_first_chunk_that_the_flags_announce_decides(sent, left):
    assert clean(riff(sent)).content == riff(left)
    assert clean(riff(left)).content == riff(left)


def test_a_profile_is_stored_without_its_chains_of_steps():
    curves = dict(profiles.tags_of(PROFILE))
    bomb = profiles.of_tags(curves | {b"D2B0": profiles.chain(20_000)})
    stored = clean(riff([COLOURED, (b"ICCP", bomb), VP8])).content
    [_, (kind, left), picture] = webp_chunks(stored)
    assert (kind, picture) == (b"ICCP", VP8)
    assert dict(profiles.tags_of(left)) == curves
    assert clean(stored).content == stored


def test_a_profile_of_more_than_4_mb_is_dropped():
    large = (b"ICCP", PROFILE + bytes(PROFILE_MAX))
    assert clean(riff([COLOURED, large, VP8])).content == riff([STILL, VP8])


# -- work -----------------------------------------------------------------------------------------------------------

BOMBS = {
    "chunks": riff([VP8]) + riff_chunk(b"prVt", b"") * 2_400_000,
    "chunks in a frame": riff([ANIMATED, ANIM, (b"ANMF", FIRST[1] + riff_chunk(b"prVt", b"") * 2_400_000)]),
    "chunks in frames": riff([ANIMATED, ANIM, *[(b"ANMF", FIRST[1] + riff_chunk(b"prVt", b"") * 2_400)] * 1_000]),
}
BOMBS["chunks"] = BOMBS["chunks"][:4] + (len(BOMBS["chunks"]) - 8).to_bytes(4, "little") + BOMBS["chunks"][8:]


@pytest.mark.parametrize("name", BOMBS)
def test_a_file_of_millions_of_chunks_is_422_at_once(name):
    start = time.process_time()
    detail = sentence_of(clean, BOMBS[name], UnprocessableValue)
    assert time.process_time() - start < 0.5  # second
    assert f"img has more than {MAX_CHUNKS:,} chunks" in detail


def test_the_largest_number_of_chunks_is_cheap():
    sent = riff([VP8, *[(b"prVt", b"")] * (MAX_CHUNKS - 1)])
    start = time.process_time()
    assert clean(sent).content == LOSSY
    assert time.process_time() - start < 0.5  # second
