"""A hundred bombs by direct uploads before honest pictures: how long these wait, beside waiting for plain pictures.

They are sent in rounds by turns, so that a machine that gets busier does so for both.  The queue has an order, and the
waits of all rounds together are the wait behind a hundred.
"""

import io
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support import pictures
from tests.support.direct import PATIENCE, ask, client, curl, ended, resource, state_of
from tests.support.heaviest import BOMBS
from tests.support.hosts import new_label
from tests.support.local_service import ROOT, LocalService

COUNT = 100
ROUNDS = 5
LOT = COUNT // ROUNDS  # each kind of bomb twice
RATIO = 2.0
PLAIN_SIZE = (4_032, 3_024)  # pixels: what telephones take, 12 million
SENDERS = 4  # files at a time
EITHER = "recognised or failed"  # its CPU time is near the budget: fast machines take it
# Name of the bomb, and how its upload ends.
KINDS = {
    "PNG with a bomb in its profile": "recognised",
    "JPEG with a bomb in its profile": "recognised",
    "WebP of 65,536 large groups": "failed",
    "WebP of 100,000 large groups": "failed",
    "WebP of 65,536 small groups": EITHER,
    "animated WebP of large groups": "failed",
    "arithmetic-coded JPEG, 100 scans": "failed",
    "JPEG of 50 megapixels, 99 scans": "failed",
    "JPEG of DRI segments": "failed",
    "PNG of empty IDAT chunks": "failed",
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    with LocalService(tmp_path_factory.mktemp("bombs") / "data", variables={"LABELS": "*"}) as service:
        yield service.be_patient()


def photograph() -> bytes:
    """Make a JPEG as a telephone does: 12 million pixels with grain, 3 to 5 MB."""
    with Image.open(ROOT / "tests/images/rocket.jpg") as small:
        grown = small.resize(PLAIN_SIZE, Image.Resampling.BICUBIC)
    grain = Image.effect_noise(PLAIN_SIZE, 40).convert("RGB")
    file = io.BytesIO()
    Image.blend(grown, grain, 0.12).save(file, "JPEG", quality=90)
    return file.getvalue()


def different(content: bytes, number: int) -> bytes:
    """Return a picture of other bytes that costs the same, so that no result of another one is used for it."""
    if content.startswith(b"\xff\xd8"):
        at = content.index(b"\xff\xdb") + 5 + 63  # the last divisor of the first table
        return content[:at] + bytes([number + 1]) + content[at + 1 :]
    if content.startswith(b"RIFF"):
        return content[:-2] + number.to_bytes(2)  # no pixel needs these bits
    return content


def test_bombs_delay_an_honest_upload_by_at_most_twice_what_plain_pictures_do(
    slow_tier: None, service: LocalService, tmp_path: Path
) -> None:
    plain, honest = photograph(), pictures.jpeg(1, (640, 480))
    bombs = {name: BOMBS[name].make() for name in KINDS}
    assert 3_000_000 < len(plain) < 5_000_000
    plains = [(different(plain, number), "recognised") for number in range(COUNT)]
    named = islice(cycle(KINDS.items()), COUNT)
    heavy = [(different(bombs[name], number), state) for number, (name, state) in enumerate(named)]
    behind_plain = behind_bombs = 0.0
    wait_behind(service, [], honest, tmp_path)  # the function's first call takes longer
    for number in range(ROUNDS):
        behind_plain += wait_behind(service, plains[number * LOT :][:LOT], honest, tmp_path)
        behind_bombs += wait_behind(service, heavy[number * LOT :][:LOT], honest, tmp_path)
    print(f"behind {COUNT} plain pictures {behind_plain:.1f} s, behind {COUNT} bombs {behind_bombs:.1f} s")
    assert behind_bombs <= RATIO * behind_plain


def wait_behind(service: LocalService, others: list[tuple[bytes, str]], honest: bytes, folder: Path) -> float:
    """Send the others and then the honest picture, and return the seconds that it takes from then until it is stored.

    The queue's messages are stopped while they are sent, so that all of them wait before it.
    """
    switch(service, on=False)

    def sent(number: int, content: bytes) -> Any:
        upload, own = ask(service, label=new_label()), folder / str(number)
        own.mkdir(exist_ok=True)
        assert curl(**upload["upload_info"], content=content, folder=own)[0] == 204
        (own / "file").unlink()
        return upload

    with ThreadPoolExecutor(SENDERS) as threads:
        before = list(threads.map(sent, range(len(others)), [content for content, _ in others]))
    last = sent(len(others), honest)
    start = time.monotonic()
    switch(service, on=True)
    while state_of(service, last)["state"] not in ("stored", "recognised"):
        assert time.monotonic() - start < PATIENCE
        time.sleep(0.05)
    took = time.monotonic() - start
    ends = [ended(service, upload)["state"] for upload in before]
    assert [state if state != EITHER else end for end, (_, state) in zip(ends, others, strict=True)] == ends
    assert set(ends) <= {"recognised", "failed"}
    assert ended(service, last)["state"] == "recognised"
    return took


def switch(service: LocalService, *, on: bool) -> None:
    """Start or stop the messages of the queue of incoming files, as the template's Writes does."""
    functions = client(service, "lambda")
    functions.update_event_source_mapping(UUID=resource(service, "IngestFiles"), Enabled=on)
