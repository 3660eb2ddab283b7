"""The README's commands do what it says, as printed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cloud import ROOT, template
from local_service import LocalService

README = (ROOT / "README.md").read_text()
(CURL_LINES,) = re.findall(r"```sh\n(.*?)```", README, re.S)


@pytest.mark.skipif(not shutil.which("curl"), reason="the README's lines need curl")
def test_the_curl_lines_work_as_printed(tmp_path: Path) -> None:
    with LocalService(tmp_path / "data") as service:
        script = "set -eux\n" + CURL_LINES.replace("curl ", "curl -sS ").replace("http://127.0.0.1:3000", service.url)
        done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "problem" not in done.stdout
    # two uploads, a draw as JSON, one by tag, two at once, info, a list of one, a law, a new weight
    assert done.stdout.count('"id"') == 11
    assert re.search(r'(?i)^link: <http.*>; rel="next"', done.stdout, re.M)
    assert '"count": 2, "totalWeight": 1.0' in done.stdout
    assert re.search(r"(?i)^image-probability: 0\.[27]5\r?$", done.stdout, re.M)
    assert re.search(r'"probability": 0\.[27]5', done.stdout)
    assert '"weight": 0.5' in done.stdout


def test_the_ready_message_prints_curl_lines_that_work(tmp_path: Path) -> None:
    with LocalService(tmp_path / "data") as service:
        lines = [line.strip() for line in service.output.splitlines() if line.strip().startswith("curl ")]
        assert len(lines) == 3
        for line in lines:
            subprocess.run(["bash", "-c", line + " --fail -sS"], cwd=ROOT, capture_output=True, check=True, timeout=60)


def test_every_make_target_of_the_readme_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"\bmake ([a-z-]+)", README)) - {"sure"} <= targets


def test_every_parameter_is_in_the_readme_and_in_the_template() -> None:
    documented = set(re.findall(r"`/pet-api/<stage>/(\S+)`", README))
    resources = template()["Resources"].values()
    names = {r["Properties"]["Name"] for r in resources if r["Type"] == "AWS::SSM::Parameter"}
    assert {f"/pet-api/${{Stage}}/{name}" for name in documented} == names
    assert all(f"`{name}`" in README for name in template()["Parameters"])
    assert all(
        f"`{name}`" in README for name in template()["Globals"]["Function"]["Environment"]["Variables"] if "fb_" in name
    )
