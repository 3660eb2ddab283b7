"""Names: a picture keeps the name that version 0.1 gave it, unless it has one of the faults that have been mended.

tests/data/0.1/names.txt has the names of sample pictures; tests/make_old_names.py made it, with the code of 0.1.
changed.txt beside it lists those that have another name today, each with its fault.
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from shared.errors import ApiError
from shared.images import name_of
from shared.pictures.check import check_picture
from tests.support import corpora, pictures
from tests.support.corpora import REFUSED, ROOT
from tests.support.old_faults import faults_of

WITHOUT_FAULT = [*sorted((ROOT / "web/samples").glob("*.jpg")), *sorted((ROOT / "tests/images").glob("*.*g"))]


def name_today(content: bytes) -> str:
    """Return the first digits of the name that this file gets, or `refused`."""
    try:
        picture = check_picture(content)
    except ApiError:
        return REFUSED
    return corpora.digits(name_of(sha256(picture.content).digest(), picture.extension))


@pytest.mark.skipif(not corpora.fetched(), reason="the sample pictures are not here; run `make corpus-fetch`")
def test_every_sample_picture_without_a_fault_has_its_name_of_0_1(slow_tier: None) -> None:
    names, files = corpora.names_of("0.1"), corpora.files_like_pictures()
    assert names.keys() == files.keys()
    changed = {
        digest: faults_of(content)
        for digest, path in files.items()
        if name_today(content := path.read_bytes()) != names[digest]
    }
    for digest, faults in changed.items():
        assert faults, f"{files[digest]} has no known fault, but another name than in 0.1"
    listed = corpora.changed_since("0.1")
    assert [f"{digest} {min(faults)}" for digest, faults in changed.items() if digest not in listed] == []
    assert all(listed[digest] in faults for digest, faults in changed.items())
    assert listed.keys() == changed.keys()


@pytest.mark.parametrize("path", WITHOUT_FAULT, ids=lambda path: path.name)
def test_a_usual_photograph_has_no_fault(path: Path) -> None:
    assert faults_of(path.read_bytes()) == set()


CASES = {
    "p-iccp-twice.png": "ancillary chunk",
    "p-text-badcrc.png": "checksum",
    "p-icc-3MB-zeros.png": "large profile",
    "p-50mp-8160x6144.png": "pixels",
    "palette-missing.png": "no palette",
    "bomb-icc-9000-stages.png": "stages in the profile",
    "bomb-icc-20000-stages.jpg": "stages in the profile",
    "j-junk-before-dqt.jpg": "bytes between segments",
    "j-exif1-exif6.jpg": "EXIF",
    "j-lossless-sof3.jpg": "kind of JPEG",
    "slow-arithmetic-2800.jpg": "kind of JPEG",
    "j-noeoi-samsung.jpg": "no end",
}


@pytest.mark.parametrize(("name", "fault"), CASES.items(), ids=CASES)
def test_the_fault_of_a_small_case_is_found(name: str, fault: str) -> None:
    assert faults_of((ROOT / "tests/images/cases" / name).read_bytes()) == {fault}


NEEDLESS = {
    "an empty IDAT": pictures.png_with(pictures.png(), pictures.chunk(b"IDAT", b"")),
    "a table twice": pictures.jpeg_with(
        pictures.jpeg(), pictures.segment(0xDD, b"\0\1"), pictures.segment(0xDD, b"\0\2")
    ),
    "an empty table": pictures.jpeg_with(pictures.jpeg(), pictures.segment(0xC4, b"")),
}


@pytest.mark.parametrize("name", NEEDLESS)
def test_a_part_that_no_decoder_needs_is_found(name: str) -> None:
    assert faults_of(NEEDLESS[name]) == {"needless part"}


@pytest.mark.parametrize("make", [pictures.animated_png, pictures.palette_png, pictures.animated_webp, pictures.webp])
def test_a_whole_picture_has_no_fault(make: Callable[[], bytes]) -> None:
    assert faults_of(make()) == set()
