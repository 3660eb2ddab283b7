"""The commands of the README, and those in the contract, do what they say, as printed."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.support.cloud import ROOT, template
from tests.support.local_service import LocalService
from tests.support.token_issuer import AUDIENCE, Issuer

README = (ROOT / "README.md").read_text()
CONTRACT = yaml.safe_load((ROOT / "openapi.yaml").read_text())
UNTIL_IT_HAS_ENDED = """until curl -s "$status" | grep -Eq '"state": "(recognised|failed)"'; do sleep 0.2; done"""
CURL_LINES, DIRECT_LINES, CALLBACK_LINES = re.findall(r"```sh\n(.*?)```", README, re.S)


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


@pytest.mark.skipif(not shutil.which("curl"), reason="the README's lines need curl")
def test_the_lines_for_larger_pictures_work_as_printed(tmp_path: Path) -> None:
    with LocalService(tmp_path / "data") as service:
        assert DIRECT_LINES.count("\nsleep 5\n") == 1
        lines = CALLBACK_LINES + DIRECT_LINES.replace("\nsleep 5\n", f"\n{UNTIL_IT_HAS_ENDED}\n")
        script = "set -eu\n" + lines.replace("http://127.0.0.1:3000", service.url)
        done = subprocess.run(
            ["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
        )
    assert done.returncode == 0, done.stderr
    waiting, upload = map(json.loads, done.stdout.replace("}{", "}\n{").splitlines())
    assert (waiting["state"], upload["state"]) == ("waiting", "recognised")
    assert upload["image"]["id"].startswith("cat/")
    assert upload["labels"]


@pytest.mark.skipif(not shutil.which("curl"), reason="the contract's lines need curl")
def test_each_operation_of_the_contract_has_a_curl_line_that_works(tmp_path: Path) -> None:
    operations = [
        (method, path, operation)
        for path, methods in CONTRACT["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    ]
    operations.sort(
        key=lambda each: {"uploadImage": 0, "createDirectUpload": 0, "updateImage": 2, "deleteImage": 3}.get(
            each[2]["operationId"], 1
        )
    )
    issuer = Issuer()
    shutil.copy(ROOT / "tests/images/rocket.jpg", tmp_path / "cat.jpg")
    environment = {**os.environ, "TOKEN": issuer.token()}
    answer = tmp_path / "answer"
    with LocalService(tmp_path / "data", variables={"JWT_ISSUER": issuer.url, "JWT_AUDIENCE": AUDIENCE}) as service:
        for method, path, operation in operations:
            (sample,) = operation["x-codeSamples"]
            line = sample["source"].replace("http://127.0.0.1:3000", service.url)
            written = "%{method} %{response_code} %{url_effective}"
            command = line.replace("curl ", f"curl -sS -o {answer} -w '{written}' ", 1)
            done = subprocess.run(
                ["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
            )
            asked, status, url = done.stdout.split()
            assert (asked.lower(), status[0]) == (method, "2"), (line, done, answer.read_bytes())
            assert re.fullmatch(service.url + re.sub(r"{\w+}", "[^/]+", path) + r"(\?.*)?", url), line
            assert status in operation["responses"], line
            if operation["operationId"] == "uploadImage":
                environment["NAME"] = json.loads(answer.read_bytes())["id"].partition("/")[2]
            if operation["operationId"] == "createDirectUpload":
                environment["UPLOAD"] = json.loads(answer.read_bytes())["id"]
            if operation["operationId"] in ("listImages", "listMyImages"):
                assert environment["NAME"] in answer.read_text()
    issuer.close()


def test_the_ready_message_prints_curl_lines_that_work(tmp_path: Path) -> None:
    with LocalService(tmp_path / "data") as service:
        lines = [line.strip() for line in service.output.splitlines() if line.strip().startswith("curl ")]
        assert len(lines) == 3
        for line in lines:
            subprocess.run(["bash", "-c", line + " --fail -sS"], cwd=ROOT, capture_output=True, check=True, timeout=60)


def test_every_make_target_of_the_readme_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"\bmake ([a-z-]+)", README)) - {"sure"} <= targets


def test_each_library_that_is_asked_for_is_in_the_table_of_dependencies() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    wanted = {entry for group in groups.values() for entry in group if isinstance(entry, str)}
    table = README.partition("### Dependencies\n")[2].partition("\n## ")[0]
    named = {name.strip().lower() for names in re.findall(r"^\| (.*?) \|", table, re.M) for name in names.split(",")}
    assert ({re.split(r"[\[<>=]", entry)[0] for entry in wanted} | {"uv"}) - named == set()


def test_every_parameter_is_in_the_readme_and_in_the_template() -> None:
    documented = set(re.findall(r"`/pet-api/<stage>/(\S+)`", README))
    resources = template()["Resources"].values()
    names = {r["Properties"]["Name"] for r in resources if r["Type"] == "AWS::SSM::Parameter"}
    assert {f"/pet-api/${{Stage}}/{name}" for name in documented} == names
    assert all(f"`{name}`" in README for name in template()["Parameters"])
    assert all(
        f"`{name}`" in README for name in template()["Globals"]["Function"]["Environment"]["Variables"] if "fb_" in name
    )
