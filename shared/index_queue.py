"""Images that are left to index, as messages of the SQS queue that calls index/."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from shared.images import is_image_path
from shared.queues import Queue

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

BATCH = 10  # messages that SQS takes in one call
# Messages that can be received, that were received, and that come later
WAITING: "Sequence[QueueAttributeNameType]" = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class MalformedMessage(Exception):
    """A message that names no image."""


class NotQueued(Exception):
    """SQS refused some messages of a batch."""


@dataclass(frozen=True, slots=True)
class ToIndex:
    """An image to index. With `recognised`, its picture was just recognised: look for the labels again.

    `request` is the id of the request that it came with, for the log; it is empty if no request is known.
    """

    label: str
    name: str
    recognised: bool = False
    request: str = ""

    @property
    def id(self) -> str:
        """The image's id."""
        return f"{self.label}/{self.name}"


def parse(text: str) -> ToIndex:
    """Return what a message says. Raise MalformedMessage if it names no image. Ignore unknown fields."""
    try:
        document = json.loads(text)
        request = str(document.get("request", ""))
        found = ToIndex(document["label"], document["name"], document.get("recognised") is True, request)
        is_image = is_image_path(found.label, found.name)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise MalformedMessage from error
    if not is_image:
        raise MalformedMessage
    return found


class IndexQueue(Queue):
    """The queue of images to index."""

    def put(self, images: Iterable[ToIndex]) -> None:
        """Have these images indexed soon. Raise NotQueued if SQS does not take them all; some may be taken then."""
        for some in _batches(list(images)):
            entries = [
                {"Id": str(number), "MessageBody": json.dumps(asdict(image))} for number, image in enumerate(some)
            ]
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)  # type: ignore[arg-type]
            if answer.get("Failed"):
                raise NotQueued(answer["Failed"][0]["Code"])

    def waiting(self) -> int:
        """Return about how many images are left to index: SQS counts them approximately."""
        found = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=WAITING)["Attributes"]
        return sum(int(found[name]) for name in WAITING)


def of_id(image_id: str) -> ToIndex:
    """Return the image of an id to index."""
    label, _, name = image_id.partition("/")
    return ToIndex(label, name)


def _batches(images: Sequence[ToIndex]) -> Iterable[Sequence[ToIndex]]:
    return (images[first : first + BATCH] for first in range(0, len(images), BATCH))
