"""Files that a phone, a camera or an attacker sent once: what is stored is what browsers show, and nothing else."""

import io
import time

import pytest
from PIL import Image

from tests.support.answers import problem
from tests.support.cloud import ROOT
from tests.support.hosts import Api, json_of
from tests.support.pixels import pixels

CASES = ROOT / "tests/images/cases"

pytestmark = pytest.mark.also_in_make_run(why="the emulator's bucket and functions get the same odd bytes", slow=True)


def stored(api: Api, name: str) -> bytes:
    """Upload this case, and return what is stored of it, after checking that it is drawn and taken again as it is."""
    answer = api.upload((CASES / name).read_bytes())
    assert answer.status == 201, answer
    content = api.get(json_of(answer)["url"]).body
    assert api.random().body == content
    assert api.upload(content).status == 200
    return content


def test_bytes_between_segments_are_not_stored(api: Api) -> None:
    sent = (CASES / "j-junk-before-dqt.jpg").read_bytes()
    frame = sent.index(b"\xff\xc0")
    assert sent[frame - 5 : frame] == bytes(5)
    assert stored(api, "j-junk-before-dqt.jpg") == sent[: frame - 5] + sent[frame:]


def test_the_first_exif_says_that_the_picture_is_upright(api: Api) -> None:
    content = stored(api, "j-exif1-exif6.jpg")
    with Image.open(io.BytesIO(content)) as picture:
        assert (picture.size, picture.getexif().get(0x0112)) == ((48, 32), None)
    assert b"Exif" not in content
    thumbnail = api.get(f"{json_of(api.upload(content))['url']}?size=256", Accept="image/jpeg")
    with Image.open(io.BytesIO(thumbnail.body)) as picture:
        assert picture.size == (48, 32)


def test_the_trailer_of_a_samsung_phone_becomes_the_end_marker(api: Api) -> None:
    sent = (CASES / "j-noeoi-samsung.jpg").read_bytes()
    content = stored(api, "j-noeoi-samsung.jpg")
    assert content == sent[: len(content) - 2] + b"\xff\xd9"
    assert pixels(content) == pixels(sent[: sent.index(b"SEFH")] + b"\xff\xd9")
    assert b"Panorama" in sent
    assert not [word for word in (b"Image_", b"Panorama", b"SEF") if word in content]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("j-lossless-sof3.jpg", "it is lossless"), ("slow-arithmetic-2800.jpg", "it is arithmetic-coded")],
)
def test_a_kind_of_jpeg_that_most_browsers_do_not_show_is_415_at_once(api: Api, name: str, kind: str) -> None:
    start = time.process_time()
    detail = problem(api.upload((CASES / name).read_bytes()), 415, field="img")
    assert time.process_time() - start < 0.5  # second
    assert f"a kind of JPEG that most browsers do not show ({kind})" in detail
    assert api.random().status == 404


def test_a_profile_of_20_000_stages_is_stored_without_them(api: Api) -> None:
    sent = (CASES / "bomb-icc-20000-stages.jpg").read_bytes()
    content = stored(api, "bomb-icc-20000-stages.jpg")
    assert b"D2B0" in sent
    assert b"D2B0" not in content
    assert pixels(content) == pixels(sent)
    start = time.process_time()
    assert api.get(f"{json_of(api.upload(content))['url']}?size=256").status == 200
    assert time.process_time() - start < 0.5  # second
