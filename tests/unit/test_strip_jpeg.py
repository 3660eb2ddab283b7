"""A JPEG is read as browsers read it: what they skip is not stored, and what they do not show is refused."""

import io
import itertools
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from shared.errors import ApiError, UnprocessableValue
from shared.pictures.icc import PROFILE_MAX
from shared.pictures.stripping.jpeg_segments import MAX_SEGMENTS
from shared.pictures.stripping.strip_jpeg import BOUNDED_SCANS, MAX_SCAN_PIXELS, MAX_SCANS, clean
from tests.support import pictures
from tests.support.cloud import ROOT
from tests.support.jpeg_files import many_scans, pieces, samsung_trailer
from tests.support.metadata import PROFILE
from tests.support.pictures import exif_segment, jpeg_with, segment, tiff
from tests.support.pixels import pixels
from tests.support.refusals import outcome, sentence_of

BASELINE = pictures.jpeg(size=(40, 24))
PROGRESSIVE = pictures.jpeg(1, (40, 24), progressive=True)
CMYK = pictures.jpeg(2, mode="CMYK")
GREY_IN_COLOUR = pictures.saved(Image.new("RGB", (40, 24), "grey"), "JPEG", progressive=True)
RESTARTS = pictures.saved(pictures.raster(size=(64, 64)), "JPEG", restart_marker_blocks=2)
PROFILED = jpeg_with(
    BASELINE, segment(0xE2, b"ICC_PROFILE\0\1\2" + PROFILE[:99]), segment(0xE2, b"ICC_PROFILE\0\2\2" + PROFILE[99:])
)
CARRIERS = [BASELINE, PROGRESSIVE, CMYK, GREY_IN_COLOUR, RESTARTS, PROFILED]
SOF, DHT, SOS, DQT, DRI, DNL, DAC = 0xC0, 0xC4, 0xDA, 0xDB, 0xDD, 0xDC, 0xCC


def same_picture(sent, carrier):
    """Assert that the file is stored as this carrier, which is taken again as it is and shows the same."""
    assert clean(sent).content == carrier
    assert clean(carrier).content == carrier
    assert pixels(sent) in (pixels(carrier), None)  # None: Pillow reads less than browsers and libjpeg do


# -- between segments ---------------------------------------------------------------------------------------------

STRAY = st.one_of(
    st.binary(max_size=20).map(lambda data: data.replace(b"\xff", b"\xfe")),
    st.sampled_from([b"\xff\0", b"\xff\xff\0", b"\xff\1", b"\xff\xd0", b"\xff\xd7"]),
)
FILL = st.sampled_from([b"", b"\xff", b"\xff\xff"])
SKIPPED = st.builds(lambda stray, fill: b"".join(stray) + fill, st.lists(STRAY, max_size=3), FILL)


@given(st.data())
def test_any_bytes_between_segments_are_dropped(data):
    carrier = data.draw(st.sampled_from(CARRIERS))
    sent, last = b"", SOS
    for marker, whole in pieces(carrier):
        junk = b"" if last == SOS else data.draw(SKIPPED)  # behind a scan, bytes belong to it
        sent, last = sent + junk + whole, marker
    same_picture(sent, carrier)


@given(st.sampled_from([BASELINE, RESTARTS]), st.data())
def test_a_marker_without_a_segment_does_not_end_a_scan(carrier, data):
    scan = carrier.index(b"\xff\xda") + 14
    at = data.draw(st.integers(scan, len(carrier) - 2).filter(lambda at: carrier[at - 1] != 0xFF))
    sent = carrier[:at] + b"\xff\1" + carrier[at:]
    same_picture(sent, sent)


@pytest.mark.parametrize("marker", [0xE0, 0xE1, 0xE2, 0xED, 0xFE, DNL, DAC])
@pytest.mark.parametrize("length", [0, 1])
def test_a_length_below_two_is_skipped_where_decoders_skip_the_segment(marker, length):
    same_picture(jpeg_with(BASELINE, bytes((0xFF, marker, 0, length))), BASELINE)


@pytest.mark.parametrize("marker", [SOF, DHT, DQT, DRI])
def test_a_length_below_two_is_415_where_decoders_need_the_segment(marker):
    assert "no length" in sentence_of(clean, jpeg_with(BASELINE, bytes((0xFF, marker, 0, 1))))


def test_bytes_before_the_start_marker_are_415():
    assert "start marker" in sentence_of(clean, b"\0" + BASELINE)


@pytest.mark.parametrize("data", [BASELINE[:-2], PROGRESSIVE[:-2], BASELINE[:-1], BASELINE[:-2] + b"\xff\0\xff\1junk"])
def test_a_jpeg_without_end_marker_is_415(data):
    assert "the end marker is missing" in sentence_of(clean, data)


@pytest.mark.parametrize(
    "later", [segment(DHT, b"\x0f" * 9), segment(DQT, b"\0" * 65), segment(DRI, b"\0\1"), exif_segment(6)]
)
@pytest.mark.parametrize("carrier", [BASELINE, PROGRESSIVE])
def test_what_follows_the_last_scan_is_dropped(carrier, later):
    same_picture(carrier[:-2] + later + carrier[-2:], carrier)


def test_a_scan_behind_one_of_all_colours_is_dropped():
    scan = BASELINE[BASELINE.index(b"\xff\xda") : -2]
    same_picture(BASELINE[:-2] + scan * 300 + BASELINE[-2:], BASELINE)


@pytest.mark.parametrize("marker", [0x02, 0xBF, 0xC8, 0xD8, 0xF0, 0xFD])
@pytest.mark.parametrize("at", [20, -2], ids=["before", "behind"])
def test_a_marker_that_ends_the_work_of_a_decoder_is_415(marker, at):
    assert f"FF{marker:02X}" in sentence_of(clean, BASELINE[:at] + segment(marker, b"") + BASELINE[at:])


# -- without end marker, by a phone of Samsung ----------------------------------------------------------------------

NAMES = st.from_regex(r"[A-Z][A-Za-z0-9_]{3,30}", fullmatch=True)
BLOCKS = st.lists(st.tuples(NAMES, st.binary(max_size=60)), min_size=1, max_size=4)


@given(st.sampled_from(CARRIERS), BLOCKS, st.integers(0, 3), st.booleans())
def test_the_trailer_of_samsung_ends_a_picture_without_end_marker(carrier, blocks, unlisted, has_end):
    trailer = samsung_trailer(blocks, unlisted=min(unlisted, len(blocks) - 1))
    same_picture((carrier if has_end else carrier[:-2]) + trailer, carrier)


def test_pictures_and_films_in_the_trailer_of_samsung_are_not_part_of_the_scan():
    blocks = [("MotionPhoto_Data", b"\0\0\0\x18ftypmp42" + pictures.jpeg(3) * 40), ("Image_UTC_Data", b"1511111111111")]
    same_picture(BASELINE[:-2] + samsung_trailer(blocks), BASELINE)


@given(
    st.binary(min_size=8, max_size=60), st.sampled_from([b"SEFT", b"SEFHSEFT", b"SEFH" + bytes(8) + b"\x0c\0\0\0SEFT"])
)
def test_a_trailer_that_names_no_block_ends_nothing(junk, end):
    assert "end marker" in sentence_of(
        clean, BASELINE[:-2] + junk.replace(b"\xff", b"\0").replace(b"\0\0", b"\1\1") + end
    )


def test_a_trailer_before_the_first_scan_ends_nothing():
    header = BASELINE[: BASELINE.index(b"\xff\xda")]
    assert "end marker" in sentence_of(clean, header + samsung_trailer([("Image_UTC_Data", b"1")]))


# -- kinds that browsers do not show --------------------------------------------------------------------------------


def framed(at, new, marker=None):
    """Write other bytes into the frame header of the JPEG, or another marker before it."""
    start = BASELINE.index(b"\xff\xc0")
    data = BASELINE[: start + 4 + at] + new + BASELINE[start + 4 + at + len(new) :]
    return data if marker is None else data[: start + 1] + bytes((marker,)) + data[start + 2 :]


def coloured(*samplings):
    """Write a frame header of these colours into the JPEG; its scan has another number."""
    start, end = BASELINE.index(b"\xff\xc0"), BASELINE.index(b"\xff\xc4")
    colours = b"".join(bytes((number, sampling, 0)) for number, sampling in enumerate(samplings))
    return (
        BASELINE[:start]
        + segment(SOF, BASELINE[start + 4 : start + 9] + bytes((len(samplings),)) + colours)
        + BASELINE[end:]
    )


UNSHOWN = {
    **{
        f"FF{marker:02X}": (framed(0, b"", marker), "it is ")
        for marker in [0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)]
    },
    "announced as hierarchical": (jpeg_with(BASELINE, segment(0xDE, bytes(15))), "it is hierarchical"),
    "JPEG-LS": (framed(0, b"", 0xF7), "it is JPEG-LS"),
    "12 bits": (framed(0, b"\x0c", 0xC1), "12 bits for each colour"),
    "no height": (framed(1, b"\0\0"), "its height does not come before its pixels"),
    "a height behind the scan": (framed(1, b"\0\0")[:-2] + segment(DNL, b"\0\x18") + b"\xff\xd9", "its height"),
    "a long side": (framed(3, b"\xff\xdd"), "65501 x 24 pixels, and a side may have 65,500"),
    "two colours": (coloured(0x11, 0x11), "it has 2 colours"),
    "five colours": (coloured(*[0x11] * 5), "it has 5 colours"),
    "two thirds": (coloured(0x31, 0x21, 0x11), "sampled at two thirds"),
    "three quarters": (coloured(0x14, 0x11, 0x13), "or three quarters"),
}


@pytest.mark.parametrize("name", UNSHOWN)
def test_a_kind_that_most_browsers_do_not_show_is_415_and_says_so(name):
    data, reason = UNSHOWN[name]
    detail = sentence_of(clean, data)
    assert "img is a kind of JPEG that most browsers do not show (" in detail
    assert reason in detail
    assert "broken" not in detail


@pytest.mark.parametrize(
    "data", [framed(3, b"\0\0"), framed(7, b"\0"), framed(7, b"\x15"), framed(5, b"\0"), framed(5, b"\4"), coloured()]
)
def test_a_frame_header_that_no_decoder_can_use_is_415(data):
    assert "its frame header" in sentence_of(clean, data)


@pytest.mark.parametrize("sampling", [0x11, 0x21, 0x12, 0x22, 0x41, 0x14, 0x42, 0x44, 0x31, 0x33])
def test_every_whole_sampling_is_taken(sampling):
    assert clean(coloured(sampling, 0x11, 0x11)).width == 40


def test_extended_sequential_is_taken():
    same_picture(framed(0, b"", 0xC1), framed(0, b"", 0xC1))


# -- tables ---------------------------------------------------------------------------------------------------------


def altered(whole):
    """Change the last byte of a segment: another table of the same slot."""
    return whole[:-1] + bytes((whole[-1] ^ 1,))


@settings(max_examples=50)
@given(st.data())
def test_tables_that_no_scan_uses_are_dropped(data):
    carrier = data.draw(st.sampled_from(CARRIERS))
    sent = b""
    for marker, whole in pieces(carrier):
        empty = data.draw(
            st.lists(st.sampled_from([segment(DHT, b""), segment(DQT, b""), segment(DAC, b"\0\x10")]), max_size=2)
        )
        sent += b"".join(empty) if sent else b""
        if marker in (DHT, DQT, DRI):
            sent += b"".join(data.draw(st.lists(st.sampled_from([whole, altered(whole)]), max_size=3)))
        sent += whole
    same_picture(sent, carrier)


def test_a_table_that_comes_again_for_a_later_scan_stays():
    tables = [whole for marker, whole in pieces(GREY_IN_COLOUR) if marker == DHT]
    assert len(set(tables)) < len(tables)  # the encoder counts the codes of each scan, and some have the same
    assert clean(GREY_IN_COLOUR).content == GREY_IN_COLOUR


def test_a_segment_of_several_tables_stays_whole_if_one_of_them_is_used():
    tables = [whole[4:] for marker, whole in pieces(BASELINE) if marker == DQT]
    both, again = segment(DQT, b"".join(tables)), segment(DQT, tables[0])
    carrier = jpeg_with(b"".join(whole for marker, whole in pieces(BASELINE) if marker != DQT), both, again)
    same_picture(carrier, carrier)
    alone = jpeg_with(carrier, both, both[:-1] + b"\1")
    same_picture(alone, carrier)


def test_a_table_that_a_decoder_cannot_read_stays_for_it_to_refuse():
    cut = jpeg_with(BASELINE, segment(DHT, b"\0\1\2"))
    assert clean(cut).content == cut


# -- EXIF -----------------------------------------------------------------------------------------------------------


def exif(block, name=b"Exif\0\0"):
    return segment(0xE1, name + block)


# segments of EXIF -> the orientation that Chromium takes from them, or None if it looks at the next
EXIFS = {
    **{
        exif(tiff(number, order=order), name): number
        for number in range(1, 9)
        for order in "<>"
        for name in (b"Exif\0\0", b"Exif\0\xff")
    },
    exif(tiff()): 1,
    exif(tiff(0)): 1,
    exif(tiff(9)): 1,
    exif(b"no TIFF"): 1,
    exif(b""): None,
    segment(0xE1, b"Exif\0"): None,
    segment(0xE1, b"Exifx\0" + tiff(5)): None,
    segment(0xE1, pictures.XMP_NAME + pictures.xmp()): None,
}


@given(st.lists(st.sampled_from(list(EXIFS)), max_size=4), st.data())
def test_the_first_exif_decides(segments, data):
    carrier = data.draw(st.sampled_from([BASELINE, PROGRESSIVE]))
    decided = next((EXIFS[each] for each in segments if EXIFS[each]), 1)
    wanted = carrier if decided == 1 else jpeg_with(carrier, exif_segment(decided, order=">"))
    assert clean(jpeg_with(carrier, *segments)).content == wanted


@pytest.mark.parametrize("marker", [SOF, DHT, SOS])
def test_exif_counts_up_to_the_first_scan(marker):
    at = BASELINE.index(bytes((0xFF, marker)))
    sent = BASELINE[:at] + exif_segment(6) + BASELINE[at:]
    assert clean(sent).content == BASELINE[:at] + exif_segment(6, order=">") + BASELINE[at:]


@pytest.mark.parametrize(
    "later", [exif_segment(6), pictures.icc_segment(PROFILE), segment(0xEE, b"Adobe\0\x64" + bytes(5))]
)
def test_segments_of_applications_behind_the_first_scan_are_dropped(later):
    at = PROGRESSIVE.index(b"\xff\xc4", PROGRESSIVE.index(b"\xff\xda"))
    same_picture(PROGRESSIVE[:at] + later + PROGRESSIVE[at:], PROGRESSIVE)


def test_of_several_orientations_in_a_directory_the_first_valid_one_counts():
    entries = [(0x0112, pictures.SHORT, number.to_bytes(2, "little")) for number in (9, 6, 3)]
    stored = clean(jpeg_with(BASELINE, exif(pictures.tiff_of("<", entries)))).content
    assert stored == jpeg_with(BASELINE, exif_segment(6, order=">"))


# -- colour profiles ------------------------------------------------------------------------------------------------


def profile_of(data):
    with Image.open(io.BytesIO(data)) as image:
        return image.info.get("icc_profile")


def parts_of(profile, cuts, count=None):
    edges = [0, *cuts, len(profile)]
    pairs = list(itertools.pairwise(edges))
    return [
        segment(0xE2, b"ICC_PROFILE\0" + bytes((number, count or len(pairs))) + profile[start:end])
        for number, (start, end) in enumerate(pairs, 1)
    ]


CUTS = st.sets(st.integers(1, len(PROFILE) - 1), max_size=8).map(sorted)


@given(CUTS, st.randoms(use_true_random=False), st.sampled_from([BASELINE, PROGRESSIVE, CMYK]))
def test_a_profile_in_any_parts_and_order_stays_as_it_is(cuts, random, carrier):
    parts = parts_of(PROFILE, cuts)
    random.shuffle(parts)
    sent = jpeg_with(carrier, *parts)
    assert clean(sent).content == sent
    assert profile_of(sent) == PROFILE


@given(CUTS, st.data())
def test_parts_behind_a_whole_profile_are_dropped(cuts, data):
    parts = parts_of(PROFILE, cuts)
    extra = data.draw(
        st.lists(st.sampled_from([*parts, *parts_of(PROFILE, [], 9), *parts_of(b"x" * 600, [])]), max_size=4)
    )
    assert clean(jpeg_with(BASELINE, *parts, *extra)).content == jpeg_with(BASELINE, *parts)


@given(CUTS.filter(bool), st.data())
def test_a_profile_that_is_not_whole_is_dropped(cuts, data):
    parts = parts_of(PROFILE, cuts)
    del parts[data.draw(st.integers(0, len(parts) - 1))]
    at = data.draw(st.integers(0, len(parts)))
    odd = data.draw(
        st.sampled_from(
            [[], parts[:1] * (at > 0), parts_of(PROFILE, [], 77), [segment(0xE2, b"ICC_PROFILE\0\0\1" + PROFILE)]]
        )
    )
    assert clean(jpeg_with(BASELINE, *parts[:at], *odd, *parts[at:])).content == BASELINE


@pytest.mark.parametrize("marker", [DHT, SOS])
def test_a_profile_behind_the_frame_header_is_moved_before_it(marker):
    at, frame = BASELINE.index(bytes((0xFF, marker))), BASELINE.index(b"\xff\xc0")
    whole = pictures.icc_segment(PROFILE)
    stored = clean(BASELINE[:at] + whole + BASELINE[at:]).content
    assert stored == BASELINE[:frame] + whole + BASELINE[frame:]
    assert profile_of(stored) == PROFILE
    assert clean(stored).content == stored


def test_a_profile_that_is_stored_otherwise_is_written_anew():
    bomb = (ROOT / "tests/images/cases/bomb-icc-20000-stages.jpg").read_bytes()
    stored = clean(bomb).content
    assert b"D2B0" in bomb
    assert b"D2B0" not in stored
    assert pixels(stored) == pixels(bomb)
    assert clean(stored).content == stored


def test_a_profile_of_more_than_4_mb_is_dropped():
    large = PROFILE + bytes(PROFILE_MAX)
    cuts = range(60_000, len(large), 60_000)
    assert clean(jpeg_with(BASELINE, *parts_of(large, cuts))).content == BASELINE
    smaller = PROFILE + bytes(PROFILE_MAX - len(PROFILE))
    assert len(clean(jpeg_with(BASELINE, *parts_of(smaller, cuts))).content) > PROFILE_MAX


# -- work -----------------------------------------------------------------------------------------------------------

BOMBS = {
    "empty tables": segment(DHT, b""),
    "restart intervals": segment(DRI, b"\0\1"),
    "comments": segment(0xFE, b""),
    "quantization tables": segment(DQT, bytes(65)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_file_of_millions_of_segments_is_422_at_once(name):
    data = jpeg_with(BASELINE, BOMBS[name] * (20_000_000 // len(BOMBS[name])))
    seconds = []
    for _ in range(2):  # a busy machine may slow one of them down
        start = time.process_time()
        detail = sentence_of(clean, data, UnprocessableValue)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.5  # 0.1 took 22
    assert f"img has more than {MAX_SEGMENTS:,} segments" in detail


@pytest.mark.parametrize(
    "junk", [bytes(20_000_000), b"\xff\0" * 2_000_000, b"\xff\xd0" * 2_000_000, b"\xff" * 4_000_000]
)
def test_megabytes_between_segments_take_no_time_and_no_memory(junk):
    sent = jpeg_with(BASELINE, junk)
    start = time.process_time()
    assert clean(sent).content == BASELINE
    assert time.process_time() - start < 2  # seconds
    tracemalloc.start()
    clean(sent)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1_000_000  # bytes beside the file


def test_the_largest_number_of_segments_is_cheap():
    sent = jpeg_with(BASELINE, segment(DRI, b"\0\1") * (MAX_SEGMENTS - 100), segment(DRI, b"\0\0"))
    start = time.process_time()
    stored = clean(sent).content
    assert time.process_time() - start < 1  # second
    assert stored == jpeg_with(BASELINE, segment(DRI, b"\0\0"))


@pytest.mark.parametrize(("width", "height", "scans"), [(8192, 8192, 20), (8000, 8000, 20), (3600, 3700, MAX_SCANS)])
def test_scans_within_the_budget_are_taken(width, height, scans):
    cleaned = clean(many_scans(width, height, scans))
    assert cleaned.is_bounded == (scans <= BOUNDED_SCANS)
    assert scans * width * height <= MAX_SCAN_PIXELS


@pytest.mark.parametrize(
    ("width", "height", "scans"), [(8192, 8192, 21), (7064, 7064, MAX_SCANS), (3700, 3700, MAX_SCANS)]
)
def test_too_many_scans_of_too_many_pixels_are_422_and_name_the_limit(width, height, scans):
    data = many_scans(width, height, scans)
    start = time.process_time()
    detail = sentence_of(clean, data, UnprocessableValue)
    assert time.process_time() - start < 0.5  # second
    assert f"img has {scans} scans of {width} x {height} pixels" in detail
    assert f"at most {MAX_SCAN_PIXELS:,}" in detail


# -- all of it ------------------------------------------------------------------------------------------------------


@settings(max_examples=150)
@given(st.data())
def test_whatever_is_taken_is_taken_again_and_shows_the_same(data):
    parts = [whole for carrier in (BASELINE, PROGRESSIVE) for _, whole in pieces(carrier)]
    odd = [
        *EXIFS,
        *parts_of(PROFILE, [200]),
        segment(DHT, b""),
        segment(DRI, b"\0\0"),
        segment(DAC, b"\0\0"),
        b"\xff\0",
        b"\0\1",
    ]
    chosen = data.draw(st.sampled_from([BASELINE, PROGRESSIVE]))
    shuffled = [whole for _, whole in pieces(chosen)]
    for _ in range(data.draw(st.integers(1, 5))):
        shuffled.insert(data.draw(st.integers(1, len(shuffled))), data.draw(st.sampled_from(parts + odd)))
    sent = b"".join(shuffled)
    once = outcome(clean, sent)
    if isinstance(once, ApiError):
        assert once.status in (415, 422)
        return
    assert clean(once.content) == once
    assert pixels(sent) in (pixels(once.content), None)
