"""Thumbnails look like their pictures: upright, in the right colours, with their transparency, never enlarged."""

from io import BytesIO

import pytest
from PIL import Image, ImageChops, ImageCms, ImageStat, JpegImagePlugin

from shared.pictures.bucket import EXTENSIONS, SIDES
from shared.pictures.scaling import scaled
from tests.support import colour_profiles, pictures
from tests.support.cloud import ROOT
from tests.support.pictures import saved

FORMATS = {"webp": "WEBP", "jpg": "JPEG"}
ROCKET = Image.open(ROOT / "tests/images/rocket.jpg").convert("RGB")
ROCKET.info.clear()  # its profile would be saved with it
COLOUR = (200, 60, 30)
TOP_LEFT, REST = (250, 10, 10), (10, 10, 250)


def opened(content: bytes, side: int = 256, extension: str = "webp") -> Image.Image:
    """Decode the thumbnail, and assert that it has nothing but pixels."""
    made = Image.open(BytesIO(scaled(content, side, extension)))
    made.load()
    assert made.format == FORMATS[extension]
    assert not {"icc_profile", "exif", "xmp", "comment"} & set(made.info)
    assert getattr(made, "n_frames", 1) == 1
    return made


def near(colour: object, wanted: tuple[int, ...], *, by: int = 12) -> bool:
    assert isinstance(colour, tuple)
    assert len(colour) == len(wanted)
    return all(abs(a - b) <= by for a, b in zip(colour, wanted, strict=True))


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_the_longest_side_is_the_requested_one(form: str, side: int, extension: str) -> None:
    for size in ((2000, 1000), (1000, 2000), (1025, 1024), (3000, 1), (2100, 2099)):
        width, height = opened(saved(Image.new("RGB", size), form), side, extension).size
        assert max(width, height) == side
        assert abs(min(width, height) - max(1, min(size) * side / max(size))) <= 1


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("make", [pictures.png, pictures.jpeg, pictures.webp])
def test_a_smaller_picture_is_not_enlarged(make: type, extension: str) -> None:
    for size in ((24, 16), (1, 1), (256, 255)):
        assert opened(make(1, size), 256, extension).size == size


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_thumbnail_looks_like_its_picture(form: str, extension: str) -> None:
    content = saved(ROCKET.resize((1600, 1067)), form, quality=95)
    made = opened(content, 256, extension).convert("RGB")
    difference = ImageChops.difference(made, ROCKET.resize(made.size, Image.Resampling.LANCZOS))
    assert max(ImageStat.Stat(difference).mean) < 5


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_orientation_is_applied(form: str, orientation: int) -> None:
    """Make a picture that has its red corner at the top left once it is upright. Chromium turns no WebP."""
    upright = Image.new("RGB", (600, 400), REST)
    upright.paste(TOP_LEFT, (0, 0, 150, 100))
    undo = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_90"}
    undo |= {7: "TRANSVERSE", 8: "ROTATE_270"}
    is_turned = orientation > 1 and form != "WEBP"
    as_stored = upright.transpose(Image.Transpose[undo[orientation]]) if is_turned else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    made = opened(saved(as_stored, form, exif=exif)).convert("RGB")
    assert made.size == (256, 171)
    assert near(made.getpixel((20, 20)), TOP_LEFT)
    assert all(near(made.getpixel(at), REST) for at in ((235, 20), (20, 150), (235, 150)))


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_transparency_is_kept_in_webp_and_white_in_jpeg(form: str) -> None:
    picture = Image.new("RGBA", (600, 400), (0, 0, 0, 0))
    picture.paste((*COLOUR, 255), (0, 0, 300, 400))
    content = saved(picture, form, lossless=True)
    made = opened(content)
    assert made.mode == "RGBA"
    assert near(made.getpixel((40, 80)), (*COLOUR, 255))
    assert made.getchannel("A").getpixel((220, 80)) == 0
    flat = opened(content, extension="jpg")
    assert near(flat.getpixel((40, 80)), COLOUR)
    assert near(flat.getpixel((220, 80)), (255, 255, 255))


def test_all_kinds_of_transparency_of_png_are_kept() -> None:
    grey = Image.new("L", (40, 40), 100)
    keyed = Image.new("RGB", (40, 40), COLOUR)
    palette = Image.new("P", (40, 40), 1)
    palette.putpalette([*COLOUR, *TOP_LEFT])
    for image, options in (
        (Image.merge("LA", (grey, Image.new("L", (40, 40), 0))), {}),
        (grey, {"transparency": 100}),
        (keyed, {"transparency": COLOUR}),
        (palette, {"transparency": 1}),
        (palette, {"transparency": bytes([255, 0])}),
    ):
        content = saved(image, "PNG", **options)
        assert opened(content).getchannel("A").getextrema() == (0, 0)
        assert near(opened(content, extension="jpg").getpixel((20, 20)), (255, 255, 255))


@pytest.mark.parametrize(("mode", "value", "grey"), [("1", 1, 255), ("L", 150, 150), ("I;16", 150 * 257, 150)])
def test_every_depth_of_a_grey_png_has_its_grey(mode: str, value: int, grey: int) -> None:
    content = saved(Image.new(mode, (600, 20), value), "PNG")
    assert near(opened(content).convert("RGB").getpixel((9, 3)), (grey, grey, grey), by=2)


def test_a_palette_is_averaged_as_colours_and_not_as_numbers() -> None:
    stripes = Image.new("P", (1024, 64))
    stripes.putpalette([250, 0, 0, 0, 250, 0, 0, 0, 250])  # an average of the numbers of red and blue is green
    for x in range(0, 1024, 2):
        stripes.paste(2, (x, 0, x + 1, 64))
    assert near(opened(saved(stripes, "PNG")).convert("RGB").getpixel((99, 9)), (125, 0, 125))


def test_a_jpeg_of_four_inks_or_of_grey_has_its_colours() -> None:
    for quality in (90, 40):
        four = saved(Image.new("RGB", (900, 600), COLOUR).convert("CMYK"), "JPEG", quality=quality)
        assert near(opened(four).convert("RGB").getpixel((9, 9)), COLOUR)
    assert near(opened(saved(Image.new("L", (900, 600), 99), "JPEG")).convert("RGB").getpixel((9, 9)), (99, 99, 99))


def swapped_profile() -> bytes:
    """Make a profile whose first channel is green, so that no other profile gives the right colours by chance."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ", 128), profile.index(b"gXYZ", 128)
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_are_converted_by_the_pictures_profile(form: str, mode: str, extension: str) -> None:
    if (form, mode) == ("JPEG", "RGBA"):
        mode = "RGB"
    content = saved(Image.new(mode, (600, 400), (240, 20, 20)), form, icc_profile=swapped_profile(), quality=95)
    red, green, blue = opened(content, extension=extension).convert("RGB").getpixel((9, 9))  # type: ignore[misc]
    assert green > 200 > 60 > max(red, blue)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P"])
@pytest.mark.parametrize("profile", [b"no profile", b"\0" * 200, swapped_profile()[:300]])
def test_a_broken_profile_is_ignored(mode: str, profile: bytes) -> None:
    plain, profiled = (saved(Image.new(mode, (300, 200), 1), "PNG", icc_profile=p) for p in (None, profile))
    assert scaled(profiled, 256, "webp") == scaled(plain, 256, "webp")


def test_a_profile_for_other_colours_is_ignored() -> None:
    four = Image.new("CMYK", (300, 200), (0, 200, 200, 20))
    colours = Image.new("RGB", (300, 200), COLOUR)
    for image, form, profile in (
        (four, "JPEG", swapped_profile()),
        (colours, "PNG", colour_profiles.grey()),
        (colours, "JPEG", colour_profiles.LAB),
        (colours, "WEBP", colour_profiles.LAB),
        (colours, "PNG", colour_profiles.inks(2)),
    ):
        plain, profiled = (saved(image, form, icc_profile=p) for p in (None, profile))
        assert scaled(profiled, 256, "webp") == scaled(plain, 256, "webp")


@pytest.mark.parametrize("make", [pictures.animated_png, pictures.animated_webp])
def test_the_thumbnail_of_an_animation_is_its_first_frame(make: type) -> None:
    content = make(3)
    first = Image.open(BytesIO(content)).convert("RGB")
    made = opened(content).convert("RGB")
    assert made.size == first.size
    assert max(ImageStat.Stat(ImageChops.difference(made, first)).mean) < 25  # noise, and chroma at half the size


@pytest.mark.parametrize("make", [pictures.jpeg, pictures.png, pictures.webp])
def test_the_same_picture_gives_the_same_bytes(make: type) -> None:
    assert scaled(make(1), 256, "webp") == scaled(make(1), 256, "webp")


@pytest.mark.parametrize("extension", ["jpg", "webp"])
def test_a_photograph_of_12_megapixels_is_made_small_without_decoding_it_whole(
    monkeypatch: pytest.MonkeyPatch, extension: str
) -> None:
    content = saved(ROCKET.resize((4000, 3000)), "JPEG", quality=90)
    decoded: list[tuple[int, int]] = []
    prepare = JpegImagePlugin.JpegImageFile.load_prepare

    def note(picture: JpegImagePlugin.JpegImageFile) -> None:
        decoded.append(picture.size)
        prepare(picture)

    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load_prepare", note)
    assert Image.open(BytesIO(scaled(content, 512, extension))).size == (512, 384)
    assert decoded == [(1000, 750)], "the least quarter, half or eighth that has 512 pixels"
