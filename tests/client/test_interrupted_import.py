"""An import of 300 photographs that is killed half-way, over a connection with faults, and started again."""

import csv
import io
import random
from collections.abc import Iterator
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from tests.support.cloud import ROOT
from tests.support.faulty_proxy import FaultyProxy
from tests.support.hosts import new_label
from tests.support.local_service import LocalService
from tests.support.petapi_command import ended, images_of, law_of, start, write_csv

PHOTOGRAPHS = 300
WORKERS = 4
CROP = 48  # pixels
BROKEN = {"text.jpg": 415, "broken.png": 422}  # and their refusals


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, slow_tier: None) -> Path:
    """Make a folder with crops of the photographs, weights 1 to 100, and files that do not belong there."""
    folder = tmp_path_factory.mktemp("photographs")
    for number, crop in zip(range(PHOTOGRAPHS), _crops(), strict=False):
        place = folder / f"day {number % 3}"
        place.mkdir(exist_ok=True)
        crop.save(place / f"{number:03}.jpg", quality=85)
    (folder / "text.jpg").write_text("no picture\n")
    (folder / "broken.png").write_bytes((ROOT / "tests/images/chelsea.png").read_bytes()[:20_000])
    noise = Image.frombytes("RGB", (1300, 1300), random.Random(1).randbytes(1300 * 1300 * 3))
    noise.save(folder / "large.png", compress_level=0)
    assert (folder / "large.png").stat().st_size > 5_000_000
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))
    write_csv(folder, ["file,weight,tags", *(f"{file},{n % 100 + 1},day-{n % 3}" for n, file in enumerate(files))])
    return folder


def _crops() -> Iterator[Image.Image]:
    """Yield crops of the photographs, each another one."""
    photographs = [Image.open(path).convert("RGB") for path in sorted((ROOT / "web/samples").glob("*.jpg"))]
    for top in range(0, 10 * CROP, CROP):
        for photograph in photographs:
            for left in (0, CROP):
                yield photograph.crop((left, top, left + CROP, top + CROP))


def test_it_goes_on_where_it_was_killed_and_the_law_is_exact(running: LocalService, folder: Path) -> None:
    label = new_label()
    with FaultyProxy(running.url) as proxy:
        proxy.busy_every, proxy.drop_every, proxy.reach = 37, 53, PHOTOGRAPHS // 2
        command = ("import", folder, "--label", label, "--workers", f"{WORKERS}", "--url", proxy.url)

        first = start(*command)
        assert proxy.reached.wait(300)
        first.kill()
        first.communicate()
        once = set(proxy.uploads)
        assert PHOTOGRAPHS // 2 <= len(once) < PHOTOGRAPHS
        proxy.uploads.clear()
        second = ended(start(*command))

        again = {content for content in proxy.uploads if content in once}
        assert len(again) <= WORKERS
        assert sum(1 for count in proxy.uploads.values() if count > 1) > 0, "dropped answers are asked for again"
        third = ended(start(*command))
        assert (third.code, f"{PHOTOGRAPHS + 1} imported before, 2 failed." in third.out) == (1, True)

    assert second.code == 1
    assert "All weights are divided by 1000" in second.out
    assert {line.partition(":")[0] for line in second.err.splitlines()} == BROKEN.keys()
    rows = list(csv.DictReader(io.StringIO((folder / "weights.csv").read_text())))
    accepted = {row["file"]: row for row in rows if row["file"] not in BROKEN}
    total = sum(int(row["weight"]) for row in accepted.values())
    law, images = law_of(running, label), images_of(running, label)
    assert len(law) == len(images) == PHOTOGRAPHS + 1
    by_filename = {image["filename"]: image for image in images}
    assert len(by_filename) == len(images), "nothing is stored twice"
    for file, row in accepted.items():
        image = by_filename[Path(file).name]
        assert law[image["id"]] == Fraction(int(row["weight"]), total)
        assert image["tags"] == [row["tags"]]
    check_journal(folder)


def check_journal(folder: Path) -> None:
    """Check that the journal has what became of each file."""
    with (folder / "imported.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    last = {line["file"]: line for line in lines if line["file"]}
    assert len(last) == PHOTOGRAPHS + 3
    assert {line["divide_by"] for line in lines} == {"1000"}
    for file, line in last.items():
        assert line["status"] == ("refused" if file in BROKEN else line["status"])
        assert line["sha256"] == sha256((folder / file).read_bytes()).hexdigest()
        assert bool(line["id"]) == (file not in BROKEN)
        assert bool(line["detail"]) == (file in BROKEN)
