"""Two calls of index/ meet: while one is at any of its calls, the image changes and another call indexes it."""

from collections.abc import Callable

import pytest

from shared.recognition.recognition import Recognition
from tests.support import memory_index
from tests.support.index_scene import IndexScene, index_scene
from tests.support.pictures import tiny
from tests.support.simulation import silent


def deleted(scene: IndexScene, image: str) -> None:
    scene.delete(image)


def uploaded_again(scene: IndexScene, image: str) -> None:
    scene.delete(image)
    assert scene.upload(tiny(1), tags="new") == image


def tagged(scene: IndexScene, image: str) -> None:
    scene.patch(image, tags=["wild"])


def new(scene: IndexScene) -> str:
    return scene.upload(tiny(1), tags="calm")


def indexed_with_other_tags(scene: IndexScene) -> str:
    image = new(scene)
    scene.follow()
    scene.patch(image, tags=["tame"])
    return image


def recognised(scene: IndexScene, image: str) -> None:
    """Let ingest/ find labels, and the index have its message."""
    (content,) = scene.world.objects[image].values()
    assert Recognition(memory_index.SETTINGS.recognitions_table).detections(content, "image/png")
    assert memory_index.take([memory_index.message(image, recognised=True)]) == []


CHANGES = (deleted, uploaded_again, tagged, recognised)
BEGINNINGS = (new, indexed_with_other_tags)


def meet(begin: Callable[[IndexScene], str], change: Callable[[IndexScene, str], None], number: int) -> bool:
    """Let both calls meet at this call of the first one. Return whether it has so many calls."""
    with silent(), index_scene() as scene:
        image = begin(scene)
        scene.world.stream.clear()

        def interrupt(at: int) -> None:
            if at == number:
                scene.calls.before = lambda at: None
                change(scene, image)
                scene.follow()
                scene.calls.names.extend([""] * 1000)  # so that none of the later calls has this number

        scene.calls.reset()
        scene.calls.before = interrupt
        scene.world.queue += memory_index.take([memory_index.message(image)])
        met = len(scene.calls.names) > 1000
        scene.calls.reset()
        scene.drain()
        assert scene.differences() == [], (begin.__name__, change.__name__, number)
        if change is recognised and met:
            tile, metadata = scene.tile(image), scene.metadata(image)
            assert "labels" in tile, number
            assert {each["M"]["name"]["S"] for each in tile["labels"]["L"]} <= set(metadata["words"]), number
        return met


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("begin", BEGINNINGS)
def test_whoever_comes_last_leaves_the_index_as_the_row_is(
    begin: Callable[[IndexScene], str], change: Callable[[IndexScene, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOGNISER", "colours")
    number = 0
    while meet(begin, change, number):
        number += 1
    assert number >= 6, "rows, tiles, vectors; what is written; rows"
