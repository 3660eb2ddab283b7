"""`make corpus`: what it calls damaged, and what it reports."""

import io
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from shared.limits import FILE_MAX
from shared.pictures.icc import PROFILE_MAX
from tests.support import pictures
from tools.corpus import __main__ as command
from tools.corpus import private, report
from tools.corpus.damage import damage
from tools.corpus.run import Checked, Sent, check, files_of, send
from tools.corpus.sending import Answer
from tools.corpus.service import Received, Service
from tools.corpus.shown import Shown

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def with_profile(profile: bytes) -> bytes:
    """Make a PNG with this colour profile."""
    return pictures.saved(pictures.raster(), "PNG", icc_profile=profile)


def turned(orientation: int) -> bytes:
    return pictures.jpeg_with(pictures.jpeg(), pictures.exif_segment(orientation))


def with_tag(profile: bytes, name: bytes) -> bytes:
    """Add a tag of four bytes to a profile, and move the data of the others behind the longer table."""
    count = int.from_bytes(profile[128:132])
    entries = [profile[at : at + 12] for at in range(132, 132 + 12 * count, 12)]
    moved = [entry[:4] + (int.from_bytes(entry[4:8]) + 12).to_bytes(4) + entry[8:] for entry in entries]
    new = name + (len(profile) + 12).to_bytes(4) + (4).to_bytes(4)
    return b"".join((profile[:128], (count + 1).to_bytes(4), *moved, new, profile[132 + 12 * count :], b"test"))


def test_the_same_picture_is_not_damaged() -> None:
    for picture in (pictures.jpeg(), pictures.animated_png(), pictures.animated_webp(), with_profile(SRGB), turned(6)):
        assert damage(picture, picture) == []


@pytest.mark.parametrize(
    ("original", "stored", "what"),
    [
        (pictures.png(1), pictures.png(2), "pixels"),
        (pictures.animated_png(frames=3), pictures.animated_png(frames=2), "pixels"),
        (with_profile(SRGB), with_profile(b""), "profile"),
        (with_profile(SRGB), with_profile(SRGB[:-4] + b"othr"), "profile"),
        (with_profile(with_tag(SRGB, b"A2B0")), with_profile(SRGB), "profile"),
        (turned(6), turned(8), "orientation"),
        (turned(6), pictures.jpeg(), "orientation"),
        (pictures.jpeg(), turned(3), "orientation"),
        (pictures.png(), pictures.png()[:-30], "unreadable"),
    ],
)
def test_what_is_lost_is_named(original: bytes, stored: bytes, what: str) -> None:
    assert damage(original, stored) == [what]


def test_a_profile_may_lose_its_chains_of_steps_and_may_be_dropped_if_it_is_too_large() -> None:
    assert damage(with_profile(with_tag(SRGB, b"D2B0")), with_profile(SRGB)) == []
    large = pictures.saved(pictures.raster(), "WEBP", icc_profile=SRGB + bytes(PROFILE_MAX), lossless=True)
    assert damage(large, pictures.webp(lossless=True)) == []


def test_what_pillow_cannot_read_is_not_called_damaged() -> None:
    assert damage(b"\x89PNG\r\n\x1a\n", pictures.png()) == []


def test_orientation_in_xmp_counts_for_nothing_as_in_browsers() -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    picture = pictures.jpeg_with(pictures.jpeg(), pictures.segment(0xE1, pictures.XMP_NAME + xmp))
    assert damage(picture, pictures.jpeg()) == []


SEEN = Shown((24, 16), (24, 16), (24, 16), difference=0, distance=1.0)


@pytest.mark.parametrize(
    ("shown", "what"),
    [
        (Shown(None, (24, 16)), "does not show what was sent"),
        (Shown((24, 16), None), "does not show what is stored"),
        (Shown((24, 16), (16, 24)), "24 x 16 pixels of what was sent, 16 x 24 of what is kept"),
        (Shown((24, 16), (24, 16), (24, 16), difference=3, distance=0.0), "other colours, by up to 3 levels"),
        (Shown((24, 16), (24, 16), None, difference=0), "does not show the thumbnail"),
        (Shown((24, 16), (24, 16), (16, 24), difference=0, distance=0.0), "16 x 24 pixels of 24 x 16"),
        (Shown((24, 16), (24, 16), (24, 16), difference=0, distance=99.0), "thumbnail has other colours"),
    ],
)
def test_what_the_browser_shows_otherwise_is_named(shown: Shown, what: str) -> None:
    (found,) = shown.wrong(with_thumbnail=True)
    assert what in found
    assert SEEN.wrong(with_thumbnail=True) == []
    assert Shown((24, 16), (24, 16), None, difference=0).wrong(with_thumbnail=False) == []


def test_another_number_of_frames_is_named() -> None:
    (found,) = Shown((24, 16), (24, 16), None, (3, 2), difference=0).wrong(with_thumbnail=False)
    assert "3 frames of what was sent, 2 of what is kept" in found


def test_of_two_profiles_in_a_png_the_first_counts() -> None:
    second = pictures.chunk(b"iCCP", b"other\0\0" + zlib.compress(SRGB[:-4] + b"othr"))
    assert damage(pictures.png_with(with_profile(SRGB), second), with_profile(SRGB)) == []
    assert damage(
        pictures.png_with(
            pictures.png(),
            second,
        ),
        pictures.png(),
    ) == ["profile"]
    unusable = pictures.chunk(b"iCCP", b"icc\0\0" + zlib.compress(b"no profile"))
    assert damage(pictures.png_with(pictures.png(), unusable), pictures.png()) == []


def test_without_a_browser_another_orientation_is_damage() -> None:
    sent = Sent(Path("a.jpg"), turned(6), Received(201, "cat/a.jpg"), 0.1, stored=pictures.jpeg())
    assert check(sent, None).wrong == ("damaged: orientation",)


CHECKED = [
    Checked(Path("a/cat.jpg"), Received(201, "corpus/1.jpg"), 0.25),
    Checked(Path("a/dog.jpg"), Received(201, "corpus/2.jpg"), 0.75, wrong=("damaged: pixels",)),
    Checked(Path("a/big.png"), Received(422, sentence="img has 9,000 x 8,000 pixels; make it smaller."), 0.1),
    Checked(Path("a/big2.png"), Received(422, sentence="img has 9,001 x 8,000 pixels; make it smaller."), 0.1),
    Checked(Path("a/odd.png"), Received(415, sentence="img is broken."), 0.1, notes=("Chromium shows it",)),
]


def test_the_report_counts_the_sentences_and_lists_what_is_wrong() -> None:
    assert list(report.lines(CHECKED, Path("a"), looked=True, read_again=True)) == [
        "5 files of a",
        "2 taken (median 500 ms, slowest 750 ms: dog.jpg)",
        "3 refused",
        "     2 x 422 img has N x N pixels; make it smaller.",
        "     1 x 415 img is broken.",
        "to look at:",
        "    odd.png: Chromium shows it",
        "WRONG:",
        "    dog.jpg: damaged: pixels",
    ]


def test_the_report_says_what_was_not_looked_at() -> None:
    *_, browser, metadata, end = report.lines(CHECKED[:1], Path("a"), looked=False, read_again=False)
    assert (browser.startswith("Chromium did not"), metadata.startswith("exiftool did not")) == (True, True)
    assert end == "PASSED: no server error, and no taken picture is damaged."


def test_a_line_for_each_file_has_its_image_or_the_sentence() -> None:
    lines = [report.line(each, Path("a")) for each in CHECKED]
    assert lines[0] == "cat.jpg: 201 corpus/1.jpg (250 ms)"
    assert lines[-1] == "odd.png: 415 img is broken. (100 ms)"


def test_the_files_of_a_folder_are_those_in_its_folders_too(tmp_path: Path) -> None:
    (tmp_path / "b/c").mkdir(parents=True)
    (tmp_path / "b/c/z.png").touch()
    (tmp_path / "a.txt").touch()
    assert files_of(tmp_path) == [tmp_path / "a.txt", tmp_path / "b/c/z.png"]


def test_a_file_that_the_service_never_takes_is_not_sent(tmp_path: Path) -> None:
    with (tmp_path / "large.bin").open("wb") as file:
        file.truncate(FILE_MAX + 1)
    assert send(Service("http://127.0.0.1:9"), tmp_path / "large.bin").received.status == 413


@pytest.mark.parametrize(("busy", "status", "asked"), [(1, 200, 2), (9, 503, 3)])
def test_a_busy_service_is_asked_again_a_few_times(
    monkeypatch: pytest.MonkeyPatch, busy: int, status: int, asked: int
) -> None:
    answers = iter([Answer(503, {"retry-after": "0"}, b"{}")] * busy + [Answer(200, {}, b"")])
    requests: list[str] = []

    def request(method: str, url: str, body: bytes, headers: object) -> Answer:
        requests.append(url)
        return next(answers)

    monkeypatch.setattr("tools.corpus.service.request", request)
    assert Service("http://127.0.0.1:9").picture("cat/1.jpg").status == status
    assert requests == ["http://127.0.0.1:9/images/cat/1.jpg"] * asked


@pytest.mark.parametrize("arguments", [[""], ["no-such-folder"], ["web/samples", "--url", "http://127.0.0.1:9"]])
def test_a_check_that_is_not_possible_ends_with_2_and_a_sentence(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["corpus", *arguments])
    monkeypatch.setattr(command, "CHROMIUM", None)
    assert command.main() == 2
    said = capsys.readouterr().err
    assert "make corpus DIR=" in said or "start it, or check the URL" in said


@pytest.mark.skipif(not private.EXIFTOOL, reason="exiftool is not installed")
def test_exiftool_finds_what_a_stored_picture_should_not_have(tmp_path: Path) -> None:
    (tmp_path / "0").write_bytes(pictures.jpeg_with(pictures.jpeg(), pictures.exif_segment(6, private=True)))
    (tmp_path / "1").write_bytes(turned(6))
    found = private.private_tags(tmp_path)
    assert found["0"]
    assert found["1"] == set()


def test_without_stored_pictures_exiftool_finds_nothing(tmp_path: Path) -> None:
    assert not private.EXIFTOOL or private.private_tags(tmp_path) == {}


def test_a_picture_in_16_bits_is_compared_too() -> None:
    out = [io.BytesIO(), io.BytesIO()]
    for value, file in zip((1000, 50000), out, strict=True):
        Image.new("I;16", (4, 4), value).save(file, "PNG")
    assert damage(out[0].getvalue(), out[1].getvalue()) == ["pixels"]
