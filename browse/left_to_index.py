"""How many images are left to index, for GET /labels."""

import logging

from botocore.exceptions import BotoCoreError, ClientError

from shared import aws, logs
from shared.errors import Unavailable
from shared.index_queue import IndexQueue
from shared.settings import read_settings

logger = logging.getLogger("petapi")


def left_to_index() -> dict[str, int]:
    """Return the member of the response; none if the queue cannot be asked, for the labels are there without it."""
    settings = read_settings()
    try:
        return {"leftToIndex": IndexQueue(aws.sqs(), settings.index_queue).waiting()}
    except (BotoCoreError, ClientError, Unavailable) as error:
        logger.warning("the queue of images to index cannot be asked", exc_info=logs.Failed(error))
        return {}
