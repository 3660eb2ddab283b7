"""GET /images, /labels and /labels/{label}: lists of images and labels, in pages."""

from collections.abc import Callable, Mapping
from typing import Any

import all_labels
from left_to_index import left_to_index
from shared import aws, images
from shared.api import paging
from shared.api.endpoint import Request, Response
from shared.api.image_json import image_json, image_url
from shared.errors import BadRequest, NotFound, UnprocessableValue
from shared.images import Image, Pool
from shared.labels import catalogue, chunks
from shared.labels.catalogue import Catalogue, Page, Selection
from shared.labels.chunks import Lane
from shared.labels.retries import LostRace, retried
from shared.labels.store import Store
from shared.settings import read_settings
from shared.tiles import Tiles

PARAMETERS = {
    "/images": {"label", "tag", "filename", *paging.PARAMETERS},
    "/labels": paging.PARAMETERS,
    "/labels/{label}": paging.PARAMETERS,
}


def list_images(request: Request) -> Response:
    """Answer with a page of images: all, those with a tag, or of a label those with a prefix of their file names."""
    settings = read_settings()
    rows, tiles = Catalogue(aws.dynamodb(), settings), Tiles(aws.dynamodb(), settings.tiles_table)
    page, query = _of_label(request, rows) if "label" in request.query else all_labels.page(request, rows)
    labels = tiles.labels_of(page.entries)
    shown = [image_json(image, request.base_url, labels.get(image.id)) for image in page.entries]
    return paging.page_response(request, {"images": shown}, query, page)


def _of_label(request: Request, rows: Catalogue) -> tuple[Page[Image], str]:
    """Return the page that the request asks for, and the text of its query, which its cursor belongs to."""
    label = images.parse_label(request.query["label"])
    selection, query = _selection(request.query, label)
    limit, after = paging.limit(request), paging.start_after(request, query, selection)
    return rows.images(label, selection, limit, after), query


def list_labels(request: Request) -> Response:
    """Answer with a page of labels with count and total weight, and with how many images are left to index.

    Leave out labels that lost all their images.
    """
    limit, after = paging.limit(request), paging.start_after(request, "labels", catalogue.LABELS)
    settings = read_settings()
    store = Store(aws.dynamodb(), settings)
    page = Catalogue(aws.dynamodb(), settings).labels(limit, after)
    shown = [_summary(label, store.lanes(Pool(label)), request.base_url) for label in page.entries]
    with_images = [label for label in shown if label["count"]]
    return paging.page_response(request, {"labels": with_images, **left_to_index()}, "labels", page)


def get_label(request: Request) -> Response:
    """Answer with the label's count and total weight, and a page of its images with weights and probabilities."""
    label = images.label_of_path(request.path_parameters["label"])
    if not images.LABEL.fullmatch(label):
        raise _no_images(label)
    query, selection = f"labels/{label}", catalogue.of_label(label)
    limit, after = paging.limit(request), paging.start_after(request, query, selection)
    settings = read_settings()
    store, rows = Store(aws.dynamodb(), settings), Catalogue(aws.dynamodb(), settings)

    def attempt(again: bool) -> tuple[dict[int, Lane], Page[Image]]:
        lanes = store.lanes(Pool(label), consistent=again)
        if not chunks.image_count(lanes) and again:
            raise _no_images(label)
        page = rows.images(label, selection, limit, after)
        # Both were read at different times, but the images of one page must not weigh more than all.
        if not chunks.image_count(lanes) or sum(image.weight for image in page.entries) > chunks.total_weight(lanes):
            raise LostRace
        return lanes, page

    lanes, page = retried(attempt)
    total_weight = chunks.total_weight(lanes)
    shown = [
        {
            "id": image.id,
            "weight": image.weight / images.UNITS,
            "probability": images.probability(image.weight, total_weight),
            "url": image_url(image, request.base_url),
        }
        for image in page.entries
    ]
    summary = _summary(label, lanes, request.base_url)
    del summary["url"]
    return paging.page_response(request, {**summary, "images": shown}, query, page)


def _summary(label: str, lanes: Mapping[int, Lane], base_url: str) -> dict[str, Any]:
    return {
        "label": label,
        "count": chunks.image_count(lanes),
        "totalWeight": chunks.total_weight(lanes) / images.UNITS,
        "url": f"{base_url}labels/{label}",
    }


def _no_images(label: str) -> NotFound:
    return NotFound(f"The label {label} has no images; upload one with POST /upload.", field="label")


# --- parameters ---


def _selection(given: Mapping[str, str], label: str) -> tuple[Selection, str]:
    """Return what the parameters select, and a text that is the same for each query with this selection."""
    filters: dict[str, Callable[[str], str]] = {"tag": images.parse_tag, "filename": _filename}
    named = [name for name in filters if name in given]
    if not named:
        return catalogue.of_label(label), f"images?label={label}"
    if len(named) > 1:
        raise BadRequest("tag and filename cannot be combined; send one of them.", field=named[1])
    (name,) = named
    value = filters[name](given[name])
    select = {"tag": catalogue.with_tag, "filename": catalogue.with_filename}[name]
    return select(label, value), f"images?label={label}&{name}={value}"


def _filename(text: str) -> str:
    """Parse the beginning of a file name.  Raise UnprocessableValue if no file name can begin so, or if it is empty."""
    if not text:
        raise UnprocessableValue(
            "filename must be the beginning of a file name; leave it out to list all images.", field="filename"
        )
    return images.parse_filename(text)
