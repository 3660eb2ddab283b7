"""File names: which are allowed, and each way in which clients write them into a form."""

import base64
import json
import re
import shutil
import subprocess
import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

import form
from shared import images
from shared.errors import UnprocessableValue
from tests.support.answers import CONTRACT, parameters
from tests.support.cloud import ROOT
from tests.support.filenames import ALLOWED, is_allowed, names, part_of_form

EVERYTHING = "".join(map(chr, range(0x110000)))
NO_SURROGATES = dict.fromkeys(range(0xD800, 0xE000))  # the contract leaves them to the service: UTF-8 has none


# -- the rule -------------------------------------------------------------------------------------------------------


def only(pattern: str) -> str:
    """Return the characters that a pattern for one of them matches, in order."""
    return "".join(re.findall(f"(?:{pattern})+", EVERYTHING))


def test_all_characters_are_allowed_but_controls_surrogates_overrides_and_folders() -> None:
    assert only(images.FILENAME.removesuffix("{0,255}")) == ALLOWED
    unfit = {each for each in EVERYTHING if unicodedata.category(each) in ("Cc", "Cs")}
    others = set("/\\\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert len(ALLOWED) == len(EVERYTHING) - len(unfit) - len(others)
    assert not [each for each in unfit | others if images.is_filename(each)]


def test_the_contract_has_this_rule_in_one_place() -> None:
    schema = CONTRACT["components"]["schemas"]["Filename"]
    whole_characters = only(schema["pattern"].removeprefix("^").removesuffix("*$")).translate(NO_SURROGATES)
    assert whole_characters == ALLOWED
    assert schema["maxLength"] == images.FILENAME_MAX
    assert images.FILENAME.endswith(f"{{0,{images.FILENAME_MAX}}}")
    one = {"$ref": "#/components/schemas/Filename"}
    listed = {each["name"]: each["schema"] for each in parameters("/images", "get")}
    for name in ("ImageChange", "DirectUpload", "Image"):
        assert CONTRACT["components"]["schemas"][name]["properties"]["filename"].items() >= one.items()
    assert listed["filename"] == {"minLength": 1, **one}


@pytest.mark.skipif(not shutil.which("node"), reason="there is no Node.js")
def test_the_page_and_the_contract_mean_the_same_in_javascript() -> None:
    (ours,) = re.findall(r"^const REFUSED_IN_NAME = /(.*)/u;", (ROOT / "web/page/api.js").read_text(), re.MULTILINE)
    contract = CONTRACT["components"]["schemas"]["Filename"]["pattern"]
    program = f"""
      const ours = new RegExp({json.dumps(ours)}, "u");
      const [contract, older] = ["u", ""].map((flags) => new RegExp({json.dumps(contract)}, flags));
      let allowed = 0;
      for (let code = 0; code < 0x110000; code++) {{
        const text = String.fromCodePoint(code);
        if (contract.test(text) !== older.test(text)) throw new Error(code.toString(16));
        if (code >= 0xd800 && code < 0xe000) continue;
        if (ours.test(text) === contract.test(text)) throw new Error(code.toString(16));
        allowed += contract.test(text);
      }}
      console.log(allowed);
    """
    done = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (f"{len(ALLOWED)}\n", "")


@given(names())
def test_an_allowed_name_stays_as_it_is(name: str) -> None:
    assert images.parse_filename(name) == images.clean_filename(name) == name
    assert images.clean_filename(f"C:\\\\photos/{name}") == name


@given(st.text(max_size=300))
def test_any_text_is_a_file_name_or_refused(text: str) -> None:
    if is_allowed(text) and len(text) <= images.FILENAME_MAX:
        assert images.parse_filename(text) == text
    else:
        with pytest.raises(UnprocessableValue, match="at most 255 characters"):
            images.parse_filename(text)


@pytest.mark.parametrize(
    "name",
    [
        "Screenshot 2026-11-28 at 9.41.00\u202fAM.png",  # macOS
        "a\u00a0b.jpg",
        "全角\u3000空白.jpg",
        "👩\u200d👩\u200d👧.jpg",
        "\u0645\u06cc\u200c\u062e\u0648.jpg",
        "\u200f\u05e2\u05d1.jpg",
        "soft\u00adhyphen.jpg",
        "e\u0301 and \u00e9.jpg",
        "\ufeffbom.jpg",
        "\ue000private.jpg",
        "line\u2028separator.jpg",
    ],
)
def test_names_that_phones_and_desktops_give_are_allowed(name: str) -> None:
    assert images.parse_filename(name) == name


@pytest.mark.parametrize("character", ["\0", "\n", "\x7f", "\x85", "\u202e", "\u2066", "\u2069", "/", "\\", "\ud800"])
def test_names_that_mislead_or_break_lines_are_refused(character: str) -> None:
    with pytest.raises(UnprocessableValue):
        images.parse_filename(f"a{character}b.jpg")


# -- how clients write them -----------------------------------------------------------------------------------------


def read(disposition: bytes, *lines: bytes) -> str:
    """Return the file name that a form has whose file has this header."""
    body, content_type = part_of_form(disposition, *lines)
    return form.parse(body, content_type).filename


def can_be_written_plain(name: str) -> bool:
    """Tell whether nothing else is written as this name is.

    Browsers write %22 for a quotation mark, and for these three characters, too.  Old libraries write encoded words.
    """
    return not re.search(r"%22|=\?\S+\?[bq]\?\S*\?=", name, re.IGNORECASE)


@given(names().filter(can_be_written_plain))
def test_a_name_survives_as_browsers_write_it(name: str) -> None:
    written = name.replace('"', "%22").encode()
    assert read(b'form-data; name="img"; filename="%s"' % written) == name


@given(names().filter(can_be_written_plain))
def test_a_name_survives_as_old_clients_write_it(name: str) -> None:
    written = name.replace('"', '\\"').encode()
    assert read(b'form-data; name="img"; filename="%s"' % written) == name


@given(names().filter(lambda name: can_be_written_plain(name) and ";" not in name))
def test_a_name_survives_where_its_quotation_marks_are_written_as_they_are(name: str) -> None:
    """So do form-data for Node.js and Guzzle for PHP.  After a semicolon it could be the next parameter."""
    assert read(b'form-data; name="img"; filename="%s"' % name.encode()) == name


@given(names(), st.sampled_from(["", '; filename="fallback.jpg"']), st.sampled_from(["UTF-8''", "utf-8'en'"]))
def test_a_name_survives_percent_encoded(name: str, plain: str, charset: str) -> None:
    head = f'form-data; name="img"{plain}; filename*={charset}{quote(name, safe="")}'
    assert read(head.encode()) == name
    turned = f'form-data; name="img"; FileName* = {charset}{quote(name, safe="")}{plain}'
    assert read(turned.encode()) == name


@given(names(min_size=1))
def test_a_name_survives_as_an_encoded_word(name: str) -> None:
    content = name.encode()
    word = base64.b64encode(content).decode()
    assert read(f'form-data; name="img"; filename="=?UTF-8?B?{word}?="'.encode()) == name
    word = "".join(f"={each:02X}" for each in content)
    assert read(f'form-data; name="img"; filename="=?utf-8?q?{word}?="'.encode()) == name


NAMES = {
    b"filename*=utf-8''%C3%A9.jpg": "é.jpg",
    b"filename*=\"utf-8''%C3%A9.jpg\"": "é.jpg",
    b"filename*=ISO-8859-1'en'%A3%20rates.jpg": "£ rates.jpg",
    b"filename*=utf-8''\xc3\xa9.jpg": "é.jpg",
    b"filename*=utf-8''a.jpg; filename=\"b.jpg\"": "a.jpg",
    b"filename=\"b.jpg\"; filename*=utf-8''a.jpg": "a.jpg",
    b"filename=\"x; filename*=utf-8''evil.jpg\"": "x; filename*=utf-8''evil.jpg",
    # broken ones, beside a plain name and alone
    b"filename=\"b.jpg\"; filename*=utf-8''%FF": "b.jpg",
    b"filename=\"b.jpg\"; filename*=utf-8''%zz": "b.jpg",
    b"filename=\"b.jpg\"; filename*=utf-8''%": "b.jpg",
    b'filename="b.jpg"; filename*=a.jpg': "b.jpg",
    b"filename=\"b.jpg\"; filename*=rot13''n.wct": "b.jpg",
    b"filename=\"b.jpg\"; filename*=unicode_escape''%5Cx41": "b.jpg",
    b"filename=\"b.jpg\"; filename*=zip''a": "b.jpg",
    b'filename="b.jpg"; filename*=': "b.jpg",
    b"filename*=utf-8''%FF": "",
    b"filename*=": "",
    # encoded words
    b'filename="=?utf-8?B?w6kuanBn?="': "é.jpg",
    b'filename="=?UTF-8?Q?=C3=A9_1.jpg?="': "é 1.jpg",
    b'filename="=?iso-8859-1?q?=E9.jpg?="': "é.jpg",
    b'filename="=?iso-2022-jp?B?GyRCRnxLXBsoQi5qcGc=?="': "日本.jpg",
    b'filename="=?utf-8?B?w6k=?= =?utf-8?B?LmpwZw==?="': "é.jpg",
    b'filename="=?utf-8?B?w6k?="': "é",  # without its padding
    b'filename="IMG =?utf-8?B?w6k=?= 1.jpg"': "IMG é 1.jpg",
    b'filename="=?utf-8?B?w6k=?= \xc3\xa4.jpg"': "é ä.jpg",
    b'filename="=?utf-8?q?=FF?="': "",
    b'filename="=?utf-8?B?w?="': "",
    b'filename="=?utf-8?B?\xc3\xa9?="': "",
    b'filename="=?x-unknown?q?a?="': "",
    b'filename="=?idna?q?a?="': "",
    b'filename="=?utf-8?x?a?="': "=?utf-8?x?a?=",
    b'filename="=?.jpg"': "=?.jpg",
    b'filename="=?utf-8?q?x?=.jpg"': "=?utf-8?q?x?=.jpg",  # no encoded word, for want of white space behind it
    b'filename="100%0Day%0A.jpg"': "100%0Day%0A.jpg",
    # pieces, as mail has them (RFC 2231)
    b'filename*0="a"; filename*1=".jpg"': "",
    b"filename*0*=utf-8''a; filename*1*=%20.jpg": "",
    b'filename*0="a"; filename="b.jpg"': "b.jpg",
    # others
    b'filename="caf\xe9.jpg"': "",  # Latin-1, or any of a dozen other charsets
    b'filename=""': "",
    b"filename=cat.jpg": "cat.jpg",
    b"filename=my cat (1).jpg ": "my cat (1).jpg",
    b"filename=\xc3\xa9.jpg; x=y": "é.jpg",
    b"filename=C:\\photos\\cat.jpg": "C:\\photos\\cat.jpg",
    b"filename=": "",
    b"filename=\xe9.jpg": "",
}


@pytest.mark.parametrize("parameters", NAMES, ids=ascii)
def test_a_name_is_read_or_dropped_and_the_picture_is_taken(parameters: bytes) -> None:
    assert read(b'form-data; name="img"; ' + parameters) == NAMES[parameters]


PIECES = st.sampled_from(
    [
        *(b";", b" ", b"filename", b"filename*", b"*0", b"=", b'"', b"\\", b"\xff", b"\0", b"\xc3\xa9"),
        *(
            b"utf-8",
            b"''",
            b"'",
            b"%",
            b"%C3",
            b"%A9",
            b"=?",
            b"?=",
            b"?b?",
            b"?Q?",
            b"w6k=",
            b"=C3=A9",
            b"iso-2022-jp",
        ),
    ]
)


@given(st.lists(PIECES | st.binary(max_size=3).filter(lambda data: not set(data) & set(b"\r\n"))).map(b"".join))
def test_any_pieces_of_a_name_give_a_text_or_no_file(pieces: bytes) -> None:
    name = read(b'form-data; name="img"; ' + pieces, b"Content-Type: image/png")
    assert isinstance(name, str)
    name.encode("utf-8")
    images.clean_filename(name)


def test_a_part_without_a_file_name_is_a_picture_if_its_type_says_so() -> None:
    for media_type in (b"image/jpeg", b"IMAGE/PNG; x=y", b"image/heic", b"application/octet-stream"):
        assert read(b'form-data; name="img"', b"Content-Type: " + media_type) == ""


@pytest.mark.parametrize("piece", [b";", b" ", b"=?", b"=?a?b?", b'filename*="', b"; filename*", b"''%", b"\\"])
def test_a_long_name_takes_no_long_time(piece: bytes) -> None:
    for begin in (b"", b"filename*=utf-8''", b'filename="', b"filename*"):
        read(b'form-data; name="img"; ' + begin + piece * (8000 // len(piece)), b"Content-Type: image/png")
