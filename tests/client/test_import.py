"""`petapi import`: what it takes, what it refuses before anything is sent, and what a second run does."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from petapi_client import api, folder, journal, weights_csv
from tests.support.faulty_proxy import FaultyProxy
from tests.support.hosts import new_label
from tests.support.local_service import Answer, LocalService, free_port
from tests.support.petapi_command import Ran, ended, images_of, law_of, petapi, start, write_csv
from tests.support.pictures import tiny
from tests.support.waiting import eventually

Capture = pytest.CaptureFixture[str]
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with two pictures."""
    place = tmp_path / "photos"
    (place / "sub").mkdir(parents=True)
    (place / "a.png").write_bytes(tiny(1))
    (place / "sub/b.PNG").write_bytes(tiny(2))
    return place


def refused(ran: Ran) -> str:
    """Return the sentence of a refusal: one line, and exit code 2."""
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1), ran
    return ran.err.rstrip()


def test_the_law_is_that_of_the_rows_and_a_second_run_sends_nothing(
    running: LocalService, place: Path, capsys: Capture
) -> None:
    label = new_label()
    write_csv(place, ["file,filename,weight,tags", "sub/b.PNG,=Tom ☺.png,30,x y", "a.png,,12.5,"])
    with FaultyProxy(running.url) as proxy:
        command = ("import", place, "--label", label.upper(), "--tags", "mine")
        first = petapi(capsys, *command, url=proxy.url)
        assert sum(proxy.uploads.values()) == 2
        second = petapi(capsys, *command, url=proxy.url)
        assert sum(proxy.uploads.values()) == 2
    assert first == Ran(0, "All weights are divided by 100, so their proportions stay as they are.\n2 stored.\n", "")
    assert (second.code, second.out.splitlines()[-1]) == (0, "2 imported before.")
    found = {image.get("filename", ""): image for image in images_of(running, label)}
    assert {name: image["tags"] for name, image in found.items()} == {"=Tom ☺.png": ["mine", "x", "y"], "": ["mine"]}
    assert law_of(running, label)[found["=Tom ☺.png"]["id"]] == Fraction(300, 425)


def test_a_row_finds_its_file_however_its_name_is_spelled(place: Path, capsys: Capture) -> None:
    (place / "sub/e\u0301.png").write_bytes(tiny(3))
    write_csv(place, ["file,weight", "sub/\u00e9.png,1", "sub\\b.PNG,2", "./a.png,3"])
    found = folder.with_files(
        weights_csv.parse((place / "weights.csv").read_bytes()), folder.pictures(place), place, "x"
    )
    assert {file: row.weight for file, row in found.items()} == {"sub/e\u0301.png": 1, "sub/b.PNG": 2, "a.png": 3}
    os.symlink("sub", place / "SUB")  # as if the system took both for one
    write_csv(place, ["file,weight", "SUB/B.png,1", "SUB/b.PNG,2"])
    said = refused(petapi(capsys, "import", place, "--label", "cat", url=NOWHERE))
    assert said == "weights.csv, line 2: there is no file SUB/B.png; correct or remove the row."
    write_csv(place, ["file,weight", "SUB/b.PNG,2", "sub/b.PNG,1"])
    said = refused(petapi(capsys, "import", place, "--label", "cat", url=NOWHERE))
    assert said == "weights.csv, line 3: sub/b.PNG is in line 2 already; remove one of them."
    write_csv(place, ["file,weight", "sub/\u00e9.png,1", "sub/e\u0301.png,2"])
    said = refused(petapi(capsys, "import", place, "--label", "cat", url=NOWHERE))
    assert said == "weights.csv, line 3: sub/e\u0301.png is in line 2 already; remove one of them."


def test_without_a_csv_file_pictures_have_their_names_and_the_weight_of_the_api(
    running: LocalService, place: Path, capsys: Capture
) -> None:
    label = new_label()
    (place / ".hidden.png").write_bytes(tiny(3))
    (place / "notes.txt").write_text("no picture")
    os.symlink("..", place / "sub/up")
    os.symlink("../a.png", place / "sub/link.png")
    assert petapi(capsys, "import", place, "--label", label, url=running.url).code == 0
    assert {(each["filename"], f"{each['weight']}") for each in images_of(running, label)} == {
        ("a.png", "0.5"),
        ("b.PNG", "0.5"),
    }


def test_a_dry_run_checks_everything_and_sends_nothing(running: LocalService, place: Path, capsys: Capture) -> None:
    label = new_label()
    write_csv(place, ["file,weight", "a.png,7", "sub/b.PNG,9"])
    shutil.copy(place / "a.png", place / "again.png")
    ran = petapi(capsys, "import", place, "--label", label, "--dry-run", url=running.url)
    assert (ran.code, ran.out.splitlines()[-1]) == (1, "Would send 2 pictures, and compare 0 with what is there.")
    assert ran.err == "again.png: has no weight in weights.csv; add one and run the import again.\n"
    assert not (place / "imported.csv").exists()
    assert images_of(running, label) == []


def test_the_same_bytes_twice_are_reported_and_the_first_row_counts(
    running: LocalService, place: Path, capsys: Capture
) -> None:
    label = new_label()
    shutil.copy(place / "a.png", place / "0.png")
    write_csv(place, ["file,weight", "a.png,0.1", "0.png,0.2", "sub/b.PNG,0.3"])
    ran = petapi(capsys, "import", place, "--label", label, url=running.url)
    assert (ran.code, ran.out) == (0, "2 stored, 1 the same as others.\n")
    assert ran.err == "0.png: has the same bytes as a.png, whose row counts.\n"
    assert sorted(law_of(running, label).values()) == [Fraction(1, 4), Fraction(3, 4)]


@pytest.mark.usefixtures("slow_tier")
def test_pictures_that_become_the_same_once_metadata_is_removed_are_one_image(
    running: LocalService, place: Path, capsys: Capture
) -> None:
    label = new_label()
    text = b"\0\0\0\x09tEXtComment\0x"
    content = (place / "a.png").read_bytes()
    with_text = content[:33] + text + b"\xd9\x28\x1f\x4e" + content[33:]
    (place / "sub/b.PNG").write_bytes(with_text)
    command = ("import", place, "--label", label, "--workers", "1")
    for _ in range(2):
        ran = petapi(capsys, *command, url=running.url)
        assert (ran.code, len(images_of(running, label))) == (0, 1), ran
        assert ran.err == "sub/b.PNG: is the same picture as a.png, whose row counts.\n"


def test_the_row_that_counted_counts_again_if_its_line_of_the_journal_is_lost(
    running: LocalService, place: Path, capsys: Capture
) -> None:
    label, journal_file = new_label(), place / journal.NAME
    content = (place / "a.png").read_bytes()
    (place / "b.png").write_bytes(content[:33] + b"\0\0\0\x09tEXtComment\0x\xd9\x28\x1f\x4e" + content[33:])
    (place / "sub/b.PNG").unlink()
    write_csv(place, ["file,weight", "a.png,0.1", "b.png,0.2"])
    command = ("import", place, "--label", label)
    assert petapi(capsys, *command, "--workers", "1", url=running.url).code == 0
    lines = journal_file.read_text().splitlines(keepends=True)
    journal_file.write_text("".join(line for line in lines if not line.startswith("stored,")))
    ran = petapi(capsys, *command, "--update", url=running.url)
    assert ran == Ran(
        0, "1 were there already, 1 the same as others.\n", "b.png: is the same picture as a.png, whose row counts.\n"
    )
    assert [f"{image['weight']}" for image in images_of(running, label)] == ["0.1"]


def test_another_weight_is_a_conflict_until_update_changes_it(
    running: LocalService, place: Path, capsys: Capture
) -> None:
    label = new_label()
    command = ("import", place, "--label", label)
    write_csv(place, ["file,weight,tags", "a.png,0.1,", "sub/b.PNG,0.2,x"])
    assert petapi(capsys, *command, url=running.url).code == 0
    write_csv(place, ["file,weight,tags", "a.png,0.4,", "sub/b.PNG,0.2,"])

    plain = petapi(capsys, *command, url=running.url)
    assert (plain.code, plain.out) == (1, "2 failed.\n")
    assert "with the weight 0.1, not 0.4; --update changes it." in plain.err
    assert "with the tags x, not (none); --update changes it." in plain.err
    (place / "imported.csv").unlink()
    forgotten = petapi(capsys, *command, url=running.url)
    assert (forgotten.code, forgotten.err.count("with the weight 0.1, not 0.4")) == (1, 1)
    updated = petapi(capsys, *command, "--update", url=running.url)
    assert (updated.code, updated.out) == (0, "2 brought up to date.\n")
    assert {f"{each['weight']}": each["tags"] for each in images_of(running, label)} == {"0.4": [], "0.2": []}
    assert petapi(capsys, *command, url=running.url).out == "2 imported before.\n"


def test_weights_of_another_scale_need_to_be_said_to_be_comparable(
    running: LocalService, place: Path, capsys: Capture
) -> None:
    label = new_label()
    assert running.upload(tiny(9), label=label, weight="0.25").status == 201
    write_csv(place, ["file,weight", "a.png,25", "sub/b.PNG,50"])
    command = ("import", place, "--label", label)

    said = refused(petapi(capsys, *command, url=running.url))
    assert said.startswith(f"{label} has 1 image already, whose weights are below 1. Say with --divide-by ")
    assert "such as --divide-by 100," in said
    too_small = petapi(capsys, *command, "--divide-by", "10", url=NOWHERE)
    assert (too_small.code, too_small.err.splitlines()[0]) == (
        2,
        "weights.csv, line 2: the weight divided by 10 is not below 1; say --divide-by 100.",
    )
    assert petapi(capsys, *command, "--divide-by", "100", url=running.url).code == 0
    assert sorted(law_of(running, label).values()) == [Fraction(1, 4), Fraction(1, 4), Fraction(1, 2)]
    again = refused(petapi(capsys, *command, "--divide-by", "1000", url=running.url))
    assert again.startswith("An earlier run divided the weights by 100 (imported.csv); leave out --divide-by")
    assert petapi(capsys, *command, "--divide-by", "1000", "--update", url=running.url).code == 0
    assert sorted(law_of(running, label).values()) == [Fraction(1, 13), Fraction(2, 13), Fraction(10, 13)]


def test_more_than_nine_decimals_are_refused_unless_they_may_be_rounded(
    running: LocalService, place: Path, capsys: Capture
) -> None:
    label = new_label()
    write_csv(place, ["file,weight", "a.png,0.3333333333", "sub/b.PNG,1"])
    command = ("import", place, "--label", label)
    said = refused(petapi(capsys, *command, url=NOWHERE))
    assert said.startswith("weights.csv, line 2: the weight divided by 10 has more than 9 decimals; --round rounds it")
    ran = petapi(capsys, *command, "--round", url=running.url)
    assert "Weights are rounded to 10^-9; the largest relative error is 9.9e-09." in ran.out
    assert sorted(f"{each['weight']}" for each in images_of(running, label)) == ["0.033333333", "0.1"]
    write_csv(place, ["file,weight", "a.png,0.1", "sub/b.PNG,9999999999"])
    assert "rounds to 0" in refused(petapi(capsys, *command, "--round", "--update", url=NOWHERE))


@pytest.mark.usefixtures("slow_tier")
def test_the_journal_of_another_label_or_another_address_does_not_count(
    running: LocalService, place: Path, capsys: Capture
) -> None:
    labels = [new_label(), new_label()]
    for label in labels:
        assert petapi(capsys, "import", place, "--label", label, url=running.url).out == "2 stored.\n"
    address = running.url.replace("127.0.0.1", "localhost")
    there = petapi(capsys, "import", place, "--label", labels[0], url=address)
    assert (there.code, there.out) == (0, "2 were there already.\n")


@pytest.mark.usefixtures("slow_tier")
def test_images_that_are_gone_are_sent_again(running: LocalService, place: Path, capsys: Capture) -> None:
    label = new_label()
    command = ("import", place, "--label", label)
    assert petapi(capsys, *command, url=running.url).code == 0
    assert running.send("DELETE", f"/images/{images_of(running, label)[0]['id']}").status == 204
    assert petapi(capsys, *command, url=running.url).out == "1 stored, 1 imported before.\n"


def test_a_picture_that_was_edited_is_another_image_and_the_old_one_is_named(
    running: LocalService, place: Path, capsys: Capture
) -> None:
    label = new_label()
    command = ("import", place, "--label", label)
    assert petapi(capsys, *command, url=running.url).code == 0
    (old,) = [image["id"] for image in images_of(running, label) if image["filename"] == "a.png"]
    (place / "a.png").write_bytes(tiny(88))
    ran = petapi(capsys, *command, url=running.url)
    assert (ran.code, ran.out) == (0, "1 stored, 1 imported before.\n")
    assert ran.err == f"a.png: has changed since it became {old}, which stays; delete that if you do not want both.\n"
    assert len(images_of(running, label)) == 3


@pytest.mark.usefixtures("slow_tier")
def test_a_line_of_the_journal_that_was_cut_short_does_not_count(
    running: LocalService, place: Path, capsys: Capture
) -> None:
    label = new_label()
    command = ("import", place, "--label", label, "--workers", "1")
    assert petapi(capsys, *command, url=running.url).code == 0
    journal = place / "imported.csv"
    journal.write_bytes(journal.read_bytes()[:-9].replace(b"sub/b.PNG", b'"sub/b.PNG'))
    assert petapi(capsys, *command, url=running.url).out == "1 were there already, 1 imported before.\n"
    assert petapi(capsys, *command, url=running.url).out == "2 imported before.\n"


ODD = {
    "pipe.jpg": "is no file; remove it.",
    "folder.jpg": "",  # not a file of its own, and looked into
    "loop.jpg": "is a link that leads in a circle; remove it.",
    "out.jpg": "is a link that leads out of the folder; copy the picture into it.",
    "gone.jpg": "is a link that leads nowhere, or was removed; look at it.",
    "large.jpg": "has 20,000,001 bytes, but may have at most 20,000,000; make it smaller.",
    "text.jpg": "img is text/plain, but must be a JPEG, PNG or WebP picture; convert it and retry.",
    "empty.jpg": "img is empty; send the bytes of a JPEG, PNG or WebP picture.",
}


def test_files_that_are_no_pictures_are_named_and_the_others_are_imported(
    running: LocalService, place: Path, tmp_path: Path, capsys: Capture
) -> None:
    label = new_label()
    os.mkfifo(place / "pipe.jpg")
    (place / "folder.jpg").mkdir()
    os.symlink("loop.jpg", place / "loop.jpg")
    (tmp_path / "secret.jpg").write_bytes(tiny(5))
    os.symlink(tmp_path / "secret.jpg", place / "out.jpg")
    os.symlink("nothing", place / "gone.jpg")
    with (place / "large.jpg").open("wb") as large:
        large.truncate(api.FILE_MAX + 1)
    (place / "text.jpg").write_text("text")
    (place / "empty.jpg").touch()
    ran = petapi(capsys, "import", place, "--label", label, url=running.url)
    assert (ran.code, ran.out) == (1, "2 stored, 7 failed.\n")
    assert dict(line.split(": ", 1) for line in ran.err.splitlines()) == {k: v for k, v in ODD.items() if v}
    again = petapi(capsys, "import", place, "--label", label, url=running.url)
    assert (again.code, again.out) == (1, "2 imported before, 7 failed.\n")
    assert "text.jpg: was refused before: img is text/plain" in again.err


@pytest.mark.usefixtures("slow_tier")
def test_a_name_that_is_no_text_and_one_that_moves_the_cursor_are_imported_and_shown_with_escapes(
    running: LocalService, place: Path, capsys: Capture
) -> None:
    label = new_label()
    odd = [b"\xff\xe9.png", b"\x1b[2J.png", b"line\nend.png", "\u202egnp.exe.png".encode()]
    for number, name in enumerate(odd):
        (place / os.fsdecode(name)).write_bytes(tiny(20 + number))
    (place / os.fsdecode(b"\x1b[2Jno.jpg")).write_text("text")
    (place / "so\n6 stored.jpg").write_text("another text")
    for stored in ("6 stored", "6 imported before"):
        ran = petapi(capsys, "import", place, "--label", label, url=running.url)
        assert (ran.code, ran.out) == (1, f"{stored}, 2 failed.\n")
        assert "\x1b" not in ran.err
    assert sorted(line.partition(": ")[0] for line in ran.err.splitlines()) == ["\\x1b[2Jno.jpg", "so\\n6 stored.jpg"]
    assert sorted(image.get("filename", "") for image in images_of(running, label)) == [
        "",
        "",
        "",
        "",
        "a.png",
        "b.PNG",
    ]


@pytest.mark.usefixtures("slow_tier")
def test_files_that_may_not_be_read_are_named(running: LocalService, place: Path) -> None:
    """As another user: root may read everything."""
    label = new_label()
    with TemporaryDirectory() as public:
        shutil.copytree(place, public, dirs_exist_ok=True)
        (Path(public) / "closed.jpg").write_bytes(tiny(7))
        (Path(public) / "closed.jpg").chmod(0)
        Path(public).chmod(0o777)
        script = (
            "import os, sys\nfrom petapi_client.commands import main\nos.getuid() or os.setuid(65534)\nsys.exit(main())"
        )
        command = [sys.executable, "-c", script, "import", public, "--label", label, "--url", running.url]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        (Path(public) / "sub").chmod(0)
        closed = subprocess.run(command, capture_output=True, text=True, check=False)
        (Path(public) / "sub").chmod(0o755)
    assert (closed.returncode, closed.stdout) == (2, "")
    assert closed.stderr == f"{public}/sub cannot be read (Permission denied); look at its permissions.\n"
    assert (done.returncode, done.stdout) == (1, "2 stored, 1 failed.\n"), done.stderr
    assert done.stderr == "closed.jpg: cannot be read (Permission denied); look at its permissions.\n"


def test_two_rows_of_one_file_are_refused_however_its_letters_are_written(place: Path, capsys: Capture) -> None:
    (place / "\u00e9.png").write_bytes(tiny(7))
    write_csv(place, ["file,weight", "\u00e9.png,1", "e\u0301.png,2"])
    sentence = "weights.csv, line 3: \u00e9.png is in line 2 already; remove one of them."
    assert refused(petapi(capsys, "import", place, "--label", "cat", url=NOWHERE)) == sentence


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (["file,weight", "tom.png,1"], "weights.csv, line 2: there is no file tom.png; correct or remove the row."),
        (["file", "x" * 5000], "weights.csv, line 2: there is no file xxx"),
        (["file", '"so\n6 stored.jpg"'], "weights.csv, line 3: there is no file so\\n6 stored.jpg; correct or remove"),
        (["file,weight", "sub,1"], "weights.csv, line 2: there is no file sub; correct or remove the row."),
        (["file,weight", "a.png,1", "a.png,2"], "weights.csv, line 3: a.png is in line 2 already"),
        (["file,wieght", "a.png,1"], "weights.csv has the unknown column wieght"),
        (["file,weight", "a.png,one"], "weights.csv, line 2: weight one is no number above 0"),
        (["file,weight", "a.png,1,2"], "weights.csv, line 2: there are 3 cells for 2 columns"),
        (["file,tags", "a.png,a b c d e"], "a.png would have more than 5 tags; give fewer in weights.csv or --tags."),
    ],
)
def test_a_wrong_csv_file_is_refused_before_anything_is_sent(
    place: Path, capsys: Capture, rows: list[str], sentence: str
) -> None:
    write_csv(place, rows)
    ran = petapi(capsys, "import", place, "--label", "cat", "--tags", "more", url=NOWHERE)
    assert refused(ran).startswith(sentence)


def test_a_folder_that_cannot_be_used_is_refused_before_anything_is_sent(
    place: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe/weights.csv")
    (place / "imported.csv").write_text("date,what\n1,x\n")
    said = {
        "nowhere": "nowhere is no folder that can be read (No such file or directory); name one.",
        "empty": "has no JPEG, PNG or WebP; name a folder that has pictures.",
        "photos/a.png": "is no folder that can be read (Not a directory); name one.",
        "pipe": "weights.csv is no file; remove it.",
        "photos": "imported.csv in this folder is no journal of petapi; move it away: the import writes one.",
    }
    monkeypatch.chdir(tmp_path)
    for name, sentence in said.items():
        assert refused(petapi(capsys, "import", name, "--label", "cat", url=NOWHERE)).endswith(sentence)
    ran = petapi(capsys, "import", "photos", "--label", "cat", "--weights", "no.csv", url=NOWHERE)
    assert refused(ran) == "There is no file no.csv; name the CSV file as it is called from here."


def test_a_huge_csv_file_is_refused_by_its_size(place: Path, capsys: Capture) -> None:
    with (place / "weights.csv").open("wb") as huge:
        huge.truncate(10**12)
    said = refused(petapi(capsys, "import", place, "--label", "cat", url=NOWHERE))
    assert said == "weights.csv has 1,000,000,000,000 bytes, but may have at most 50,000,000; make it smaller."


def test_no_server_and_another_server_are_one_sentence(place: Path, running: LocalService, capsys: Capture) -> None:
    command = ("import", place, "--label", "cat")
    closed = f"http://127.0.0.1:{free_port()}"
    said = refused(petapi(capsys, *command, url=closed))
    assert said == f"{closed[7:]} cannot be reached (Connection refused); start it, or check the URL."
    said = refused(petapi(capsys, *command, url=f"{running.url}/docs"))
    assert "check that the URL is that of a petAPI" in said or "There is nothing at" in said


def test_a_journal_without_room_ends_the_import_with_a_sentence(
    running: LocalService, place: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = journal.Journal._write

    def write_two_lines(self: journal.Journal, cells: list[str]) -> None:
        if (place / "imported.csv").read_bytes().count(b"\n") == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(self, cells)

    monkeypatch.setattr(journal.Journal, "_write", write_two_lines)
    ran = petapi(capsys, "import", place, "--label", new_label(), "--workers", "1", url=running.url)
    assert (ran.code, ran.err.splitlines()) == (
        2,
        [
            "imported.csv cannot be written any more (No space left on device); mend that.",
            "2 pictures left. The same command goes on from here.",
        ],
    )


@pytest.mark.usefixtures("slow_tier")
@pytest.mark.parametrize(("room", "sentence"), [(10, "copy the folder to where you can."), (250, "mend that.")])
def test_a_disk_without_room_for_the_journal_is_one_sentence(
    running: LocalService, place: Path, room: int, sentence: str
) -> None:
    command = ("import", place, "--label", new_label(), "--workers", "1", "--url", running.url)
    ran = ended(start(*command, file_max=room))
    first, *others = ran.err.splitlines()
    assert (ran.code, first.endswith(sentence)) == (2, True), ran
    assert others in ([], ["2 pictures left. The same command goes on from here."])
    assert ended(start(*command)).code == 0


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--label", "my cats", "is no label"),
        ("--divide-by", "7", "7 is no power of ten"),
        ("--divide-by", "0", "0 is no power of ten"),
        ("--workers", "0", "no whole number from 1 to 32"),
        ("--workers", "000000000001999", "no whole number from 1 to 32"),
        ("--tags", "a,1", "tag 1 must begin with a letter"),
        ("--tags", "a,b,c,d,e,f", "6 tags are too many"),
        ("--token", "secret", "unrecognized arguments: --token"),
    ],
)
def test_a_wrong_option_is_refused(place: Path, capsys: Capture, option: str, value: str, says: str) -> None:
    ran = petapi(capsys, "import", place, "--label", "cat", option, value, url=NOWHERE)
    assert (ran.code, says in ran.err) == (2, True), ran


def test_a_file_that_changes_during_the_import_is_not_stored(
    running: LocalService, place: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    label = new_label()
    read = folder.read

    def change(place: Path, file: str, size_max: int) -> bytes:
        content = read(place, file, size_max)
        (place / "a.png").write_bytes(tiny(77))
        return content

    monkeypatch.setattr(folder, "read", change)
    ran = petapi(capsys, "import", place, "--label", label, url=running.url)
    assert (ran.code, ran.err) == (1, "a.png: changed during the import; run it again.\n")
    assert len(images_of(running, label)) == 1


@pytest.mark.usefixtures("slow_tier")
def test_ctrl_c_ends_what_is_under_way_and_says_how_to_go_on(running: LocalService, place: Path) -> None:
    label = new_label()
    for number in range(40):
        (place / f"{number}.png").write_bytes(tiny(100 + number))
    with FaultyProxy(running.url) as proxy:
        proxy.reach = 2
        proxy.gate.clear()
        process = start("import", place, "--label", label, "--workers", "2", "--url", proxy.url)
        assert proxy.reached.wait(120)
        process.send_signal(signal.SIGINT)
        assert process.stderr
        assert process.stderr.readline() == "\n"
        assert process.stderr.readline() == "Ending what is under way. Press Ctrl-C again to stop at once.\n"
        proxy.gate.set()
        ran = ended(process)
        stored = len(images_of(running, label))
    assert ran.code == 130
    assert "Traceback" not in ran.err
    assert ran.out == f"{stored} stored.\n"
    assert ran.err.splitlines()[-1] == f"Stopped, with {42 - stored} pictures left. The same command goes on from here."


@pytest.mark.usefixtures("slow_tier")
def test_a_server_that_stops_ends_the_import_and_the_same_command_goes_on(
    running: LocalService, place: Path, capsys: Capture
) -> None:
    label = new_label()
    for number in range(20):
        (place / f"{number}.png").write_bytes(tiny(200 + number))
    with FaultyProxy(running.url) as proxy:
        url, proxy.reach = proxy.url, 3
        process = start("import", place, "--label", label, "--workers", "1", "--url", url)
        assert proxy.reached.wait(120)
    ran = ended(process)
    assert (ran.code, "cannot be reached" in ran.err) == (1, True), ran
    assert "pictures left. The same command goes on from here." in ran.err
    eventually(lambda: 3 <= len(images_of(running, label)) < 22)


def test_a_label_that_is_not_allowed_is_refused_once(place: Path, capsys: Capture) -> None:
    """What refuses each picture ends the import at the first one."""
    refusal = {
        "status": 422,
        "detail": "label cat is not allowed here; use one of dog.",
        "errors": [{"field": "label"}],
    }
    with FaultyProxy(NOWHERE) as proxy:

        def answer(method: str, path: str, body: bytes, headers: object) -> Answer:
            if method == "GET":
                return Answer(404 if path.startswith("/labels") else 200, {}, b'{"images": []}')
            return Answer(422, {"Content-Type": "application/problem+json"}, json.dumps(refusal).encode())

        proxy.answer = answer  # type: ignore[method-assign, assignment]
        ran = petapi(capsys, "import", place, "--label", "cat", "--workers", "1", url=proxy.url)
    assert (ran.code, ran.out) == (2, "Nothing is imported.\n")
    assert ran.err.splitlines() == [refusal["detail"], "2 pictures left. The same command goes on from here."]
