"""imported.csv: each entry comes back, whatever else the file has in it."""

import csv
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from petapi_client.journal import COLUMNS, STORED, Entry, Journal, last_divisor
from petapi_client.problem import BadInput

URL, LABEL = "http://127.0.0.1:3000", "cat"
texts = st.text(st.characters(exclude_categories=[]), max_size=20).filter(lambda text: "\0" not in text)
entries = st.builds(
    Entry, st.just(STORED), st.just(URL), st.just(LABEL), st.just("10"), texts, texts, texts, texts, texts, texts, texts
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("journal")


def read(place: Path) -> list[Entry]:
    return Journal(place).read(URL, LABEL)


@given(st.lists(entries, max_size=4), st.lists(entries, max_size=4))
def test_each_entry_comes_back_as_it_was(place: Path, first: list[Entry], second: list[Entry]) -> None:
    (place / "imported.csv").unlink(missing_ok=True)
    for added in (first, second):
        with Journal(place) as journal:
            for entry in added:
                journal.add(entry)
    utf8 = [entry for entry in [*first, *second] if not any("\ud800" <= c <= "\udfff" for c in "".join(entry.key))]
    assert [entry for entry in read(place) if entry in utf8] == utf8


@pytest.mark.parametrize("point", [0xD800, 0xDBFF, 0xDC00, 0xDC7F, 0xDD00, 0xDFFF], ids=hex)
def test_a_half_of_a_character_does_not_end_the_import(place: Path, point: int) -> None:
    (place / "imported.csv").unlink(missing_ok=True)
    entry = Entry(STORED, URL, LABEL, "10", f"a{chr(point)}b.png", *(["x"] * 6))
    with Journal(place) as journal:
        journal.add(entry)
    assert [found.status for found in read(place)] == [STORED]


@given(st.binary(max_size=300) | st.text('",=\r\n0123', max_size=60).map(str.encode), st.booleans())
def test_any_bytes_are_entries_or_a_sentence(place: Path, content: bytes, has_head: bool) -> None:
    head = ",".join(COLUMNS).encode() + b"\r\n" if has_head else b""
    (place / "imported.csv").write_bytes(head + content)
    if not has_head and content:
        assume(not ",".join(COLUMNS).encode().startswith(content))
        with pytest.raises(BadInput, match="is no journal of petapi"):
            read(place)
        return
    assert all(entry.url == URL for entry in read(place))
    with Journal(place) as journal:
        journal.add(Entry(STORED, URL, LABEL, "10", "new.png"))
    assert read(place)[-1].file == "new.png"


@pytest.mark.parametrize("size", [200_000, 10])
def test_a_cell_without_an_end_is_no_journal(place: Path, size: int) -> None:
    (place / "imported.csv").write_bytes(b'"' + b"x" * size + b"\n")
    with pytest.raises(BadInput, match="is no journal of petapi"):
        read(place)


@pytest.mark.parametrize("text", ["", "0", "7", "²", "9" * 5000, "-10", "1e3"])
def test_only_a_power_of_ten_is_what_weights_were_divided_by(text: str) -> None:
    good, odd = Entry(STORED, URL, LABEL, "100"), Entry(STORED, URL, LABEL, text)
    assert last_divisor([good, odd]) == 100
    assert last_divisor([odd]) is None


def test_a_spreadsheet_computes_none_of_its_cells(place: Path) -> None:
    (place / "imported.csv").unlink(missing_ok=True)
    with Journal(place) as journal:
        journal.add(Entry(STORED, URL, LABEL, "10", "=1+1.png", detail="+49"))
    with (place / "imported.csv").open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []
    assert read(place)[0].file == "=1+1.png"
