"""The label and name in the path of an image, and the refusal for an image that does not exist."""

from shared import images
from shared.api.endpoint import Request
from shared.errors import NotFound


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
