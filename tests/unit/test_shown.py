"""A picture is shown as in Chromium. Its colours were read there; tests/page/test_shown_pictures.py compares all."""

import io
import random
import struct
import time
import zlib
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from shared.pictures.budget import CannotBeShown
from shared.pictures.showing import averages, colour_spaces, hdr, png_still, to_srgb
from shared.pictures.showing.shown import shown
from shared.pictures.sizes import TooLarge
from tests.support import colour_profiles, patchworks, pictures
from tests.support.cloud import ROOT
from tests.support.patchworks import ADOBE, P3, chrm, cicp, gama, trns
from tests.support.pictures import PNG_SIGNATURE, chunk, saved
from tests.support.profiles import iccp

COLOUR = (200, 60, 30)
SRGB_CHUNK = chunk(b"sRGB", b"\0")
SWAPPED = iccp(colour_profiles.rgb())


def case(name: str) -> bytes:
    return (ROOT / "tests/images/cases" / name).read_bytes()


def png(depth: int, colour_type: int, sample: bytes, *chunks: bytes, size: tuple[int, int] = (8, 8)) -> bytes:
    """Make a PNG of one colour, whose rows have these bytes again and again."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour_type, 0, 0, 0))
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour_type]
    row = b"\0" + (sample * size[0])[: (size[0] * bits + 7) // 8]
    return b"".join((PNG_SIGNATURE, header, *chunks, chunk(b"IDAT", zlib.compress(row * size[1])), chunk(b"IEND", b"")))


def colour(content: bytes) -> object:
    return shown(content, 256).getpixel((4, 4))


def near(found: object, wanted: tuple[int, ...], *, by: int = 1) -> bool:
    assert isinstance(found, tuple)
    return len(found) == len(wanted) and all(abs(a - b) <= by for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize(
    ("chunks", "wanted"),
    [
        ([], COLOUR),
        ([gama(45_455)], COLOUR),
        ([gama(100_000)], (229, 133, 96)),
        ([gama(0)], COLOUR),
        ([chrm(P3)], COLOUR),
        ([gama(100_000), chrm(P3)], (244, 127, 87)),
        ([gama(45_455), chrm(ADOBE)], (231, 57, 21)),
        ([gama(100_000), chrm(P3[:2] * 4)], COLOUR),
        ([gama(100_000), SRGB_CHUNK], COLOUR),
        ([SWAPPED, SRGB_CHUNK, gama(100_000)], (57, 201, 24)),
        ([cicp(1, 13, 0, 1), SWAPPED, gama(100_000)], COLOUR),
        ([cicp(12, 13, 0, 1)], (217, 42, 0)),
        ([cicp(12, 13, 0, 0)], COLOUR),
        ([cicp(12, 13, 0, 0), SWAPPED], (57, 201, 24)),
        ([cicp(9, 1, 0, 1)], (244, 0, 0)),
        ([cicp(2, 2, 0, 1), gama(100_000)], (229, 133, 96)),
        ([iccp(colour_profiles.grey())], COLOUR),
        ([iccp(b"no profile"), gama(100_000)], (229, 133, 96)),
        ([iccp(colour_profiles.rgb() + bytes(3_000_000))], (57, 201, 24)),
        ([iccp(colour_profiles.rgb() + bytes(5_000_000))], COLOUR),
    ],
)
def test_the_chunks_of_a_png_say_what_its_colours_mean(chunks: list[bytes], wanted: tuple[int, ...]) -> None:
    assert near(colour(png(8, 2, bytes(COLOUR), *chunks)), wanted)
    palette = chunk(b"PLTE", bytes(COLOUR))
    assert near(colour(png(8, 3, b"\0", *chunks, palette)), wanted), "of a palette"
    assert near(colour(png(8, 6, bytes(COLOUR) + b"\x80", *chunks)), (*wanted, 128)), "translucent"


@pytest.mark.parametrize(
    ("chunks", "wanted"),
    [
        ([cicp(9, 16, 0, 1)], (255, 0, 0)),
        ([cicp(9, 18, 0, 1)], (230, 0, 0)),
    ],
)
def test_a_png_of_high_dynamic_range_is_mapped(chunks: list[bytes], wanted: tuple[int, ...]) -> None:
    assert near(colour(png(8, 2, bytes(COLOUR), *chunks)), wanted, by=16)


@pytest.mark.parametrize(
    ("transfer", "chunks", "wanted"),
    [
        (16, [], {15: 1, 60: 26, 105: 85, 150: 193, 180: 242, 255: 255}),
        (16, [patchworks.cll(4_000)], {150: 193, 180: 217, 225: 251}),
        (16, [patchworks.mastered_at(4_000)], {150: 193, 180: 217, 225: 251}),
        (16, [patchworks.cll(203), patchworks.mastered_at(4_000)], {60: 39, 105: 118, 150: 255}),
        (18, [], {15: 2, 60: 39, 105: 79, 150: 122, 195: 194, 255: 255}),
    ],
)
def test_bright_greys_are_mapped_by_the_brightest_light(
    transfer: int, chunks: list[bytes], wanted: dict[int, int]
) -> None:
    greys = shown(png(8, 0, bytes(range(256)), cicp(9, transfer, 0, 1), *chunks, size=(256, 1)), 256)
    for coded, level in wanted.items():
        assert near(greys.getpixel((coded, 0)), (level,) * 3, by=12)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_grey_png_of_every_depth_has_its_transparent_grey(depth: int) -> None:
    level = 1 if depth < 8 else 7
    sample = {1: b"\xff", 2: b"\x55", 4: b"\x11", 8: b"\x07", 16: b"\0\x07"}[depth]
    assert shown(png(depth, 0, sample, trns(level)), 256).getchannel("A").getextrema() == (0, 0)
    other = shown(png(depth, 0, sample, trns(level - 1)), 256)
    assert other.getchannel("A").getextrema() == (255, 255)


def test_all_16_bits_count_for_a_transparent_colour_and_eight_for_the_others() -> None:
    sample = bytes.fromhex("407f 4080 40ff")
    assert colour(png(16, 2, sample, trns(0x407F, 0x4080, 0x40FF))) == (64, 64, 64, 0)
    assert colour(png(16, 2, sample, trns(0x407F, 0x4080, 0x40FE))) == (64, 64, 64, 255)
    assert colour(png(16, 0, b"\x40\x7f", trns(0x407E))) == (64, 64, 64, 255)
    assert colour(png(16, 4, bytes.fromhex("40ff 80ff"))) == (64, 64, 64, 128)


def test_a_transparent_colour_of_16_bits_is_looked_for_in_not_too_many_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.pictures.showing.png_pixels.COMPARED_MAX", 63)
    with pytest.raises(TooLarge, match="16 bits and more than 63 pixels"):
        shown(png(16, 2, bytes(6), trns(0, 0, 0)), 256)
    assert colour(png(16, 2, bytes(6))) == (0, 0, 0)


def test_numbers_beyond_a_palette_look_like_its_last_colour() -> None:
    palette = chunk(b"PLTE", bytes((9, 8, 7, 1, 2, 3)))
    assert colour(png(8, 3, b"\x07", palette)) == (1, 2, 3)
    assert colour(png(8, 3, b"\x07", palette, chunk(b"tRNS", b"\x20"))) == (1, 2, 3, 255)


def test_a_profile_of_rgb_counts_for_grey_pixels() -> None:
    linear = colour_profiles.rgb(gamma=1.0)
    assert near(colour(png(8, 0, b"\x64", iccp(linear))), (168, 168, 168))
    assert near(colour(saved(Image.new("L", (8, 8), 100), "JPEG", icc_profile=linear)), (168, 168, 168))
    assert near(colour(saved(Image.new("L", (8, 8), 3), "JPEG", icc_profile=colour_profiles.grey())), (28, 28, 28))


def test_inks_lose_their_light_to_black_and_a_profile_of_inks_sees_three() -> None:
    four = saved(Image.new("CMYK", (8, 8), (20, 200, 120, 30)), "JPEG", quality=98)
    assert near(colour(four), (207, 48, 119))
    black = Image.new("CMYK", (8, 8), (0, 0, 0, 255))
    three = Image.new("CMYK", (8, 8), (255, 255, 255, 0))
    profile = colour_profiles.inks()
    found = [colour(saved(each, "JPEG", quality=98, icc_profile=profile)) for each in (black, three)]
    assert found[0] == found[1] != (0, 0, 0)


def test_the_cases_that_failed_are_shown_as_browsers_show_them() -> None:
    two = shown(case("p-gama-two-pictures.png"), 256)
    plain = Image.open(io.BytesIO(case("p-gama-two-pictures.png"))).convert("RGB")
    assert two.size == plain.size
    assert max(ImageChops.difference(two, plain).convert("L").getextrema()) > 100, "not the picture of a plain decoder"
    first = shown(case("p-apng-default-image.png"), 256)
    with Image.open(io.BytesIO(case("p-apng-default-image.png"))) as animation:
        default = animation.convert("RGB")
        animation.seek(1)
        assert ImageChops.difference(first, animation.convert("RGB")).getbbox() is None
    assert ImageChops.difference(first, default).getbbox() is not None
    assert shown(case("p-g4-trns.png"), 256).getchannel("A").getextrema()[0] == 0
    assert shown(case("j-exif1-exif6.jpg"), 256).size == (48, 32)


def test_a_picture_in_single_pixels_is_not_averaged_with_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every other pixel nearly black by its gamma: browsers show those dark, however small the picture is."""
    few, many = 2**25, 0  # pixels that may be converted one by one
    kinds = [([gama(2_000)], few), ([gama(2_000), chrm(P3)], few), ([iccp(colour_profiles.rgb(gamma=50))], few)]
    kinds += [([gama(2_000)], many), ([gama(2_000), chrm(P3)], many)]
    for chunks, most in kinds:
        monkeypatch.setattr(to_srgb, "EACH_MAX", most)
        content = png(8, 2, b"\xfa\xfa\xfa\x64\x64\x64", *chunks, size=(1024, 64))
        single = colour(png(8, 2, b"\xfa" * 3, *chunks))
        assert isinstance(single, tuple)
        assert near(shown(content, 64).getpixel((9, 2)), tuple(value // 2 for value in single), by=2)


def test_a_frame_lies_on_a_transparent_canvas() -> None:
    small = shown(patchworks.apng(inner=True), 256)
    assert small.getpixel((16, 16)) == (0, 0, 0, 0)
    assert near(small.getpixel((48, 48)), (*patchworks.translucent()[0],))
    whole = shown(patchworks.apng(), 256)
    assert near(whole.getpixel((16, 16)), (*patchworks.translucent()[0],))


def test_what_browsers_do_not_show_cannot_be_shown() -> None:
    whole = patchworks.apng()
    control = whole.index(b"fcTL") + 4
    off = whole[: control + 12] + (900).to_bytes(4) + whole[control + 16 :]
    for content in (off, case("palette-missing.png"), pictures.png()[:-40], b"", b"\x89PNG\r\n\x1a\n", b"RIFF"):
        with pytest.raises(CannotBeShown):
            shown(content, 256)


@given(st.binary(max_size=80), st.integers(0, 200))
def test_any_damage_is_shown_or_cannot_be(noise: bytes, at: int) -> None:
    content = png(4, 3, b"\x01", chunk(b"PLTE", bytes(48)), chunk(b"tRNS", b"\1"), SWAPPED, gama(9_000), chrm(P3))
    try:
        assert shown(content[:at] + noise + content[at + len(noise) :], 64).mode in ("RGB", "RGBA")
    except CannotBeShown:
        return


@given(st.tuples(st.integers(1, 400), st.integers(1, 400)), st.integers(1, 100))
def test_tiles_give_what_the_whole_picture_gives(size: tuple[int, int], side: int) -> None:
    """Compare with one tile for the whole picture: the averages are of the same pixels."""
    picture = pictures.raster(1, size, "RGBA")
    tiles = averages.Tiles(size, "RGBA", picture.crop)
    wanted = averages.fitting(size, side)
    with pytest.MonkeyPatch.context() as patch:
        whole = averages.scaled_down(tiles, wanted)
        patch.setattr(averages, "TILE", 512)
        assert averages.scaled_down(tiles, wanted).tobytes() == whole.tobytes()
    assert whole.size == wanted


def test_hidden_colours_do_not_show_at_edges() -> None:
    picture = Image.new("RGBA", (512, 512), (255, 0, 0, 0))
    for x in range(0, 512, 2):
        picture.paste((0, 0, 255, 255), (x, 0, x + 1, 512))
    for form in ("PNG", "WEBP"):
        found = shown(saved(picture, form, lossless=True, exact=True), 32).getpixel((16, 16))
        assert near(found, (0, 0, 255, 128))


def test_a_matrix_and_its_inverse_cancel_out() -> None:
    for primaries in colour_spaces.PRIMARIES.values():
        matrix = primaries.to_xyz()
        identity = colour_spaces.product(matrix, colour_spaces.inverse(matrix))
        for row, column in product(range(3), repeat=2):
            assert identity[row][column] == pytest.approx(float(row == column), abs=1e-9)
        white = colour_spaces.applied(matrix, (1, 1, 1))
        assert white == pytest.approx(colour_spaces.D50, abs=2e-4)


@given(st.floats(1, 50), st.floats(0, 60), st.floats(0, 60))
def test_brighter_light_is_never_darker_on_the_screen(peak: float, one: float, other: float) -> None:
    mapped = hdr.tone_map(peak)
    assert (mapped(one) <= mapped(other)) == (one <= other) or mapped(one) == pytest.approx(mapped(other))
    assert mapped(peak) == pytest.approx(1)


def test_only_the_chunks_before_the_pixels_count() -> None:
    content = png(8, 2, bytes(COLOUR))
    late = content.replace(chunk(b"IEND", b""), gama(100_000) + chunk(b"IEND", b""))
    assert colour(late) == COLOUR
    assert b"gAMA" not in png_still.first_picture(late).before


def test_usual_profiles_wait_until_the_picture_is_small_and_extreme_ones_do_not() -> None:
    gentle = [colour_profiles.rgb(gamma=gamma) for gamma in (1.8, 2.2, 2.4)]
    assert not any(made.bends for profile in gentle if (made := to_srgb.by_profile(profile, (to_srgb.RGB,))))
    for gamma in (1.0, 4.0, 50.0):
        made = to_srgb.by_profile(colour_profiles.rgb(gamma=gamma), (to_srgb.RGB,))
        assert made
        assert made.bends


def test_a_profile_of_greys_is_a_table_which_gives_what_littlecms_gives() -> None:
    """Use a curve that goes up and down at random: without the table, 33 megapixels of it took five seconds."""
    curve = b"curv" + bytes(4) + (4_096).to_bytes(4) + random.Random(1).randbytes(8_192)
    made = to_srgb.by_profile(colour_profiles.grey(curve=curve), (to_srgb.GREY,))
    assert made
    assert made.bends
    greys = Image.frombytes("L", (256, 1), bytes(range(256)))
    before = time.process_time()
    converted = made.apply(greys.resize((256, 16_384), Image.Resampling.NEAREST))
    assert time.process_time() - before < 0.25  # littlecms takes 0.6
    one_by_one = [made.apply(Image.new("L", (1, 1), grey)).getpixel((0, 0)) for grey in range(256)]
    assert [converted.getpixel((grey, 9)) for grey in range(256)] == one_by_one
    assert len(set(one_by_one)) > 100
