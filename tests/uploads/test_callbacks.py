"""Callbacks as messages of a queue: they survive the way, unknown fields are ignored, and the rest must be right."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.uploads import callbacks
from shared.uploads.callbacks import Callback, MalformedCallback

GOOD = {"id": "upload-1", "url": "https://a.example/", "insecure": False, "payload": "{}"}
MALFORMED = {
    "no JSON": "upload-1",
    "no object": "[]",
    "null": "null",
    "too deep": "[" * 100_000,
    **{f"without {gone}": json.dumps({name: GOOD[name] for name in GOOD if name != gone}) for gone in GOOD},
    "an id with a header in it": json.dumps(GOOD | {"id": "a\r\nX: y"}),
    "an id with a dot": json.dumps(GOOD | {"id": "a.b"}),
    "a number for an id": json.dumps(GOOD | {"id": 1}),
    "a number for a URL": json.dumps(GOOD | {"url": 1}),
    "a number for a boolean": json.dumps(GOOD | {"insecure": 1}),
    "an object for a text": json.dumps(GOOD | {"payload": {}}),
    "half a character": json.dumps(GOOD | {"payload": "\ud800"}),
}


@given(
    st.builds(
        Callback,
        st.from_regex(callbacks.ID, fullmatch=True),
        st.text(),
        st.booleans(),
        st.text().filter(str.isprintable),
    )
)
def test_a_callback_survives_its_message(sent: Callback) -> None:
    assert callbacks.parse(callbacks.text_of(sent)) == sent


@pytest.mark.parametrize("text", MALFORMED)
def test_a_message_with_a_missing_or_wrong_field_is_malformed(text: str) -> None:
    assert callbacks.parse(json.dumps(GOOD)).id == "upload-1"
    with pytest.raises(MalformedCallback):
        callbacks.parse(MALFORMED[text])


@pytest.mark.parametrize("value", [1, None, "text", {"id": "another"}, ["id"]], ids=repr)
def test_unknown_fields_of_a_later_release_are_ignored(value: object) -> None:
    text = json.dumps({"attempts": value, **GOOD, "signed_at": value})
    assert callbacks.parse(text) == callbacks.parse(json.dumps(GOOD))
