"""`make http-test` runs the HTTP tests on any petAPI, and reaches nothing but its address."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import http_tests
from tests.support.cloud import ROOT
from tests.support.hosts import Handlers, Remote, needs_aws
from tests.support.local_service import LocalService
from tests.support.receivers import certificate, serving, status

ADDRESS = "https://127.0.0.1"


def test_the_tests_of_a_file_run_on_the_petapi_at_an_address(
    running: LocalService, capfd: pytest.CaptureFixture[str]
) -> None:
    assert http_tests.main(running.url, "tests/api/test_status.py") == 0
    assert "2 passed" in capfd.readouterr().out


@pytest.mark.parametrize("url", ["", "127.0.0.1:3000", "ftp://127.0.0.1"])
def test_without_an_address_it_says_how_to_name_one(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert http_tests.main(url) == 2
    assert "make http-test URL=https://" in capsys.readouterr().err


def test_a_petapi_that_does_not_answer_is_named() -> None:
    with pytest.raises(SystemExit, match=r"http://127.0.0.1:9/ is no petAPI that answers: ConnectionRefusedError"):
        http_tests.main("http://127.0.0.1:9/")


def test_a_petapi_for_others_is_left_alone(slow_tier: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """These tests upload anything, so the stack is one that takes anything."""
    with LocalService(tmp_path / "data", variables={"LABELS": "cat", "WRITES": "closed"}) as service:
        assert http_tests.main(service.be_patient().url) == 2
    assert "need a stack of their own, with PublicWrites=true Labels=*." in capsys.readouterr().err


def test_no_variable_or_file_leads_to_an_account(tmp_path: Path) -> None:
    """Not even those of the profile that deployed the stack."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/credentials").write_text("[default]\naws_access_key_id = a\naws_secret_access_key = b\n")
    (tmp_path / ".aws/config").write_text("[default]\nregion = us-east-1\n")
    given = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "AWS_PROFILE": "default"}
    code = "import boto3\nfound = boto3.Session()\nprint(found.get_credentials(), found.region_name)"
    printed = [
        subprocess.run(
            [sys.executable, "-c", code], env=variables, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout
        for variables in (given, http_tests.without_account(given))
    ]
    assert printed[0].endswith("us-east-1\n")
    assert printed[1] == "None None\n"


def test_a_test_that_looks_into_aws_is_skipped_only_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    needs_aws(Handlers())
    with pytest.raises(pytest.skip.Exception):
        needs_aws(Remote(ADDRESS))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")  # of `make sam-test`
    needs_aws(Remote(ADDRESS))


def test_an_address_may_have_https_and_a_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pem = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with serving(status(204), pem=pem) as server:
        assert Remote(f"{ADDRESS}:{server.port}/Prod/").request("POST", "/uploads", b"{}").status == 204
    assert [each.path for each in server.received] == ["/Prod/uploads"]


def test_what_is_left_out_is_there() -> None:
    assert all((ROOT / path).exists() for path in http_tests.LEFT_OUT)
