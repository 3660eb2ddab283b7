"""The check of a picture: what is stored looks the same, and everything else is refused with a sentence."""

import base64
import struct
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from shared.errors import ApiError, UnprocessableValue
from shared.pictures import check, transport
from shared.pictures.check import Picture, check_picture
from shared.pictures.sizes import MAX_DEEP_PIXELS, MAX_FRAMES, MAX_PIXELS, MAX_SLOW_PIXELS, MAX_WEBP_PIXELS
from tests.support import heavy_pictures, pictures
from tests.support.cloud import ROOT
from tests.support.no_children import no_children
from tests.support.pictures import SECRET, chunk, jpeg_with, png_chunks, png_of, png_with, tiff
from tests.support.pixels import pixels
from tests.support.refusals import outcome, sentence_of

IMAGES = ROOT / "tests/images"
GAMMA = chunk(b"gAMA", (100_000).to_bytes(4))

VALID = {
    "jpeg": pictures.jpeg(),
    "progressive jpeg": pictures.jpeg(1, progressive=True),
    "cmyk jpeg": pictures.jpeg(2, mode="CMYK"),
    "jpeg of a phone": jpeg_with(pictures.jpeg(3), *pictures.private_segments(6), pictures.icc_segment()),
    "png": pictures.png(),
    "palette png": pictures.palette_png(),
    "png with text": png_with(pictures.png(4, mode="RGBA"), *pictures.private_chunks(3)),
    "animated png": pictures.animated_png(),
    "animated png with default image": pictures.animated_png(default_image=True),
    "tiny png": pictures.tiny(5),
    "webp": pictures.webp(),
    "lossless webp": pictures.webp(lossless=True),
    "webp with alpha": pictures.webp(mode="RGBA"),
    "webp with exif": pictures.extended_webp(pictures.webp(), (b"EXIF", tiff(5, private=True)), flags=0x08),
    "animated webp": pictures.animated_webp(),
}


# -- accepted pictures -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", VALID.values(), ids=VALID)
def test_a_picture_keeps_its_pixels_and_loses_the_rest(data):
    content = check_picture(data).content
    assert pixels(content) == pixels(data)
    assert SECRET not in content


@pytest.mark.parametrize("data", VALID.values(), ids=VALID)
def test_a_stored_picture_is_accepted_again_unchanged(data):
    picture = check_picture(data)
    assert check_picture(picture.content) == picture


@pytest.mark.parametrize(
    ("name", "size", "removed"), [("chelsea.png", (451, 300), 3134), ("rocket.jpg", (640, 427), 30)]
)
def test_a_photograph_is_accepted(name, size, removed):
    data = (IMAGES / name).read_bytes()
    picture = check_picture(data)
    assert (picture.extension, picture.width, picture.height) == (name[-3:], *size)
    assert len(picture.content) == len(data) - removed
    assert pixels(picture.content) == pixels(data)


@pytest.mark.parametrize(
    ("data", "extension"), [(pictures.jpeg(), "jpg"), (pictures.png(), "png"), (pictures.webp(), "webp")]
)
def test_the_bytes_decide_the_extension(data, extension):
    assert check_picture(data) == Picture(data, extension, 24, 16)


def test_width_and_height_are_those_of_the_stored_pixels():
    turned = jpeg_with(pictures.jpeg(size=(30, 20)), pictures.exif_segment(6))
    assert (check_picture(turned).width, check_picture(turned).height) == (30, 20)


def test_tiny_pictures_are_valid_and_all_different():
    contents = {check_picture(pictures.tiny(seed)).content for seed in range(2000)}
    assert contents == {pictures.tiny(seed) for seed in range(2000)}
    assert len(contents) == 2000


# -- files of other types -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (pictures.gif(), "image/gif"),
        (pictures.svg(), "image/svg+xml"),
        (pictures.html(), "text/html"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"),
        (b"a plain text", "text/plain"),
    ],
)
def test_another_type_is_415_with_its_name(data, media_type):
    assert f"img is {media_type}, but must be a JPEG, PNG or WebP picture" in sentence_of(check_picture, data)


@pytest.mark.parametrize("form", ["BMP", "TIFF", "ICO", "PPM"])
def test_other_formats_that_pillow_reads_are_415(form):
    assert "must be a JPEG, PNG or WebP picture" in sentence_of(check_picture, pictures.saved(pictures.raster(), form))


WHOLE = {"jpeg": pictures.jpeg(), "png": pictures.png(), "webp": pictures.webp(2, (192, 128))}


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("kind", WHOLE)
def test_bytes_that_went_through_a_text_encoding_are_415_and_told_so(kind, encoding):
    assert WHOLE["webp"][4] >= 0x80  # a size in ASCII stays
    detail = sentence_of(check_picture, WHOLE[kind].decode(encoding, "replace").encode())
    assert "read as text" in detail
    assert "EF BF BD" in detail


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_bytes_that_were_taken_for_characters_are_415_and_told_so(kind, encoding):
    assert "read as text" in sentence_of(check_picture, WHOLE[kind].decode(encoding, "ignore").encode())


@pytest.mark.parametrize("begin", [b"", b"\r\n", b"data:image/png;base64,", b'"data:;base64,'])
@pytest.mark.parametrize("kind", WHOLE)
def test_a_picture_in_base64_is_415_and_told_so(kind, begin):
    assert "is in base64; decode it" in sentence_of(check_picture, begin + base64.encodebytes(WHOLE[kind]))


@pytest.mark.parametrize("ends", [(b"\r\n", b"\n"), (b"\n", b"\r\n"), (b"\x1a\n", b"\x1a\r\n")])
def test_a_png_with_other_line_ends_is_415_and_told_so(ends):
    assert "line ends changed" in sentence_of(check_picture, WHOLE["png"].replace(*ends))


def test_a_webp_whose_size_is_like_the_sign_of_another_fault_is_no_such_fault():
    assert transport.damage(b"RIFF\xef\xbf\xbd\0WEBPVP8 ") is None


def test_a_file_on_whose_type_libmagic_disagrees_is_415_with_a_true_sentence(monkeypatch):
    monkeypatch.setattr(check, "_media_type", lambda _: "text/x-novel")
    assert "begins like a picture (png), but it looks like text/x-novel" in sentence_of(check_picture, pictures.png())
    monkeypatch.setattr(check, "_media_type", lambda _: "image/png")
    assert "looks like image/png, but does not begin as such a file does" in sentence_of(check_picture, b"almost")


def test_a_gif_under_the_signature_of_a_png_is_415():
    sentence_of(check_picture, pictures.PNG_SIGNATURE + pictures.gif())


# -- broken files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9, 0.999])
@pytest.mark.parametrize("name", ["chelsea.png", "rocket.jpg"])
def test_an_incomplete_photograph_is_415(name, part):
    data = (IMAGES / name).read_bytes()
    assert "broken or incomplete" in sentence_of(check_picture, data[: int(len(data) * part)])


def test_pixels_that_do_not_decode_are_415():
    data = pictures.png()
    start = data.index(b"IDAT") - 4
    assert "cannot be decoded" in sentence_of(
        check_picture, data[:start] + chunk(b"IDAT", b"no zlib stream") + pictures.chunk(b"IEND", b"")
    )


LATE = {
    "IndexError": chunk(b"iCCP", b"a\0"),
    "SyntaxError": chunk(b"iCCP", b"a\0\1"),
    "ValueError": chunk(b"gAMA", b""),
}


@pytest.mark.parametrize("late", LATE.values(), ids=LATE)
def test_a_chunk_after_the_pixels_at_which_pillow_fails_is_dropped(late):
    plain = pictures.png()
    assert check_picture(png_with(plain, late, before=b"IEND")).content == plain


@pytest.mark.parametrize(
    "raised",
    [
        Image.DecompressionBombError,
        Image.UnidentifiedImageError,
        AttributeError,
        EOFError,
        KeyError,
        OverflowError,
        TypeError,
        struct.error,
        zlib.error,
    ],
)
def test_every_exception_of_pillow_is_415(raised, monkeypatch):
    monkeypatch.setattr(Image, "open", failing(raised))
    assert "cannot be decoded" in sentence_of(check_picture, pictures.jpeg())


def test_a_picture_that_does_not_fit_into_memory_is_422(monkeypatch):
    monkeypatch.setattr(Image, "open", failing(MemoryError))
    assert "make it smaller" in sentence_of(check_picture, pictures.jpeg(), UnprocessableValue)


def failing(error):
    def fail(*_, **__):
        raise error

    return fail


def test_a_frame_that_does_not_decode_is_415():
    data = pictures.animated_png(frames=2)
    start = data.index(b"fdAT") - 4
    end = start + 12 + int.from_bytes(data[start : start + 4])
    broken_frame = chunk(b"fdAT", data[start + 8 : start + 12] + b"no zlib stream")
    assert "cannot be decoded" in sentence_of(check_picture, data[:start] + broken_frame + data[end:])


def test_an_animation_announced_after_the_first_picture_is_stored_as_that_picture():
    data = pictures.animated_png(frames=2)
    start = data.index(b"acTL") - 4
    control, rest = data[start : start + 20], data[:start] + data[start + 20 :]
    assert check_picture(png_with(rest, control, before=b"IEND")).content == pictures.first_frames(data, 0)


def test_a_colour_profile_that_unpacks_to_gigabytes_is_dropped():
    plain = pictures.png()
    bomb = chunk(b"iCCP", b"a\0\0" + pictures.giant_png()[41:-16])
    start = time.process_time()
    assert check_picture(png_with(plain, bomb)).content == plain
    assert time.process_time() - start < 1  # second


# -- too large pictures -----------------------------------------------------------------------------------------


def test_a_giant_picture_is_422_before_it_is_decoded():
    data = pictures.giant_png(30_000, 30_000)
    start = time.process_time()
    detail = sentence_of(check_picture, data, UnprocessableValue)
    assert time.process_time() - start < 0.5  # second; decoding takes seconds and gigabytes
    assert "30000 x 30000 pixels" in detail
    assert "67,108,864" in detail


def png_with_header(data, *, depth, colour, interlaced=0):
    return data[:8] + chunk(b"IHDR", data[16:24] + bytes((depth, colour, 0, 0, interlaced))) + data[33:]


def with_size(data, width, height):
    """Write another size into the header of the file."""
    if data.startswith(b"\xff\xd8"):
        at = data.index(b"\xff\xc0") + 5
        return data[:at] + height.to_bytes(2) + width.to_bytes(2) + data[at + 4 :]
    if data.startswith(b"RIFF"):
        sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        return data[:24] + sides + data[30:]
    return data[:8] + chunk(b"IHDR", width.to_bytes(4) + height.to_bytes(4) + data[24:29]) + data[33:]


@pytest.mark.parametrize(
    ("data", "size", "most"),
    [
        (pictures.jpeg(), (8_193, 8_192), MAX_PIXELS),
        (pictures.png(), (8_193, 8_192), MAX_PIXELS),
        (pictures.webp(mode="RGBA"), (8_193, 6_144), MAX_WEBP_PIXELS),
        (png_with_header(pictures.png(), depth=16, colour=6), (8_192, 4_097), MAX_DEEP_PIXELS),
        (png_with_header(pictures.png(), depth=16, colour=2, interlaced=1), (8_193, 6_144), MAX_SLOW_PIXELS),
        (png_with_header(pictures.png(), depth=16, colour=2, interlaced=0), (8_193, 6_144), MAX_SLOW_PIXELS),
        (png_with_header(pictures.png(), depth=8, colour=2, interlaced=1), (8_193, 6_144), MAX_SLOW_PIXELS),
        (png_with(pictures.png(mode="RGBA"), GAMMA), (8_193, 6_144), MAX_SLOW_PIXELS),
        (png_with(pictures.png(), GAMMA, chunk(b"tRNS", bytes(6))), (8_193, 6_144), MAX_SLOW_PIXELS),
    ],
)
def test_a_row_of_pixels_beyond_the_limit_is_422_with_the_limit(data, size, most):
    detail = sentence_of(check_picture, with_size(data, *size), UnprocessableValue)
    assert f"{size[0]} x {size[1]} pixels" in detail
    assert f"at most {most:,} pixels" in detail


@pytest.mark.parametrize("size", [(1, 1_000_001), (1_000_001, 1)])
def test_a_png_that_is_longer_than_browsers_show_is_422_with_the_limit(size):
    detail = sentence_of(check_picture, with_size(pictures.png(), *size), UnprocessableValue)
    assert "a side of a PNG may have at most 1,000,000" in detail


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (pictures.png(), (8_192, 8_192)),
        (pictures.png(), (1, 1_000_000)),
        (png_with_header(pictures.png(), depth=16, colour=6), (8_192, 4_096)),
    ],
)
def test_a_picture_of_exactly_the_limit_is_not_too_large(data, size):
    assert "cannot be decoded" in sentence_of(check_picture, with_size(data, *size))  # most of its pixels are missing


@pytest.mark.parametrize("name", ["p-50mp-8160x6144.png"])
def test_a_picture_of_a_telephone_of_50_megapixels_is_taken(name):
    picture = check_picture((IMAGES / "cases" / name).read_bytes())
    assert (picture.width, picture.height) == (8_160, 6_144)


def test_the_frames_of_an_animation_count():
    side = 4096
    assert side * side * 3 == MAX_WEBP_PIXELS
    data = with_size(pictures.animated_webp(frames=4), side, side)
    assert "4096 x 4096 pixels in 4 frame(s)" in sentence_of(check_picture, data, UnprocessableValue)


def with_frames(count):
    """Make a PNG of this many pictures, a still one and frames whose pixels are broken."""
    still = png_with(pictures.tiny(1), chunk(b"acTL", (count - 1).to_bytes(4) + bytes(4)))
    return png_with(still, *pictures.frames_of_one_pixel(count - 1, b"no zlib stream"), before=b"IEND")


def test_an_animation_of_too_many_frames_is_422():
    assert "1001 frames" in sentence_of(check_picture, with_frames(MAX_FRAMES + 1), UnprocessableValue)


def test_an_animation_of_exactly_the_limit_is_not_too_long():
    assert "cannot be decoded" in sentence_of(check_picture, with_frames(MAX_FRAMES))


def test_an_interlaced_animation_is_taken_with_all_of_its_frames():
    data = heavy_pictures.apng(16, 3, interlaced=True)
    picture = check_picture(data)
    assert (picture.width, picture.height, picture.content) == (16, 16, data)


def test_an_interlaced_animation_whose_last_frame_is_cut_off_is_refused():
    whole = heavy_pictures.apng(16, 3, interlaced=True)
    *others, (kind, pixels), end = png_chunks(whole)
    assert "cannot be decoded" in sentence_of(check_picture, png_of([*others, (kind, pixels[:8]), end]))


# -- changed files --------------------------------------------------------------------------------------


@st.composite
def changed(draw):
    """Change a valid file by some flips, cuts, insertions and splices. Half of the PNG files get correct checksums."""
    data = bytearray(draw(st.sampled_from(list(VALID.values()))))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        change = draw(st.sampled_from(["flip", "set", "cut", "delete", "insert", "splice"]))
        if change == "flip" and at < len(data):
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif change == "set":
            data[at : at + 1] = draw(st.sampled_from([b"\0", b"\xff", b"\x7f"]))
        elif change == "cut" and draw(st.booleans()):
            del data[at:]
        elif change == "delete":
            del data[at : at + draw(st.integers(1, 40))]
        elif change == "insert":
            data[at:at] = draw(st.binary(max_size=12))
        elif change == "splice":
            other = draw(st.sampled_from(list(VALID.values())))
            start = draw(st.integers(0, len(other)))
            data[at:at] = other[start : start + draw(st.integers(0, 200))]
    return with_checksums(bytes(data)) if draw(st.booleans()) else bytes(data)


def with_checksums(data):
    if not data.startswith(pictures.PNG_SIGNATURE):
        return data
    at, chunks = 8, []
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4])
        chunks.append(chunk(data[at + 4 : at + 8], data[at + 8 : end]))
        at = end + 4
    return data[:8] + b"".join(chunks)


@settings(max_examples=2000, deadline=None)  # a changed header may announce many pixels
@given(changed())
def test_a_changed_picture_is_stored_with_its_pixels_or_refused(data):
    with no_children():
        found = outcome(check_picture, data)
    if isinstance(found, ApiError):
        assert found.status in (415, 422)
        assert found.detail.endswith(".")
        return
    stored = pixels(found.content)
    assert stored is not None
    sent = pixels(data)  # None: Pillow fails on metadata that is not stored
    assert sent is None or stored == sent[: len(stored)]  # Pillow shows frames that browsers do not


@given(st.binary())
def test_any_bytes_are_refused(data):
    assert sentence_of(check_picture, data)


@settings(deadline=None)  # as above
@given(st.sampled_from([b"\xff\xd8\xff", pictures.PNG_SIGNATURE, b"RIFF\x40\0\0\0WEBPVP8X"]), st.binary())
def test_any_bytes_after_a_signature_are_refused(signature, data):
    assert sentence_of(check_picture, signature + data)
