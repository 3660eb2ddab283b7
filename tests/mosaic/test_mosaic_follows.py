"""A mosaic follows the images: a new one is a tile once the index had its record, and a deleted one is none."""

import pytest

from tests.support.hosts import Api, Handlers, Running, json_of
from tests.support.index_scene import LABEL, IndexScene, index_scene
from tests.support.local_service import LocalService
from tests.support.mosaic_scene import MosaicScene
from tests.support.pictures import jpeg, png, tiny
from tests.support.waiting import eventually


def tiles_of_mosaic(image: str) -> tuple[int, str]:
    """Return the status of a mosaic of this image, and of how many tiles it is."""
    answer = Handlers().request("GET", f"/images/{image}/mosaic?columns=10")
    return answer.status, answer.headers.get("mosaic-tiles", "")


@pytest.mark.parametrize("encoder", ["titan", "none"])
def test_a_deleted_picture_is_in_no_mosaic_after_its_record(encoder: str) -> None:
    with index_scene(encoder=encoder) as scene:
        source, *others = [scene.upload(tiny(number)) for number in range(18)]
        assert tiles_of_mosaic(source) == (422, "")
        scene.follow()
        assert tiles_of_mosaic(source) == (200, "17")
        scene.delete(others[0])
        scene.follow()
        assert tiles_of_mosaic(source) == (200, "16")
        assert others[0] not in used(scene)
        scene.delete(others[1])
        scene.follow()
        assert tiles_of_mosaic(source) == (422, "")
        scene.upload(tiny(1))
        scene.follow()
        assert tiles_of_mosaic(source) == (200, "16")
        scene.delete(source)
        assert tiles_of_mosaic(source) == (404, "")


def used(scene: IndexScene) -> set[str]:
    """Return the ids of the images whose tiles there are."""
    return {f"{label}/{name}" for label, name in scene.world.tables["tiles-table"] if label == LABEL}


def test_mosaics_follow_uploads_and_deletes_in_make_run(slow_tier: None, running: LocalService) -> None:
    api = Api(Running(running), "followed-by-mosaics")
    scene = MosaicScene(api, jpeg(99, (300, 200)))
    others = [json_of(api.upload(png(number, (40, 40)))) for number in range(16)]
    eventually(lambda: scene.mosaic().status == 200)
    assert scene.mosaic().headers["mosaic-tiles"] == "16"
    assert api.delete(others[0]["url"]).status == 204
    eventually(lambda: scene.mosaic().status == 422)
