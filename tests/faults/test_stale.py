"""Stale reads, answered as before the last write, cause no failure and show no deleted picture."""

import json
from collections.abc import Callable, Iterator

import pytest
from botocore import xform_name
from botocore.awsrequest import AWSResponse

from tests.support import cloud, pictures
from tests.support.fault_injection import Attempt
from tests.support.fault_scene import IMAGES, LABEL, OTHER_CLASS, Scene
from tests.support.hosts import json_of
from tests.support.local_service import Answer

NEW = pictures.name_of(pictures.tiny(IMAGES))
CALLS = 6  # as many reads as a request makes at most, before it draws again

Write = Callable[[Scene], str]  # gives the name of the image that it wrote


def uploaded(scene: Scene) -> str:
    assert scene.upload(IMAGES).status == 201
    return NEW


def deleted(scene: Scene) -> str:
    assert scene.delete(scene.moved).status == 204
    return scene.moved


def weighed(scene: Scene) -> str:
    assert scene.patch(scene.moved, OTHER_CLASS).status == 200
    return scene.moved


def deleted_last(scene: Scene) -> str:
    for name in sorted(scene.rows())[1:]:
        assert scene.delete(name).status == 204
    snapshot(scene)
    (last,) = scene.rows()
    assert scene.delete(last).status == 204
    return last


WRITES = (uploaded, deleted, weighed, deleted_last)


def snapshot(scene: Scene) -> None:
    """Let stale reads read the tables as they are now."""
    for table in scene.tables:
        before, dynamodb = f"{table}-before", scene.cloud.raw["dynamodb"]
        dynamodb.delete_table(TableName=before)
        dynamodb.create_table(TableName=before, **cloud.table(cloud.TABLES[scene.tables.index(table)]))
        for item in scene.items(table):
            dynamodb.put_item(TableName=before, Item=item)


@pytest.fixture
def scene(emulated: Scene) -> Scene:
    """Return the scene on the emulator, in which tables can be made: the tables as they were before a write."""
    return emulated


@pytest.fixture
def stage(scene: Scene) -> Iterator[Scene]:
    """Provide the scene, with copies of the tables as they are before the test's write."""
    scene.reset()
    for table, template in zip(scene.tables, cloud.TABLES, strict=True):
        scene.cloud.raw["dynamodb"].create_table(TableName=f"{table}-before", **cloud.table(template))
    snapshot(scene)
    yield scene
    for table in scene.tables:
        scene.cloud.raw["dynamodb"].delete_table(TableName=f"{table}-before")


def stale(scene: Scene) -> Callable[[Attempt], AWSResponse]:
    """Answer eventually consistent reads from the tables before the write, and pass all else on."""

    def happening(attempt: Attempt) -> AWSResponse:
        document = json.dumps(attempt.document)
        if '"ConsistentRead": false' not in document:
            return attempt.done()
        for table in scene.tables:
            document = document.replace(f'"{table}"', f'"{table}-before"')
        call = getattr(scene.cloud.raw["dynamodb"], xform_name(attempt.operation))
        answer = {name: value for name, value in call(**json.loads(document)).items() if name != "ResponseMetadata"}
        return attempt.answer(200, json.loads(json.dumps(answer).replace('-before"', '"')))

    return happening


def readings(scene: Scene) -> Iterator[int]:
    """Let one read after the other be stale, and at last, as number 0, all of them."""
    for chosen in (*range(1, CALLS + 1), 0):
        scene.fresh()
        scene.injector.arm(
            stale(scene),
            lambda attempt, call, _, chosen=chosen: attempt.service == "dynamodb" and chosen in (0, call),
        )
        yield chosen
        scene.injector.disarm()


def sound(scene: Scene, answer: Answer) -> None:
    """Check that a drawn picture is stored, under its own name, with a probability; or that none could be drawn."""
    if answer.status == 200:
        name = answer.headers["image-id"].removeprefix(f"{LABEL}/")
        assert name in scene.rows()
        assert answer.body == scene.content[name]
        assert 0 < float(answer.headers["image-probability"]) <= 1
    else:
        assert answer.status in (404, 503)
        assert answer.status == 404 or answer.headers["retry-after"] == "1"
        assert not scene.rows()


def test_a_stale_read_is_answered_as_before_the_write(stage: Scene) -> None:
    name = deleted(stage)
    *_, last = (stage.api.get(f"/images/{LABEL}/{name}/info").status for _ in readings(stage))
    assert (last, stage.api.get(f"/images/{LABEL}/{name}/info").status) == (200, 404)


@pytest.mark.parametrize("write", WRITES)
def test_a_draw_gives_only_pictures_that_are_there(stage: Scene, write: Write) -> None:
    write(stage)
    for _ in readings(stage):
        for _ in range(4):
            sound(stage, stage.api.random())


@pytest.mark.parametrize("write", WRITES)
def test_what_was_acknowledged_is_found_and_what_is_gone_is_not_given_out(stage: Scene, write: Write) -> None:
    name = write(stage)
    there = name in stage.rows()
    for _ in readings(stage):
        picture = stage.api.get(f"/images/{LABEL}/{name}")
        assert picture.status == (200 if there else 404)
        information = stage.api.get(f"/images/{LABEL}/{name}/info")
        assert information.status == 200 or not there
        if information.status == 200:
            assert 0 < json_of(information)["probability"] <= 1


@pytest.mark.parametrize("write", WRITES)
def test_writes_go_by_what_is_there(stage: Scene, write: Write) -> None:
    name = write(stage)
    seed = next(seed for seed in range(IMAGES + 1) if pictures.name_of(pictures.tiny(seed)) == name)
    weights = stage.weights()
    for chosen in readings(stage):
        answer = stage.upload(seed, weights.get(name, OTHER_CLASS))
        assert answer.status == (200 if name in weights else 201)
        assert stage.patch(name, OTHER_CLASS if chosen % 2 else 3).status == 200
        assert stage.delete(name).status == 204
        assert stage.delete(name).status == 404
        assert stage.upload(seed, weights.get(name, 1)).status == 201
        assert stage.check() == 0
        if name not in weights:
            assert stage.delete(name).status == 204
