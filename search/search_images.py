"""GET /images/{label}/{name}/similar, POST /search and GET /search: images by a picture or by a text."""

import os
from collections.abc import Sequence
from typing import Any

import search_forms
import search_options
import searched_text
import searching
import stored_vector
from hits import Hit
from searching import Searching
from shared.api import image_paths
from shared.api.endpoint import Request, Response, as_json, endpoint, required
from shared.api.image_json import image_json
from shared.errors import PayloadTooLarge
from shared.limits import BODY_MAX
from shared.pictures.budget import CannotBeShown
from shared.pictures.check import check_picture
from shared.tiles import Labels
from shared.vectors.encoder import SIDE, CannotBeCompared


def similar(request: Request) -> Response:
    """Answer with the images that are most like the one in the path."""
    label, name = image_paths.image_path(request)
    options = search_options.parse(request.query)
    with searching.begun() as search:
        image = search.rows.of([f"{label}/{name}"]).get(f"{label}/{name}")
        if image is None:
            raise image_paths.not_found(label, name)
        vector = search.encoder.stored_query(stored_vector.of_image(image, search))
        hits = search.hits.like(vector, options, itself=image.id)
    return _answer(request, search, hits, search.encoder.picture_numbers)


def by_picture(request: Request) -> Response:
    """Answer with the images that are most like the picture in the form, which is checked as an upload is."""
    if len(request.body) > BODY_MAX:
        raise PayloadTooLarge(
            f"The form has {len(request.body):,} bytes, but may have at most {BODY_MAX:,}; make the picture smaller."
        )
    img, options = search_forms.parse(request.body, request.headers.get("content-type", ""), request.query)
    with searching.begun("img") as search:
        vector = search.encoder.picture_query(_shown(check_picture(img).content))
        hits = search.hits.like(vector, options)
    return _answer(request, search, hits, search.encoder.picture_numbers)


def by_text(request: Request) -> Response:
    """Answer with the images that a text is about: those that have its words, and then others by meaning."""
    text, options = searched_text.parse(required(request.query, "q")), search_options.parse(request.query)
    with searching.begun("q") as search:
        vector = search.encoder.text_query(text.typed)
        hits = search.hits.about(vector, text, options)
    return _answer(request, search, hits, search.encoder.text_numbers)


def _shown(content: bytes) -> bytes:
    """Return what encoders take: the picture as browsers show it, as JPEG on white of at most SIDE pixels."""
    from shared.pictures.scaling import scaled  # imports Pillow, which the other two searches do not need

    try:
        return scaled(content, SIDE, "jpg")
    except CannotBeShown as error:
        raise CannotBeCompared(f"{error.reason}") from error


def _answer(request: Request, search: Searching, hits: Sequence[Hit], numbers: int) -> Response:
    """Make the response with these hits, of which so many numbers were compared."""
    labels = search.tiles.labels_of([hit.image for hit in hits])
    shown = [_hit(hit, request.base_url, labels.get(hit.image.id), numbers) for hit in hits]
    return as_json({"images": shown, "encoder": search.encoder.name})


def _hit(hit: Hit, base_url: str, labels: Labels | None, numbers: int) -> dict[str, Any]:
    """Return the JSON form of a hit.

    `error` is the mean squared error of the two unit vectors: of vectors with the cosine c it is 2 (1 - c) / numbers.
    """
    shown = {
        **image_json(hit.image, base_url, labels),
        "similarity": hit.similarity,
        "error": round(2 * (1 - hit.similarity) / numbers, 12),
        "by": hit.by,
    }
    return {**shown, "matched": list(hit.matched)} if hit.matched else shown


handler = endpoint(
    {
        "/images/{label}/{name}/similar": {"GET": similar},
        "/search": {"GET": by_text, "POST": by_picture},
    },
    parameters={
        "/images/{label}/{name}/similar": search_options.NAMES,
        "/search": {"q", *search_options.NAMES},
    },
)

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    searching.load_encoder()
