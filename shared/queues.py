"""A queue of SQS whose messages are texts."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class Queue:
    """The queue with this URL."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client, self._url = client, url

    def send(self, text: str) -> None:
        """Have a message delivered soon, and again until it is done."""
        self._client.send_message(QueueUrl=self._url, MessageBody=text)

    def postpone(self, receipt: str, seconds: int) -> None:
        """Deliver the message of this receipt again after so many seconds, instead of after the queue's own time."""
        self._client.change_message_visibility(QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=seconds)
