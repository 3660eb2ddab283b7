"""`make corpus` over a folder with files of every kind, against `make run`."""

import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.support import pictures
from tests.support.cloud import ROOT
from tests.support.local_service import LocalService


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with pictures of each type, other files, and one that goes straight to S3."""
    folder = tmp_path / "files"
    (folder / "more").mkdir(parents=True)
    files = {
        "cat 1 \N{SMILING FACE WITH SUNGLASSES}.jpg": pictures.jpeg_with(
            pictures.jpeg(), pictures.exif_segment(6, private=True)
        ),
        "more/palette.png": pictures.palette_png(),
        "more/animated.png": pictures.animated_png(),
        "more/animated.webp": pictures.animated_webp(),
        "again.png": pictures.palette_png(),
        "broken.png": pictures.png()[:-20],
        "page.html": pictures.html(),
        "picture.gif": pictures.gif(),
        "empty.jpg": b"",
        "large.png": large_png(),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def large_png() -> bytes:
    """Make a picture that is too large for POST /upload: 1,300 x 1,300 pixels of noise."""
    return pictures.saved(Image.frombytes("RGB", (1300, 1300), random.Random(1).randbytes(3 * 1300 * 1300)), "PNG")


def corpus(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tools.corpus", str(folder), "--each", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_files_of_every_kind_are_taken_undamaged_or_refused(slow_tier: None, folder: Path) -> None:
    done = corpus(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 files" in done.stdout
    assert "6 taken" in done.stdout
    assert "4 refused" in done.stdout
    assert "x 415 img is image/gif" in done.stdout
    assert "large.png: 201 " in done.stdout
    assert "\nPASSED" in done.stdout


TAKEN = (
    *("p-iccp-twice.png", "p-text-badcrc.png", "p-icc-3MB-zeros.png", "p-gama-two-pictures.png", "s.png"),
    "p-50mp-8160x6144.png",
    *("p-apng-default-image.png", "p-g4-trns.png", "j-junk-before-dqt.jpg", "j-exif1-exif6.jpg", "j-noeoi-samsung.jpg"),
    *("bomb-icc-20000-stages.jpg", "bomb-icc-9000-stages.png"),
)
REFUSED = ("j-lossless-sof3.jpg", "slow-arithmetic-2800.jpg", "palette-missing.png")


def test_the_small_cases_are_taken_undamaged_or_refused(slow_tier: None) -> None:
    """Each of them was answered or shown wrongly by version 0.1."""
    done = corpus(ROOT / "tests/images/cases")
    assert done.returncode == 0, done.stdout + done.stderr
    statuses = dict(re.findall(r"^(\S+): ([0-9]{3}) ", done.stdout, re.MULTILINE))
    assert {statuses[name] for name in TAKEN} == {"201", "200"}  # three of them are the same picture once stored
    assert [statuses[name] for name in REFUSED] == ["415"] * len(REFUSED)


def test_a_service_at_a_url_has_no_more_images_afterwards(slow_tier: None, folder: Path, running: LocalService) -> None:
    done = corpus(folder / "more", "--url", running.url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 taken" in done.stdout
    assert b"corpus-" not in running.get("/labels").body
