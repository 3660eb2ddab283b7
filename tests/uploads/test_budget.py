"""Pictures beyond the budget of work: what uploads, direct uploads and thumbnails answer."""

import resource
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import UnprocessableValue
from shared.pictures import budget, decoding
from shared.pictures.budget import CannotBeShown, TooMuchMemory
from shared.pictures.check import check_picture
from shared.pictures.scaling import scaled
from shared.pictures.stripping.strip_jpeg import MAX_SCANS
from shared.recognition import pixels
from shared.recognition.detections import UnrecognisableNow
from tests.support import pictures
from tests.support.cloud import ROOT
from tests.support.heaviest import inks_profile, with_profile
from tests.support.heavy_pictures import groups_webp, progressive_jpeg
from tests.support.ingest_scene import send
from tests.support.memory_uploads import MemoryCloud, memory_cloud
from tests.support.refusals import outcome


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """Return 12 MB of groups of codes, for which libwebp asks for 1.2 GB."""
    return groups_webp(1_024, 65_536, large=True)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryCloud]:
    monkeypatch.setenv("PUBLIC_WRITES", "true")
    with memory_cloud() as cloud:
        yield cloud


def test_a_bomb_is_422_and_named(bomb: bytes) -> None:
    with pytest.raises(UnprocessableValue) as caught:
        check_picture(bomb)
    assert f"takes more than {budget.MEMORY // 10**6} MB of memory" in caught.value.detail
    assert caught.value.field == "img"


def test_a_direct_upload_of_a_bomb_has_failed_at_once_and_for_good(cloud: MemoryCloud, bomb: bytes) -> None:
    sent = send(1, bomb, cloud=cloud)
    assert sent.deliver_once(), "the message must not come again"
    shown = sent.state()
    assert (shown["state"], shown["error"]["status"]) == ("failed", 422)
    assert "of memory" in shown["error"]["detail"]
    assert sent.images() == []
    assert cloud.files() == []
    assert len(sent.callbacks()) == 1


def test_what_headers_show_is_refused_before_anything_is_decoded() -> None:
    bomb = progressive_jpeg(7_064, 3, MAX_SCANS)
    start = time.process_time()
    with pytest.raises(UnprocessableValue, match="scans"):
        check_picture(bomb)
    assert time.process_time() - start < 0.5  # second


def test_a_bomb_that_an_older_version_stored_is_neither_scaled_nor_recognised(bomb: bytes) -> None:
    with pytest.raises(TooMuchMemory):
        decoding.small(bomb, 256)
    with pytest.raises(UnrecognisableNow, match="too large: decoding it takes more than"):
        pixels.small(bomb, "image/webp", 64)


@pytest.mark.parametrize("name", ["bomb-icc-9000-stages.png", "bomb-icc-20000-stages.jpg"])
def test_a_stored_bomb_in_a_profile_has_a_thumbnail_in_half_a_second(name: str) -> None:
    content = (ROOT / "tests/images/cases" / name).read_bytes()
    start = time.process_time()
    assert scaled(content, 256, "webp")
    assert time.process_time() - start < 0.5  # second


def test_a_stored_picture_of_many_scans_is_not_decoded_here() -> None:
    """An arithmetic-coded JPEG, which is refused now, took 30 seconds for each thumbnail."""
    bomb = progressive_jpeg(4_096, 3, MAX_SCANS, frame_marker=0xCA)
    start = time.process_time()
    with pytest.raises(CannotBeShown):
        decoding.small(bomb, 256)
    assert time.process_time() - start < 0.5  # second


damaged = st.tuples(st.integers(0, 10**6), st.integers(0, 255))
SOUND = [
    pictures.webp(1, (64, 48), lossless=True),
    pictures.animated_webp(2),
    with_profile(pictures.jpeg(3, (64, 48)), inks_profile(3)),
    progressive_jpeg(64, 3, MAX_SCANS),
]


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(SOUND), st.lists(damaged, max_size=6))
def test_no_damaged_picture_takes_more_than_the_budget(content: bytes, changes: list[tuple[int, int]]) -> None:
    data = bytearray(content)
    for place, value in changes:
        data[place % len(data)] = value
    start = used()
    outcome(check_picture, bytes(data))
    assert used() - start < 2 * budget.CHECK_SECONDS


def used() -> float:
    """Return the CPU seconds of this process and of the children that it waited for."""
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in found)
