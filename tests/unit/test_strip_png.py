"""A PNG is stored with the chunks that browsers use of it, each once, and without what they skip."""

import io
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from shared.pictures.check import check_picture
from shared.pictures.icc import PROFILE_MAX
from shared.pictures.stripping.png_chunks import MAX_CHUNKS
from shared.pictures.stripping.strip_parts import TooMany
from shared.pictures.stripping.strip_png import clean
from tests.support import pictures
from tests.support.pictures import chunk, png_chunks, png_of, png_with, tiff
from tests.support.pixels import pixels
from tests.support.profiles import SRGB, case, chain, iccp, of_tags, profile_of, tags_of
from tests.support.refusals import sentence_of

Chunks = list[tuple[bytes, bytes]]
RGB, GREY, PALETTE = pictures.png(), pictures.png(mode="L"), pictures.palette_png()
OPAQUE = png_of(each for each in png_chunks(PALETTE) if each[0] != b"tRNS")

GAMMA, OTHER_GAMMA = chunk(b"gAMA", (45455).to_bytes(4)), chunk(b"gAMA", (100000).to_bytes(4))
CHROMATICITIES = chunk(
    b"cHRM", b"".join(n.to_bytes(4) for n in (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))
)
TURNED = chunk(b"eXIf", tiff(6, order=">"))
# Chunks that stay, in an order that the standard allows, and the picture that they stand in.
KEPT = {
    "RGB": png_with(
        RGB,
        *(GAMMA, CHROMATICITIES, chunk(b"sRGB", b"\0"), iccp(SRGB), chunk(b"cICP", b"\x01\x0d\0\1")),
        *(chunk(b"mDCV", bytes(24)), chunk(b"cLLI", bytes(8)), chunk(b"sBIT", b"\x05\x06\x05")),
        *(chunk(b"bKGD", bytes(6)), chunk(b"tRNS", bytes(6)), chunk(b"pHYs", bytes(8) + b"\1"), TURNED),
    ),
    "grey": png_with(GREY, GAMMA, chunk(b"sBIT", b"\4"), chunk(b"bKGD", bytes(2)), chunk(b"tRNS", bytes(2))),
    "palette": png_with(
        png_with(PALETTE, chunk(b"sBIT", b"\5\5\5"), iccp(SRGB), before=b"PLTE"), chunk(b"bKGD", b"\0"), TURNED
    ),
    "animated": png_with(pictures.animated_png(), GAMMA, TURNED, before=b"acTL"),
}
NOT_ANCILLARY = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"fcTL", b"fdAT")


def corrupt(part: bytes) -> bytes:
    return part[:-1] + bytes([part[-1] ^ 1])


def kinds(content: bytes) -> list[bytes]:
    return [kind for kind, _ in png_chunks(content)]


def stored(data: bytes) -> bytes:
    """Return what is stored, which must be the same if it is sent again."""
    content = clean(data).content
    assert clean(content).content == content
    return content


# -- each kind of fault, of any ancillary chunk -----------------------------------------------------------------------


@pytest.mark.parametrize("name", KEPT)
def test_chunks_that_browsers_use_stay_byte_for_byte(name: str) -> None:
    assert stored(KEPT[name]) == KEPT[name]
    assert check_picture(KEPT[name]).content == KEPT[name]


@st.composite
def ancillary(draw: st.DrawFn) -> tuple[Chunks, int]:
    """Draw the chunks of a picture, and the place of an ancillary one."""
    chunks = png_chunks(KEPT[draw(st.sampled_from(sorted(KEPT)))])
    return chunks, draw(st.sampled_from([at for at, (kind, _) in enumerate(chunks) if kind not in NOT_ANCILLARY]))


def spliced(chunks: Chunks, at: int, *parts: bytes) -> bytes:
    """Make a PNG with these whole chunks in place of the one at `at`."""
    whole = [chunk(*each) for each in chunks]
    return pictures.PNG_SIGNATURE + b"".join((*whole[:at], *parts, *whole[at + 1 :]))


@given(ancillary(), st.data())
def test_a_chunk_that_is_repeated_is_kept_once(drawn: tuple[Chunks, int], data: st.DataObject) -> None:
    chunks, at = drawn
    kind, payload = chunks[at]
    again = chunk(kind, data.draw(st.just(payload) | st.binary(min_size=len(payload), max_size=len(payload))))
    assert stored(spliced(chunks, at, chunk(kind, payload), again)) == png_of(chunks)


@given(ancillary(), st.integers(0, 300))
def test_a_chunk_with_a_wrong_checksum_is_dropped(drawn: tuple[Chunks, int], bit: int) -> None:
    chunks, at = drawn
    whole = bytearray(chunk(*chunks[at]))
    whole[8 + bit // 8 % (len(whole) - 8)] ^= 1 << bit % 8
    content = stored(spliced(chunks, at, bytes(whole)))
    kind = chunks[at][0]
    assert kind not in kinds(content)
    if kind != b"acTL":  # without it, the picture stands still
        assert content == spliced(chunks, at)
    assert clean(spliced(chunks, at, bytes(whole), chunk(*chunks[at]))).content == png_of(chunks)


@given(ancillary(), st.binary(min_size=1, max_size=40))
def test_a_chunk_that_is_too_long_is_dropped_or_cut(drawn: tuple[Chunks, int], more: bytes) -> None:
    chunks, at = drawn
    kind, payload = chunks[at]
    content = stored(spliced(chunks, at, chunk(kind, payload + more)))
    if kind == b"tRNS" and b"PLTE" in kinds(content):
        assert content == spliced(chunks, at, chunk(kind, payload + more))  # more colours than the palette has
    elif kind in (b"tRNS", b"iCCP", b"eXIf"):
        assert content == png_of(chunks)
    else:
        assert kind not in kinds(content)
    assert check_picture(content).content == content


@given(ancillary(), st.data())
def test_a_chunk_that_is_too_short_is_dropped(drawn: tuple[Chunks, int], data: st.DataObject) -> None:
    chunks, at = drawn
    kind, payload = chunks[at]
    cut = payload[: data.draw(st.integers(0, len(payload) - 1))]
    content = stored(spliced(chunks, at, chunk(kind, cut)))
    if not (kind == b"tRNS" and b"PLTE" in kinds(content) and cut) and kind != b"eXIf":  # which may be long enough
        assert kind not in kinds(content)
    assert check_picture(content).content == content


@given(ancillary(), st.data())
def test_a_chunk_that_is_moved_is_kept_where_browsers_read_it(drawn: tuple[Chunks, int], data: st.DataObject) -> None:
    chunks, at = drawn
    moved = chunks.pop(at)
    to = data.draw(st.integers(1, len(chunks) - 1))
    before = [kind for kind, _ in chunks[:to]]
    content = stored(png_of([*chunks[:to], moved, *chunks[to:]]))
    is_late = b"IDAT" in before or (b"PLTE" in before and moved[0] in (b"cICP", b"mDCV", b"cLLI", b"sBIT"))
    is_early = b"PLTE" in [kind for kind, _ in chunks] and b"PLTE" not in before and moved[0] in (b"tRNS", b"bKGD")
    assert (moved[0] in kinds(content)) == (not is_late and not is_early)
    assert check_picture(content).content == content


@given(ancillary(), st.data())
def test_the_pixels_of_a_picture_with_a_fault_are_those_without_it(
    drawn: tuple[Chunks, int], data: st.DataObject
) -> None:
    chunks, at = drawn
    kind, payload = chunks[at]
    fault = data.draw(st.sampled_from([corrupt(chunk(kind, payload)), chunk(kind, b""), chunk(kind, payload) * 3]))
    content = check_picture(spliced(chunks, at, fault)).content
    is_whole = fault.startswith(chunk(kind, payload))
    assert pixels(content) == pixels(png_of(chunks) if is_whole else content) is not None
    with Image.open(io.BytesIO(content)) as image, Image.open(io.BytesIO(png_of(chunks))) as sent:
        assert image.tobytes() == sent.tobytes()


# -- which one browsers use -------------------------------------------------------------------------------------------

FIRST_GOOD: dict[str, tuple[bytes, bytes, bytes]] = {
    "no gamma": (RGB, chunk(b"gAMA", bytes(4)), GAMMA),
    "an unknown intent": (RGB, chunk(b"sRGB", b"\4"), chunk(b"sRGB", b"\0")),
    "another matrix": (RGB, chunk(b"cICP", b"\x09\x10\x01\x01"), chunk(b"cICP", b"\x09\x10\0\x01")),
    "neither full range nor narrow": (RGB, chunk(b"cICP", b"\x09\x10\0\x02"), chunk(b"cICP", b"\x09\x10\0\0")),
    "transparency of no bytes": (OPAQUE, chunk(b"tRNS", b""), chunk(b"tRNS", b"\0")),
    "transparency of 257 colours": (OPAQUE, chunk(b"tRNS", bytes(257)), chunk(b"tRNS", b"\0")),
    "a short colour": (RGB, chunk(b"tRNS", bytes(5)), chunk(b"tRNS", bytes(6))),
}


@pytest.mark.parametrize("name", FIRST_GOOD)
def test_the_second_chunk_is_kept_if_browsers_skip_the_first(name: str) -> None:
    plain, wrong, right = FIRST_GOOD[name]
    assert stored(png_with(plain, wrong)) == plain
    assert stored(png_with(plain, wrong, right)) == png_with(plain, right)
    assert stored(png_with(plain, right, wrong)) == png_with(plain, right)


UNREADABLE = {
    "no zlib stream": b"icc\0\0no zlib stream",
    "a stream that is cut": b"icc\0\0" + zlib.compress(SRGB)[:-20],
    "a stream without its checksum": b"icc\0\0" + zlib.compress(SRGB)[:-4],
    "another method": b"icc\0\1" + zlib.compress(SRGB),
    "a long name": b"n" * 81 + b"\0\0" + zlib.compress(SRGB),
    "no name": b"\0\0" + zlib.compress(SRGB),
    "nothing": b"",
    "a name only": b"icc",
    "a name and its end only": b"icc\0",
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_browsers_try_the_first_profile_only(name: str) -> None:
    wrong = chunk(b"iCCP", UNREADABLE[name])
    assert stored(png_with(RGB, wrong, iccp(SRGB))) == RGB
    assert stored(png_with(RGB, corrupt(wrong), iccp(SRGB))) == png_with(RGB, iccp(SRGB))


@pytest.mark.parametrize("first", [tiff(1), tiff(), b"no TIFF", b""])
def test_browsers_read_the_first_orientation_only(first: bytes) -> None:
    assert stored(png_with(RGB, chunk(b"eXIf", first), TURNED)) == RGB
    assert stored(png_with(RGB, TURNED, chunk(b"eXIf", first))) == png_with(RGB, TURNED)


# -- profiles -----------------------------------------------------------------------------------------------------


def test_a_profile_with_a_chain_is_written_anew() -> None:
    plain_tags = dict(tags_of(SRGB))
    sent = png_with(RGB, iccp(of_tags(plain_tags | {b"D2B0": chain(9000)})))
    content = stored(sent)
    profile = profile_of(content)
    assert profile is not None
    assert tags_of(profile) == list(plain_tags.items())
    assert content == png_with(RGB, iccp(profile))


@pytest.mark.parametrize("more", [0, 1])
def test_a_profile_is_kept_up_to_its_limit(more: int) -> None:
    """Pillow alone reads up to 1 MiB."""
    large = png_with(RGB, iccp(SRGB + bytes(PROFILE_MAX - len(SRGB) + more)))
    assert stored(large) == (RGB if more else large)
    assert check_picture(large).content == (RGB if more else large)


def test_bytes_after_a_profile_are_dropped() -> None:
    long = chunk(b"iCCP", b"icc\0\0" + zlib.compress(SRGB, 9) + b"bytes that nothing reads")
    assert stored(png_with(RGB, long)) == png_with(RGB, iccp(SRGB))


# -- palettes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("colours", [1, 16, 17, 256])
def test_a_palette_may_have_more_or_fewer_colours_than_the_pixels(colours: int) -> None:
    parts = [(kind, bytes(3 * colours) if kind == b"PLTE" else payload) for kind, payload in png_chunks(OPAQUE)]
    assert stored(png_of(parts)) == png_of(parts)


PALETTES: dict[str, tuple[Callable[[Chunks], Chunks], str]] = {
    "none": (lambda parts: [each for each in parts if each[0] != b"PLTE"], "need a palette"),
    "after the pixels": (lambda parts: sorted(parts, key=lambda each: b"IHDR IDAT PLTE IEND".index(each[0])), "need a"),
    "twice": (lambda parts: [*parts[:2], *parts[1:]], "repeated"),
    "no colours": (lambda parts: [parts[0], (b"PLTE", b""), *parts[2:]], "1 to 256 colours"),
    "257 colours": (lambda parts: [parts[0], (b"PLTE", bytes(771)), *parts[2:]], "1 to 256 colours"),
    "half a colour": (lambda parts: [parts[0], (b"PLTE", bytes(49)), *parts[2:]], "1 to 256 colours"),
}


@pytest.mark.parametrize("name", PALETTES)
def test_a_wrong_palette_is_415(name: str) -> None:
    change, sentence = PALETTES[name]
    assert sentence in sentence_of(clean, png_of(change(png_chunks(OPAQUE))))


def test_a_palette_that_no_pixel_uses_may_be_ragged_or_late() -> None:
    assert stored(png_with(RGB, chunk(b"PLTE", bytes(4)))) == RGB
    assert stored(png_with(RGB, *[chunk(b"PLTE", bytes(3))] * 2, before=b"IEND")) == RGB
    for wrong in (chunk(b"PLTE", b""), chunk(b"PLTE", bytes(771)), chunk(b"PLTE", bytes(3)) * 2):
        assert "its palette" in sentence_of(clean, png_with(RGB, wrong))


@pytest.mark.parametrize("kind", [b"IHDR", b"PLTE", b"IDAT", b"IEND"])
def test_a_wrong_checksum_of_a_critical_chunk_is_415(kind: bytes) -> None:
    parts = png_chunks(OPAQUE)
    at = [each for each, _ in parts].index(kind)
    assert "checksum" in sentence_of(clean, spliced(parts, at, corrupt(chunk(*parts[at]))))


@pytest.mark.parametrize("payload", [bytes(12), bytes(14)])
def test_a_header_of_another_length_is_415(payload: bytes) -> None:
    assert "header" in sentence_of(clean, png_of([(b"IHDR", payload), *png_chunks(RGB)[1:]]))


# -- many chunks --------------------------------------------------------------------------------------------------


def test_pixels_of_no_bytes_are_dropped_and_the_others_keep_their_boundaries() -> None:
    parts = [each for each in png_chunks(RGB) if each[0] != b"IDAT"]
    data = b"".join(payload for kind, payload in png_chunks(RGB) if kind == b"IDAT")
    cut = [(b"IDAT", data[:1]), (b"IDAT", data[1:2]), (b"IDAT", data[2:])]
    padded = [piece for each in cut for piece in ((b"IDAT", b""), each, (b"IDAT", b""))]
    assert stored(png_of([parts[0], *padded, parts[1]])) == png_of([parts[0], *cut, parts[1]])
    assert "pixels" in sentence_of(clean, png_of([parts[0], (b"IDAT", b""), parts[1]]))


def test_a_png_has_a_limit_of_chunks() -> None:
    most = MAX_CHUNKS - len(png_chunks(RGB))
    assert clean(png_with(RGB, chunk(b"IDAT", b"") * most)).content == RGB
    with pytest.raises(TooMany, match="100,000 chunks"):
        clean(png_with(RGB, chunk(b"abCd", b"") * (most + 1)))


# -- files that once failed ---------------------------------------------------------------------------------------

CASES = {"p-iccp-twice.png": (48, 32), "p-text-badcrc.png": (48, 32), "p-icc-3MB-zeros.png": (48, 32)}


@pytest.mark.parametrize("name", CASES)
def test_a_file_that_once_failed_is_taken(name: str) -> None:
    picture = check_picture(case(name))
    assert (picture.width, picture.height) == CASES[name]
    assert set(kinds(picture.content)) <= {b"IHDR", b"iCCP", b"IDAT", b"IEND"}
    assert len(set(kinds(picture.content))) == len(kinds(picture.content))


def test_of_two_profiles_the_first_is_kept() -> None:
    sent = case("p-iccp-twice.png")
    second = sent.index(b"iCCP", sent.index(b"iCCP") + 1) - 4
    assert (
        check_picture(sent).content == sent[:second] + sent[second + 12 + int.from_bytes(sent[second : second + 4]) :]
    )
