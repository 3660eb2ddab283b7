"""The function that keeps tiles and vectors in line with the images: what it does, and what it need not do."""

import io
import json
from collections.abc import Iterator
from dataclasses import asdict, replace

import pytest
from PIL import Image

import index_images
import views
from shared.index_queue import ToIndex
from shared.pictures.budget import TooMuchTime
from shared.recognition.recognition import Recognition
from shared.tiles import TILE_BYTES
from tests.support import memory_index
from tests.support.index_scene import IndexScene, index_scene, picture_name
from tests.support.log_lines import fields_of
from tests.support.memory_aws import TILES
from tests.support.pictures import saved, tiny

WRITES = {"put_item", "delete_item", "put_vectors", "delete_vectors", "invoke_model"}


@pytest.fixture
def scene() -> Iterator[IndexScene]:
    with index_scene() as scene:
        yield scene


def writes(scene: IndexScene) -> list[str]:
    return [name for name in scene.calls.names if name in WRITES]


def test_an_upload_gets_a_tile_and_a_vector_with_its_words(scene: IndexScene) -> None:
    picture = Image.new("RGB", (100, 40), "blue")
    picture.paste("red", (30, 0, 70, 40))  # the centre square
    image = scene.upload(saved(picture, "PNG"), tags="sunny-day", filename="MyTom2.png")

    scene.follow()

    assert scene.differences() == []
    tile = scene.tile(image)["tile"]["B"]
    assert len(tile) == TILE_BYTES
    assert Image.frombytes("RGB", (32, 32), tile).getcolors() == [(1024, (255, 0, 0))]
    metadata = scene.metadata(image)
    assert (metadata["label"], metadata["tags"]) == ("cat", ["sunny-day"])
    assert {"sunny-day", "sunny", "day", "mytom2", "my", "tom", "2"} <= set(metadata["words"])
    assert scene.world.queue == []


def test_the_model_gets_the_picture_as_browsers_show_it_and_not_longer_than_1024_pixels(
    scene: IndexScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []
    original = memory_index.Bedrock.invoke_model

    def remember(self: memory_index.Bedrock, *, body: str, **more: object) -> object:
        import base64

        seen.append(base64.b64decode(json.loads(body)["inputImage"]))
        return original(self, body=body, **more)

    monkeypatch.setattr(memory_index.Bedrock, "invoke_model", remember)
    clear = Image.new("RGBA", (2000, 500), (0, 0, 0, 0))
    scene.upload(saved(clear, "PNG"))

    scene.follow()

    with Image.open(io.BytesIO(seen[0])) as shown:
        assert (shown.format, shown.size) == ("JPEG", (1024, 256))
        assert shown.convert("RGB").getpixel((5, 5)) == (255, 255, 255)


def test_new_tags_change_the_words_and_no_model_is_asked(scene: IndexScene) -> None:
    image = scene.upload(tiny(1), tags="calm")
    scene.follow()
    numbers = scene.world.vectors[image]["data"]
    asked = scene.world.asked

    scene.patch(image, tags=["wild"])
    scene.follow()

    assert scene.world.asked == asked == 1
    assert scene.metadata(image)["tags"] == ["wild"]
    assert "wild" in scene.metadata(image)["words"]
    assert "calm" not in scene.metadata(image)["words"]
    assert scene.world.vectors[image]["data"] == numbers
    assert scene.differences() == []


def test_a_new_weight_or_chunk_needs_no_call(scene: IndexScene) -> None:
    first, second = scene.upload(tiny(1), weight="0.5"), scene.upload(tiny(2), weight="0.5")
    scene.follow()
    scene.patch(second, weight=0.001)  # another class, another chunk
    scene.delete(first)
    scene.world.stream = scene.world.stream[:-1]  # without the record of the delete
    assert scene.world.stream
    scene.calls.reset()

    scene.follow()

    assert scene.calls.names == []


def test_a_delete_removes_both(scene: IndexScene) -> None:
    image = scene.upload(tiny(1))
    scene.follow()
    scene.delete(image)
    assert scene.differences() != []

    scene.follow()

    assert (scene.world.vectors, scene.world.tables[TILES]) == ({}, {})


def test_an_image_that_is_gone_before_it_was_indexed_leaves_nothing(scene: IndexScene) -> None:
    scene.delete(scene.upload(tiny(1)))

    scene.follow()

    assert (scene.world.vectors, scene.world.tables[TILES], scene.world.asked) == ({}, {}, 0)


def test_what_is_indexed_already_is_not_written_again(scene: IndexScene) -> None:
    scene.upload(tiny(1), tags="calm")
    records = scene.follow()
    scene.calls.reset()

    memory_index.follow(scene.world, records)

    assert writes(scene) == []


def test_a_batch_puts_all_vectors_in_one_call_and_removes_all_in_another(scene: IndexScene) -> None:
    gone = [scene.upload(tiny(number)) for number in range(5)]
    scene.follow()
    for image in gone:
        scene.delete(image)
    for number in range(5, 15):
        scene.upload(tiny(number))
    scene.calls.reset()

    scene.follow()

    assert scene.calls.names.count("put_vectors") == scene.calls.names.count("delete_vectors") == 1
    last_tile = max(place for place, name in enumerate(scene.calls.names) if name in ("put_item", "delete_item"))
    assert last_tile < scene.calls.names.index("put_vectors"), "a vector says that its tile is there"
    assert scene.differences() == []


def test_an_uploaded_picture_that_the_model_refuses_is_remembered_and_not_tried_again(scene: IndexScene) -> None:
    good = scene.upload(tiny(1))
    scene.follow()
    scene.world.refuses = True
    image = scene.upload(tiny(2))

    records = scene.follow()

    assert image not in scene.world.vectors
    assert good in scene.world.vectors
    tile = scene.tile(image)
    assert tile["refusedBy"]["S"] == "titan-1024-1"
    assert "refuses it" in tile["refused"]["S"]
    assert len(tile["tile"]["B"]) == TILE_BYTES
    scene.calls.reset()
    memory_index.follow(scene.world, records)
    assert (writes(scene), scene.world.queue) == ([], [])


def test_a_poison_picture_stops_neither_the_stream_nor_those_beside_it(scene: IndexScene) -> None:
    """Its bytes are no picture any more, as after damage in the bucket."""
    poison = scene.upload(tiny(1))
    (version,) = scene.world.objects[poison]
    scene.world.objects[poison][version] = b"\x89PNG\r\n\x1a\n" + bytes(2000)
    good = [scene.upload(tiny(number)) for number in range(2, 6)]

    scene.follow()

    assert set(scene.world.vectors) == set(good)
    assert scene.tile(poison)["refusedBy"]["S"] == ""
    assert "tile" not in scene.tile(poison)
    assert scene.differences() == []
    assert scene.world.queue == []


def test_a_picture_that_takes_too_much_is_tried_again_and_refused_in_the_end(
    scene: IndexScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow container may be the cause, so one try is not enough."""
    shipped = views.views_of
    monkeypatch.setattr(views, "views_of", too_slow)
    one, other = scene.upload(tiny(1)), scene.upload(tiny(2))

    scene.follow()

    for _ in range(index_images.STUBBORN - 1):
        scene.world.queue = memory_index.take(scene.world.queue)
    assert len(scene.world.queue) == 2
    assert scene.world.tables[TILES] == {}
    first, second = scene.world.queue
    assert memory_index.take([first]) == []
    monkeypatch.setattr(views, "views_of", shipped)
    assert memory_index.take([second]) == []
    refused, made = sorted([scene.tile(one), scene.tile(other)], key=lambda tile: "tile" in tile)
    assert "takes more than 1.9 seconds" in refused["refused"]["S"]
    assert len(made["tile"]["B"]) == TILE_BYTES
    assert scene.differences() == []


def too_slow(_: bytes) -> views.Views:
    raise TooMuchTime(1.9)


def test_a_row_that_cannot_be_read_goes_to_the_queue_and_the_others_are_indexed(scene: IndexScene) -> None:
    damaged, good = scene.upload(tiny(1)), scene.upload(tiny(2))
    label, _, name = damaged.partition("/")
    del scene.world.tables[memory_index.IMAGES][label, name]["weight"]

    scene.follow()

    assert set(scene.world.vectors) == {good}
    assert [json.loads(message["body"])["name"] for message in scene.world.queue] == [name]


def test_a_message_that_names_no_image_goes_to_the_dead_letters_without_waiting(scene: IndexScene) -> None:
    scene.upload(tiny(1))
    scene.world.stream.clear()
    fine = {"label": "cat", "name": picture_name(1).partition("/")[2], "new": 1}
    bodies = ["no json", "[]", '{"label": "cat"}', '{"label": "cat", "name": "../x"}', json.dumps(fine)]
    messages = [{"body": body, "received": 0} for body in bodies]

    again = memory_index.take(messages)

    assert again == messages[:4]
    assert scene.world.postponed == [0] * 4
    assert scene.differences() == []


def test_what_a_model_has_no_time_for_comes_again_later_and_later(scene: IndexScene) -> None:
    scene.upload(tiny(1))
    scene.world.throttled = 1.0
    scene.follow()
    (message,) = scene.world.queue
    for _ in range(9):
        assert memory_index.take([message]) == [message]
    waits = zip(scene.world.postponed, [*(5 * 2**n for n in range(8)), 900], strict=True)
    assert all(0.8 * wait <= seconds <= 1.2 * wait for seconds, wait in waits)

    scene.world.throttled = 0.0
    assert memory_index.take([message]) == []
    assert scene.differences() == []


def test_without_an_encoder_there_are_tiles_only() -> None:
    with index_scene(encoder="none") as scene:
        image = scene.upload(tiny(1), tags="calm")
        scene.follow()
        assert len(scene.tile(image)["tile"]["B"]) == TILE_BYTES
        assert (scene.world.vectors, scene.world.asked) == ({}, 0)
        scene.calls.reset()
        scene.patch(image, tags=["wild"])
        scene.calls.reset()
        scene.follow()
        assert writes(scene) == []
        scene.delete(image)
        scene.follow()
        assert scene.world.tables[TILES] == {}


def test_all_are_indexed_though_the_model_throttles_four_calls_of_five(scene: IndexScene) -> None:
    check_throttled(scene, 100)


@pytest.mark.usefixtures("slow_tier")
def test_a_thousand_are_indexed_though_the_model_throttles_four_calls_of_five(scene: IndexScene) -> None:
    check_throttled(scene, 1_000)


def check_throttled(scene: IndexScene, count: int) -> None:
    """Index so many images. No message is received so often that it would go to the dead letters."""
    images = {scene.upload(tiny(number)) for number in range(count)}
    scene.world.throttled = 0.8
    scene.follow()
    assert len(scene.world.queue) > count / 2
    most = 0
    while scene.world.queue:
        some, scene.world.queue = scene.world.queue[:10], scene.world.queue[10:]
        scene.world.queue += memory_index.take(some)
        most = max(most, *(message["received"] for message in some))
    assert most < 100
    assert set(scene.world.vectors) == images
    assert scene.differences() == []


def test_while_another_encoder_is_deployed_images_wait_and_no_model_is_asked(
    scene: IndexScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = replace(memory_index.SETTINGS, vector_index=memory_index.INDEX.replace("titan", "nova"))
    with monkeypatch.context() as changed:
        changed.setattr(index_images, "read_settings", lambda: other)
        image = scene.upload(tiny(1))
        scene.follow()
        assert (scene.world.asked, len(scene.world.queue)) == (0, 1)

    scene.drain()
    assert scene.metadata(image)["label"] == "cat"
    assert scene.differences() == []


# --- recognised labels ---


def colour(scene: IndexScene, image: str) -> list[str]:
    return [each["M"]["name"]["S"] for each in scene.tile(image).get("labels", {"L": []})["L"]]


def green() -> bytes:
    return saved(Image.new("RGB", (40, 40), (0, 128, 0)), "PNG")


def test_with_recognise_all_every_image_has_labels_and_is_found_by_them(
    scene: IndexScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOGNISER", "colours")
    before = scene.upload(green())
    scene.follow()
    assert colour(scene, before) == []

    monkeypatch.setenv("RECOGNISE_ALL", "true")
    scene.world.queue.append(memory_index.message(before))
    scene.drain()

    assert colour(scene, before) == ["green"]
    assert "green" in scene.metadata(before)["words"]
    assert scene.world.asked == 1, "the vector stays as it is"
    assert scene.differences() == []


def test_labels_that_ingest_finds_later_are_added_and_no_model_is_asked(
    scene: IndexScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOGNISER", "colours")
    image = scene.upload(green())
    scene.follow()
    message = memory_index.message(image, recognised=True)
    assert memory_index.take([message]) == []
    assert colour(scene, image) == [], "they are not known yet"

    Recognition(memory_index.SETTINGS.recognitions_table).detections(*stored(scene, image), "image/png")
    assert memory_index.take([message]) == []

    assert colour(scene, image) == ["green"]
    assert "green" in scene.metadata(image)["words"]
    scene.calls.reset()
    assert memory_index.take([message]) == []
    assert (writes(scene), scene.world.asked) == ([], 1)


def stored(scene: IndexScene, image: str) -> list[bytes]:
    return list(scene.world.objects[image].values())


def test_the_line_of_an_image_has_the_id_of_the_request_that_it_came_with(
    scene: IndexScene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    label, _, name = scene.upload(tiny(1)).partition("/")
    bodies = [asdict(ToIndex(label, name, request="a-request")), asdict(ToIndex(*picture_name(9).split("/")))]
    assert memory_index.take([{"body": json.dumps(body), "received": 0} for body in bodies]) == []
    lines = [record for record in caplog.records if record.getMessage().startswith("image ")]
    assert [(line.getMessage(), fields_of(line)) for line in lines] == [
        (f"image {label}/{name} is indexed", {"request": "a-request"})
    ]
