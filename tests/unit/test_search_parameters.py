"""The parameters of a search: each text is taken or refused by its rule, and the filters say what they mean."""

import string
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import search_filters
import search_forms
import search_options
import searched_text
from search_options import Options
from searched_text import SearchedText
from shared.errors import ApiError, BadRequest, UnprocessableValue
from shared.images import Image
from shared.vectors.entry import metadata_of
from tests.support.pictures import File, multipart_body
from tests.support.refusals import outcome
from tools.local.vectors import filters

TAGS = st.lists(st.sampled_from(["red", "blue", "sail", "a-b"]), max_size=3, unique=True)
WORDS = ["grass", "park", "golden", "retriever", "red", "a", "b"]


def image(label: str = "cat", tags: tuple[str, ...] = (), filename: str = "") -> Image:
    return Image(label, "0" * 32 + ".png", 1, "v", 1, 1, 1, "", tags=tuple(sorted(tags)), filename=filename)


def test_without_options_there_are_ten_hits_of_any_image() -> None:
    assert search_options.parse({}) == Options(10, "", "", "", 0.0)
    assert search_filters.of_options(Options()) is None
    assert Options().allow(image())


def test_options_are_parsed_as_other_routes_parse_them() -> None:
    given = {"k": "100", "label": " CAT ", "tag": "Red", "without": " a-b", "least": ".25"}
    assert search_options.parse(given) == Options(100, "cat", "red", "a-b", 0.25)


@pytest.mark.parametrize(("k", "asked"), [(1, 2), (5, 7), (10, 13), (82, 99), (83, 100), (100, 100)])
def test_a_few_more_are_asked_for_than_are_wanted(k: int, asked: int) -> None:
    assert Options(k).asked == asked


@given(st.sampled_from(search_options.NAMES), st.text() | st.from_regex(r"[0-9.eE+-]{1,5}", fullmatch=True))
@example("k", "²")
@example("k", "0")
@example("k", "101")
@example("k", "01")
@example("least", "1.0")
@example("least", "1.0000001")
@example("least", "-0.0")
@example("least", "-1e-9")
@example("least", "nan")
@example("least", "2.2250738585072014e-308")
@example("least", "1e999")
@example("label", "cat ")
@example("without", "")
def test_any_option_is_taken_or_refused_by_name(name: str, text: str) -> None:
    taken = outcome(search_options.parse, {name: text})
    if isinstance(taken, Options):
        assert 1 <= taken.k <= 100
        assert 0 <= taken.least <= 1
    else:
        assert (type(taken), taken.field) == (UnprocessableValue, name)


@given(st.text(max_size=210))
@example("")
@example(" ")
@example("!?")
@example("\x00a")
@example("a\nb")
@example("\ud800a")
@example("a\u2028b")
@example("\U000f0000a")
@example("ab")
@example("Wiese im Frühling")
@example("　猫　と　公園")
@example("هٰذا")
@example("हिन्दी")
@example("ﬃ")
@example("\u0301")
@example("²")
@example("a" * 200)
@example("a " * 100 + "b")
def test_any_text_is_taken_or_refused(text: str) -> None:
    found = outcome(searched_text.parse, text)
    if isinstance(found, SearchedText):
        assert len(found.typed) <= searched_text.TEXT_MAX
        assert found.typed in text
        assert 1 <= len(found.words) <= 10
        assert found.matched(found.words) == found.words
        assert found.matched([found.whole])
        assert not found.matched([])
    else:
        assert (type(found), found.field) == (UnprocessableValue, "q")


@pytest.mark.parametrize(
    ("text", "words", "whole"),
    [
        ("meadow", ("meadow",), "meadow"),
        ("  A picture, with FLOWERS! ", ("a", "picture", "with", "flowers"), "a-picture-with-flowers"),
        ("golden-retriever", ("golden", "retriever"), "golden-retriever"),
        (string.ascii_letters[:26].replace("", " "), tuple("abcdefghij"), "a-b-c-d-e-f-g-h-i-j"),
    ],
)
def test_the_words_of_a_text(text: str, words: tuple[str, ...], whole: str) -> None:
    found = searched_text.parse(text)
    assert (found.words, found.whole, found.typed) == (words, whole, text.strip())


def test_one_word_of_several_is_not_enough() -> None:
    text = searched_text.parse("a picture with flowers")
    assert text.matched(["flowers", "picture"]) == ()
    assert text.matched(["flowers", "with", "picture", "a"]) == ("a", "picture", "with", "flowers")
    assert text.matched(["a-picture-with-flowers"]) == ("a-picture-with-flowers",)


@given(
    st.sampled_from(["cat", "dog"]),
    TAGS,
    st.lists(st.sampled_from(WORDS), max_size=4),
    st.builds(
        Options,
        label=st.sampled_from(["", "cat"]),
        tag=st.sampled_from(["", "red", "a-b"]),
        without=st.sampled_from(["", "red", "blue"]),
    ),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join),
)
def test_the_filters_are_what_the_rows_and_words_say(
    label: str, tags: list[str], recognised: list[str], options: Options, text: str
) -> None:
    """By the filters of our S3 Vectors, whose rules are the strictest reading of the documentation of AWS."""
    searched, its = searched_text.parse(text), image(label, tuple(tags), "golden.png")
    metadata = metadata_of(its, [(name, 90.0) for name in recognised])
    plain = {name: value for name, value in metadata.items() if name not in ("version", "state")}

    def passes(wanted: Any) -> bool:
        return wanted is None or filters.parse(wanted, ("version", "state"))(plain)

    assert passes(search_filters.of_options(options)) == options.allow(its)
    matched = bool(searched.matched(list(metadata.get("words", ()))))
    assert passes(search_filters.with_words(searched, options)) == (options.allow(its) and matched)


# --- the form ---


def parsed(fields: list[Any], **query: str) -> tuple[bytes, Options]:
    return search_forms.parse(*multipart_body(fields), query)


def test_options_are_fields_or_parameters() -> None:
    fields = [("img", File(b"x")), ("k", "3"), ("label", "Cat")]
    assert parsed(fields, tag="red", least="1") == (b"x", Options(3, "cat", "red", "", 1.0))
    assert parsed([("img", File(b"x"))]) == (b"x", Options())


WRONG: dict[str, tuple[list[Any], dict[str, str], type[ApiError], str | None]] = {
    "an option in both": ([("k", "3")], {"k": "3"}, BadRequest, "k"),
    "an option twice": ([("k", "3"), ("k", "3")], {}, BadRequest, "k"),
    "a field of an upload": ([("weight", "0.5")], {}, BadRequest, "weight"),
    "a text to search for": ([], {"q": "cat"}, BadRequest, "q"),
    "the same as a field": ([("q", "cat")], {}, BadRequest, "q"),
    "an option that breaks its rule": ([("least", "2")], {}, UnprocessableValue, "least"),
    "a parameter that breaks its rule": ([], {"without": "a_b"}, UnprocessableValue, "without"),
    "an option as a file": ([("k", File(b"3"))], {}, BadRequest, "k"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_form_names_the_field(what: str) -> None:
    fields, query, error, field = WRONG[what]
    with pytest.raises(error) as refusal:
        parsed([("img", File(b"x")), *fields], **query)
    assert refusal.value.field == field


def test_a_form_without_a_picture_is_refused_with_a_command_that_works() -> None:
    with pytest.raises(BadRequest) as missing:
        parsed([("k", "3")])
    assert (missing.value.field, "curl -F img=@cat.jpg" in missing.value.detail) == ("img", True)
    with pytest.raises(ApiError) as no_form:
        search_forms.parse(b"{}", "application/json", {})
    assert "label" not in no_form.value.detail
    assert search_forms.LAYOUT.listed == "img, k, label, tag, without and least"
