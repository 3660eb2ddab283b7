"""The index of `make run`: it follows each change, and finds at a start what a stop, a kill or older code left."""

import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.support import lite0_models
from tests.support.index_view import PATIENCE, IndexView
from tests.support.local_service import ROOT, LocalService
from tests.support.pictures import tiny
from tools.models.folder import MODEL

NONE = {"ENCODER": "none"}
MANY = 1_000
READY = 6.0  # seconds, on a machine that does nothing else


def upload(service: LocalService, number: int, label: str = "cat") -> str:
    answer = service.upload(tiny(number), label=label)
    assert answer.status == 201, answer.body
    return str(json.loads(answer.body)["id"])


@pytest.mark.usefixtures("slow_tier")
def test_an_image_is_indexed_after_an_upload_and_gone_after_a_delete(tmp_path: Path) -> None:
    with LocalService(tmp_path / "data", variables=NONE) as service:
        view = IndexView(service)
        first, second = upload(service, 1), upload(service, 2)
        view.wait(images=2)
        assert service.send("DELETE", f"/images/{first}").status == 204
        view.wait(images=1)
        assert set(view.tiles()) == {second}

        view.forget(second)
        report = reconcile(service, "DRY=1")
        assert f"{second}: is not indexed: would be queued" in report
        assert "index: 1 images compared, 1 would be queued, 1 left to index" in report
        assert not view.is_whole()
        assert f"{second}: is not indexed: queued" in reconcile(service, "RATE=5")
        view.wait(images=1)
        assert "index: 1 images compared, 0 queued, 0 left to index" in reconcile(service)


def reconcile(service: LocalService, *variables: str) -> str:
    """Return what `make reconcile` prints."""
    environment = {**os.environ, **service.aws_variables(), **dict(each.split("=") for each in variables)}
    command = [sys.executable, "-m", "tools.reconcile"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    return done.stdout


@pytest.mark.usefixtures("slow_tier")
@pytest.mark.parametrize("encoder", ["none", "lite0"])
def test_a_stop_or_kill_with_pending_changes_loses_none(tmp_path: Path, encoder: str) -> None:
    variables = {"ENCODER": encoder, "LITE0_MODELS": str(lite0_models.folder())}
    with LocalService(tmp_path / "data", variables=variables) as service:
        kept, gone = [upload(service, number) for number in range(5)], upload(service, 5)
        IndexView(service).wait(images=6)
        for number in range(6, 9):
            kept.append(upload(service, number))
        assert service.send("DELETE", f"/images/{gone}").status == 204
        service.stop()  # at once: the stream has records that nobody followed
    with LocalService(tmp_path / "data", variables=variables) as service:
        view = IndexView(service)
        view.wait(images=len(kept))
        also_gone = kept.pop()
        kept.append(upload(service, 9))
        assert service.send("DELETE", f"/images/{also_gone}").status == 204
        service.kill()
        with LocalService(tmp_path / "data", variables=variables) as service:
            IndexView(service).wait(images=len(kept))
            assert set(IndexView(service).rows()) == set(kept)


@pytest.mark.usefixtures("slow_tier")
def test_a_thousand_pictures_of_an_older_version_are_caught_up_after_it_is_ready(tmp_path: Path) -> None:
    with LocalService(tmp_path / "data", variables=NONE) as service:
        view = IndexView(service)
        with ThreadPoolExecutor(4) as threads:
            images = list(threads.map(partial(upload, service), range(MANY)))
        view.wait(images=MANY)
        view.forget(*images)
    begun = time.monotonic()
    with LocalService(tmp_path / "data", variables=NONE) as service:
        ready = time.monotonic() - begun
        view = IndexView(service)
        left = MANY - len(view.tiles())
        assert left > 0, "it waits for the index before it is ready"
        assert service.get("/random?label=cat&format=json").status == 200
        view.wait(images=MANY)
        assert view.left() == 0
    print(f"ready after {ready:.1f} s, with {left} of {MANY} left to index")
    assert ready < 10 * READY, "the machine is busy with other tests, but not so busy"


@pytest.mark.usefixtures("slow_tier")
def test_images_that_fail_wait_in_the_queue_until_they_succeed(tmp_path: Path) -> None:
    """The model cannot be read for a while. The policies of the function must let it queue a whole batch."""
    models = Path(shutil.copytree(lite0_models.folder(), tmp_path / "models"))
    variables = {"ENCODER": "lite0", "LITE0_MODELS": str(models)}
    with LocalService(tmp_path / "data", variables=variables) as service:
        view = IndexView(service)
        (models / MODEL).rename(models / "elsewhere")
        for number in range(3):
            upload(service, number)
        until = time.monotonic() + PATIENCE
        while view.left() < 3:
            assert time.monotonic() < until
            time.sleep(0.1)
        assert not view.vectors()
        (models / "elsewhere").rename(models / MODEL)
        view.wait(images=3)
