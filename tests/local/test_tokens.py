"""`make run TOKENS=1`: the service issues the tokens that writes need."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from tests.support.little_room import little_room
from tests.support.local_service import ROOT, LocalService
from tests.support.pictures import png
from tools.local import local_issuer, print_token
from tools.local.data_folder import TOKEN_ISSUER
from tools.local.refusals import Refusal


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    with LocalService(tmp_path_factory.mktemp("tokens") / "data", variables={"TOKENS": "1"}) as service:
        yield service


def printed_token(data: Path, **variables: str) -> str:
    """Return what `make token` prints."""
    command, environment = [sys.executable, "-m", "tools.local.print_token"], {**os.environ, "DATA": str(data)}
    done = subprocess.run(
        command, cwd=ROOT, env={**environment, **variables}, capture_output=True, check=True, text=True
    )
    assert done.stderr == ""
    (line,) = done.stdout.splitlines()
    return line


def upload(service: LocalService, seed: int, token: str = "") -> tuple[int, bytes]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = service.upload(png(seed), headers=headers)
    return answer.status, answer.body


def test_writes_need_a_token_and_the_status_says_so(service: LocalService) -> None:
    assert json.loads(service.get("/status").body)["writes"] == "token"
    assert upload(service, 1)[0] == 401
    assert upload(service, 1, "nonsense")[0] == 401
    assert upload(service, 1, printed_token(service.data))[0] == 201


def test_a_token_without_the_scope_is_403(service: LocalService) -> None:
    assert upload(service, 2, printed_token(service.data, SCOPE="images:delete"))[0] == 403


def test_the_subject_owns_what_it_uploads(service: LocalService) -> None:
    alice, bob = (printed_token(service.data, SUBJECT=name) for name in ("alice", "bob"))
    assert upload(service, 3, alice)[0] == 201

    owned = [service.get("/mine?label=cat", headers={"Authorization": f"Bearer {token}"}) for token in (alice, bob)]

    assert [len(json.loads(answer.body)["images"]) for answer in owned] == [1, 0]


def test_the_keys_are_found_by_discovery(service: LocalService) -> None:
    discovery = json.loads(service.get("/.well-known/openid-configuration").body)
    keys = json.loads(service.get(discovery["jwks_uri"].removeprefix(service.url)).body)

    assert discovery["issuer"] == service.url
    assert "d" not in keys["keys"][0], "the private key must stay private"
    token = printed_token(service.data, SUBJECT="alice")
    claims = jwt.decode(token, jwt.PyJWK(keys["keys"][0]), ["ES256"], audience="petapi", issuer=service.url)
    assert (claims["sub"], claims["scope"]) == ("alice", "images:write images:delete")
    assert claims["exp"] - claims["iat"] == local_issuer.LIFETIME


def test_the_key_is_for_its_owner_only(service: LocalService) -> None:
    assert stat.S_IMODE((service.data / TOKEN_ISSUER).stat().st_mode) == 0o600


def test_it_says_how_to_get_a_token(service: LocalService) -> None:
    assert f"`make -s token DATA={service.data}` prints a token." in service.output


@pytest.mark.usefixtures("slow_tier")
def test_a_token_outlives_a_restart(tmp_path: Path) -> None:
    with LocalService(tmp_path / "data", variables={"TOKENS": "1"}) as service:
        token = printed_token(service.data)
    with LocalService(tmp_path / "data", port=service.port, variables={"TOKENS": "1"}) as again:
        assert upload(again, 1)[0] == 401
        assert upload(again, 1, token)[0] == 201


def test_another_port_is_another_issuer_with_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / TOKEN_ISSUER
    first = local_issuer.begin(path, "http://127.0.0.1:1")

    second = local_issuer.begin(path, "http://127.0.0.1:2")

    assert second.key.private_numbers() == first.key.private_numbers()
    assert local_issuer.find(path).url == "http://127.0.0.1:2"


def test_a_token_before_the_first_start_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"make run TOKENS=1.*make token DATA=<folder>"):
        local_issuer.find(tmp_path / TOKEN_ISSUER)


@pytest.mark.parametrize("scope", ["image:wirte", "images:write,images:delete", "images:write admin", "IMAGES:WRITE"])
def test_an_unknown_scope_is_refused_and_the_known_ones_are_named(scope: str) -> None:
    with pytest.raises(Refusal, match="images:write images:delete images:admin"):
        print_token.read_scope(scope)


def test_make_token_prints_no_token_for_an_unknown_scope(tmp_path: Path) -> None:
    local_issuer.begin(tmp_path / TOKEN_ISSUER, "http://127.0.0.1:1")
    command, variables = [sys.executable, "-m", "tools.local.print_token"], {"DATA": str(tmp_path), "SCOPE": "write"}

    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, check=False, text=True
    )

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "'write'" in done.stderr


@pytest.mark.usefixtures("slow_tier")
@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"issuer": "x", "key": "y"}', b'{"issuer": "x", "key": 1}'])
def test_a_damaged_key_is_refused_and_stays(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / TOKEN_ISSUER
    path.write_bytes(content)

    with pytest.raises(Refusal, match="cannot be read"):
        local_issuer.begin(path, "http://127.0.0.1:1")

    assert path.read_bytes() == content


def test_a_start_on_a_full_disk_loses_no_key(tmp_path: Path) -> None:
    path = tmp_path / TOKEN_ISSUER
    first = local_issuer.begin(path, "http://127.0.0.1:3000")
    with little_room(10), pytest.raises(OSError, match="large"):
        local_issuer.begin(path, "http://127.0.0.1:3001")
    assert local_issuer.find(path).documents() == first.documents()
