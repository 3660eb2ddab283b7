"""`petapi export`: a folder that import gives back exactly, and nothing that is there by half."""

import errno
import os
import random
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from petapi_client import Image, PetApi, exporting
from petapi_client.commands import main
from tests.support.faulty_proxy import FaultyProxy
from tests.support.hosts import new_label
from tests.support.local_service import LocalService
from tests.support.petapi_command import images_of, law_of, petapi, write_csv
from tests.support.pictures import tiny

Capture = pytest.CaptureFixture[str]

NAMES = (
    *("tom.jpg", "tom.jpg", "", "TOM.jpg", '=HYPERLINK("x"&A1)', "'=1+1.png", "'quoted'.png"),
    *("-1,2;3.jpg", "+49.png", "@a.png", '"%22%.png', "名前 ☺.png", "e\u0301 é.png", "CON", ".."),
)


@pytest.fixture(scope="module")
def label(running: LocalService, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a label with a picture for each of the names."""
    place, label = tmp_path_factory.mktemp("named"), new_label()
    lines = ["file,filename,weight,tags"]
    for number, name in enumerate(NAMES):
        (place / f"{number}.png").write_bytes(tiny(1000 + number))
        quoted = name.replace('"', '""')
        escaped = f"'{quoted}" if quoted.lstrip("'")[:1] in ("=", "+", "-", "@") else quoted
        lines.append(f'{number}.png,"{escaped}",{number + 1},{"odd" if number % 2 else ""}')
    write_csv(place, lines)
    assert main(["import", str(place), "--label", label, "--url", running.url]) == 0
    return label


def without_place(images: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return images without what depends on the label and the time."""
    return [
        {name: value for name, value in image.items() if name not in ("label", "created", "url", "labels")}
        | {"id": image["id"].partition("/")[2]}
        for image in images
    ]


def test_an_export_imported_under_another_label_gives_the_same_names_weights_and_tags(
    running: LocalService, label: str, tmp_path: Path, capsys: Capture
) -> None:
    backup, other = tmp_path / "backup", new_label()
    ran = petapi(capsys, "export", label, backup, url=running.url)
    assert (ran.code, ran.out) == (0, f"{len(NAMES)} pictures and weights.csv are in {backup}.\n")
    assert petapi(capsys, "import", backup, "--label", other, url=running.url).out == f"{len(NAMES)} stored.\n"

    images = images_of(running, label)
    assert sorted(image.get("filename", "") for image in images) == sorted(NAMES)
    assert without_place(images_of(running, other)) == without_place(images)
    assert sorted(law_of(running, other).values()) == sorted(law_of(running, label).values())
    files = {path.name for path in backup.iterdir()}
    assert files == {image["id"].partition("/")[2] for image in images} | {"weights.csv", "imported.csv"}


@pytest.mark.usefixtures("slow_tier")
def test_an_export_that_was_interrupted_goes_on_and_mends_what_is_damaged(
    running: LocalService, label: str, tmp_path: Path, capsys: Capture
) -> None:
    backup = tmp_path / "backup"
    assert petapi(capsys, "export", label, backup, url=running.url).code == 0
    whole = {path.name: path.read_bytes() for path in backup.iterdir()}
    (backup / "weights.csv").unlink()
    first, second, *_ = sorted(whole)
    (backup / first).write_bytes(b"damaged")
    (backup / second).unlink()
    os.symlink(tmp_path / "elsewhere.png", backup / second)
    (backup / f".petapi-{'0' * 32}.part").write_bytes(b"half")
    with FaultyProxy(running.url) as proxy:
        assert petapi(capsys, "export", label, backup, url=proxy.url).code == 0
        pictures = [path for _, path, _ in proxy.seen if path.endswith(".png")]
    assert len(pictures) == 2
    assert {path.name: path.read_bytes() for path in backup.iterdir()} == whole
    assert not (tmp_path / "elsewhere.png").exists()


def test_a_folder_with_other_files_and_one_that_cannot_be_made_are_refused(
    running: LocalService, label: str, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/weights.csv").write_text("file\n")
    (tmp_path / "file").touch()
    refusals = {
        "mine": "has other files already, such as weights.csv; name an empty folder.\n",
        "file": "cannot be written (File exists); mend that and run the same command again: the pictures that are "
        "there are kept.\n",
    }
    for name, sentence in refusals.items():
        ran = petapi(capsys, "export", label, tmp_path / name, url=running.url)
        assert (ran.code, ran.out, ran.err) == (2, "", f"{tmp_path / name} {sentence}")
    ran = petapi(capsys, "export", "no-such-label", tmp_path / "new", url=running.url)
    assert (ran.code, ran.err) == (
        2,
        "no-such-label has no images; petapi labels lists the labels that have some.\n",
    )
    assert not (tmp_path / "new").exists()


class FullDisk:
    """Lets so many files be synchronised, and then says that the disk is full."""

    def __init__(self, room: int) -> None:
        self._room = room

    def __call__(self, _: int) -> None:
        self._room -= 1
        if self._room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    "room", [pytest.param(0, marks=pytest.mark.slow), 5, pytest.param(len(NAMES), marks=pytest.mark.slow)]
)
def test_a_full_disk_is_one_sentence_and_leaves_nothing_by_half(
    running: LocalService, label: str, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    backup = tmp_path / "backup"
    with monkeypatch.context() as patch:
        patch.setattr(exporting.os, "fsync", FullDisk(room))
        ran = petapi(capsys, "export", label, backup, "--workers", "1", url=running.url)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"{backup} cannot be written (No space left on device); mend that and run the same command again: the pictures "
        "that are there are kept.\n"
    )
    kept = list(backup.iterdir())
    assert len(kept) == room
    assert all(sha256(path.read_bytes()).hexdigest().startswith(path.stem) for path in kept)
    assert petapi(capsys, "export", label, backup, url=running.url).code == 0


def test_bytes_of_another_picture_are_not_kept_and_the_others_are(
    running: LocalService, label: str, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged, *others = [image["id"] for image in images_of(running, label)]
    get = PetApi.picture
    monkeypatch.setattr(PetApi, "picture", lambda api, name: b"another" if name == damaged else get(api, name))

    ran = petapi(capsys, "export", label, tmp_path / "backup", url=running.url)

    assert (ran.code, ran.err.splitlines()[-1].partition(" is not in it")[0]) == (1, damaged)
    names = {each.partition("/")[2] for each in others}
    assert {path.name for path in (tmp_path / "backup").iterdir()} == {*names, "weights.csv"}
    assert damaged.partition("/")[2] not in (tmp_path / "backup/weights.csv").read_text()


@pytest.mark.usefixtures("slow_tier")
def test_an_image_that_is_deleted_meanwhile_is_left_out(
    running: LocalService, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    label = new_label()
    for seed in (1, 2):
        assert running.upload(tiny(seed), label=label).status == 201
    gone = images_of(running, label)[0]["id"]
    prepare = exporting.Export._prepare

    def delete(self: exporting.Export, images: Any) -> None:
        prepare(self, images)
        assert running.send("DELETE", f"/images/{gone}").status == 204

    monkeypatch.setattr(exporting.Export, "_prepare", delete)
    ran = petapi(capsys, "export", label, tmp_path / "backup", url=running.url)
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "Deleted during the export, and not in it: 1 image.")
    assert gone.partition("/")[2] not in (tmp_path / "backup/weights.csv").read_text()


@pytest.mark.usefixtures("slow_tier")
def test_a_large_picture_comes_from_another_host_that_gets_no_token(
    running: LocalService, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    label, place = new_label(), tmp_path / "large"
    place.mkdir()
    noise = Pillow.frombytes("RGB", (1300, 1300), random.Random(2).randbytes(1300 * 1300 * 3))
    noise.save(place / "large.png", compress_level=0)
    monkeypatch.setenv("PETAPI_TOKEN", "secret-token")
    with FaultyProxy(running.url) as proxy:
        assert petapi(capsys, "import", place, "--label", label, url=proxy.url).code == 0
        assert petapi(capsys, "export", label, tmp_path / "backup", url=proxy.url).code == 0
        with_token = {(method, path.partition("?")[0]) for method, path, token in proxy.seen if token}
    assert with_token == {("GET", "/mine"), ("POST", "/uploads")}
    (image,) = images_of(running, label)
    assert (tmp_path / "backup" / image["id"].partition("/")[2]).stat().st_size == image["bytes"] > 4_500_000


def test_only_what_can_be_an_image_is_a_file() -> None:
    """A server that sends another id than that of an image names no file."""
    for odd in ("cat/../../x.jpg", "cat/x", "/etc/passwd", f"cat/{'0' * 32}.jpg\n"):
        with pytest.raises(ValueError, match=r"."):
            Image.of_json({"id": odd})
