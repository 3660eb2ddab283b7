"""The recogniser that the environment names, and colours, the default."""

import hashlib
import io
import random
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageColor

from shared import recognition
from shared.pictures import frames
from shared.recognition import colours, palette
from shared.recognition.detections import Detection, DetectionLimits, Misconfigured, Unrecognisable
from shared.recognition.recognisers import chosen, identity
from tests.support import pictures
from tests.support.cloud import ROOT
from tests.support.no_children import no_children

ALL = DetectionLimits(0, 100)
CHELSEA = (ROOT / "tests/images/chelsea.png").read_bytes()
VARIABLES = ("RECOGNISER", "RECOGNITION_MIN_CONFIDENCE", "RECOGNITION_MAX_LABELS", "RECOGNITION_MODEL")


@pytest.fixture(autouse=True)
def _nothing_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, "RECOGNITION_MODEL_LABELS"):
        monkeypatch.delenv(name, raising=False)


def painted(*columns: str, form: str = "PNG", mode: str = "RGB", **options: object) -> bytes:
    """Return a picture of 48 rows with one column of each colour."""
    picture = Image.new(mode, (len(columns), 48))
    for x, colour in enumerate(columns):
        picture.paste(ImageColor.getcolor(colour, mode), (x, 0, x + 1, 48))
    return pictures.saved(picture, form, **options)


def seen(content: bytes, content_type: str = "image/png", limits: DetectionLimits = ALL) -> dict[str, float]:
    """Return the names and their confidences, in order."""
    found = colours.recognise(content, content_type, limits=limits)
    return {detection.name: detection.confidence for detection in found}


# -- limits -----------------------------------------------------------------------------------------------------


detections = st.builds(Detection, st.text(max_size=3), st.floats(0, 100))


@given(st.lists(detections), st.floats(0, 100), st.integers(1, 10))
def test_the_best_detections_are_the_strongest_of_the_sure_ones(
    found: list[Detection], least: float, most: int
) -> None:
    best = DetectionLimits(least, most).best(found)
    left = list(found)
    for detection in best:
        left.remove(detection)
    sure = [detection for detection in left if detection.confidence >= least]
    assert len(best) == most or (len(best) < most and not sure)
    assert all(detection.confidence >= least for detection in best)
    assert all(other.confidence <= best[-1].confidence for other in sure)
    assert best == sorted(best, key=lambda detection: (-detection.confidence, detection.name))
    assert best == DetectionLimits(least, most).best(random.Random(1).sample(found, len(found)))


# -- the environment --------------------------------------------------------------------------------------------


def test_colours_are_the_default_recogniser() -> None:
    assert identity() == "colours v2 10.0% 10"
    assert chosen()(CHELSEA, "image/png") == colours.recognise(CHELSEA, "image/png", limits=DetectionLimits(10, 10))


def test_an_empty_variable_is_the_same_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
    assert identity() == "colours v2 10.0% 10"


def test_the_limits_are_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOGNITION_MIN_CONFIDENCE", "41.5")
    monkeypatch.setenv("RECOGNITION_MAX_LABELS", "3")
    (detection,) = chosen()(CHELSEA, "image/png")
    assert detection.name == "brown"
    assert identity() == "colours v2 41.5% 3"


@pytest.mark.parametrize("kind", ["colours", "rekognition"])
def test_other_limits_have_another_identity(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOGNISER", kind)
    found = {identity()}
    monkeypatch.setenv("RECOGNITION_MIN_CONFIDENCE", "70.5")
    found.add(identity())
    monkeypatch.setenv("RECOGNITION_MAX_LABELS", "11")
    found.add(identity())
    assert len(found) == 3
    assert all(text.startswith(kind) for text in found)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RECOGNISER", "magic"),
        *(("RECOGNITION_MIN_CONFIDENCE", value) for value in ("-1", "100.1", "nan", "much", "70%")),
        *(("RECOGNITION_MAX_LABELS", value) for value in ("0", "101", "2.5", "many")),
    ],
)
def test_a_bad_variable_is_named(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, value)
    for use in (chosen, identity):
        with pytest.raises(Misconfigured, match=f"{variable} is '{value}'; it must be ") as caught:
            use()
        assert str(caught.value).endswith(".")


def test_onnx_without_a_model_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOGNISER", "onnx")
    with pytest.raises(Misconfigured, match="RECOGNITION_MODEL and RECOGNITION_MODEL_LABELS"):
        chosen()


def test_onnx_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("RECOGNISER", "onnx"), ("RECOGNITION_MODEL", "a"), ("RECOGNITION_MODEL_LABELS", "b")):
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(sys.modules, "shared.recognition.onnx_recogniser", raising=False)
    monkeypatch.delattr(recognition, "onnx_recogniser", raising=False)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # type: ignore[arg-type]  # it cannot be imported
    with pytest.raises(Misconfigured, match="pip install onnxruntime"):
        chosen()


# -- the names of colours ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("colour", "wanted"),
    [
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((128, 128, 128), (53.59, 0, 0)),
    ],
)
def test_colours_are_where_cielab_has_them(colour: tuple[int, int, int], wanted: tuple[float, ...]) -> None:
    assert palette.lab(colour) == pytest.approx(wanted, abs=0.02)


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ("#0a0a0a", "black"),
        ("#7f7f80", "grey"),
        ("#fcfcfa", "white"),
        ("#d01020", "red"),
        ("#ff8c10", "orange"),
        ("#ffee20", "yellow"),
        ("#3c6e28", "green"),  # grass
        ("#40d0d0", "cyan"),
        ("#87c5f0", "blue"),  # sky
        ("#7030a0", "purple"),
        ("#ffb0c0", "pink"),
        ("#6b4423", "brown"),  # wood
    ],
)
def test_a_colour_has_the_name_that_people_use(colour: str, name: str) -> None:
    assert seen(painted(colour)) == {name: 100}


@pytest.mark.parametrize(("name", "shades"), palette.PALETTE.items())
def test_each_shade_of_the_palette_has_its_own_name(name: str, shades: str) -> None:
    assert {palette.name(ImageColor.getrgb(shade)[:3]) for shade in shades.split()} == {name}


# -- shares -----------------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(sorted(palette.PALETTE)), min_size=1, max_size=colours.SIDE))
def test_a_colours_confidence_is_its_share_of_the_pixels(names: list[str]) -> None:
    content = painted(*(palette.PALETTE[name].split()[0] for name in names))
    wanted = {name: 100 * names.count(name) / len(names) for name in names}
    assert seen(content) == pytest.approx(wanted)
    assert list(seen(content)) == sorted(wanted, key=lambda name: (-wanted[name], name))


def test_a_large_picture_has_the_same_shares_as_a_small_one() -> None:
    small = Image.open(io.BytesIO(painted("red", "red", "red", "blue")))
    large = small.resize((2000, 1500), Image.Resampling.NEAREST)
    for form, content_type in (("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")):
        found = seen(pictures.saved(large, form), content_type, DetectionLimits(5, 10))
        assert found == pytest.approx({"red": 75, "blue": 25}, abs=2)


def test_a_share_below_the_limit_is_left_out() -> None:
    content = painted("red", "red", "red", "blue")
    assert list(seen(content, limits=DetectionLimits(25, 10))) == ["red", "blue"]
    assert list(seen(content, limits=DetectionLimits(25.1, 10))) == ["red"]
    assert list(seen(content, limits=DetectionLimits(0, 1))) == ["red"]


def test_transparent_pixels_are_not_counted() -> None:
    half = painted("#ff0000ff", "#0000ffff", "#00ff0020", "#00ff0000", mode="RGBA")
    assert seen(half) == {"blue": 50, "red": 50}
    assert seen(painted("#ff000000", "#0000ff10", mode="RGBA")) == {}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_makes_no_difference(orientation: int) -> None:
    content = pictures.jpeg(3, (300, 200))
    turned = pictures.jpeg_with(content, pictures.exif_segment(orientation))
    assert seen(turned, "image/jpeg") == seen(content, "image/jpeg")


def test_the_same_picture_has_the_same_colours() -> None:
    assert len({str(seen(CHELSEA)) for _ in range(3)}) == 1


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (pictures.palette_png(), "image/png"),
        (pictures.png(mode="L"), "image/png"),
        (pictures.png(mode="RGBA"), "image/png"),
        (pictures.jpeg(mode="CMYK"), "image/jpeg"),
        (pictures.jpeg(progressive=True), "image/jpeg"),
        (pictures.webp(mode="RGBA"), "image/webp"),
        (pictures.animated_png(), "image/png"),
        (pictures.animated_webp(), "image/webp"),
    ],
    ids=lambda value: value if isinstance(value, str) else hashlib.sha256(value).hexdigest()[:8],
)
def test_every_kind_of_picture_has_colours(content: bytes, content_type: str) -> None:
    assert sum(seen(content, content_type).values()) == pytest.approx(100)


def test_sixteen_bits_of_grey_are_as_light_as_eight() -> None:
    picture = Image.new("I;16", (8, 8), 128 * 257)
    assert seen(pictures.saved(picture, "PNG")) == {"grey": 100}


# -- what cannot be recognised ----------------------------------------------------------------------------------


SOUND = {"image/jpeg": pictures.jpeg(1), "image/png": pictures.png(1), "image/webp": pictures.webp(1)}
REFUSED = {
    "a type that is not supported": (pictures.gif(), "image/gif", "image/gif are not supported"),
    "no picture at all": (b"hello", "image/png", "broken"),
    "nothing": (b"", "image/png", "broken"),
    "of another type than its media type": (pictures.png(), "image/jpeg", "cannot be decoded as image/jpeg"),
    "cut off": (CHELSEA[:100_000], "image/png", "broken"),
    "more pixels than are allowed": (pictures.giant_png(9_000, 8_000), "image/png", "too large"),
    "more pixels than Pillow opens": (pictures.giant_png(), "image/png", "too large"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_unrecognisable_picture_says_why(name: str) -> None:
    content, content_type, why = REFUSED[name]
    with pytest.raises(Unrecognisable, match=why) as caught:
        seen(content, content_type)
    assert str(caught.value).endswith(".")


def test_a_picture_that_needs_too_much_memory_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(frames, "shown", exhausted)
    with pytest.raises(Unrecognisable, match="too large"):
        seen(CHELSEA)


@pytest.mark.filterwarnings("ignore")  # Pillow warns of damage that it can live with
@given(st.sampled_from(sorted(SOUND)), st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=8))
def test_a_damaged_picture_has_colours_or_is_unrecognisable(content_type: str, changes: list[tuple[int, int]]) -> None:
    content = bytearray(SOUND[content_type])
    for place, value in changes:
        content[place % len(content)] = value
    try:
        with no_children():
            found = seen(bytes(content), content_type)
    except Unrecognisable:
        return
    assert sum(found.values()) == pytest.approx(100 if found else 0)
