"""`make run WRITES=closed`: reads go on, files wait, a label is rebuilt, and all goes on when writes are open again."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import pictures
from tests.support.direct import ask, client, ended, resource, state_of
from tests.support.hosts import json_of
from tests.support.local_service import ROOT, LocalService

MANY = 12
WHILE = 5.0  # seconds in which a queue that is read would be read


@pytest.mark.usefixtures("slow_tier")
def test_files_wait_and_a_label_is_rebuilt_while_writes_are_closed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with LocalService(data, variables={"LABELS": "*"}) as service:
        service.be_patient()
        for seed in range(MANY):
            assert service.upload(pictures.tiny(seed)).status == 201
        upload = ask(service, label="cat")
        assert b"Writes are open" in reconcile(service, REBUILD="*").stderr
        table = resource(service, "ChunkInfoTable")
        chunks = client(service, "dynamodb").scan(TableName=table)["Items"]
        for item in chunks[::2]:
            key = {name: item[name] for name in ("label", "chunkNumber")}
            client(service, "dynamodb").delete_item(TableName=table, Key=key)

    with LocalService(data, variables={"LABELS": "*", "WRITES": "closed"}) as service:
        service.be_patient()
        refused = service.upload(pictures.tiny(MANY))
        assert (refused.status, refused.headers["retry-after"]) == (503, "60")
        assert json_of(service.get("/status"))["writes"] == "closed"
        key = f"incoming/{upload['id']}"
        client(service, "s3").put_object(
            Bucket=resource(service, "IncomingBucket"), Key=key, Body=pictures.tiny(MANY + 1)
        )
        told = reconcile(service)
        assert (told.returncode, b"make reconcile REBUILD=cat" in told.stdout) == (1, True)
        assert reconcile(service, REBUILD="*").returncode == 0
        assert f"\n{MANY} images, {MANY} versions; removed: 0 ".encode() in reconcile(service).stdout
        assert json_of(service.get("/labels/cat"))["count"] == MANY
        assert service.get("/random?label=cat").status == 200
        time.sleep(WHILE)
        assert state_of(service, upload)["state"] == "waiting"

    with LocalService(data, variables={"LABELS": "*"}) as service:
        assert ended(service, upload)["state"] == "recognised"
        service.be_patient()  # not before: it ends functions at work, and their messages come again after six minutes
        assert service.upload(pictures.tiny(MANY)).status == 201
        assert json_of(service.get("/labels/cat"))["count"] == MANY + 2


def reconcile(service: LocalService, **variables: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, **service.aws_variables(), **variables}
    return subprocess.run(
        [sys.executable, "-m", "tools.reconcile"], cwd=ROOT, env=environment, capture_output=True, check=False
    )
