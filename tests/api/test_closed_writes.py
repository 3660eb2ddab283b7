"""With writes closed, every write is 503 with a time to retry, direct uploads wait, and reads go on."""

import time
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

import ingest_files
import presign_upload
from shared import settings, writes
from tests.support import pictures
from tests.support.cloud import functions, template
from tests.support.hosts import Api, Handlers, json_of
from tests.support.local_service import Answer

PARAMETER = "/pet-api/production/writes"


@pytest.fixture
def api(moto_aws: None) -> Api:
    return Api(Handlers(), "cat")


def switch(state: str) -> None:
    """Let SSM say so, and let the functions read it at once, as containers of a new deploy do."""
    boto3.client("ssm").put_parameter(Name=PARAMETER, Value=state, Type="String", Overwrite=True)
    settings._cache.cache_clear()


def every_write(api: Api, image: Any) -> list[Answer]:
    form = b'{"label": "cat"}'
    return [
        api.upload(pictures.tiny(1)),
        api.upload(pictures.tiny(0)),
        api.patch(image["url"], {"weight": 0.25}),
        api.delete(image["url"]),
        api.host.request("POST", "/uploads", form, {"Content-Type": "application/json"}),
    ]


def test_every_write_is_refused_with_a_time_to_retry_and_reads_go_on(api: Api) -> None:
    image = json_of(api.upload(pictures.tiny(0)))
    switch("closed")
    for answer in every_write(api, image):
        problem = json_of(answer)
        assert (answer.status, answer.headers["retry-after"]) == (503, str(writes.RETRY_AFTER))
        assert (
            problem["detail"]
            == "Writes are closed for maintenance; retry in some minutes. Pictures can be drawn and read."
        )
    for path in (image["url"], f"{image['url']}/info", "/random?label=cat", "/images?label=cat", "/labels"):
        assert api.get(path).status == 200
    assert json_of(api.get(f"{image['url']}/info"))["weight"] == 0.5
    switch("open")
    assert [answer.status for answer in every_write(api, image)] == [201, 200, 200, 204, 201]


def test_a_file_that_arrives_meanwhile_waits_and_is_never_given_up(api: Api) -> None:
    made = json_of(api.host.request("POST", "/uploads", b'{"label": "cat"}', {"Content-Type": "application/json"}))
    key = f"incoming/{made['id']}"
    boto3.client("s3").put_object(Bucket="incoming", Key=key, Body=pictures.tiny(0))
    body = f'{{"Records": [{{"s3": {{"object": {{"key": "{key}"}}}}}}]}}'
    switch("closed")
    for count in (1, ingest_files.ATTEMPTS, ingest_files.ATTEMPTS + 1):
        record = {"messageId": "m", "body": body, "attributes": {"ApproximateReceiveCount": str(count)}}
        assert ingest_files.handler({"Records": [record]}, None) == {"batchItemFailures": [{"itemIdentifier": "m"}]}
        assert json_of(api.get(f"/uploads/{made['id']}"))["state"] == "waiting"


def test_a_file_that_waits_beyond_its_forms_end_is_not_called_missing(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client would send it again, and in vain while writes are closed. One that has not come is missing as ever."""
    came, missing = (
        json_of(api.host.request("POST", "/uploads", b'{"label": "cat"}', {"Content-Type": "application/json"}))
        for _ in range(2)
    )
    boto3.client("s3").put_object(Bucket="incoming", Key=f"incoming/{came['id']}", Body=pictures.tiny(0))
    switch("closed")
    monkeypatch.setattr(presign_upload, "time", SimpleNamespace(time=lambda: time.time() + 3 * 86_400))
    shown = json_of(api.get(f"/uploads/{came['id']}"))
    assert shown["state"] == "waiting"
    assert "error" not in shown
    late = json_of(api.get(f"/uploads/{missing['id']}"))
    assert (late["state"], late["error"]["status"]) == ("waiting", 410)
    assert "ask for another form" in late["error"]["detail"]
    again = api.host.request("POST", "/uploads", b'{"label": "cat"}', {"Content-Type": "application/json"})
    assert (again.status, again.headers["retry-after"]) == (503, str(writes.RETRY_AFTER))
    switch("open")
    body = f'{{"Records": [{{"s3": {{"object": {{"key": "incoming/{came["id"]}"}}}}}}]}}'
    record = {"messageId": "m", "body": body, "attributes": {"ApproximateReceiveCount": "1"}}
    assert ingest_files.handler({"Records": [record]}, None) == {"batchItemFailures": []}
    assert json_of(api.get(f"/uploads/{came['id']}"))["state"] == "recognised"


def test_the_queue_of_files_is_not_read_while_writes_are_closed() -> None:
    assert template()["Resources"]["IngestFiles"]["Properties"]["Enabled"] == ["WritesAreOpen", True, False]


def test_exactly_the_functions_that_write_images_obey_and_the_status_tells_it() -> None:
    obey = {
        name
        for name, function in functions().items()
        if "fb_writes" in function["Properties"].get("Environment", {}).get("Variables", {})
    }
    assert obey == {f"{name}Function" for name in ("Upload", "Delete", "Edit", "Presign", "Ingest", "Browse")}
