"""The upload form: the fields label, img, weight and tags."""

from typing import NamedTuple

from shared.forms import picture_form
from shared.forms.picture_form import Layout

LAYOUT = Layout(("label", "img", "weight", "tags"), "curl -F label=cat -F weight=0.5 -F img=@cat.jpg")


class Form(NamedTuple):
    """The fields as sent, before their rules are checked. `filename` is the client's name for the file."""

    img: bytes
    label: str
    weight: str | None
    tags: str = ""
    filename: str = ""


def parse(body: bytes, content_type: str) -> Form:
    """Parse the body of an upload. Raise BadRequest or UnsupportedMediaType as picture_form.parse does."""
    parts = picture_form.parse(body, content_type, LAYOUT, required=("label",))
    texts = parts.texts
    return Form(parts.img, texts["label"], texts.get("weight"), texts.get("tags", ""), parts.filename)
