"""The form of a search by a picture: the file img, and the options, each as a field or as a query parameter."""

from collections.abc import Mapping

import search_options
from search_options import Options
from shared.errors import BadRequest
from shared.forms import picture_form
from shared.forms.picture_form import Layout

LAYOUT = Layout(("img", *search_options.NAMES), "curl -F img=@cat.jpg")


def parse(body: bytes, content_type: str, query: Mapping[str, str]) -> tuple[bytes, Options]:
    """Return the picture and the options.

    Raise an ApiError as an upload's form does, and for an option that is given twice.
    """
    if "q" in query:
        raise BadRequest("A search by a picture takes no q; remove it, or send GET /search?q= instead.", field="q")
    parts = picture_form.parse(body, content_type, LAYOUT)
    for name in parts.texts:
        if name in query:
            raise BadRequest(f"{name} is in the form and in the query; send it once.", field=name)
    return parts.img, search_options.parse({**query, **parts.texts})
