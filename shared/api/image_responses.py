"""What several functions answer about an image: that there is none, or what is known of it."""

from collections.abc import Mapping

from shared import images
from shared.api.endpoint import Request, Response, as_json
from shared.api.etags import etag_of
from shared.api.image_json import image_json
from shared.errors import NotFound
from shared.images import Image
from shared.labels.store import Store


def image_path(request: Request) -> tuple[str, str]:
    """Label and name in the request's path; NotFound if no image can have them."""
    label, name = request.path_parameters["label"], request.path_parameters["name"]
    if not images.is_image_path(label, name):
        raise not_found(label, name)
    return label, name


def not_found(label: str, name: str) -> NotFound:
    """There is no such image."""
    return NotFound(f"There is no image {label}/{name}.")


def with_probability(
    image: Image, total_weight: int, request: Request, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """The image with its probability, as JSON."""
    shown = image_json(image, request.base_url)
    probability = images.probability(image.weight, total_weight)
    return as_json({**shown, "probability": probability}, status=status, headers=headers)


def current_state(store: Store, request: Request, label: str, name: str, *, consistent: bool) -> Response:
    """The image as it is now with its probability, and the ETag of that state; NotFound if there is no such image."""
    seen = store.with_total_weight(label, name, consistent=consistent)
    if seen is None:
        raise not_found(label, name)
    image, total_weight = seen
    return with_probability(image, total_weight, request, headers={"ETag": etag_of(image)})
