"""Each boundary that a client may choose is read from the content type; for another the refusal says what is wrong."""

import string
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

import form
from shared.errors import BadRequest
from shared.forms import boundary as boundaries
from tests.support.pictures import File, multipart_body
from tests.support.refusals import outcome

TYPE = "multipart/form-data; boundary="
of_content_type = partial(boundaries.of_content_type, example="curl -F img=@cat.jpg")
OF_MAIL = string.digits + string.ascii_letters + "'()+_,-./:=?"  # RFC 2046, section 5.1.1, which adds the space
OF_TOKENS = string.digits + string.ascii_letters + "!#$%&'*+-.^_`|~"  # RFC 9110, section 5.6.2
BARE = sorted({*OF_MAIL, *OF_TOKENS, *"{}[]<>@"})
VISIBLE = "".join(map(chr, range(0x20, 0x7F)))


def bare(boundary: str) -> str:
    return TYPE + boundary


def quoted(boundary: str) -> str:
    return TYPE + '"' + boundary.replace("\\", "\\\\").replace('"', '\\"') + '"'


def quoted_throughout(boundary: str) -> str:
    """Write each character as a quoted-pair (RFC 9110, section 5.6.4)."""
    return TYPE + '"' + "".join(f"\\{each}" for each in boundary) + '"'


@given(st.text(BARE, min_size=1, max_size=70), st.sampled_from([bare, quoted, quoted_throughout]))
def test_a_boundary_of_the_characters_of_mail_and_of_tokens_is_taken(
    boundary: str, write: Callable[[str], str]
) -> None:
    taken_with(boundary, write(boundary))


@given(st.text(VISIBLE, min_size=1, max_size=70).filter(lambda text: text[-1] != " "))
def test_in_quotes_a_boundary_may_have_all_that_can_be_seen_and_spaces(boundary: str) -> None:
    taken_with(boundary, quoted(boundary))


@given(st.text(BARE, min_size=1, max_size=70), st.sampled_from([bare, quoted]))
def test_other_parameters_may_surround_it(boundary: str, write: Callable[[str], str]) -> None:
    written = write(boundary).removeprefix(TYPE)
    assert of_content_type(f'Multipart/Form-Data;x="boundary=no; boundary=";Boundary={written} ; charset=x') == boundary


def taken_with(boundary: str, content_type: str) -> None:
    """Assert that this is the boundary, and that a form which has it in its file as well is read."""
    assert of_content_type(content_type) == boundary
    img = f"\xff\r\n-{boundary}\r\n--{boundary[:-1]}\r\n".encode("latin-1")
    body, _ = multipart_body([("label", "cat"), ("img", File(img))], boundary=boundary)
    assert form.parse(body, content_type).img == img


WRONG = {
    "": "has no boundary",
    "; charset=utf-8": "has no boundary",
    "; boundary": "has no boundary",
    "; boundary*=utf-8''b": "has no boundary",
    '; x="; boundary=b"': "has no boundary",
    "; boundary=": "is empty",
    '; boundary=""': "is empty",
    "; boundary= ; x=y": "is empty",
    "; boundary=" + "b" * 71: "has 71 characters, but may have at most 70",
    '; boundary="' + "b" * 5000 + '"': "has 5000 characters, but may have at most 70",
    "; boundary=b; boundary=b": "has 2 boundaries instead of one",
    "; boundary=b; BOUNDARY=c; boundary=": "has 3 boundaries instead of one",
    '; boundary="b "': "ends in a space",
    '; boundary=" "': "ends in a space",
    "; boundary=b c": "goes on after its end",
    "; boundary=b, text/plain": "goes on after its end",
    '; boundary="b"c': "goes on after its end",
    '; boundary="b': "does not end with one",
    '; boundary="': "does not end with one",
    "; boundary=\xfc": "not visible ASCII",
    '; boundary="b\n"': "not visible ASCII",
    '; boundary="b\0"': "not visible ASCII",
    '; boundary="\ud800"': "not visible ASCII",
}


@pytest.mark.parametrize("parameters", WRONG, ids=lambda text: ascii(text)[:40])
def test_the_refusal_says_what_is_wrong_with_the_boundary_that_is_there(parameters: str) -> None:
    with pytest.raises(BadRequest) as caught:
        of_content_type("multipart/form-data" + parameters)
    assert WRONG[parameters] in caught.value.detail
    assert caught.value.detail.endswith(".")


@given(st.text(VISIBLE + "\0\t\r\n\x85\xa0\xff\ud800", max_size=90))
def test_any_parameters_have_a_boundary_or_are_refused(parameters: str) -> None:
    found = outcome(of_content_type, "multipart/form-data;" + parameters)
    if isinstance(found, BadRequest):
        assert "boundar" in found.detail
    else:
        assert 1 <= len(found) <= 70
        assert found.isascii()
        assert found.isprintable()


@pytest.mark.parametrize("piece", [" ", ";", "=", '"', "\\", "; boundary", '="\\'])
def test_a_long_content_type_takes_no_long_time(piece: str) -> None:
    for begin in ("multipart/form-data;", "multipart/form-data; boundary=", 'multipart/form-data; boundary="'):
        with pytest.raises(BadRequest):
            of_content_type(begin + piece * 20_000)
