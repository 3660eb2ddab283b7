"""The restore of docs/how-to/operate.md: tables of one moment, the bucket of a later one."""

import pytest

from shared import settings
from tests.support import cloud, pictures
from tests.support.fault_clouds import STAGE
from tests.support.fault_scene import IMAGES, OTHER_CLASS, WEIGHT, Scene

PARAMETERS = ("dynamoDB/image-chunks-table-name", "dynamoDB/chunk-info-table-name")


@pytest.fixture
def scene(emulated: Scene) -> Scene:
    """Return the scene on the emulator, in which tables can be made: those that a restore makes."""
    return emulated


@pytest.fixture
def moment(scene: Scene) -> dict[str, list[object]]:
    """Return what the tables hold, with six images of one weight, before more happens."""
    scene.reset()
    return {table: scene.items(table) for table in scene.tables}


def restore(scene: Scene, moment: dict[str, list[object]]) -> None:
    """Make both tables under their old names with a suffix; they are in use after five minutes."""
    dynamodb, ssm = scene.cloud.raw["dynamodb"], scene.cloud.raw["ssm"]
    for (table, items), template, parameter in zip(moment.items(), cloud.TABLES, PARAMETERS, strict=True):
        dynamodb.create_table(TableName=f"{table}-restored", **cloud.table(template))
        for item in items:
            dynamodb.put_item(TableName=f"{table}-restored", Item=item)
        name = f"/pet-api/{STAGE}/{parameter}"
        ssm.put_parameter(Name=name, Value=f"{table}-restored", Type="String", Overwrite=True)
    scene.clock.now += settings.LIFETIME + 1
    scene.tables = (f"{scene.tables[0]}-restored", f"{scene.tables[1]}-restored")


@pytest.fixture
def as_deployed(scene: Scene) -> object:
    """Bring back the stack's own tables for the tests that follow."""
    deployed = scene.tables
    yield
    for table, parameter in zip(deployed, PARAMETERS, strict=True):
        name = f"/pet-api/{STAGE}/{parameter}"
        scene.cloud.raw["ssm"].put_parameter(Name=name, Value=table, Type="String", Overwrite=True)
        scene.cloud.raw["dynamodb"].delete_table(TableName=f"{table}-restored")
    scene.fresh()
    scene.tables = deployed
    scene.reset()


@pytest.mark.usefixtures("as_deployed")
def test_what_is_in_the_tables_and_has_its_picture_is_served_and_the_rest_is_gone(
    scene: Scene, moment: dict[str, list[object]]
) -> None:
    seeds = {pictures.tiny(seed): seed for seed in range(IMAGES)}
    gone, replaced, weighed, *_ = names = [scene.moved, scene.last, *({*scene.rows()} - {scene.moved, scene.last})]
    versions = dict(scene.cloud.versions())
    assert scene.delete(gone).status == 204
    assert scene.delete(replaced).status == 204
    assert scene.upload(seeds[scene.content[replaced]]).status == 201
    assert scene.patch(weighed, OTHER_CLASS).status == 200
    assert scene.upload(IMAGES).status == 201

    restore(scene, moment)
    report = scene.reconcile()

    assert (report.rows_removed, report.rows_renamed, report.versions_removed) == (1, 1, 1)
    assert scene.check() == 0
    scene.check_answers()
    assert scene.weights() == dict.fromkeys({*names} - {gone}, WEIGHT)
    assert scene.api.get(f"/images/cat/{gone}").status == 404
    kept = dict(scene.cloud.versions())
    assert {name for name in kept if kept[name] != versions[name]} == {replaced}
    again = scene.reconcile()
    assert (again.rows_removed, again.rows_renamed, again.versions_removed) == (0, 0, 0)
    assert scene.upload(IMAGES).status == 201  # the restored tables are in use
    assert len(scene.rows()) == IMAGES
