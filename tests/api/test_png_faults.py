"""PNGs that other programs wrote, or attackers, in every host: taken as browsers show them, or refused at once."""

import time
from io import BytesIO

import pytest
from PIL import Image

from tests.support.answers import problem
from tests.support.hosts import Api, Handlers, json_of
from tests.support.pictures import png_chunks
from tests.support.profiles import case, profile_of, tags_of

pytestmark = pytest.mark.also_in_make_run(why="thumbnails are made from what the bucket keeps", slow=True)

THUMBNAIL_MAX = 0.5  # seconds of CPU; the profile of 9,000 steps took 6.8

# file -> kinds of chunks that are stored
TAKEN = {
    "s.png": [b"IHDR", b"IDAT", b"IEND"],
    "p-iccp-twice.png": [b"IHDR", b"iCCP", b"IDAT", b"IEND"],
    "p-text-badcrc.png": [b"IHDR", b"IDAT", b"IEND"],
    "p-icc-3MB-zeros.png": [b"IHDR", b"iCCP", b"IDAT", b"IEND"],
    "bomb-icc-9000-stages.png": [b"IHDR", b"iCCP", b"IDAT", b"IEND"],
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_png_with_a_fault_is_taken_and_shown(api: Api, name: str) -> None:
    sent = case(name)
    uploaded = api.upload(sent)
    assert uploaded.status == 201
    url = json_of(uploaded)["url"]
    stored = api.get(url).body
    assert [kind for kind, _ in png_chunks(stored)] == TAKEN[name]
    start = time.process_time()
    thumbnail = api.get(f"{url}?size=256", accept="image/webp")
    assert thumbnail.status == 200
    if isinstance(api.host, Handlers):
        assert time.process_time() - start < THUMBNAIL_MAX
    with Image.open(BytesIO(stored)) as whole, Image.open(BytesIO(thumbnail.body)) as small:
        assert small.size == whole.size
    again = api.upload(stored)
    assert (again.status, json_of(again)["url"]) == (200, url)


def test_the_bomb_is_stored_without_its_chain(api: Api) -> None:
    profile = profile_of(api.get(json_of(api.upload(case("bomb-icc-9000-stages.png")))["url"]).body)
    assert profile is not None
    assert [name for name, _ in tags_of(profile)] == [b"desc", b"wtpt"]


def test_pixels_that_need_a_palette_and_have_none_are_415(api: Api) -> None:
    assert "need a palette" in problem(api.upload(case("palette-missing.png")), 415, field="img")
    assert api.random().status == 404
