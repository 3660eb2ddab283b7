"""The store and the bucket: their requests to AWS, and what they do when AWS refuses or changes in between."""

import base64
import logging
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
import requests
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.stub import Stubber

import browse_images
import edit_image
from shared import aws, picture_response
from shared.errors import Unavailable
from shared.images import TAGS_MAX, Image
from shared.labels import chunks, retries
from shared.labels import store as store_module
from shared.labels.store import Store
from shared.pictures.bucket import Bucket
from tests.support import invariants, pictures, renamed
from tests.support.hosts import Api, Handlers, json_of
from tests.support.local_service import ANSWER_MAX
from tests.support.memory_aws import CHUNKS, IMAGES, DynamoDB, World
from tests.support.memory_label import POOL, drawn, image, seen, stored
from tests.support.simulation import LABEL, SETTINGS, call

TRANSACTION_MAX = 100  # writes that TransactWriteItems takes


def test_throttled_chunks_are_requested_again(world: World) -> None:
    store = stored(world, [500_000_000] * 40)
    wanted = [(POOL, int(key[1])) for key in world.tables[CHUNKS] if int(key[1]) >= 10**11]
    whole = store.chunks(wanted)

    class Throttled(DynamoDB):
        asked: list[int] = []  # noqa: RUF012

        def batch_get_item(self, *, RequestItems: Any) -> Any:
            ((table, request),) = RequestItems.items()
            self.asked.append(len(request["Keys"]))
            first, rest = request["Keys"][:2], request["Keys"][2:]
            answer = super().batch_get_item(RequestItems={table: {**request, "Keys": first}})
            return {**answer, "UnprocessedKeys": {table: {**request, "Keys": rest}} if rest else {}}

    assert Store(Throttled(world), SETTINGS).chunks(wanted) == whole  # type: ignore[arg-type]
    assert Throttled.asked == list(range(len(wanted), 0, -2))


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_cancelled_transaction_is_retried_with_growing_pauses(
    world: World, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(retries, "SLEEP", pauses.append)
    monkeypatch.setattr(retries.RNG, "uniform", lambda low, high: high)

    class Cancelled(DynamoDB):
        def transact_write_items(self, **_: Any) -> Any:
            reasons = [{"Code": "None"}, {"Code": code}, {"Code": "None"}]
            error = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
            raise ClientError(error, "TransactWriteItems")  # type: ignore[arg-type]

    with pytest.raises(Unavailable):
        Store(Cancelled(world), SETTINGS).add(image(1, 5))  # type: ignore[arg-type]
    assert len(pauses) == retries.ATTEMPTS - 1 == 11  # none after the last attempt
    assert pauses[:5] == [0.01, 0.02, 0.04, 0.08, 0.16]
    assert max(pauses) == retries.BACK_OFF_MAX


def test_a_transaction_is_not_retried_for_ever(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(0, 1000, 3))
    monkeypatch.setattr(retries, "CLOCK", lambda: next(now))
    attempts: list[bool] = []

    def attempt(again: bool) -> None:
        attempts.append(again)
        raise retries.LostRace

    with pytest.raises(Unavailable):
        retries.retried(attempt)
    assert attempts == [False, True]  # the second attempt ends after 6 seconds, and none may start after 5


def test_the_largest_transaction_changes_the_weight_and_all_tags(world: World) -> None:
    old, new = ([f"{age}-{number}" for number in range(TAGS_MAX)] for age in ("old", "new"))
    writes: list[int] = []

    class Counting(DynamoDB):
        def transact_write_items(self, *, TransactItems: Any) -> Any:
            writes.append(len(TransactItems))
            return super().transact_write_items(TransactItems=TransactItems)

    store = Store(Counting(world), SETTINGS)  # type: ignore[arg-type]
    with mock.patch.object(store_module, "RNG", world.rng):
        for number in range(40):
            store.add(replace(image(number, 500_000_000), tags=tuple(old)))
        for number in range(40):
            change = partial(replace, weight=1, tags=tuple(new))
            assert store.edit(LABEL, image(number, 1).name, change)
    assert max(writes) == 6 + 8 * TAGS_MAX <= TRANSACTION_MAX


def test_an_image_that_moves_to_another_chunk_while_it_is_edited_stays_there(world: World) -> None:
    """A change of the description writes no chunk, so only the condition on the image's own chunk notices the move."""
    store = stored(world, [500_000_000] * 40)
    _, lanes, found = seen(world)
    active = chunks.active_chunk(lanes[0], chunks.class_of(500_000_000))
    full = chunks.chunk_number(0, chunks.class_of(500_000_000), 0)
    moved, removed = min(found[active]), [min(found[full])]

    def move(_: Image) -> None:
        while removed:
            store.remove(LABEL, removed.pop())

    assert store.edit(LABEL, moved, partial(replace, filename="tom.jpg"), check=move)
    entries, lanes, found = seen(world)
    assert moved in found[full]
    invariants.check(entries, lanes, found)


@pytest.mark.parametrize("names", renamed.NAMES, ids=str)
@pytest.mark.parametrize("write", renamed.WRITES)
def test_if_match_also_sees_a_file_name_that_changes_between_the_read_and_the_write(
    write: str, names: tuple[str, str]
) -> None:
    renamed.check(renamed.WRITES[write], *names)


def test_an_error_that_a_retry_cannot_overcome_is_raised(world: World) -> None:
    class Wrong(DynamoDB):
        def transact_write_items(self, **_: Any) -> Any:
            reasons = [{"Code": "ValidationError"}]
            error = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
            raise ClientError(error, "TransactWriteItems")  # type: ignore[arg-type]

    with pytest.raises(ClientError):
        Store(Wrong(world), SETTINGS).add(image(1, 5))  # type: ignore[arg-type]


def test_a_new_image_is_found_although_a_read_is_stale(world: World) -> None:
    stored(world, [500_000_000])
    world.stale = 1.0
    name = image(0, 1).name
    info = call(browse_images, "GET", "/images/{label}/{name}/info", f"/images/{LABEL}/{name}")
    assert info["statusCode"] == 200


def test_the_response_to_a_patch_has_the_new_weight(world: World) -> None:
    stored(world, [500_000_000])
    world.stale = 1.0
    answer = call(
        edit_image,
        "PATCH",
        "/images/{label}/{name}",
        f"/images/{LABEL}/{image(0, 1).name}",
        body=b'{"weight": 0.4}',
        headers={"Content-Type": "application/json"},
    )
    assert '"weight": 0.4' in answer["body"]
    assert '"probability": 1.0' in answer["body"]


def test_every_read_can_be_made_consistent(world: World) -> None:
    stored(world, [500_000_000])
    world.stale = 1.0
    for table in world.tables:
        world.previous[table] = dict.fromkeys(world.tables[table])
    consistent = Store(DynamoDB(world), replace(SETTINGS, consistent_reads=True))  # type: ignore[arg-type]
    found = drawn(consistent, world.rng)
    assert found.id == image(0, 1).id
    assert consistent.image(LABEL, found.name)
    with pytest.raises(Unavailable):  # the second read of the lanes is consistent, that of the chunks is not
        drawn(Store(DynamoDB(world), SETTINGS), world.rng)  # type: ignore[arg-type]


# --- the bucket ---


def test_an_object_is_put_with_its_type_and_checksum() -> None:
    client = boto3.client("s3", region_name="us-east-1")
    expected = {
        "Bucket": "b",
        "Key": "cat/x.png",
        "Body": b"meow",
        "ContentType": "image/png",
        "ChecksumSHA256": base64.b64encode(sha256(b"meow").digest()).decode(),
    }
    with Stubber(client) as stub:
        stub.add_response("put_object", {"VersionId": "v1"}, expected)
        assert Bucket(client, "b").put("cat/x.png", b"meow", "image/png", sha256(b"meow").digest()) == "v1"


@pytest.mark.parametrize(
    "error",
    [ClientError({"Error": {"Code": "SlowDown"}}, "DeleteObject"), ReadTimeoutError(endpoint_url="")],  # type: ignore[typeddict-item]
)
def test_a_version_that_cannot_be_discarded_is_logged_and_the_request_succeeds(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    class Down:
        def delete_object(self, **_: Any) -> None:
            raise error

    Bucket(Down(), "b").discard("cat/x.png", "v1")  # type: ignore[arg-type]
    assert [r.message for r in caplog.records if r.levelno == logging.ERROR] == [
        "version v1 of cat/x.png was not removed; reconcile will remove it"
    ]


def test_a_picture_larger_than_an_answer_is_at_a_presigned_url_for_five_minutes(
    moto_aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Api(Handlers(), "cat")
    url = json_of(api.upload(pictures.png(1)))["url"]
    monkeypatch.setattr(picture_response, "BODY_MAX", len(pictures.png(1)) - 1)
    answer = api.get(url)
    assert (answer.status, answer.headers["cache-control"], answer.body) == (302, "no-store", b"")
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["300"]
    followed = requests.get(answer.headers["location"], timeout=ANSWER_MAX)
    assert followed.content == pictures.png(1)
    assert followed.headers["Content-Type"] == "image/png"
    assert followed.headers["Content-Disposition"] == f'inline; filename="cat-{url.rpartition("/")[2]}"'
    assert api.get(url, if_none_match="*").status == 304


def test_a_drawn_picture_that_does_not_fit_into_an_answer_is_at_a_presigned_url(
    moto_aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Api(Handlers(), "cat")
    uploaded = json_of(api.upload(pictures.png(1)))
    monkeypatch.setattr(picture_response, "BODY_MAX", len(pictures.png(1)) - 1)
    answer = api.random()
    assert (answer.status, answer.headers["cache-control"], answer.body) == (302, "no-store", b"")
    assert parse_qs(urlsplit(answer.headers["location"]).query)["X-Amz-Expires"] == ["300"]
    assert requests.get(answer.headers["location"], timeout=ANSWER_MAX).content == pictures.png(1)
    assert answer.headers["image-id"] == uploaded["id"]
    assert answer.headers["image-probability"] == "1.0"
    assert json_of(api.random(format="json"))["probability"] == 1.0
    monkeypatch.setattr(picture_response, "BODY_MAX", len(pictures.png(1)))
    assert api.random().body == pictures.png(1)


def test_a_row_whose_picture_cannot_be_read_is_404_and_a_warning(
    moto_aws: None, caplog: pytest.LogCaptureFixture
) -> None:
    api = Api(Handlers(), "cat")
    uploaded = json_of(api.upload(pictures.png(1)))
    s3 = boto3.client("s3")
    (version,) = s3.list_object_versions(Bucket="pictures")["Versions"]
    s3.delete_object(Bucket="pictures", Key=uploaded["id"], VersionId=version["VersionId"])
    assert api.get(uploaded["url"]).status == 404
    assert f"{uploaded['id']} is in the table, but its picture is not in the bucket" in caplog.text


def test_every_client_has_timeouts() -> None:
    for config in (aws.CONFIG, aws.S3_CONFIG, aws.SSM_CONFIG):
        assert (config.connect_timeout, config.read_timeout) == (1, 2)
        assert config.retries["mode"] == "standard"
        assert config.retries["total_max_attempts"] <= 3


def test_the_in_memory_tables_are_those_of_the_settings() -> None:
    assert {IMAGES, CHUNKS} == {SETTINGS.image_chunks_table, SETTINGS.chunk_info_table}
