"""The refusal for a picture that S3 does not give, for those who look at one image."""

import logging

from shared import metrics
from shared.api import image_paths
from shared.errors import ApiError, Unavailable

logger = logging.getLogger("petapi")


def missing(label: str, name: str, *, is_known: bool) -> ApiError:
    """Make the refusal: 404, or 503 if S3 denied the picture of an image that is still known.

    To a role that may not list the bucket, S3 denies what is not there, too. But of an image that is known, a wrong
    policy, key or role is more likely than a lost picture: that is an outage, which the log and the alarms see.
    """
    if is_known and metrics.counted("Denied"):
        logger.error("S3 denied the picture of an image: look at the bucket's policy, its key and this function's role")
        return Unavailable("The picture cannot be read just now; retry in a moment.")
    logger.warning("%s/%s is in the table, but its picture is not in the bucket", label, name)
    return image_paths.not_found(label, name)
