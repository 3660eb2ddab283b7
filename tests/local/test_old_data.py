"""Data of earlier versions: `make run` starts on the archives in tests/data and serves everything as it did then.

tests/make_old_data.py makes the archives. They have no functions' code, so each start on one updates the stack, as the
first start of a new version does.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from standardwebhooks.webhooks import Webhook

from tests.support import pictures
from tests.support.direct import PATIENCE, client, resource
from tests.support.hosts import Api, Running, json_of
from tests.support.index_view import IndexView
from tests.support.local_service import ROOT, Answer, LocalService
from tests.support.receivers import Server, serving
from tests.support.token_issuer import AUDIENCE, SCOPES, Issuer

ARCHIVES = sorted((ROOT / "tests/data").iterdir())
HOST = "127.0.0.1:3000"  # the host that was asked then, and that links begin with

# The test shifts the stored times as if the archive had been made this long ago. `make reconcile` looks at versions of
# at least an hour. An upload of then may wait for its file for two hours. So the test has half an hour.
AGE = 5_400  # seconds
HIDDEN = 43_200  # seconds until messages would come by themselves; the most that SQS allows, and longer than the test

SIZE_MAX = 1_000_000  # bytes of an archive
# Private keys, access keys with their secrets, and folders of the machine that made the archive
PRIVATE = re.compile(
    rb"PRIVATE KEY|\b(AKIA|ASIA)[0-9A-Z]{8}|SecretAccessKey|SessionToken|[\"' ]/(home|root|tmp|var|Users)/"
)

Json = Any


@dataclass(frozen=True, slots=True)
class Old:
    """A service on data of an earlier version, what is expected of it, and the receiver of its callbacks."""

    service: LocalService
    expected: dict[str, Json]
    delta: int  # seconds by which the stored times were shifted
    messages: dict[str, list[Json]]  # those in each queue, by the queue's logical id
    receiver: Server
    issuer: Issuer

    @property
    def api(self) -> Api:
        return Api(Running(self.service), "cat")

    def get(self, path: str, **headers: str) -> Answer:
        return self.api.get(path, **{"Host": HOST, **headers})

    def json(self, path: str, **headers: str) -> Json:
        answer = self.get(path, **headers)
        assert answer.status == 200, (path, answer.body)
        return json_of(answer)

    def id_of(self, state: str) -> str:
        """Return the id of the upload that was in this state."""
        return str(self.expected["uploads"][state]["answer"]["id"])

    def upload(self, state: str) -> Json:
        """Return what GET answers now about the upload that was in this state."""
        return self.json(f"/uploads/{self.id_of(state)}")

    def bearer(self, subject: str, scope: str = SCOPES) -> str:
        return f"Bearer {self.issuer.token(sub=subject, scope=scope)}"


@pytest.mark.usefixtures("slow_tier")
@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda archive: archive.name)
def test_data_of_an_earlier_version_are_served_as_before_and_go_on(archive: Path, tmp_path: Path) -> None:
    """All of it is one test, so that the service starts once for each archive."""
    expected = json.loads((archive / "expected.json").read_text(encoding="utf-8"))
    data, delta = tmp_path / "data", int(time.time() - AGE - expected["made"])
    with closing(Issuer()) as issuer, serving() as receiver:
        with tarfile.open(archive / "data.tar.gz") as tar:
            tar.extractall(data, filter="data")
        shift(data, delta)
        messages = messages_to(receiver.url, data, instead_of=expected["receiver"])
        variables = {"CALLBACK_HTTP": "true", "CALLBACK_LOOPBACK": "true"}
        variables |= {"JWT_ISSUER": issuer.url, "JWT_AUDIENCE": AUDIENCE}
        with LocalService(data, variables=variables) as service:
            old = Old(service, expected, delta, messages, receiver, issuer)
            answers_and_pictures_are_as_before(old)
            uploads_are_as_before(old)
            every_image_is_drawn(old)
            every_image_is_indexed(old)
            nothing_is_to_mend(old)
            uploads_and_callbacks_go_on(old)
            images_can_be_changed(old)
            every_image_is_drawn(old)
            every_image_is_indexed(old)


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda archive: archive.name)
def test_an_archive_is_small_and_has_no_artifacts_paths_or_real_secrets(archive: Path) -> None:
    key = json.loads((archive / "expected.json").read_text(encoding="utf-8"))["callback_key"]
    assert (archive / "data.tar.gz").stat().st_size < SIZE_MAX
    with tarfile.open(archive / "data.tar.gz") as tar:
        contents = {member.name: extracted.read() for member in tar if (extracted := tar.extractfile(member))}
    assert not [name for name in contents if "artifacts" in name or name.endswith((".zip", ".pem"))]
    for name, content in contents.items():
        assert not PRIVATE.search(content), name
    (secrets,) = [content.decode() for name, content in contents.items() if name.endswith("/secretsmanager.json")]
    assert set(re.findall(r'"SecretString": "([^"]*)"', secrets)) == {key}
    assert key.startswith("throwAwaySecret")


# -- the archive as if it had been made AGE seconds ago ---------------------------------------------------------------


def shift(data: Path, delta: int) -> None:
    """Move the times of what expires: uploads, results of recognition, messages, versions of objects.

    Messages that were in flight stay hidden until the test asks for them. The images' own times are texts in answers,
    and no image expires, so those times stay.
    """
    with changed(data, "dynamodb") as state:
        for item in items_of(state):
            for name in {"created", "expires"} & {name for name, value in item.items() if "N" in value}:
                item[name]["N"] = str(int(item[name]["N"]) + delta)
    with changed(data, "sqs") as state:
        for message in (message for queue in queues_of(state).values() for message in queue):
            message["sent_at"] += delta
            message["first_receive_at"] += delta
            message["sys"]["SentTimestamp"] = str(int(message["sent_at"] * 1000))
            message["visible_at"] = time.time() + HIDDEN if message["receipt_handle"] else message["sent_at"]
    for path in (data / "objects").rglob("*.meta.json"):
        path.write_text(re.sub(r'(?<="last_modified": ")[^"]+', partial(later, delta=delta), path.read_text()))


def later(time_text: re.Match[str], *, delta: int) -> str:
    """Return the time, such as 2026-11-28T12:00:00.000Z, so many seconds later."""
    moved = datetime.fromisoformat(time_text[0].replace("Z", "+00:00")) + timedelta(seconds=delta)
    form = "milliseconds" if "." in time_text[0] else "seconds"
    return moved.isoformat(timespec=form).replace("+00:00", "Z")


def messages_to(url: str, data: Path, *, instead_of: str) -> dict[str, list[Json]]:
    """Send all callbacks to this URL. Return the messages in each queue, by the queue's logical id."""
    with changed(data, "dynamodb") as state:
        for item in items_of(state):
            if item.get("callbackUrl") == {"S": instead_of}:
                item["callbackUrl"]["S"] = url
    with changed(data, "sqs") as state:
        for message in queues_of(state)["CallbackQueue"]:
            message["body"] = message["body"].replace(f'"{instead_of}"', f'"{url}"')
            message["md5_body"] = hashlib.md5(message["body"].encode(), usedforsecurity=False).hexdigest()
        return queues_of(state)


def items_of(state: Json) -> list[Json]:
    """Return the items of all tables."""
    partitions = [part for table in state["tables"]["data"].values() for part in table["items"].values()]
    return [item for part in partitions for item in part.values()]


def queues_of(state: Json) -> dict[str, list[Json]]:
    """Return the messages of each queue by its logical id."""
    return {q["tags"]["aws:cloudformation:logical-id"]: q["messages"] for q in state["queues"]["data"].values()}


@contextmanager
def changed(data: Path, name: str) -> Iterator[Json]:
    """Yield the state of one AWS service in the snapshot. Write it afterwards, with its fingerprint."""
    (snapshot,) = (data / "snapshots").iterdir()
    state, manifest = (json.loads((snapshot / f"{file}.json").read_text()) for file in (name, "manifest"))
    yield state["payload"]
    content = json.dumps(state).encode()
    manifest[f"{name}.json"] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (snapshot / f"{name}.json").write_bytes(content)
    (snapshot / "manifest.json").write_text(json.dumps(manifest))


# -- what the service must do -----------------------------------------------------------------------------------------


def answers_and_pictures_are_as_before(old: Old) -> None:
    expected = old.expected["answers"] | old.expected["mine"]
    alice = old.bearer("alice")
    found = {path: old.json(path, authorization=alice) for path in expected}
    assert known(found, expected) == expected
    # Thumbnails are made anew, as they look in this version.
    pictures = {path: digest for path, digest in old.expected["pictures"].items() if "size=" not in path}
    assert {path: hashlib.sha256(old.get(path).body).hexdigest() for path in pictures} == pictures
    assert all(old.get(path).status == 200 for path in old.expected["pictures"])


def known(now: Json, then: Json) -> Json:
    """Return the present answer without the members that it did not have then. Later versions may add members."""
    if isinstance(now, dict) and isinstance(then, dict):
        return {name: known(now[name], then[name]) for name in then if name in now}
    if isinstance(now, list) and isinstance(then, list) and len(now) == len(then):
        return [known(*pair) for pair in zip(now, then, strict=True)]
    return now


def uploads_are_as_before(old: Old) -> None:
    for state, upload in old.expected["uploads"].items():
        times = {
            name: re.sub(".*", partial(later, delta=old.delta), upload["answer"][name], count=1)
            for name in ("created", "expires")
        }
        assert known(old.upload(state), upload["answer"]) == upload["answer"] | times


def every_image_is_drawn(old: Old) -> None:
    """Draw as many different images as the label or tag has, so that each comes with its weight. Compare the totals."""
    for query in ("label=cat", "label=dog", "label=cat&tag=fluffy", "label=dog&tag=fluffy"):
        listed = {image["id"]: image["weight"] for image in old.json(f"/images?{query}&limit=100")["images"]}
        drawn = old.json(f"/random?{query}&count={len(listed)}&distinct=true")["images"]
        assert {image["id"]: image["weight"] for image in drawn} == listed
        total = old.json(f"/random?{query}&format=json")["totalWeight"]
        assert total == pytest.approx(sum(listed.values()))
        one = old.get(f"/random?{query}")
        assert (
            hashlib.sha256(one.body).digest()
            == hashlib.sha256(old.get(f"/images/{one.headers['image-id']}").body).digest()
        )


def nothing_is_to_mend(old: Old) -> None:
    """Run the module that `make reconcile` runs, without letting it change anything."""
    (module,) = re.findall(r"^\t.* -m (\S*\breconcile)\b", (ROOT / "Makefile").read_text(), re.MULTILINE)
    variables = dict(line.split("=", 1) for line in (old.service.data / "aws.env").read_text().splitlines())
    done = subprocess.run(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env={**os.environ, **variables, "DRY": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    images = sum(label["count"] for label in old.json("/labels")["labels"])
    found = done.stdout.partition(" it would be: ")[2]
    assert [int(number) for number in re.findall(r"\d+", found)] == [images, images, 0, 0, 0], done.stdout


def uploads_and_callbacks_go_on(old: Old) -> None:
    """Deliver the messages that waited, so that each upload becomes its image and each callback comes once."""
    sqs, s3 = client(old.service, "sqs"), client(old.service, "s3")
    incoming, dead = (resource(old.service, f"Incoming{kind}") for kind in ("Queue", "DeadLetterQueue"))
    (given_up,) = sqs.receive_message(QueueUrl=dead)["Messages"]

    # S3's message about an upload that is over comes again. No callback may follow.
    again = given_up["Body"].replace(old.id_of("given up"), old.id_of("recognised"))
    sqs.send_message(QueueUrl=incoming, MessageBody=again)
    wait_until(lambda: in_queue(sqs, incoming) == len(old.messages["IncomingQueue"]), "the message is taken")

    sqs.send_message(QueueUrl=incoming, MessageBody=given_up["Body"])
    for name in ("IncomingQueue", "CallbackQueue"):
        for message in old.messages[name]:
            sqs.change_message_visibility(
                QueueUrl=resource(old.service, name), ReceiptHandle=message["receipt_handle"], VisibilityTimeout=0
            )
    key, bucket = f"incoming/{old.id_of('waiting')}", resource(old.service, "IncomingBucket")
    s3.put_object(Bucket=bucket, Key=key, Body=pictures.png(31))

    go_on = ("given up", "received", "stored", "waiting")
    for state in go_on:
        wait_until(partial(is_recognised, old, state), f"the upload that was {state} is recognised")
        image_is_as_asked(old.expected["uploads"][state]["asked"], old.upload(state)["image"])
    wait_until(lambda: not s3.list_objects_v2(Bucket=bucket).get("Contents"), "no file is left")

    queued = [json.loads(message["body"]) for message in old.messages["CallbackQueue"]]
    expected = {callback["id"]: json.loads(callback["payload"]) for callback in queued}
    assert set(expected) == {old.id_of("given up"), old.id_of("recognised")}
    expected |= {old.id_of(state) + "-2" * (state == "given up"): old.upload(state) for state in go_on}
    wait_until(lambda: len(old.receiver.received) >= len(expected), "all callbacks")
    assert sorted(got.headers["webhook-id"] for got in old.receiver.received) == sorted(expected)
    webhook = Webhook(f"whsec_{old.expected['callback_key']}")
    for got in old.receiver.received:
        assert webhook.verify(got.body, got.headers) == expected[got.headers["webhook-id"]]


def every_image_is_indexed(old: Old) -> None:
    """Wait until the index equals the rows, which the version that made the data had no index of."""
    view = IndexView(old.service)
    view.wait(images=len(view.rows()))
    assert view.rows()


def in_queue(sqs: Any, queue: str) -> int:
    """Return how many messages the queue has, hidden or not."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    return sum(map(int, sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"].values()))


def is_recognised(old: Old, state: str) -> bool:
    return bool(old.upload(state)["state"] == "recognised")


def image_is_as_asked(asked: Json, image: Json) -> None:
    assert image["weight"] == asked["weight"]
    assert image.get("filename") == asked.get("filename")
    tags = set(asked.get("tags", ()))
    assert set(image["tags"]) > tags if asked.get("tag_from_labels") else set(image["tags"]) == tags


def images_can_be_changed(old: Old) -> None:
    api, alice, bob = old.api, old.bearer("alice"), old.bearer("bob")
    own, *_ = (urlsplit(image["url"]).path for image in old.expected["mine"]["/mine?label=cat"]["images"])
    assert api.patch(own, {"weight": 0.33}, authorization=bob).status == 403
    assert api.patch(own, {"weight": 0.33}, authorization=alice).status == 200
    assert old.json(f"{own}/info")["weight"] == 0.33

    (tagged,) = old.expected["answers"]["/images?label=cat&tag=new"]["images"]
    path = urlsplit(tagged["url"]).path
    admin = old.bearer("carol", f"{SCOPES} images:admin")
    assert api.patch(path, {"tags": ["newer"]}, authorization=admin).status == 200
    assert old.json("/images?label=cat&tag=new")["images"] == []
    assert [image["id"] for image in old.json("/images?label=cat&tag=newer")["images"]] == [tagged["id"]]

    content = old.get(own).body
    fields = {"weight": "0.33", "tags": ",".join(old.json(f"{own}/info")["tags"]), "authorization": alice}
    assert add(old, content, **fields).status == 200, "it is the same picture"
    assert api.delete(own, authorization=alice).status == 204
    assert old.get(own).status == 404
    assert add(old, content, **fields).status == 201
    assert add(old, pictures.png(32), weight="0.5", tags="fluffy", authorization=bob).status == 201


def add(old: Old, content: bytes, *, weight: str, tags: str, authorization: str) -> Answer:
    fields = [("label", "cat"), ("weight", weight), ("tags", tags), ("img", pictures.File(content))]
    return old.api.post(fields, authorization=authorization)


def wait_until(true: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until, f"waited in vain: {what}"
        time.sleep(0.05)
