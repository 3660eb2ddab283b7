"""A picture is stored without what cameras and editors write beside its pixels."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import UnprocessableValue, UnsupportedMediaType
from shared.pictures.stripping.strip import clean
from shared.pictures.stripping.strip_jpeg import BOUNDED_SCANS, MAX_SCANS
from shared.pictures.stripping.strip_parts import Cleaned
from tests.support import pictures
from tests.support.cloud import ROOT
from tests.support.hostile_pictures import canvas
from tests.support.pictures import SECRET, chunk, exif_segment, jpeg_with, png_with, riff, segment, tiff, webp_chunks

IMAGES = ROOT / "tests/images"

PLAIN = {
    "jpg": [
        pictures.jpeg(),
        pictures.jpeg(1, progressive=True),
        pictures.jpeg(2, mode="L"),
        pictures.jpeg(3, mode="CMYK"),
        jpeg_with(pictures.jpeg(), pictures.icc_segment()),
        jpeg_with(pictures.jpeg(), exif_segment(6, order=">")),
    ],
    "png": [
        pictures.png(),
        pictures.png(1, mode="RGBA"),
        pictures.palette_png(),
        pictures.animated_png(),
        pictures.animated_png(default_image=True),
        pictures.tiny(1),
        png_with(pictures.png(), chunk(b"gAMA", (45455).to_bytes(4)), chunk(b"eXIf", tiff(6, order=">"))),
        png_with(pictures.png(), chunk(b"cICP", bytes(4)), chunk(b"mDCV", bytes(24)), chunk(b"cLLI", bytes(8))),
    ],
    "webp": [
        pictures.webp(),
        pictures.webp(1, lossless=True),
        pictures.webp(2, mode="RGBA"),
        pictures.animated_webp(),
        pictures.extended_webp(pictures.webp(), (b"EXIF", tiff(6, order=">")), flags=0x08),
    ],
}
PLAIN_PAIRS = [(kind, data) for kind, files in PLAIN.items() for data in files]


def private(kind, orientation=None):
    """Yield a picture with everything that must be removed, and the picture without it."""
    if kind == "jpg":
        plain = pictures.jpeg()
        return jpeg_with(plain, *pictures.private_segments(orientation)), plain
    if kind == "png":
        plain = pictures.png()
        return png_with(plain, *pictures.private_chunks(orientation)), plain
    plain = pictures.extended_webp(pictures.webp(), flags=0)
    exif = (b"EXIF", tiff(orientation, private=True))
    extra = [exif, (b"XMP ", pictures.xmp()), (b"prVt", SECRET)]
    return pictures.extended_webp(pictures.webp(), *extra, flags=0x0C), plain


def broken(data, kind):
    """Return the sentence of the refusal."""
    with pytest.raises(UnsupportedMediaType) as caught:
        clean(data, kind)
    assert caught.value.field == "img"
    return caught.value.detail


# -- all three formats --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "data"), PLAIN_PAIRS)
def test_a_plain_file_comes_back_byte_for_byte(kind, data):
    assert clean(data, kind).content == data


@pytest.mark.parametrize("kind", PLAIN)
def test_everything_private_is_removed(kind):
    data, plain = private(kind)
    assert SECRET in data
    assert clean(data, kind).content == plain


@pytest.mark.parametrize("trailer", pictures.trailers().values(), ids=pictures.trailers())
@pytest.mark.parametrize(("kind", "data"), PLAIN_PAIRS)
def test_everything_after_the_end_is_removed(kind, data, trailer):
    assert clean(data + trailer, kind).content == data


@pytest.mark.parametrize("upright", [0, 1, 9, 65535])
@pytest.mark.parametrize("kind", PLAIN)
def test_an_upright_or_invalid_orientation_leaves_no_exif(kind, upright):
    data, plain = private(kind, upright)
    assert clean(data, kind).content == plain


@pytest.mark.parametrize(
    ("kind", "data", "frames"),
    [
        ("jpg", pictures.jpeg(size=(31, 17)), 1),
        ("jpg", pictures.jpeg(size=(31, 17), progressive=True), 1),
        ("png", pictures.png(size=(31, 17)), 1),
        ("webp", pictures.webp(size=(31, 17)), 1),
        ("webp", pictures.webp(size=(31, 17), lossless=True), 1),
        ("webp", pictures.webp(size=(31, 17), mode="RGBA"), 1),
    ],
)
def test_the_size_is_read_from_the_header(kind, data, frames):
    cleaned = clean(data, kind)
    assert (cleaned.content, cleaned.width, cleaned.height, cleaned.frames) == (data, 31, 17, frames)


def scanned(scans, mode="RGB"):
    """Make a progressive JPEG of so many scans: the first ones, or all and the last one again and again."""
    data = pictures.jpeg(progressive=True, mode=mode)
    starts = [found.start() for found in re.finditer(b"\xff\xda", data)]
    if scans < len(starts):
        return data[: starts[scans]] + data[-2:]
    return data[:-2] + data[starts[-1] : -2] * (scans - len(starts)) + data[-2:]


@pytest.mark.parametrize(
    ("kind", "data", "is_bounded"),
    [
        ("jpg", pictures.jpeg(), True),
        ("jpg", scanned(BOUNDED_SCANS), True),
        ("jpg", scanned(BOUNDED_SCANS + 1), False),
        ("jpg", scanned(BOUNDED_SCANS * 3 // 5, mode="CMYK"), True),
        ("jpg", scanned(BOUNDED_SCANS * 3 // 5 + 1, mode="CMYK"), False),
        ("png", pictures.animated_png(), True),
        ("webp", pictures.webp(), True),
        ("webp", pictures.webp(lossless=True), False),
        ("webp", riff([canvas(24, 16, 0x10), (b"ALPH", b"\0" * 9), *webp_chunks(pictures.webp())]), True),
        ("webp", riff([canvas(24, 16, 0x10), (b"ALPH", b"\1" * 9), *webp_chunks(pictures.webp())]), False),
        ("webp", pictures.animated_webp(), False),
    ],
)
def test_what_headers_cannot_bound_is_marked(kind, data, is_bounded):
    assert clean(data, kind).is_bounded == is_bounded


@pytest.mark.parametrize(
    ("kind", "data", "frames"),
    [
        ("png", pictures.animated_png(frames=3), 3),
        ("png", pictures.animated_png(frames=3, default_image=True), 3),
        ("webp", pictures.animated_webp(frames=4), 4),
    ],
)
def test_the_frames_are_counted(kind, data, frames):
    assert clean(data, kind).frames == frames


@given(st.data())
def test_an_incomplete_file_is_415(data):
    kind, whole = data.draw(st.sampled_from(PLAIN_PAIRS))
    assert "broken or incomplete" in broken(whole[: data.draw(st.integers(0, len(whole) - 1))], kind)


@pytest.mark.parametrize("kind", PLAIN)
@given(data=st.binary())
def test_bytes_of_another_type_are_415(kind, data):
    assert "save it again" in broken(data, kind)


@given(st.data())
def test_stripping_twice_changes_nothing(data):
    kind, plain = data.draw(st.sampled_from(PLAIN_PAIRS))
    dirty, _ = private(kind, data.draw(st.none() | st.integers(0, 10)))
    start = bytearray(data.draw(st.sampled_from([plain, dirty])))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(start)))
        start[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        once = clean(bytes(start), kind)
    except UnsupportedMediaType:
        return
    assert clean(once.content, kind) == once


# -- the two photographs ------------------------------------------------------------------------------------------


def test_the_cat_loses_its_xmp_and_nothing_else():
    data = (IMAGES / "chelsea.png").read_bytes()
    start = data.index(b"iTXt") - 4
    end = start + 12 + int.from_bytes(data[start : start + 4])
    assert b"XML:com.adobe.xmp" in data[start:end]
    assert clean(data, "png") == Cleaned(data[:start] + data[end:], 451, 300)


def test_the_rocket_loses_its_comment_and_nothing_else():
    data = (IMAGES / "rocket.jpg").read_bytes()
    start = data.index(b"\xff\xfe")
    end = start + 2 + int.from_bytes(data[start + 2 : start + 4])
    assert clean(data, "jpg") == Cleaned(data[:start] + data[end:], 640, 427)


# -- JPEG -------------------------------------------------------------------------------------------------------


def test_the_thumbnail_of_jfif_is_dropped():
    plain = pictures.jpeg()
    density = plain[6:18]  # name, version, unit and density, which come before the size of the thumbnail
    with_thumbnail = plain[:2] + segment(0xE0, density + b"\x02\x01" + bytes(6)) + plain[20:]
    assert clean(with_thumbnail, "jpg").content == plain


def test_bytes_after_the_colour_transform_of_adobe_are_dropped():
    plain = pictures.jpeg(mode="CMYK")
    assert plain[2:6] == b"\xff\xee\0\x0e"
    assert clean(plain[:4] + b"\0\x1f" + plain[6:18] + SECRET + plain[18:], "jpg").content == plain


def test_a_colour_profile_without_its_numbers_is_dropped():
    plain = pictures.jpeg()
    assert clean(jpeg_with(plain, segment(0xE2, b"ICC_PROFILE\0")), "jpg").content == plain


def test_an_orientation_in_the_last_bytes_of_exif_is_read():
    cut = tiff(6)[:-4]  # without the offset of a next directory
    content = clean(jpeg_with(pictures.jpeg(), segment(0xE1, b"Exif\0\0" + cut)), "jpg").content
    assert content == jpeg_with(pictures.jpeg(), exif_segment(6, order=">"))


def test_exif_that_announces_many_tags_takes_no_time():
    lie = segment(0xE1, b"Exif\0\0" + tiff()[:8] + b"\xff\xff")
    plain = pictures.jpeg()
    start = time.process_time()
    assert clean(jpeg_with(plain, *[lie] * 2000), "jpg").content == plain
    assert time.process_time() - start < 1  # second; a parser that believes the count takes 131 million steps


def test_a_short_frame_header_is_415():
    plain = pictures.jpeg()
    start, end = plain.index(b"\xff\xc0"), plain.index(b"\xff\xc4")
    assert "frame header" in broken(plain[:start] + segment(0xC0, b"\x08\0\x10\0\x18") + plain[end:], "jpg")


def test_a_second_exif_and_jfif_are_dropped():
    once = jpeg_with(pictures.jpeg(), exif_segment(6, order=">"))
    jfif = once[2:20]
    assert clean(jpeg_with(once, exif_segment(3), jfif), "jpg").content == jpeg_with(
        pictures.jpeg(), exif_segment(3, order=">")
    )


def test_segments_between_the_scans_are_dropped():
    plain = pictures.jpeg(progressive=True)
    second_scan = plain.index(b"\xff\xda", plain.index(b"\xff\xda") + 2)
    between = plain[:second_scan] + segment(0xFE, SECRET) + plain[second_scan:]
    assert clean(between, "jpg").content == plain


def test_fill_bytes_before_a_marker_are_dropped():
    plain = pictures.jpeg()
    table = plain.index(b"\xff\xdb")
    assert clean(plain[:table] + b"\xff\xff\xff" + plain[table:], "jpg").content == plain


def test_restart_markers_stay_in_the_scan():
    image = pictures.raster(size=(64, 64))
    data = pictures.saved(image, "JPEG", restart_marker_blocks=2)
    assert b"\xff\xd0" in data
    assert clean(data, "jpg").content == data


@pytest.mark.parametrize("count", [BOUNDED_SCANS, MAX_SCANS])
def test_scans_are_accepted_up_to_the_limit(count):
    assert clean(scanned(count), "jpg").content == scanned(count)


def test_one_scan_above_the_limit_is_422():
    with pytest.raises(
        UnprocessableValue, match=f"img has {MAX_SCANS + 1} scans, but a JPEG may have at most {MAX_SCANS}"
    ):
        clean(scanned(MAX_SCANS + 1), "jpg")


def test_a_second_frame_header_is_415():
    plain = pictures.jpeg()
    frame = plain[plain.index(b"\xff\xc0") : plain.index(b"\xff\xc4")]
    assert "one frame header" in broken(jpeg_with(plain, frame), "jpg")


def test_an_unknown_marker_is_415():
    assert "FF02" in broken(jpeg_with(pictures.jpeg(), segment(0x02, b"")), "jpg")


@pytest.mark.parametrize("payload", [b"\0\x10", b"\0\x10" + SECRET])
def test_a_number_of_lines_behind_a_scan_is_dropped(payload):
    plain = pictures.jpeg()
    assert clean(plain[:-2] + segment(0xDC, payload) + plain[-2:], "jpg").content == plain


def test_a_jpeg_without_a_scan_is_415():
    plain = pictures.jpeg()
    assert "scans" in broken(plain[: plain.index(b"\xff\xda")] + b"\xff\xd9", "jpg")


# -- PNG --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_palette_that_no_pixel_uses_is_dropped(mode):
    plain = pictures.png(mode=mode)
    assert clean(png_with(plain, chunk(b"PLTE", SECRET + b"!")), "png").content == plain


def test_transparency_beside_an_alpha_channel_is_dropped():
    plain = pictures.png(mode="RGBA")
    assert clean(png_with(plain, chunk(b"tRNS", SECRET)), "png").content == plain


def test_an_unknown_critical_chunk_is_415():
    assert "critical" in broken(png_with(pictures.png(), chunk(b"CgBI", b"")), "png")


def test_frames_without_an_animation_are_dropped():
    plain = pictures.png()
    frame = [chunk(b"fcTL", bytes(26)), chunk(b"fdAT", SECRET)]
    assert clean(png_with(plain, *frame, before=b"IEND"), "png").content == plain


def test_a_png_without_pixels_is_415():
    plain = pictures.tiny(1)
    assert "pixels" in broken(plain[: plain.index(b"IDAT") - 4] + chunk(b"IEND", b""), "png")


def test_a_header_that_is_not_first_is_415():
    assert "header" in broken(png_with(pictures.png(), chunk(b"gAMA", bytes(4)), before=b"IHDR"), "png")


# -- WebP -------------------------------------------------------------------------------------------------------


def test_the_flags_of_webp_name_the_chunks_that_are_left():
    icc = (b"ICCP", b"a colour profile")
    simple = pictures.webp()
    data = pictures.extended_webp(simple, icc, (b"EXIF", tiff(3)), (b"XMP ", SECRET), flags=0x2C)
    wanted = pictures.extended_webp(simple, icc, (b"EXIF", tiff(3, order=">")), flags=0x28)
    assert clean(data, "webp").content == wanted


def test_exif_of_webp_may_begin_as_in_jpeg():
    data = pictures.extended_webp(pictures.webp(), (b"EXIF", b"Exif\0\0" + tiff(6)), flags=0x08)
    assert clean(data, "webp").content == PLAIN["webp"][-1]


def test_chunks_around_a_simple_webp_are_dropped():
    [picture] = webp_chunks(pictures.webp())
    assert clean(riff([picture, (b"EXIF", tiff(6)), picture, (b"odd ", b"1")]), "webp").content == pictures.webp()


def test_chunks_inside_a_frame_are_dropped():
    plain = pictures.animated_webp()
    hidden = [
        (kind, payload + b"prVt\x12\0\0\0" + SECRET + b"\0" if kind == b"ANMF" else payload)
        for kind, payload in webp_chunks(plain)
    ]
    assert clean(riff(hidden), "webp").content == plain


def test_bytes_after_what_an_animation_needs_are_dropped():
    plain = pictures.animated_webp()
    long = [(kind, payload + SECRET if kind == b"ANIM" else payload) for kind, payload in webp_chunks(plain)]
    assert clean(riff(long), "webp").content == plain


def test_a_second_picture_in_the_other_compression_is_dropped():
    [lossy], [lossless] = webp_chunks(pictures.webp()), webp_chunks(pictures.webp(lossless=True))
    assert clean(riff([lossy, lossless]), "webp").content == riff([lossy])


def test_the_reserved_bytes_of_webp_are_cleared():
    plain = pictures.webp(mode="RGBA")
    assert clean(plain[:21] + b"GPS" + plain[24:], "webp").content == plain


def test_a_short_header_of_webp_is_415():
    assert "header is short or long" in broken(riff([(b"VP8X", bytes(9)), *webp_chunks(pictures.webp())]), "webp")


def test_a_webp_cut_between_two_chunks_is_415():
    data = pictures.animated_webp()
    assert "end is missing" in broken(data[: data.rindex(b"ANMF")], "webp")


def test_a_chunk_of_webp_that_is_longer_than_the_file_is_415():
    data = riff([*webp_chunks(pictures.webp()), (b"prVt", b"even")])
    assert "chunk is longer" in broken(data.replace(b"prVt\x04", b"prVt\x06"), "webp")


def test_a_webp_without_a_picture_is_415():
    assert "no picture" in broken(riff([(b"XMP ", SECRET)]), "webp")
