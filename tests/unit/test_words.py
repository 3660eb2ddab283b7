"""Words and entries: what a text search compares, and what the index has of an image."""

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.images import FILENAME_MAX, Image, is_filename
from shared.vectors import entry, words
from shared.vectors.entry import FILTERABLE_MAX, HIDDEN, metadata_of, state_of

IMAGE = Image("cat", f"{1:032x}.jpg", 5, "v1", 1, 1, 1, "2026-01-01T00:00:00.000Z", tags=("calm", "sunny-day"))
TAG = st.from_regex(r"[a-z][a-z0-9-]{0,31}", fullmatch=True)
FILENAME = st.text(max_size=FILENAME_MAX).filter(is_filename)
LABELS = st.lists(st.tuples(st.text(max_size=60), st.floats(0, 100)), max_size=100)


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("tom.jpg", ["tom-jpg", "tom"]),
        ("MyCat2.jpg", ["mycat2-jpg", "mycat2", "my", "cat", "2"]),
        ("HTMLPage.webp", ["htmlpage-webp", "htmlpage", "html", "page"]),
        ("red_barn at dusk.PNG", ["red-barn-at-dusk-png", "red-barn-at-dusk", "red", "barn", "at", "dusk"]),
        ("DSC01234.JPG", ["dsc01234-jpg", "dsc01234", "dsc", "01234"]),
        ("Straßenfest.jpeg", ["straßenfest-jpeg", "straßenfest"]),
        ("cafe\N{COMBINING ACUTE ACCENT}.png", ["café-png", "café"]),
        ("नमस्ते.jpg", ["नमस्ते-jpg", "नमस्ते"]),
        ("猫2.jpg", ["猫2-jpg", "猫2", "猫", "2"]),
        ("archive.tar", ["archive-tar", "archive", "tar"]),
        (".jpg", ["jpg"]),
        ("???", []),
        ("", []),
    ],
)
def test_the_words_of_a_file_name(filename: str, expected: list[str]) -> None:
    assert words.words_of_filename(filename) == expected


def test_the_words_of_tags_and_recognised_labels() -> None:
    assert words.words_of_name("sunny-day") == ["sunny-day", "sunny", "day"]
    assert words.words_of_name("Golden Retriever") == ["golden-retriever", "golden", "retriever"]
    assert words.words_of_name("cat") == ["cat"]
    assert words.words_of_name("!") == []


def test_an_encoder_gets_tags_and_words_that_may_mean_something() -> None:
    image = Image("cat", f"{1:032x}.jpg", 5, "v", 1, 1, 1, "", tags=("calm",), filename="MyCalm Cat2_0815.jpg")
    assert entry.names_of(image) == ["calm", "my", "cat"]


@given(st.text())
def test_words_of_words_are_the_same_words(text: str) -> None:
    found = words.tokens(text)
    assert words.tokens(" ".join(found)) == found
    assert all(word == word.lower() and word.strip() for word in found)


@given(st.text(), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_how_a_text_is_composed_does_not_matter(text: str, form: str) -> None:
    assert words.tokens(unicodedata.normalize(form, text)) == words.tokens(text)  # type: ignore[arg-type]


@given(FILENAME)
def test_a_file_name_is_found_as_it_is_typed(filename: str) -> None:
    """Either the joined word is there, or all words are; the extension by itself is none."""
    typed = words.query_tokens(filename)
    assert not typed or words.joined(typed) in words.words_of_filename(filename)


@given(TAG)
def test_a_tag_is_found_by_each_of_its_words(tag: str) -> None:
    assert set(words.query_tokens(tag)) | {words.joined(words.query_tokens(tag))} == set(words.words_of_name(tag))


@settings(max_examples=40)
@given(st.lists(TAG, max_size=5, unique=True), FILENAME, LABELS)
def test_what_can_be_filtered_by_fits_and_has_all_tags(
    tags: list[str], filename: str, labels: list[tuple[str, float]]
) -> None:
    image = Image("cat", f"{1:032x}.jpg", 5, "v1", 1, 1, 1, "", tags=tuple(sorted(tags)), filename=filename)
    metadata = metadata_of(image, labels)
    filterable = {name: value for name, value in metadata.items() if name not in HIDDEN}
    assert len(json.dumps(filterable)) <= FILTERABLE_MAX
    assert filterable["label"] == "cat"
    assert filterable.get("tags", []) == sorted(tags)
    assert {word for tag in tags for word in words.words_of_name(tag)} <= set(filterable.get("words", []))
    assert all(filterable.values()), "S3 Vectors refuses an empty list"


def test_the_weakest_labels_are_cut_first_then_the_end_of_the_file_name() -> None:
    labels = [(f"label{number:03d}{'x' * 30}", 100.0 - number) for number in range(100)]
    found = metadata_of(IMAGE, labels)["words"]
    kept = [word for word in found if word.startswith("label")]
    assert kept == [name for name, _ in labels][: len(kept)]
    assert 10 < len(kept) < 100
    assert {"calm", "sunny-day", "sunny", "day"} <= set(found)
    long = Image("cat", f"{1:032x}.jpg", 5, "v1", 1, 1, 1, "", filename="猫" * 60 + " " + "犬 " * 90)
    assert metadata_of(long, labels)["words"][0].startswith("猫")


def test_the_state_changes_with_all_that_the_entry_is_made_from_and_with_nothing_else() -> None:
    def changed(**values: object) -> str:
        fields = {name: getattr(IMAGE, name) for name in Image.__slots__}
        return state_of(Image(**{**fields, **values}), [("cat", 50.0)])

    same = state_of(IMAGE, [("cat", 50.0)])
    assert len(same) == 16
    assert {changed(), changed(weight=6), changed(owner="bob")} == {same}
    others = {changed(version_id="v2"), changed(tags=("calm",)), changed(filename="a.jpg")}
    others |= {state_of(IMAGE, labels) for labels in (None, [], [("cat", 51.0)], [("dog", 50.0)])}
    assert len(others - {same}) == 7
