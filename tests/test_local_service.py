"""`make run` as a process: what it keeps, when it refuses, what it leaves behind."""

import http.client
import io
import os
import random
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from PIL import Image

from local_service import ROOT, Answer, LocalService, NotReady

NASTY = ["dynamodb", "cloudformation", "ssm", "iam", "apigateway_v1", "s3", "lambda", "manifest"]
CODE = ["local", "shared", "upload", "random", "delete", "images", "web"]


@cache
def picture(seed: int, side: int = 20) -> bytes:
    """A PNG of noise: three bytes a pixel, whatever the compression."""
    buffer = io.BytesIO()
    noise = random.Random(seed).randbytes(3 * side * side)
    Image.frombytes("RGB", (side, side), noise).save(buffer, "PNG")
    return buffer.getvalue()


def draw(service: LocalService) -> Answer:
    return service.get("/random?label=cat")


def processes_of(data: Path) -> list[str]:
    """Commands that name the data folder: the functions' workers do."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "command"], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if str(data) in line]


def versions(service: LocalService) -> set[tuple[str, str]]:
    s3 = service.aws().client("s3", endpoint_url=service.aws_endpoint)
    buckets = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"] if "artifacts" not in bucket["Name"]]
    found = s3.list_object_versions(Bucket=buckets[0]).get("Versions", [])
    s3.close()
    return {(version["Key"], version["VersionId"]) for version in found}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one image, of a service that was stopped well."""
    data = tmp_path_factory.mktemp("local") / "prepared"
    with LocalService(data) as service:
        assert service.upload(picture(1)).status == 201
    return data


@pytest.fixture
def data(prepared: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(prepared, tmp_path / "data"))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A service for tests that only ask."""
    with LocalService(tmp_path_factory.mktemp("local") / "asked") as service:
        yield service


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the code, to be changed."""
    root = tmp_path / "checkout"
    for name in CODE:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "template.yaml", root)
    return root


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_it_and_the_next_start_finds_everything(data: Path, number: signal.Signals) -> None:
    service = LocalService(data).start()
    assert service.upload(picture(2)).status == 201

    code = service.stop(number)

    assert code == 0
    assert processes_of(data) == []
    assert not any((data / name).exists() for name in ("running", "tmp", "aws.env"))
    with LocalService(data) as again:
        assert again.get("/labels").status in (200, 404)  # whatever routes there are
        assert again.upload(picture(1)).status == again.upload(picture(2)).status == 200
        assert draw(again).body in (picture(1), picture(2))
        assert f"petAPI is ready at http://127.0.0.1:{again.port}\n" in again.output


def test_a_kill_loses_nothing_that_was_acknowledged_five_seconds_before(data: Path) -> None:
    service = LocalService(data).start()
    kept = [service.upload(picture(seed)) for seed in range(2, 8)]
    time.sleep(5)
    before = versions(service)
    service.upload(picture(8))

    service.kill()

    assert (data / "running").exists()
    with LocalService(data) as again:
        assert before <= versions(again)
        for seed, answer in zip(range(2, 8), kept, strict=True):
            assert answer.status == 201
            path = answer.headers["location"].removeprefix(service.url)
            assert again.get(path).body == picture(seed)
            assert again.upload(picture(seed)).status == 200
    assert processes_of(data) == []


@pytest.mark.parametrize("name", NASTY)
def test_a_truncated_state_file_costs_nothing_after_a_good_stop(data: Path, name: str) -> None:
    newest = max(path for path in (data / "snapshots").iterdir() if path.name.isdigit())
    with (newest / f"{name}.json").open("r+b") as file:
        file.truncate(20)

    with LocalService(data) as service:
        assert draw(service).body == picture(1)
        assert f"{newest.name}/{name}.json" in service.output


def test_without_a_whole_snapshot_it_refuses(data: Path) -> None:
    for path in (data / "snapshots").glob("*/dynamodb.json"):
        path.write_bytes(b"")

    assert "No snapshot in" in refusal_of(LocalService(data))


def test_without_snapshots_but_with_images_it_refuses(data: Path) -> None:
    shutil.rmtree(data / "snapshots")

    assert "has images but" in refusal_of(LocalService(data))


def test_a_start_that_was_killed_before_it_was_ready_counts_as_none(data: Path) -> None:
    shutil.rmtree(data / "snapshots")
    for bucket in (data / "objects" / "000000000000").iterdir():
        if bucket.name != "petapi-artifacts":
            shutil.rmtree(bucket)
    shutil.rmtree(data / "objects" / ".versions", ignore_errors=True)

    with LocalService(data) as service:
        assert draw(service).status == 404


def test_changed_code_is_deployed_and_the_data_stays(data: Path, checkout: Path) -> None:
    page = checkout / "web/web_page.py"
    page.write_text(page.read_text().replace("<h1>petAPI</h1>", "<h1>changed</h1>"))

    with LocalService(data, root=checkout) as service:
        assert b"<h1>changed</h1>" in service.get("/").body
        assert draw(service).body == picture(1)


def test_a_changed_table_key_is_refused_and_the_data_stays(data: Path, checkout: Path) -> None:
    template = checkout / "template.yaml"
    text = template.read_text()
    template.write_text(text.replace("AttributeName: s3key", "AttributeName: name"))

    assert "ImageChunksTable" in refusal_of(LocalService(data, root=checkout))

    template.write_text(text)
    with LocalService(data, root=checkout) as service:
        assert draw(service).body == picture(1)


def test_a_template_that_cannot_be_deployed_is_refused_and_the_data_stays(data: Path, checkout: Path) -> None:
    template = checkout / "template.yaml"
    text = template.read_text()
    template.write_text(text.replace("BinaryMediaTypes", "BinaryMediaTypos"))

    assert "template.yaml cannot be deployed" in refusal_of(LocalService(data, root=checkout))

    with LocalService(data) as service:
        assert draw(service).body == picture(1)


def test_labels_can_be_given(tmp_path: Path) -> None:
    with LocalService(tmp_path / "data", variables={"LABELS": "owl"}) as service:
        assert service.upload(picture(1), label="owl").status == 201
        assert service.upload(picture(1), label="cat").status == 422
        assert "curl -F label=owl" in service.output


def test_a_second_start_on_the_same_data_is_refused(service: LocalService) -> None:
    assert "Another `make run` uses the data" in refusal_of(LocalService(service.data))


def test_a_busy_port_is_refused(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        assert f"Port {port} cannot be used" in refusal_of(LocalService(tmp_path / "data", port=port))


def test_data_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    service = LocalService(tmp_path / "data", variables={})
    service._variables["DATA"] = str(tmp_path / "file" / "data")

    assert "cannot be written" in refusal_of(service)


def test_a_port_that_is_none_is_refused(tmp_path: Path) -> None:
    service = LocalService(tmp_path / "data")
    service._variables["PORT"] = "http"

    assert "PORT is 'http'" in refusal_of(service)


def test_a_missing_module_is_named() -> None:
    ended = subprocess.run([sys.executable, "-S", "-m", "local"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert ended.stderr.startswith("The Python module boto3 is missing")
    assert "Traceback" not in ended.stderr


def test_the_printed_lines_work_as_printed(service: LocalService) -> None:
    lines = [line for line in service.output.splitlines() if line.startswith("  curl")]

    ended = [
        subprocess.run([*shlex.split(line), "-w", "%{http_code}"], cwd=ROOT, capture_output=True, text=True, check=True)
        for line in lines
    ]

    assert [end.stdout[-3:] for end in ended] == ["201", "200", "200"]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_no_function_could_get_is_413(service: LocalService, chunked: bool) -> None:
    blocks = [b"x" * 1_000_000] * 11

    answer = service.send("POST", "/upload", iter(blocks) if chunked else b"".join(blocks))

    assert answer.status == 413
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path", ["/_ministack/health", "/_aws/execute-api/x/Prod/", "/2015-03-31/functions", "//", "/x"]
)
def test_only_the_api_answers_at_the_front(service: LocalService, path: str) -> None:
    for host in ("127.0.0.1", "petapi-artifacts.s3.localhost", "x.execute-api.localhost"):
        answer = service.send("GET", path, headers={"Host": host, "X-Amz-Target": "DynamoDB_20120810.ListTables"})

        assert "x-request-id" in answer.headers
        assert answer.status == (200 if path == "//" else 404)


def test_a_picture_of_300_kb_is_drawn_in_less_than_20_ms(service: LocalService) -> None:
    with_weight = service.upload(picture(9, side=316), label="dog", weight="0.9")
    assert with_weight.status == 201, with_weight.body
    connection = http.client.HTTPConnection("127.0.0.1", service.port)
    times = []
    for _ in range(60):
        started = time.perf_counter()
        connection.request("GET", "/random?label=dog")
        assert len(connection.getresponse().read()) > 300_000
        times.append(time.perf_counter() - started)
    connection.close()

    assert statistics.median(times) < 0.020


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads Linux's list of sockets")
def test_it_listens_on_loopback_only(service: LocalService) -> None:
    inodes = {os.readlink(link) for link in Path(f"/proc/{service.pid}/fd").iterdir() if link.is_symlink()}
    rows = [
        row.split()
        for table in ("tcp", "tcp6", "udp", "udp6")
        for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    listening = {row[1] for row in rows if f"socket:[{row[9]}]" in inodes and row[3] in ("0A", "07")}

    assert {address.split(":")[0] for address in listening} == {"0100007F"}
    assert len(listening) == 2


def refusal_of(service: LocalService) -> str:
    """What the program says as it refuses to start: one line, and exit code 1."""
    with pytest.raises(NotReady) as refused:
        service.start()
    text = str(refused.value)
    assert service.code == 1
    assert text.count("\n") == 1, text
    return text
