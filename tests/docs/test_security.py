"""SECURITY.md names existing tests and the limits of the code, and it is right about dependencies."""

import re
from pathlib import Path

import pytest

import search_forms
from form import LAYOUT
from shared.limits import BODY_MAX
from shared.pictures import budget
from shared.pictures.bucket import EXTENSIONS, SIDES, URL_LIFETIME
from shared.pictures.sizes import MAX_FRAMES, MAX_PIXELS, MAX_WEBP_PIXELS
from shared.pictures.stripping.strip_jpeg import MAX_SCANS
from tests.support.cloud import ROOT, template
from thumbnails import FAILURE_KEPT
from tools import install
from tools.benchmarks import engine

TEXT = (ROOT / "SECURITY.md").read_text()
SIX = {6: "six"}
QUOTED = '"install"'
INSTALLING = ("tools/install.py", "tools/bundle/__main__.py")  # by hash
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def test_every_promise_names_existing_tests() -> None:
    rows = re.findall(r"^\| \*\*.*\| (.*) \|$", TEXT, re.M)
    assert len(rows) == TEXT.count("\n| **") > 10
    named = [set(re.findall(r"`(tests/\w+/\w+\.py)`", row)) for row in rows]
    assert all(named)
    assert all("\ndef test_" in (ROOT / name).read_text() for names in named for name in names)


def test_the_limits_are_those_of_the_code() -> None:
    parameters, functions = template()["Parameters"], template()["Globals"]["Function"]
    long = [template()["Resources"][name]["Properties"]["Timeout"] for name in ("SearchFunction", "MosaicFunction")]
    assert len(set(long)) == 1
    (rule,) = template()["Resources"]["ThumbnailBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    days = rule["ExpirationInDays"]
    assert days * 86_400 == FAILURE_KEPT
    words = " ".join(TEXT.split())
    for limit in (
        f"{BODY_MAX:,} bytes",
        f"{LAYOUT.max_parts} parts (for a search {search_forms.LAYOUT.max_parts})",
        f"{MAX_PIXELS:,} pixels",
        f"a WebP {MAX_WEBP_PIXELS:,}",
        f"ends after {budget.CHECK_SECONDS} seconds of computing or at {budget.MEMORY // 10**6} MB",
        f"{MAX_FRAMES:,} frames",
        f"JPEG {MAX_SCANS} scans",
        f"after {functions['Timeout']} seconds, those that search or make mosaics after {long[0]}",
        f"{parameters['ThrottleRate']['Default']} requests a second",
        f"{parameters['PictureThrottleRate']['Default']} of pictures",
        f"of files of tiles, the gateway takes {parameters['SearchThrottleRate']['Default']} a second of each method",
        f"and send callbacks end after {template()['Resources']['IndexFunction']['Properties']['Timeout']}",
        f"at most {SIX[len(SIDES) * len(EXTENSIONS)]} thumbnails, made once and kept for {days} days",
        f"or a lifecycle rule within {days} days",
        f"presigned URL, for {URL_LIFETIME}",
    ):
        assert limit in words


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_dependency_is_locked_by_hash(lock: Path) -> None:
    lines = lock.read_text().replace("\\\n", " ").splitlines()
    locked = [line for line in lines if line.strip()]
    assert locked
    assert [line for line in locked if not re.match(r"[\w.\[\]-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)] == []


def test_every_installation_asks_for_the_hashes() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert makefile.count("-m tools.install $<") == 5  # of targets, the SAM CLI, a generator, checkov, a notebook
    assert re.findall(r"\bpip install .*", makefile) == ["pip install --quiet uv"]
    assert "--no-index" in install.CLIENT  # a folder of ours, for which nothing is downloaded
    for module in INSTALLING:
        assert '"--require-hashes"' in (ROOT / module).read_text()


def test_what_is_installed_without_hashes_is_named() -> None:
    (row,) = re.findall(r"^\| \*\*What is shipped is locked by hash\*\*.*", TEXT, re.M)
    assert re.fullmatch(r"@dynoxide/[\w-]+@\d+\.\d+\.\d+", engine.PACKAGE)
    installing = {str(path.relative_to(ROOT)) for path in ROOT.glob("[a-z]*/**/*.py") if QUOTED in path.read_text()}
    installing -= {*INSTALLING, "tests/docs/test_security.py"}
    assert installing == {"tools/benchmarks/cold.py", "tools/benchmarks/engine.py"}
    assert all(name in row for name in ("uv", "dynoxide", "boto3"))
