"""What `make run` keeps over a stop, a kill, damage and changed code, and what it leaves behind."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support import direct
from tests.support.cloud import FUNCTIONS
from tests.support.local_service import ANSWER_MAX, ROOT, Answer, LocalService, NotReady, free_port
from tests.support.pictures import png
from tools.local import snapshots
from tools.local.deploy import ARTIFACTS

NASTY = ["dynamodb", "cloudformation", "ssm", "iam", "apigateway_v1", "s3", "lambda"]
CODE = ("tools", "shared", "requirements", *FUNCTIONS)


def draw(service: LocalService) -> Answer:
    return service.get("/random?label=cat")


def processes_of(data: Path) -> list[str]:
    """Return the commands that name the data folder, as those of the functions' workers do."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "command"], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if str(data) in line]


def newest(data: Path) -> Path:
    return max(path for path in (data / "snapshots").iterdir() if path.name.isdigit())


def wait_until_kept(data: Path, *answers: Answer) -> None:
    """Wait until the newest snapshot has the images of these acknowledged uploads."""
    names = [answer.headers["location"].rpartition("/")[2] for answer in answers]

    def kept() -> bool:
        with suppress(FileNotFoundError):  # two newer ones have come meanwhile
            rows = (newest(data) / "dynamodb.json").read_text()
            return all(name in rows for name in names)
        return False

    wait_until(kept)


def wait_until(true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + ANSWER_MAX
    while not true() and time.monotonic() < give_up:
        time.sleep(0.05)
    assert true()


def bucket_of(s3: Any) -> str:
    """Return the name of the bucket with the pictures."""
    (name,) = [b["Name"] for b in s3.list_buckets()["Buckets"] if b["Name"].startswith("petapi-bucket-")]
    return str(name)


def versions(service: LocalService) -> set[tuple[str, str]]:
    s3 = service.aws().client("s3", endpoint_url=service.aws_endpoint)
    found = s3.list_object_versions(Bucket=bucket_of(s3)).get("Versions", [])
    s3.close()
    return {(version["Key"], version["VersionId"]) for version in found}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder with one image, of a service that was stopped well."""
    data = tmp_path_factory.mktemp("local") / "prepared"
    with LocalService(data) as service:
        assert service.upload(png(1)).status == 201
    return data


@pytest.fixture
def data(prepared: Path, tmp_path: Path) -> Path:
    """Return a copy of the prepared data folder."""
    return Path(shutil.copytree(prepared, tmp_path / "data"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of the code, to be changed."""
    root = tmp_path / "checkout"
    for name in CODE:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "template.yaml", root)
    return root


@pytest.mark.usefixtures("slow_tier")
def test_each_signal_stops_it_and_the_next_start_finds_everything(data: Path) -> None:
    seeds, deployed = [1], artifacts(data)
    assert deployed
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with LocalService(data) as service:
            assert [service.upload(png(seed)).status for seed in seeds] == [200] * len(seeds)
            assert draw(service).body in map(png, seeds)
            seeds.append(seeds[-1] + 1)
            assert service.upload(png(seeds[-1])).status == 201

            assert service.stop(number) == 0

        assert service.output.endswith(f"\nStopping. The data stays in {data}.\n")
        wait_until(lambda: processes_of(data) == [])  # what was being started ends by itself
        assert not any((data / name).exists() for name in ("running", "tmp", "aws.env"))
    with LocalService(data) as again:
        assert [again.upload(png(seed)).status for seed in seeds] == [200] * len(seeds)
        assert f"petAPI is ready at http://127.0.0.1:{again.port}\n" in again.output
    assert artifacts(data) == deployed, "what has not changed is not deployed again"


@pytest.mark.usefixtures("slow_tier")
def test_ctrl_c_during_the_first_start_ends_it_and_the_next_one_says_all_that_a_first_one_does(tmp_path: Path) -> None:
    data = {"PORT": str(free_port()), "DATA": str(tmp_path / "data")}
    variables = {**os.environ, **data, "WARM": "1", "ENCODER": "none"}
    command = [sys.executable, "-m", "tools.local"]
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a shell's background job ignores it
    start = partial(
        subprocess.Popen, command, cwd=ROOT, env=variables, text=True, start_new_session=True, preexec_fn=heed
    )
    with start(stdout=subprocess.PIPE) as process:
        while not process.stdout.readline().startswith("- Deploying"):
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stdout.read()

    assert (process.returncode, "ready" in rest) == (0, False)
    assert f"Stopping. The data stays in {tmp_path / 'data'}.\n" in rest
    assert processes_of(tmp_path / "data") == []
    assert not (tmp_path / "data/running").exists()
    with LocalService(tmp_path / "data") as again:
        assert "\n- Deploying" in again.output
        assert "\n  curl -F label=" in again.output


@pytest.mark.usefixtures("slow_tier")
def test_a_kill_loses_nothing_that_was_acknowledged(data: Path) -> None:
    """Some changes are in a snapshot, the others, a moment old, in the journal."""
    with LocalService(data) as service:
        kept = [service.upload(png(seed)) for seed in range(2, 5)]
        wait_until_kept(data, *kept)
        gone = service.upload(png(9)).headers["location"].removeprefix(service.url)
        assert service.send("DELETE", gone).status == 204
        changed = kept[0].headers["location"].removeprefix(service.url)
        body, json_type = b'{"weight": 0.25, "tags": ["sleepy"]}', {"Content-Type": "application/json"}
        assert service.send("PATCH", changed, body, json_type).status == 200
        kept += [service.upload(png(seed)) for seed in range(5, 8)]
        before = versions(service)

        service.kill()

    assert (data / "running").exists()
    with LocalService(data) as again:
        assert before == versions(again)
        assert not (data / "lost").exists()
        assert "changes were made again" in again.output
        assert again.get(gone).status == 404
        assert (again.get(f"{changed}/info").body).count(b'"weight": 0.25') == 1
        assert again.get("/random?label=cat&tag=sleepy").body == png(2)
        for seed, answer in zip(range(2, 8), kept, strict=True):
            assert answer.status == 201
            path = answer.headers["location"].removeprefix(service.url)
            assert again.get(path).body == png(seed)
            assert again.upload(png(seed)).status == (409 if seed == 2 else 200)  # its weight is another
    wait_until(lambda: processes_of(data) == [])  # what was being started ends by itself


@pytest.mark.usefixtures("slow_tier")
def test_a_kill_loses_no_file_of_a_direct_upload(data: Path, tmp_path: Path) -> None:
    """S3's reports of the files are in no snapshot and in no journal; their uploads are in one of them."""
    with LocalService(data) as service:
        uploads = [direct.ask(service, label="cat", weight=0.5) for _ in range(3)]
        for seed, upload in enumerate(uploads, 20):
            assert direct.curl(**upload["upload_info"], content=png(seed), folder=tmp_path)[0] in (201, 204)

        service.kill()

    with LocalService(data) as again:
        assert "files of direct uploads are received again" in again.output
        assert [direct.ended(again, upload)["state"] for upload in uploads] == ["recognised"] * 3
        assert b'"count": 4' in again.get("/labels/cat").body


@pytest.mark.usefixtures("slow_tier")
def test_what_a_kill_left_is_reconciled_at_the_next_start(data: Path) -> None:
    with LocalService(data) as service:
        kept, lost = service.upload(png(2)), service.upload(png(3))
        wait_until_kept(data, kept, lost)
        s3 = service.aws().client("s3", endpoint_url=service.aws_endpoint)
        bucket = bucket_of(s3)
        key = lost.headers["location"].partition("/images/")[2]
        (version,) = s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]
        s3.delete_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])
        s3.put_object(Bucket=bucket, Key=f"cat/{'0' * 32}.png", Body=b"of a client that died")

        service.kill()

    with LocalService(data) as again:
        assert "3 images, 3 versions; removed: 1 versions without an image, 1 images without a picture" in again.output
        assert again.get("/random?label=cat").headers["image-probability"] == "0.5"
        assert again.get(kept.headers["location"].removeprefix(service.url)).body == png(2)
        assert (data / f"lost/cat/{'0' * 32}.png").read_bytes() == b"of a client that died"
        assert f"1 pictures that no image names were moved to {data}/lost" in again.output


@pytest.mark.usefixtures("slow_tier")
def test_data_that_cannot_be_saved_is_said_and_tried_again(data: Path, tmp_path: Path) -> None:
    aside, file = tmp_path / "aside", tmp_path / "file"
    aside.mkdir()
    file.touch()
    (data / "snapshots").rename(aside / "snapshots")

    def keep_in(place: Path) -> None:
        """Replace the folder in one step, because the service would make one in between."""
        (data / "next").symlink_to(place)
        (data / "next").replace(data / "snapshots")

    keep_in(aside / "snapshots")
    with LocalService(data) as service:
        keep_in(file)
        assert service.upload(png(2)).status == 201
        wait_until(lambda: "The data could not be saved" in service.output)
        known = newest(aside)
        keep_in(aside / "snapshots")
        wait_until(lambda: newest(aside) != known)
        service.kill()
        service.start()
        assert service.upload(png(2)).status == 200


@pytest.mark.usefixtures("slow_tier")
def test_a_last_snapshot_that_fails_is_no_good_end(data: Path) -> None:
    with LocalService(data) as service:
        shutil.move(data / "snapshots", data / "aside")
        (data / "snapshots").touch()

        assert service.stop() == 1
    assert "petAPI had to stop" in service.output
    assert "Traceback" not in service.output
    assert (data / "running").exists()


@pytest.mark.usefixtures("slow_tier")
@pytest.mark.parametrize("name", NASTY)
def test_a_truncated_state_file_costs_nothing_after_a_good_stop(data: Path, name: str) -> None:
    damaged = newest(data)
    with (damaged / f"{name}.json").open("r+b") as file:
        file.truncate(20)

    with LocalService(data) as service:
        drawn = draw(service)
        service.kill()

    assert drawn.body == png(1)
    assert f"{damaged.name}/{name}.json" in service.output


def test_without_a_whole_snapshot_it_refuses(data: Path) -> None:
    for path in (data / "snapshots").glob("*/dynamodb.json"):
        path.write_bytes(b"")

    assert "No snapshot in" in LocalService(data).refusal()


def test_without_snapshots_but_with_images_it_refuses(data: Path) -> None:
    shutil.rmtree(data / "snapshots")

    assert "has images but" in LocalService(data).refusal()


def test_images_are_found_whatever_the_data_folder_is_called(tmp_path: Path) -> None:
    data = tmp_path / ARTIFACTS
    (data / "objects/pictures").mkdir(parents=True)
    (data / "objects/pictures/0.png").write_bytes(b"")

    assert "has images but" in LocalService(data).refusal()
    assert (data / "objects/pictures/0.png").exists()


@pytest.mark.usefixtures("slow_tier")
def test_state_that_the_emulator_cannot_load_is_refused(data: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    snapshots.restore(newest(data), state)
    (state / "dynamodb.json").write_text('{"__ministack_format__": 99, "payload": {}}')
    snapshots.take(state, data / "snapshots")

    assert "The emulator cannot read the data" in LocalService(data).refusal()


@pytest.mark.usefixtures("slow_tier")
def test_a_start_that_was_killed_before_it_was_ready_counts_as_none(data: Path) -> None:
    shutil.rmtree(data / "snapshots")
    for bucket in (data / "objects" / "000000000000").iterdir():
        if bucket.name != "petapi-artifacts":
            shutil.rmtree(bucket)
    shutil.rmtree(data / "objects" / ".versions", ignore_errors=True)

    with LocalService(data) as service:
        assert draw(service).status == 404


def artifacts(data: Path) -> dict[Path, int]:
    """Return when each file of what was deployed was written."""
    folder = data / "objects/000000000000" / ARTIFACTS
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_changed_code_is_deployed_and_the_data_stays(data: Path, checkout: Path) -> None:
    page = checkout / "web/page.html"
    page.write_text(re.sub("<title>.*</title>", "<title>changed</title>", page.read_text()))

    deployed = artifacts(data)
    with LocalService(data, root=checkout) as service:
        assert b"<title>changed</title>" in service.get("/").body
        assert artifacts(data).keys() > deployed.keys()
        assert draw(service).body == png(1)
        first, second, *_ = service.output.splitlines()

    assert first == f"Starting petAPI with the data in {data}. This takes a few seconds."
    assert second == f"petAPI is ready at {service.url}", "a start with images has no more to say"


@pytest.mark.usefixtures("slow_tier")
def test_a_changed_table_key_is_refused_and_the_data_stays(data: Path, checkout: Path) -> None:
    template = checkout / "template.yaml"
    text = template.read_text()
    template.write_text(text.replace("AttributeName: s3key", "AttributeName: name"))

    assert "ImageChunksTable" in LocalService(data, root=checkout).refusal()

    template.write_text(text)
    with LocalService(data, root=checkout) as service:
        assert draw(service).body == png(1)


@pytest.mark.usefixtures("slow_tier")
def test_a_template_that_cannot_be_deployed_is_refused_and_the_data_stays(data: Path, checkout: Path) -> None:
    template = checkout / "template.yaml"
    text = template.read_text()
    template.write_text(text.replace("BinaryMediaTypes", "BinaryMediaTypos"))

    assert "template.yaml cannot be deployed" in LocalService(data, root=checkout).refusal()

    with LocalService(data) as service:
        assert draw(service).body == png(1)


def test_variables_that_do_not_go_together_are_refused_at_the_first_start_too(tmp_path: Path) -> None:
    service = LocalService(tmp_path / "data", variables={"JWT_ISSUER": "https://issuer.test/"})
    with pytest.raises(NotReady, match=r"JwtIssuer needs JwtAudience.* and start again\.\n") as refused:
        service.start()
    assert (service.code, "Traceback" in str(refused.value)) == (1, False)
    assert not (tmp_path / "data/running").exists(), "nothing was killed"


@pytest.mark.usefixtures("slow_tier")
def test_labels_can_be_given(tmp_path: Path) -> None:
    with LocalService(tmp_path / "data", variables={"LABELS": "owl"}) as service:
        assert service.upload(png(1), label="owl").status == 201
        assert service.upload(png(1), label="cat").status == 422
        assert "curl -F label=owl" in service.output
