"""GET /images without a label: the images of all labels, or those with a tag, label by label.

A page looks at LABELS_MAX labels at most, so that its cost is bounded: one Query for the names of labels, one for each
label, and with a tag one BatchGetItem for each label that has such images.  So a page may be short or even empty, and
yet have a cursor.  The place where it ended is a label, and a name if more of that label's images follow.
"""

from collections.abc import Mapping

from shared import images
from shared.api import paging
from shared.api.endpoint import Request
from shared.errors import BadRequest
from shared.images import Image
from shared.labels import catalogue
from shared.labels.catalogue import Catalogue, Page, Selection

LABELS_MAX = 10  # labels that a page looks at


def page(request: Request, rows: Catalogue) -> tuple[Page[Image], str]:
    """Return the page that the request asks for, and the text of its query, which its cursor belongs to."""
    tag = _tag(request.query)
    query = f"images?tag={tag}" if tag else "images"
    limit, after = paging.limit(request), paging.place(request, query, _is_place)
    return walk(rows, tag, limit, after), query


def walk(rows: Catalogue, tag: str, limit: int, after: tuple[str, ...] = ()) -> Page[Image]:
    """Return at most `limit` images, those after this place, of at most LABELS_MAX labels."""
    begun = after[:1] if len(after) > 1 else ()
    labels = rows.labels(LABELS_MAX - len(begun), after[:1])
    found: list[Image] = []
    for label in (*begun, *labels.entries):
        selection = _selection(label, tag)
        some = rows.images(label, selection, limit - len(found), after[1:] if (label,) == begun else ())
        found += some.entries
        if some.last:
            return Page(found, (label, *some.last))
        if len(found) == limit:
            return Page(found, _end(label, labels))
    return Page(found, labels.last)


def _end(label: str, labels: Page[str]) -> tuple[str, ...]:
    """Return the place behind all images of the label; none if no label follows."""
    is_last = not labels.entries or label == labels.entries[-1]
    return labels.last if is_last else (label,)


def _selection(label: str, tag: str) -> Selection:
    return catalogue.with_tag(label, tag) if tag else catalogue.of_label(label)


def _tag(query: Mapping[str, str]) -> str:
    """Return the tag that the query names, or an empty text."""
    if "filename" in query:
        raise BadRequest("filename needs a label; add label= to the query.", field="label")
    return images.parse_tag(query["tag"]) if "tag" in query else ""


def _is_place(place: tuple[str, ...]) -> bool:
    """Tell whether a page can end here: behind a label, or behind one of its images."""
    label, *names = place
    return bool(images.LABEL.fullmatch(label)) and len(names) <= 1 and all(map(images.NAME.fullmatch, names))
