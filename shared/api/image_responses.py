"""Answers about an image that several functions give."""

from collections.abc import Mapping

from shared import images
from shared.api.endpoint import Request, Response, as_json
from shared.api.etags import etag_of
from shared.api.image_json import image_json
from shared.errors import NotFound
from shared.images import Image
from shared.labels.store import Store


def image_path(request: Request) -> tuple[str, str]:
    """Return the label and name in the request's path, or raise NotFound if no image can have them."""
    label, name = images.label_of_path(request.path_parameters["label"]), request.path_parameters["name"]
    if not images.is_image_path(label, name):
        raise not_found(label, name)
    return label, name


def not_found(label: str, name: str) -> NotFound:
    """Make the refusal for an image that does not exist."""
    listed = label if images.LABEL.fullmatch(label) else ""
    return NotFound(f"There is no image {label}/{name}; GET /images?label={listed} lists the images of a label.")


def with_probability(
    image: Image, total_weight: int, request: Request, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Make the JSON response with an image and its probability."""
    shown = image_json(image, request.base_url)
    probability = images.probability(image.weight, total_weight)
    return as_json({**shown, "probability": probability}, status=status, headers=headers)


def current_state(store: Store, request: Request, label: str, name: str, *, consistent: bool) -> Response:
    """Read the image and make the response with its probability and ETag, or raise NotFound."""
    seen = store.with_total_weight(label, name, consistent=consistent)
    if seen is None:
        raise not_found(label, name)
    image, total_weight = seen
    return with_probability(image, total_weight, request, headers={"ETag": etag_of(image)})
