"""Forms are parsed exactly, within their limits, and anything else is refused with a sentence."""

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from form import Form, parse
from shared.errors import ApiError, BadRequest, UnsupportedMediaType
from shared.forms.picture_form import MAX_TEXT
from tests.support.pictures import File, multipart_body, tiny

IMG = b"\xff\xd8 any bytes, even\r\n--d74496d6695 of a boundary\r\n\0"
FIELDS = [("label", "cat"), ("weight", "0.25"), ("img", File(IMG))]
TYPE = "multipart/form-data; boundary=b"


def refused(fields, error=BadRequest):
    """Return the refusal of a correctly written form with these fields."""
    with pytest.raises(error) as caught:
        parse(*multipart_body(fields))
    return caught.value


def refused_body(body, content_type=TYPE):
    """Return the refusal of this body."""
    with pytest.raises(BadRequest) as caught:
        parse(body, content_type)
    return caught.value


# -- accepted forms -------------------------------------------------------------------------------------------


def test_the_three_fields_come_back_as_sent():
    assert parse(*multipart_body(FIELDS)) == Form(IMG, "cat", "0.25", filename="cat.jpg")


def test_tags_and_the_file_name_come_back_as_sent():
    form = parse(*multipart_body([*FIELDS, ("tags", "a,b")]))
    assert (form.tags, form.filename) == ("a,b", "cat.jpg")


@pytest.mark.parametrize("fields", [FIELDS, FIELDS[::-1], [FIELDS[2], *FIELDS[:2]]])
def test_the_order_of_the_fields_does_not_matter(fields):
    assert parse(*multipart_body(fields)) == Form(IMG, "cat", "0.25", filename="cat.jpg")


def test_weight_may_be_absent():
    assert parse(*multipart_body([FIELDS[0], FIELDS[2]])).weight is None


def test_an_empty_weight_is_not_an_absent_one():
    assert parse(*multipart_body([("label", "cat"), ("weight", ""), ("img", File(IMG))])).weight == ""


def test_a_form_cannot_be_changed():
    with pytest.raises(AttributeError):
        parse(*multipart_body(FIELDS)).label = "dog"


def test_text_is_utf_8():
    assert parse(*multipart_body([("label", "kätzchen"), ("img", File(IMG))])).label == "kätzchen"


def test_a_weight_of_5000_digits_is_left_to_the_rule_of_weights():
    weight = "0." + "9" * 5000
    assert parse(*multipart_body([("label", "cat"), ("weight", weight), ("img", File(IMG))])).weight == weight


def test_text_may_be_as_long_as_the_limit():
    assert parse(*multipart_body([("label", "c" * MAX_TEXT), ("img", File(IMG))])).label == "c" * MAX_TEXT


def test_the_body_of_requests_is_accepted():
    sent = requests.Request(
        "POST", "http://localhost", data={"label": "cat", "weight": "0.25"}, files={"img": ("кот.jpg", IMG)}
    ).prepare()
    assert parse(sent.body, sent.headers["Content-Type"]) == Form(IMG, "cat", "0.25", filename="кот.jpg")


# A form with a label and a file, as each of these clients writes it.
CLIENTS = {
    "curl": b'--b\r\nContent-Disposition: form-data; name="label"\r\n\r\ncat\r\n'
    b'--b\r\nContent-Disposition: form-data; name="img"; filename="cat.jpg"\r\nContent-Type: image/jpeg\r\n\r\nIMG'
    b"\r\n--b--\r\n",
    "httpx": b'--b\r\nContent-Disposition: form-data; name="label"\r\n\r\ncat\r\n'
    b'--b\r\nContent-Disposition: form-data; name="img"; filename="upload"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\nIMG\r\n--b--\r\n",
    "a browser, with quotes in the file name": b'--b\r\nContent-Disposition: form-data; name="label"\r\n\r\ncat\r\n'
    b'--b\r\nContent-Disposition: form-data; name="img"; filename="a%22b.jpg"\r\nContent-Type: image/jpeg\r\n\r\nIMG'
    b"\r\n--b--\r\n",
    "aiohttp": b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b'Content-Disposition: form-data; name="label"\r\n\r\ncat\r\n'
    b"--b\r\nContent-Type: image/jpeg\r\n"
    b'Content-Disposition: form-data; name="img"; filename="c.jpg"; filename*=utf-8\'\'%D0%BA.jpg\r\n\r\nIMG'
    b"\r\n--b--\r\n",
    "Apache HttpClient": b'--b\r\nContent-Disposition: form-data; name="label"\r\n'
    b"Content-Type: text/plain; charset=US-ASCII\r\nContent-Transfer-Encoding: 8bit\r\n\r\ncat\r\n"
    b'--b\r\nContent-Disposition: form-data; name="img"; filename="c.jpg"\r\n'
    b"Content-Type: image/jpeg\r\nContent-Transfer-Encoding: binary\r\n\r\nIMG\r\n--b--\r\n",
    "an old urllib3, the file's name in RFC 5987 only": b"--b\r\nContent-Disposition: form-data; name=label\r\n\r\ncat"
    b"\r\n--b\r\nContent-Disposition: form-data; name=\"img\"; filename*=utf-8''%D0%BA.jpg\r\n\r\nIMG\r\n--b--\r\n",
    "fetch in Node, a length with each part": b'--b\r\nContent-Disposition: form-data; name="label"\r\n'
    b"Content-Length: 3\r\n\r\ncat\r\n"
    b'--b\r\nContent-Disposition: form-data; name="img"; filename="c.jpg"\r\nContent-Length: 3\r\n\r\nIMG\r\n--b--',
    "an empty line first": b'\r\n--b\r\nContent-Disposition: form-data; name="label"\r\n\r\ncat\r\n'
    b'--b\r\nContent-Disposition: form-data; name="img"; filename="c.jpg"\r\n\r\nIMG\r\n--b--\r\n',
}


@pytest.mark.parametrize("body", CLIENTS.values(), ids=CLIENTS)
def test_bodies_of_known_clients_are_accepted(body):
    assert parse(body, TYPE)._replace(filename="") == Form(b"IMG", "cat", None)


@pytest.mark.parametrize(
    "content_type",
    [
        "Multipart/Form-Data; boundary=b",
        'multipart/form-data; boundary="b"',
        "multipart/form-data;charset=x;boundary=b",
    ],
)
def test_content_types_are_read_by_the_rules_of_http(content_type):
    assert parse(CLIENTS["curl"], content_type).label == "cat"


# -- refused bodies --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "application/x-www-form-urlencoded", "multipart/mixed; boundary=b", ";"]
)
def test_another_content_type_is_415_and_says_how(content_type):
    with pytest.raises(UnsupportedMediaType, match="curl -F label=cat"):
        parse(CLIENTS["curl"], content_type)


@pytest.mark.parametrize(
    "parameter",
    ["", "; boundary=", '; boundary=""', f"; boundary={'b' * 5000}", '; boundary="b\n"', '; boundary="\ud800"', "; b"],
)
def test_an_unusable_boundary_is_400(parameter):
    assert "boundary" in refused_body(CLIENTS["curl"], "multipart/form-data" + parameter).detail


def test_a_foreign_boundary_is_400():
    refused_body(CLIENTS["curl"], "multipart/form-data; boundary=other")


def test_an_empty_body_is_400():
    refused_body(b"")


def test_json_in_the_body_is_400():
    refused_body(b'{"label": "cat"}')


@given(st.data())
def test_a_body_cut_anywhere_is_400(data):
    body, content_type = multipart_body(FIELDS)
    end = len(body) - len("\r\n")  # a body may end without the last line end
    assert "must be complete" in refused_body(body[: data.draw(st.integers(0, end - 1))], content_type).detail


def test_lf_line_ends_are_400():
    assert "line ends of CR LF" in refused_body(CLIENTS["curl"].replace(b"\r\n", b"\n")).detail


def test_bytes_after_the_closing_boundary_are_400():
    assert "after the closing boundary" in refused_body(CLIENTS["curl"] + b"<?php ?>").detail


def test_20000_parts_are_400():
    refused_body(b'--b\r\nContent-Disposition: form-data; name="label"\r\n\r\ncat\r\n' * 20_000 + b"--b--\r\n")


def test_a_huge_part_header_is_400():
    refused_body(CLIENTS["curl"].replace(b"cat.jpg", b"c" * 1_000_000))


def test_many_part_headers_are_400():
    refused_body(CLIENTS["curl"].replace(b"Content-Type: image/jpeg\r\n", b"X-A: b\r\n" * 100))


def test_a_folded_part_header_is_400():
    refused_body(CLIENTS["curl"].replace(b"form-data; name", b"form-data;\r\n name"))


def test_a_part_without_a_name_is_400():
    refused_body(CLIENTS["curl"].replace(b'name="label"', b'title="label"'))


def test_a_part_longer_than_its_announced_length_is_400():
    refused_body(CLIENTS["fetch in Node, a length with each part"].replace(b"IMG", b"longer"))


# -- refused fields --------------------------------------------------------------------------------


def test_an_unknown_field_is_400_and_named():
    error = refused([*FIELDS, ("wieght", "0.5")])
    assert error.field == "wieght"
    assert "no field 'wieght'" in error.detail


def test_a_long_unknown_name_is_not_repeated_in_full():
    assert len(refused([("x" * 3000, "1"), *FIELDS]).detail) < 200


@pytest.mark.parametrize("repeated", FIELDS, ids=lambda field: field[0])
def test_a_repeated_field_is_400_and_named(repeated):
    error = refused([*FIELDS, repeated])
    assert error.field == repeated[0]
    assert "more than once" in error.detail


@pytest.mark.parametrize("missing", ["label", "img"])
def test_a_missing_field_is_400_and_named(missing):
    error = refused([field for field in FIELDS if field[0] != missing])
    assert error.field == missing
    assert f"{missing} is missing" in error.detail


def test_a_form_without_any_part_is_400():
    assert refused([]).field == "label"


@pytest.mark.parametrize("name", ["label", "weight"])
def test_a_text_field_sent_as_a_file_is_400(name):
    fields = [field for field in FIELDS if field[0] != name]
    assert refused([(name, File(b"cat", "cat.txt")), *fields]).field == name


def test_img_sent_as_text_is_400_and_says_how():
    error = refused([("label", "cat"), ("img", IMG)])
    assert error.field == "img"
    assert "curl -F img=@cat.jpg" in error.detail


def test_an_empty_file_is_415():
    error = refused([("label", "cat"), ("img", File(b""))], UnsupportedMediaType)
    assert "img is empty" in error.detail


@pytest.mark.parametrize("encoding", [b"base64", b"Quoted-Printable "])
@pytest.mark.parametrize("name", ["label", "img"])
def test_a_field_in_an_encoding_of_mail_is_415_and_named(name, encoding):
    body, content_type = multipart_body(FIELDS)
    header = b'Content-Disposition: form-data; name="%s"' % name.encode()
    body = body.replace(header, b"Content-Transfer-Encoding: %s\r\n" % encoding + header)
    with pytest.raises(UnsupportedMediaType, match="send it as it is") as caught:
        parse(body, content_type)
    assert caught.value.field == name


@pytest.mark.parametrize("name", ["label", "weight"])
def test_text_that_is_not_utf_8_is_400(name):
    assert refused([(key, b"\xff\xfe" if key == name else value) for key, value in FIELDS]).field == name


@pytest.mark.parametrize("name", ["label", "weight"])
def test_text_over_the_limit_is_400(name):
    error = refused([(key, "9" * (MAX_TEXT + 1) if key == name else value) for key, value in FIELDS])
    assert error.field == name
    assert "longer than 8,192 bytes" in error.detail


# -- properties -------------------------------------------------------------------------------------------------


@given(img=st.binary(min_size=1), label=st.text(max_size=50), weight=st.none() | st.text(max_size=50))
def test_any_bytes_and_texts_come_back_as_sent(img, label, weight):
    fields = [("label", label), ("img", File(img))] + ([] if weight is None else [("weight", weight)])
    assert parse(*multipart_body(fields)) == Form(img, label, weight, filename="cat.jpg")


def outcome(body, content_type):
    try:
        return parse(body, content_type)
    except ApiError as error:
        return error


def parse_or_refuse(body, content_type):
    found = outcome(body, content_type)
    assert isinstance(found, Form) or (found.status in (400, 415) and found.detail.endswith("."))


@given(st.binary(), st.text() | st.sampled_from([TYPE, "multipart/form-data; boundary=--"]))
def test_any_body_and_content_type_is_parsed_or_refused(body, content_type):
    parse_or_refuse(body, content_type)


PIECES = [
    b"--b", b"\r\n", b"--", b'Content-Disposition: form-data; name="label"', b"; filename=x", b"; filename*=x",
    b'Content-Disposition: form-data; name="img"; filename="x"', b"Content-Length: 1", b":", b"\n", b"\0", b"cat",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=4)).map(b"".join))
def test_a_shuffled_form_is_parsed_or_refused(body):
    parse_or_refuse(body, TYPE)


@given(st.data())
def test_a_changed_form_is_parsed_or_refused(data):
    body, content_type = multipart_body([("label", "cat"), ("img", File(tiny(1)))])
    at = data.draw(st.integers(0, len(body)))
    parse_or_refuse(
        body[:at] + data.draw(st.binary(max_size=8)) + body[data.draw(st.integers(0, 8)) + at :], content_type
    )
