"""The refusal for a picture that S3 does not give, for those who look at one image."""

import logging

from shared.api import image_paths
from shared.errors import ApiError
from shared.pictures.bucket import denial

logger = logging.getLogger("petapi")


def missing(label: str, name: str, *, is_known: bool) -> ApiError:
    """Make the refusal: 404, or 503 if S3 denied the picture of an image that is still known."""
    if outage := denial(is_known=is_known):
        return outage
    logger.warning("%s/%s is in the table, but its picture is not in the bucket", label, name)
    return image_paths.not_found(label, name)
