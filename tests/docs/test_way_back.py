"""The way back to the release before: the commands of the docs, with a real git, find the commit that was deployed."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.documents import ROOT, blocks

FIRST_HOUR, OPERATE, DEPLOY = (ROOT / f"docs/how-to/{name}.md" for name in ("first-hour", "operate", "deploy"))
SAM = '#!/bin/sh\necho "$1 $(cat code.txt) $(cat samconfig.toml)" >>"$NOTES"\n'
DATE = '#!/bin/sh\ncat "$CLOCK"\n'


class Checkout:
    """A repository with a commit for each release, and programs that note what they deploy."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.notes, self._clock = folder / "petapi", folder / "notes.txt", folder / "clock.txt"
        self._seconds = 0
        programs = folder / "bin"
        for path in (self.folder, programs):
            path.mkdir()
        for name, text in (("sam", SAM), ("aws", "#!/bin/sh\n"), ("date", DATE), ("make", "#!/bin/sh\n")):
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        self._environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "NOTES": str(self.notes),
            "CLOCK": str(self._clock),
            "HOME": str(folder),
            **{f"GIT_{who}_{what}": "a@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        self.run("git init -q && echo default >samconfig.toml && git add samconfig.toml")

    def run(self, commands: str) -> str:
        self._seconds += 1
        self._clock.write_text(f"20261129T1200{self._seconds:02}Z\n")
        done = subprocess.run(
            ["bash", "-c", commands],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr

    def release(self, code: str) -> None:
        self.run(f"echo {code} >code.txt && git add . && git commit -qm {code}")

    def deployed(self) -> list[str]:
        """Return what `sam deploy` had before it, in order."""
        lines = self.notes.read_text().splitlines() if self.notes.exists() else []
        return [line.removeprefix("deploy ") for line in lines if line.startswith("deploy ")]


def block_of(page: Path, part: str) -> str:
    (found,) = (block.text for block in blocks(page) if part in block.text)
    return found


LATER = block_of(DEPLOY, "sam deploy && git tag")
BACK = {page: block_of(page, "git for-each-ref") for page in (FIRST_HOUR, OPERATE)}


@pytest.mark.parametrize("page", BACK, ids=lambda page: page.stem)
def test_the_commit_that_was_deployed_before_is_deployed_again(page: Path, tmp_path: Path) -> None:
    """Not the commit before: two were never deployed. And the answers of `sam deploy --guided` stay."""
    checkout = Checkout(tmp_path)
    for code in ("one", "two"):
        checkout.release(code)
        checkout.run(LATER)
    checkout.release("never")
    checkout.release("three")
    checkout.run("echo answers >samconfig.toml")
    checkout.run(LATER)
    checkout.run(LATER)  # another parameter, and the same commit
    checkout.run(BACK[page])
    assert checkout.deployed() == ["one default", "two default", "three answers", "three answers", "two answers"]
    assert checkout.run("cat code.txt samconfig.toml").split() == ["three", "answers"]


@pytest.mark.parametrize("page", BACK, ids=lambda page: page.stem)
def test_without_an_earlier_deploy_nothing_is_deployed(page: Path, tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    checkout.release("one")
    checkout.run(LATER)
    said = checkout.run(BACK[page])
    assert "fatal: invalid reference" in said
    assert checkout.deployed() == ["one default"]


def test_make_deploy_notes_the_commit_as_the_docs_do() -> None:
    (tag,) = re.findall(r'git tag "deployed/petapi/([^"]*)"', LATER)
    (recipe,) = re.findall(
        r"^\t-git tag \"deployed/\$\(or \$\(STACK\),petapi\)/(.*?)\"", (ROOT / "Makefile").read_text(), re.M
    )
    assert recipe.replace("$$", "$") == tag
