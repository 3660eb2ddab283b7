"""The commands of the documentation and of the contract do what the pages say, as they are printed."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from tests.support import documents, lite0_models
from tests.support.documents import PAGES, PRINTED_URL, README, ROOT, Block
from tests.support.local_service import ANSWER_MAX, LocalService
from tests.support.token_issuer import AUDIENCE, Issuer
from tests.support.waiting import eventually

TUTORIAL = ROOT / "docs/tutorial.md"
DIRECT_UPLOADS = ROOT / "docs/how-to/direct-uploads.md"
AUTHORIZE = ROOT / "docs/how-to/authorize-writes.md"
EMBED = ROOT / "docs/how-to/embed.md"
SEARCH = ROOT / "docs/how-to/search.md"
MOSAICS = ROOT / "docs/how-to/mosaics.md"
BLOCKS = [block for page in PAGES for block in documents.blocks(page)]
MARKED = [block for block in BLOCKS if not block.runs]

TURNS = {"uploadImage": 0, "createDirectUpload": 0, "updateImage": 2, "deleteImage": 3}  # the others in between
SEARCHES = ("searchByText", "searchByPicture", "findSimilar")

needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="the commands of the documentation need curl")


def commands_of(page: Path) -> list[Block]:
    return [block for block in documents.blocks(page) if block.runs]


@needs_curl
def test_every_command_of_the_documentation_works_as_printed(running: LocalService, tmp_path: Path) -> None:
    """One story on one service: the README twice, the tutorial twice, then every other page."""
    others = [page for page in PAGES if commands_of(page) and page not in (README, TUTORIAL)]
    for number, page in enumerate([README, README, TUTORIAL, TUTORIAL, *others]):
        commands = commands_of(page)
        outcome = run_thrice(commands, running.url, tmp_path / f"{number}-{page.stem}")
        story = f"{page}\n{outcome.printed}\n{outcome.errors}"
        assert outcome.code == 0, story
        assert outcome.refused == documents.announced(commands), story
        assert outcome.printed.endswith("\n"), story
        if check := CHECKS.get(page):
            check(outcome, tmp_path / f"{number}-{page.stem}")


def run_thrice(commands: list[Block], url: str, folder: Path) -> documents.Outcome:
    """Run the commands, and again if an audit failed, up to three times: an exact service fails one audit in 1,000."""
    for _ in range(3):
        outcome = documents.run(commands, url, folder)
        if "\nFAILED: the draws" not in outcome.printed:
            break
    return outcome


def check_readme(outcome: documents.Outcome, folder: Path) -> None:
    """Check two uploads, a picture to look at, an image, and the distribution."""
    assert len(outcome.requests) == 5
    assert (folder / "drawn.jpg").read_bytes().startswith(b"\xff\xd8\xff")
    assert re.search(r"(?i)^image-probability: 0\.\d+\r?$", outcome.printed, re.MULTILINE)
    *_, drawn, label = json_lines(outcome.printed)
    assert 0 < drawn["probability"] < 1
    assert [image["id"].partition("/")[0] for image in label["images"]] == ["boat"] * label["count"]


def check_tutorial(outcome: documents.Outcome, folder: Path) -> None:
    """Check that files are pictures and that draws are what the text says."""
    assert (folder / "thumbnail.webp").read_bytes()[8:12] == b"WEBP"
    printed = json_lines(outcome.printed)
    first_upload, *_ = printed
    (shown,) = re.findall(r"```json\n(.*?)```", documents.text_of(TUTORIAL), re.DOTALL)
    own = {"created", "url", "probability"}  # they depend on the service and its images
    assert {**json.loads(shown), **{name: first_upload[name] for name in own}} == first_upload
    ten, three = [each for each in printed if len(each.get("images", ())) in (10, 3) and "count" not in each]
    assert len({image["id"] for image in ten["images"]}) <= 3 == len({image["id"] for image in three["images"]})
    _, monday, again, *walk = [each["id"] for each in printed if "totalWeight" in each and "id" in each]
    assert monday == again
    assert len(walk) == len(set(walk)) == 3
    assert three["images"][-1]["probability"] == 1.0
    assert "\nPASSED" in outcome.printed
    (quoted,) = re.findall(r"```text\n(200 draws.*?)```", documents.text_of(TUTORIAL), re.DOTALL)
    assert [re.sub(r"^ +\d+ ", "", line) for line in quoted.splitlines()] == audited(outcome.printed)
    (label,) = [each for each in printed if each.get("label") == "boat" and "images" in each]
    assert (label["count"], label["totalWeight"]) == (3, 1.0)
    assert re.search(r'(?i)^link: <http.*>; rel="next"', outcome.printed, re.MULTILINE)


def audited(printed: str) -> list[str]:
    """Return the first part of an audit's report, without the numbers that chance has made."""
    lines = printed.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("200 draws of "))
    return [re.sub(r"^ +\d+ ", "", line) for line in lines[start : start + 9]]


def check_direct_uploads(outcome: documents.Outcome, _: Path) -> None:
    """Check that the upload has ended well, and that petAPI knows what it shows."""
    upload = json_lines(outcome.printed)[-1]
    assert upload["state"] == "recognised"
    assert upload["image"]["id"].startswith("bird/")
    assert upload["labels"]


def check_embed(outcome: documents.Outcome, folder: Path) -> None:
    """Check that the picture of the day is that of its seed."""
    (image,) = json_lines(outcome.printed)
    assert len((folder / "today.jpg").read_bytes()) == image["bytes"]


CHECKS: dict[Path, Callable[[documents.Outcome, Path], None]] = {
    README: check_readme,
    TUTORIAL: check_tutorial,
    DIRECT_UPLOADS: check_direct_uploads,
    EMBED: check_embed,
}


def json_lines(printed: str) -> list[Any]:
    return [json.loads(line) for line in printed.splitlines() if line.startswith('{"')]


@needs_curl
def test_the_searches_of_the_documentation_work_as_printed(slow_tier: None, tmp_path: Path) -> None:
    """After what the page does before, and once the index has followed."""
    variables = {"ENCODER": "lite0", "LITE0_MODELS": str(lite0_models.folder())}
    with LocalService(tmp_path / "data", variables=variables) as service:
        service.be_patient()
        for page in (README, TUTORIAL, SEARCH):
            plain = commands_of(page)
            outcome = documents.run(plain, service.url, tmp_path / page.stem)
            assert (outcome.code, outcome.refused) == (0, documents.announced(plain)), outcome.errors
            (boats,) = [each["images"] for each in [json.loads(service.get("/images?label=boat").body)]]
            for image in boats:
                eventually(lambda image=image: service.get(f"/images/{image['id']}/similar").status == 200)
            searches = [block for block in documents.blocks(page) if block.marks == {"search"}]
            outcome = documents.run(searches, service.url, tmp_path / page.stem)
            assert (outcome.code, outcome.refused) == (0, []), outcome.errors
            answers = [each for each in json_lines(outcome.printed) if "encoder" in each]
            assert len(answers) == sum(block.text.count("curl -F") + block.text.count("?q=") for block in searches) + (
                "similar" in "".join(block.text for block in searches)
            )
            assert all(answer["images"] for answer in answers if page != SEARCH), page
            if page == TUTORIAL:
                sail, ship, same = (answer["images"] for answer in answers)
                assert (sail[0]["by"], sail[0]["matched"]) == ("words", ["sail"])
                assert {hit["by"] for hit in ship} == {"meaning"}
                assert [(hit["similarity"], hit["by"]) for hit in same] == [(1, "picture")]


@needs_curl
def test_the_mosaics_of_the_documentation_work_as_printed(
    slow_tier: None, running: LocalService, tmp_path: Path
) -> None:
    uploads, *others = [block for block in documents.blocks(MOSAICS) if block.marks == {"mosaic"}]
    outcome = documents.run([uploads], running.url, tmp_path / "mosaics")
    assert (outcome.code, outcome.refused, len(outcome.requests)) == (0, [], 24), outcome.errors
    eventually(lambda: len(tiles_of(running, "sample")) == 24)

    outcome = documents.run(others, running.url, tmp_path / "mosaics")

    assert (outcome.code, outcome.refused) == (0, []), outcome.errors
    assert outcome.requests[-2].status == 304
    shapes = {}
    for name in ("mosaic", "fine", "all"):
        with Image.open(tmp_path / f"mosaics/{name}.jpg") as picture:
            shapes[name] = picture.size
    assert shapes in (
        {"mosaic": (2560, 1696), "fine": (2880, 1920), "all": (2560, 1696)},
        {"mosaic": (1920, 2880), "fine": (1920, 2880), "all": (1920, 2880)},
    )
    (code,) = re.findall(r"```python\n(.*?)```", documents.text_of(MOSAICS), re.DOTALL)
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "mosaics", capture_output=True, text=True, check=True
    ).stdout
    assert re.fullmatch(r"[0-9a-f]{32}\.jpg is the reddest of 24\n", printed)


def tiles_of(service: LocalService, label: str) -> list[str]:
    """Return the names of a label's tiles."""
    answer = service.get(f"/labels/{label}/tiles")
    if answer.status == 404:
        return []
    with np.load(BytesIO(answer.body), allow_pickle=False) as file:
        return list(file["names"])


@needs_curl
@pytest.mark.parametrize("statuses", [(), (404,)])
def test_an_error_status_fails_unless_the_block_announces_it(
    running: LocalService, tmp_path: Path, statuses: tuple[int, ...]
) -> None:
    block = Block(README, 1, frozenset(), f"curl {PRINTED_URL}/nowhere\n", statuses)
    outcome = documents.run([block], running.url, tmp_path / "folder")
    assert outcome.code == 0
    assert outcome.refused == [404]
    assert (documents.announced([block]) == [404]) == bool(statuses)


def test_an_announced_status_stands_in_the_text() -> None:
    announcing = [block for block in BLOCKS if block.statuses]
    assert len(announcing) == 3
    for block in announcing:
        for status in block.statuses:
            assert re.search(rf"status (is )?{status}\b", documents.prose_of(block.page)), block


def test_no_command_has_a_comment_behind_it() -> None:
    """A shell such as zsh takes it for arguments if you paste it."""
    for block in BLOCKS:
        assert not re.search(r"\S +# ", block.text), block


@needs_curl
def test_the_lines_for_tokens_work_as_printed(slow_tier: None, tmp_path: Path) -> None:
    blocks = [block for block in documents.blocks(AUTHORIZE) if "make -s token" in block.text]
    with LocalService(tmp_path / "data", variables={"TOKENS": "1"}) as service:
        service.be_patient()
        outcome = documents.run(blocks, service.url, tmp_path / "folder", {"DATA": str(service.data)})
    assert outcome.code == 0, outcome.errors
    assert outcome.refused == documents.announced(blocks) == [401]
    uploaded, mine, _ = json_lines(outcome.printed)
    assert [image["id"] for image in mine["images"]] == [uploaded["id"]]


@needs_curl
@pytest.mark.usefixtures("slow_tier")
@pytest.mark.parametrize("encoder", ["none", "lite0"])
def test_each_operation_of_the_contract_has_a_curl_line_that_works(tmp_path: Path, encoder: str) -> None:
    contract = yaml.safe_load((ROOT / "openapi.yaml").read_text())
    operations = [
        (method, path, operation)
        for path, methods in contract["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    ]
    operations.sort(key=lambda each: TURNS.get(each[2]["operationId"], 1))
    issuer = Issuer()
    shutil.copy(ROOT / "tests/images/rocket.jpg", tmp_path / "cat.jpg")
    environment = {**os.environ, "TOKEN": issuer.token()}
    answer = tmp_path / "answer"
    variables = {"JWT_ISSUER": issuer.url, "JWT_AUDIENCE": AUDIENCE, "ENCODER": encoder}
    if encoder == "lite0":
        variables["LITE0_MODELS"] = str(lite0_models.folder())
    with LocalService(tmp_path / "data", variables=variables) as service:
        service.be_patient()
        for method, path, operation in operations:
            if operation["operationId"] == "findSimilar":
                similar = f"/images/cat/{environment['NAME']}/similar"
                eventually(lambda path=similar: service.get(path).status != 409)
            if operation["operationId"] == "getTiles":
                eventually(lambda: bool(tiles_of(service, "cat")))
            (sample,) = operation["x-codeSamples"]
            line = sample["source"].replace("http://127.0.0.1:3000", service.url)
            written = "%{method} %{response_code} %{url_effective}"
            command = line.replace("curl ", f"curl -sS -o {answer} -w '{written}' ", 1)
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                timeout=ANSWER_MAX,
            )
            asked, status, url = done.stdout.split()
            without_encoder = encoder == "none" and operation["operationId"] in SEARCHES
            good = (
                "422" if without_encoder or operation["operationId"] == "getMosaic" else "2.."
            )  # one image is too few
            assert asked.lower() == method
            assert re.fullmatch(good, status), (line, done, answer.read_bytes())
            assert re.fullmatch(service.url + re.sub(r"{\w+}", "[^/]+", path) + r"(\?.*)?", url), line
            assert status in operation["responses"], line
            if operation["operationId"] == "uploadImage":
                environment["NAME"] = json.loads(answer.read_bytes())["id"].partition("/")[2]
            if operation["operationId"] == "createDirectUpload":
                environment["UPLOAD"] = json.loads(answer.read_bytes())["id"]
            if operation["operationId"] in ("listImages", "listMyImages"):
                assert environment["NAME"] in answer.read_text()
    issuer.close()


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_every_block_is_bash(block: Block) -> None:
    done = subprocess.run(["bash", "-n", "-c", block.text], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_the_pages_have_commands_that_run_and_some_that_do_not() -> None:
    assert sum(block.runs for block in BLOCKS) > 15
    assert len(MARKED) > 20
    assert {mark for block in MARKED for mark in block.marks} == documents.MARKS
