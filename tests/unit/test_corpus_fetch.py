"""`make corpus-fetch`: what it keeps of an archive, and what it says if it cannot have one."""

import io
import re
import sys
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support import pictures
from tools.corpus import fetch
from tools.corpus.fetch import NotFetched, Package

LARGE = 10_000  # bytes of a file that the tests call too large
WRITE_ARCHIVE = "import sys; open('a.tar.gz', 'wb').write(bytes.fromhex(sys.argv[1]))"
SAY_NO = "import sys; sys.exit('no such version')"


def packed(files: dict[str, bytes]) -> bytes:
    """Make an archive with these files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


ARCHIVE = packed(
    {
        "pets-1.0/setup.py": b"raise SystemExit",
        "pets-1.0/tests/Cat.PNG": pictures.png(),
        "pets-1.0/tests/large.png": bytes(LARGE),
        "pets-1.0/dog.jpg": pictures.jpeg(),
    }
)
PACKAGE = Package("pip", "pets", "1.0", sha256(ARCHIVE).hexdigest())


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a program of our own stand for pip."""
    command = [sys.executable, "-c", WRITE_ARCHIVE, ARCHIVE.hex()]
    monkeypatch.setitem(fetch.COMMANDS, "pip", lambda package, folder: command)
    monkeypatch.setattr(fetch, "FILE_MAX", LARGE - 1)


@pytest.mark.usefixtures("registry")
def test_the_pictures_of_a_package_are_kept_with_their_paths(tmp_path: Path) -> None:
    assert fetch.fetch(PACKAGE, tmp_path / "corpus") == 2
    target = tmp_path / "corpus/pets-1.0"
    assert (target / "tests/Cat.PNG").read_bytes() == pictures.png()
    assert {str(path.relative_to(target)) for path in target.rglob("*.*")} == {"tests/Cat.PNG", "dog.jpg"}


@pytest.mark.usefixtures("registry")
def test_another_archive_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    other = Package("pip", "pets", "1.0", sha256(b"another one").hexdigest())
    with pytest.raises(NotFetched, match="SHA-256"):
        fetch.fetch(other, tmp_path / "corpus")
    assert not (tmp_path / "corpus").exists()


def test_a_package_that_is_there_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "COMMANDS", {})
    (tmp_path / "pets-1.0").mkdir()
    (tmp_path / "pets-1.0/a.png").touch()
    assert fetch.fetch(PACKAGE, tmp_path) == 1


def test_what_the_client_says_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fetch.COMMANDS, "pip", lambda package, folder: [sys.executable, "-c", SAY_NO])
    with pytest.raises(NotFetched, match="pip brought no archive; it says: no such version"):
        fetch.download(PACKAGE, tmp_path)


def test_a_missing_client_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fetch.COMMANDS, "npm", lambda package, folder: ["no-such-program"])
    with pytest.raises(NotFetched, match="npm is missing"):
        fetch.download(Package("npm", "pets", "1.0", "0" * 64), tmp_path)


def test_a_path_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(packed({"pets-1.0/../../out.png": pictures.png()}))
    with pytest.raises(tarfile.FilterError):
        fetch.extract(tmp_path / "a.tar.gz", tmp_path / "target", temporary=tmp_path / "temporary")
    assert not (tmp_path / "target").exists()


def test_each_package_has_a_version_and_a_hash_and_they_come_by_two_clients() -> None:
    listed = fetch.packages()
    assert len({package.folder for package in listed}) == len(listed) >= 5
    assert {package.client for package in listed} == fetch.COMMANDS.keys()
    assert all(re.fullmatch(r"[0-9.]+", package.version) for package in listed)
    assert all(re.fullmatch(r"[0-9a-f]{64}", package.sha256) for package in listed)
