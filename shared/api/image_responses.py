"""Answers about an image that several functions give."""

from collections.abc import Callable, Iterable, Mapping

from shared import images
from shared.api import image_paths
from shared.api.endpoint import Request, Response, as_json
from shared.api.etags import etag_of
from shared.api.image_json import image_json
from shared.images import Image
from shared.labels.store import Store

Labels = Iterable[tuple[str, float]]  # that were recognised, with their confidence in percent


def with_probability(
    image: Image,
    total_weight: int,
    request: Request,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    labels: Labels | None = None,
) -> Response:
    """Make the JSON response with an image and its probability."""
    shown = image_json(image, request.base_url, labels)
    probability = images.probability(image.weight, total_weight)
    return as_json({**shown, "probability": probability}, status=status, headers=headers)


def current_state(
    store: Store,
    request: Request,
    label: str,
    name: str,
    *,
    consistent: bool,
    labels: Callable[[Image], Labels | None] = lambda _: None,
) -> Response:
    """Read the image and make the response with its probability and ETag, or raise NotFound.

    `labels` finds out what was recognised in the image, if that is known.
    """
    seen = store.with_total_weight(label, name, consistent=consistent)
    if seen is None:
        raise image_paths.not_found(label, name)
    image, total_weight = seen
    etag = {"ETag": etag_of(image)}
    return with_probability(image, total_weight, request, headers=etag, labels=labels(image))
