"""Weights of any scale keep their proportions exactly, and CSV files give each text back."""

import csv
import io
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from petapi_client import api, cells, plan, weights, weights_csv
from petapi_client.journal import BEGUN, Entry, last_divisor
from petapi_client.problem import BadInput
from petapi_client.values import Image
from shared import images, limits
from shared.api import paging

UNITS = 10**9
numbers = st.builds(lambda digits, places: Decimal(digits).scaleb(-places), st.integers(1, 10**12), st.integers(0, 12))
filenames = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=40).filter(images.is_filename)
written = st.text(alphabet="'=+-@\t\r\nab,\" ＝＠;|", max_size=12)  # noqa: RUF001 (the wide forms)


def image(number: int, weight: int, filename: str, tags: tuple[str, ...] = ()) -> Image:
    return Image(
        f"cat/{number:032x}.jpg", "cat", weights.weight_of(weight), "image/jpeg", 1, 1, 1, "", tags, filename, ""
    )


@given(st.lists(numbers, min_size=1, max_size=30))
def test_one_power_of_ten_divides_all_weights_and_keeps_their_proportions(given_weights: list[Decimal]) -> None:
    parsed = [weights.parse_weight(f"{weight:f}") for weight in given_weights]
    divisor = weights.smallest_divisor(parsed)
    units = [weights.units_of(weight, divisor) for weight in parsed]

    assert set(str(divisor)[1:]) <= {"0"}
    assert all(0 < each < UNITS for each in units)
    assert divisor == 1 or max(parsed) * 10 >= divisor
    assert [each / sum(units) for each in units] == [weight / sum(parsed) for weight in parsed]


@given(st.integers(1, UNITS - 1))
def test_a_weight_of_the_api_comes_back_as_it_was(units: int) -> None:
    text = weights.text_of(weights.weight_of(units))

    assert text == images.decimal(units)
    assert images.parse_weight(text) == units
    assert weights.units_of(weights.parse_weight(text), weights.smallest_divisor([Fraction(text)])) == units


@given(numbers, st.integers(0, 6))
def test_rounding_is_to_the_nearest_weight(weight: Decimal, power: int) -> None:
    units = Fraction(weight) * UNITS / (weights.smallest_divisor([Fraction(weight)]) * 10**power)
    try:
        whole = weights.rounded(units)
    except ValueError:
        assert units <= Fraction(1, 2)
    else:
        assert 0 < whole < UNITS
        assert abs(whole - units) <= Fraction(1, 2) or whole == UNITS - 1


def test_1_to_100_are_thousandths() -> None:
    parsed = [weights.parse_weight(f"{number}") for number in range(1, 101)]
    assert weights.smallest_divisor(parsed) == 1000
    assert [weights.units_of(weight, 1000) for weight in parsed] == [number * 10**6 for number in range(1, 101)]
    assert weights.smallest_divisor([Fraction(999, 1000)]) == 1
    assert weights.smallest_divisor([Fraction(1)]) == 10
    assert weights.smallest_divisor([]) == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0,5", "with a point, such as 0.5"),
        ("0", "not above 0"),
        ("0.000", "not above 0"),
        *((text, "no number above 0") for text in ("-1", "nan", "inf", "1/2", "five", "0x10", "1e999", "٣", "1_000")),
        ("9" * 61, "no number above 0"),
    ],
)
def test_what_is_no_weight_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        weights.parse_weight(text)


def test_all_weights_are_looked_at_once_however_many_there_are() -> None:
    looks = 0

    class Rows(dict[str, weights_csv.Row]):
        def values(self) -> Any:
            nonlocal looks
            looks += 1
            return super().values()

    rows = Rows((f"{number}", weights_csv.Row(number, f"{number}", weight=Fraction(number))) for number in range(1, 99))
    found, error = plan.scaled(plan.Wishes("weights.csv", rows, (), ()), 100, rounding=False)
    assert (len(found), error, looks) == (98, 0, 1)


@given(filenames, filenames, st.integers(1, UNITS - 1))
def test_weights_csv_gives_back_names_weights_and_tags(first: str, second: str, units: int) -> None:
    stored = [image(1, units, first, ("a", "b")), image(2, 1, second)]

    rows = weights_csv.parse(weights_csv.text_of(stored).encode())

    assert [row.filename for row in rows] == [first, second]
    assert [row.file for row in rows] == [each.name for each in stored]
    assert [row.weight for row in rows] == [Fraction(units, UNITS), Fraction(1, UNITS)]
    assert [row.tags for row in rows] == [("a", "b"), ()]


@given(written | filenames)
def test_no_cell_is_a_formula_and_each_comes_back(text: str) -> None:
    cell = cells.escaped(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＠"))  # noqa: RUF001
    assert cells.unescaped(cell) == text


def test_a_name_is_written_as_it_is_unless_it_is_a_formula() -> None:
    assert [cells.escaped(name) for name in ("tom.jpg", "'tom'.jpg", "=1+1", "'=1", "-1.jpg")] == [
        *("tom.jpg", "'tom'.jpg", "'=1+1", "''=1", "'-1.jpg"),
    ]


PLAIN = "file,filename,weight,tags\r\ntöm.jpg,,3,a b\r\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        PLAIN.replace("\r\n", "\n").encode(),
        PLAIN.replace("\r\n", "\n\n").encode(),
        PLAIN.replace("\r\n", "\r").encode(),
        PLAIN.rstrip().encode(),
        PLAIN.upper().replace("TÖM.JPG", "töm.jpg").encode(),
        PLAIN.replace("töm.jpg", '"./töm.jpg"').encode(),
        PLAIN.replace("a b", '"b,a"').encode(),
        (PLAIN + ",,,\r\n").encode(),
    ],
)
def test_a_csv_file_may_be_written_in_many_ways(content: bytes) -> None:
    (row,) = weights_csv.parse(content)
    assert (row.file, row.filename, row.weight, row.tags) == ("töm.jpg", "", 3, ("a", "b"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "must begin with the line file,filename,weight,tags; only file is required."),
        (b"tom.jpg,5\n", "must begin with the line"),
        (b"file;weight\ntom.jpg;5\n", "with commas between the columns"),
        (b"file,wieght\ntom.jpg,5\n", "has the unknown column wieght; it may have file, filename, weight, tags."),
        (b"file,file\na,b\n", "has the column file twice"),
        (b"file,weight\ntom.jpg\n", "line 2: there are 1 cells for 2 columns"),
        (b"file,weight\nmax, moritz.jpg,5\n", "line 2: there are 3 cells for 2 columns; put a text that has a comma"),
        (b"file,weight\ntom.jpg,many\n", "line 2: weight many is no number above 0"),
        (b"file,weight\ntom.jpg,1\nada.jpg,2\ntom.jpg,3\n", "line 4: tom.jpg is in line 2 already"),
        (b"file,weight\n./tom.jpg,1\ntom.jpg,1\n", "line 3: tom.jpg is in line 2 already"),
        (b"file\n/etc/passwd\n", "line 2: file /etc/passwd leads out of the folder"),
        (b"file\ncats/../../tom.jpg\n", "leads out of the folder"),
        (b"file\n..\\tom.jpg\n", "leads out of the folder"),
        (b"file\nC:\\tom.jpg\n", "leads out of the folder"),
        (b"file\n.\n", "leads out of the folder"),
        (b"file,weight\n,1\n", "line 2: file is empty"),
        (b"file,filename\ntom.jpg,a/b.jpg\n", "line 2: filename a/b.jpg may have at most 255 characters"),
        (b"file,tags\ntom.jpg,1st\n", "line 2: tag 1st must begin with a letter"),
        (b"file,tags\ntom.jpg,a b c d e f\n", "line 2: 6 tags are too many"),
        ("file\ntöm.jpg\n".encode("latin-1"), "line 2 is not in UTF-8; save the file as CSV in UTF-8."),
        (b'file\n"tom.jpg\n', "is no CSV"),
        (b'file\n"tom".jpg\n', "is no CSV"),
        (b"\xff\xfef\x00i", "is not in UTF-8"),
        (b"file\n" + b"x" * 200_000, "is no CSV"),
    ],
)
def test_what_is_wrong_in_a_csv_file_is_one_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        weights_csv.parse(content)
    assert sentence in f"{refused.value}"
    assert f"{refused.value}".startswith("weights.csv")
    assert f"{refused.value}".endswith(".")
    assert "\n" not in f"{refused.value}"


def test_each_wrong_row_is_named_up_to_ten() -> None:
    with pytest.raises(BadInput) as refused:
        weights_csv.parse(b"file,weight\n" + b"".join(b"%d.jpg,-\n" % number for number in range(25)))
    *shown, more = f"{refused.value}".splitlines()
    assert [line.partition(":")[0] for line in shown] == [f"weights.csv, line {line}" for line in range(2, 12)]
    assert more == "(and 15 more of these)"


@given(st.binary(max_size=200) | st.text(alphabet="file,weight\n\r\"'.5/", max_size=60).map(str.encode))
def test_any_bytes_are_rows_or_a_sentence(content: bytes) -> None:
    try:
        rows = weights_csv.parse(content)
    except BadInput:
        return
    assert all(row.file for row in rows)


def test_a_csv_file_of_another_program_reads_the_same() -> None:
    """The export is RFC 4180: Python's reader, with its defaults, finds the same cells."""
    text = weights_csv.text_of([image(1, 5 * 10**8, 'a, "b".jpg', ("x",))])
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["file", "filename", "weight", "tags"],
        [f"{1:032x}.jpg", 'a, "b".jpg', "0.5", "x"],
    ]
    assert text.endswith("\r\n")


def test_the_client_has_the_rules_of_the_api() -> None:
    assert weights_csv.FILENAME.pattern == images.FILENAME
    assert weights_csv.TAG.pattern == images.LABEL.pattern
    assert weights_csv.TAGS_MAX == images.TAGS_MAX
    assert weights.UNITS == images.UNITS
    assert weights.text_of(plan.DEFAULT_WEIGHT) == images.decimal(images.DEFAULT_WEIGHT)
    assert (api.FORM_MAX, api.FILE_MAX, api.PAGE) == (limits.BODY_MAX, limits.FILE_MAX, paging.LIMIT_MAX)


@pytest.mark.parametrize("text", ["9e40", "9" * 57 + "e99"])
def test_the_divisor_of_any_weight_can_be_named_and_is_found_in_the_journal(text: str) -> None:
    divisor = weights.smallest_divisor([weights.parse_weight(text)])
    assert weights.parse_divisor(f"{divisor}") == divisor
    assert last_divisor([Entry(BEGUN, "http://127.0.0.1:3000", "cat", f"{divisor}")]) == divisor
