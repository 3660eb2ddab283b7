"""The stream of the table of images, and the queue of images that could not be indexed at once.

A record of the stream never fails, or the records behind it would wait: an image that failed goes to the queue. There
it comes again by the schedule of retrying.py, so a model that is throttled costs time only.
"""

import os
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from time import monotonic
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from changes import changed_images
from indexing import Indexing
from making import Maker, labels_by
from retrying import IMAGES
from shared import aws, deadline, logs, metrics
from shared.entry import entry
from shared.errors import Unavailable
from shared.index_queue import IndexQueue, MalformedMessage, ToIndex, parse
from shared.index_state import Observer, name_of
from shared.metrics import Measured
from shared.pictures.bucket import Bucket
from shared.recognition.recognition import Recognition
from shared.settings import Settings, read_settings
from shared.tiles import Tiles
from shared.vectors import encoders
from shared.vectors.encoder import Encoder, index_name
from shared.vectors.vector_index import VectorIndex
from writing import Failures, Writer

Record = Mapping[str, Any]

STREAM = "aws:dynamodb"
# A batch of the stream gives its pictures so long; the others are done from the queue, side by side. Deletes and new
# tags behind them should not wait, and while `make run` waits for this function, its queues wait, too.
STREAM_SECONDS = 4.0
PICTURE_SECONDS = 25.0  # that a picture may take: 5 to decode it, and attempts of a recogniser and of an encoder
# The attempt, after 2.6 minutes, from which a failure counts: before, a model may just be busy. It is the last try of a
# picture that takes too much time or memory.
STUBBORN = 6


@entry
def handler(event: Mapping[str, Any]) -> dict[str, Any]:
    """Index the images of a batch. Return the messages that SQS must keep and deliver again; of a stream, nothing."""
    records = event["Records"]
    is_stream = any(record["eventSource"] == STREAM for record in records)
    with metrics.measured() as measured:
        failed = _follow(records, measured) if is_stream else _take(records, measured)
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}


def _follow(records: Sequence[Record], measured: Measured) -> list[str]:
    """Index the images that the stream's records change. Put those that failed into the queue."""
    images, until = changed_images(records), monotonic() + STREAM_SECONDS
    failed = _run(images, lambda: monotonic() < until)
    if failed:
        _queue(read_settings()).put(failed)
    counts = (len(records), len(images), len(failed))
    logs.log().info("stream: %d records, %d images, %d of them later", *counts, extra=metrics.members(measured))
    return []


def _take(records: Sequence[Record], measured: Measured) -> list[str]:
    """Index the images of the queue's messages. Return the ids of the messages that must come again."""
    images = {record["messageId"]: _image(record) for record in records}
    stubborn = [record for record in records if _attempt(record) >= STUBBORN]
    last_tries = {image.id for record in stubborn if (image := images[record["messageId"]])}
    later = {image.id for image in _run([image for image in images.values() if image], lambda: True, last_tries)}
    failed = [record for record in records if (image := images[record["messageId"]]) is None or image.id in later]
    for image in filter(None, images.values()):
        _log(image, is_later=image.id in later)
    for record in failed:
        _postpone(record, is_hopeless=images[record["messageId"]] is None)
    if still := sum(record in stubborn for record in failed):
        metrics.count_by("Failed", "index", still)
    counts = (len(records), len(failed))
    logs.log().info("queue: %d messages, %d of them later", *counts, extra=metrics.members(measured))
    return [record["messageId"] for record in failed]


def _log(image: ToIndex, *, is_later: bool) -> None:
    """Write a line for an image that came with a request, so that the request can be followed to its end."""
    if image.request:
        done = "comes later" if is_later else "is indexed"
        logs.log().info("image %s %s", image.id, done, extra={"request": image.request})


def _image(record: Record) -> ToIndex | None:
    """Return the image of a message. One without an image goes to the dead letters, so that operators can look."""
    try:
        return parse(record["body"])
    except MalformedMessage as error:
        logs.failure(record["messageId"], error)
        return None


def _run(images: Sequence[ToIndex], has_time: Callable[[], bool], last_tries: Collection[str] = ()) -> list[ToIndex]:
    """Index the images. Return those that failed, all of them if nothing could be done at all."""
    if not images:
        return []
    try:
        return _indexing(read_settings(), has_time, last_tries).run(images)
    except Exception as error:
        logs.failure(f"{len(images)} images", error)
        return list(images)


def _indexing(settings: Settings, has_time: Callable[[], bool], last_tries: Collection[str]) -> Indexing:
    encoder = _encoder()
    index = index_name(encoder) if encoder else ""
    if index and index != name_of(settings.vector_index):
        raise Unavailable("SSM names the index of another encoder; a deployment is under way.")
    vectors = VectorIndex(aws.s3vectors(), settings.vector_index) if encoder else None
    tiles, failures = Tiles(aws.dynamodb(), settings.tiles_table), Failures()
    recognise_all = os.environ.get("RECOGNISE_ALL") == "true"
    return Indexing(
        Observer(aws.dynamodb(), settings, tiles, vectors),
        vectors,
        Bucket(aws.s3(), settings.bucket),
        Maker(encoder, labels_by(Recognition(settings.recognitions_table), recognise=recognise_all)),
        Writer(tiles, vectors, failures),
        failures,
        index=index,
        recognise_all=recognise_all,
        has_time=lambda: has_time() and deadline.seconds_left() > PICTURE_SECONDS,
        last_tries=last_tries,
    )


@cache
def _encoder() -> Encoder | None:
    """Return the encoder, which is loaded once."""
    return encoders.chosen()


def _queue(settings: Settings) -> IndexQueue:
    return IndexQueue(aws.sqs(), settings.index_queue)


def _postpone(record: Record, *, is_hopeless: bool) -> None:
    """Set when the message comes again. If SQS fails, it comes after the queue's own time, which does no harm."""
    seconds = 0 if is_hopeless else IMAGES.delay(_attempt(record), random.SystemRandom())
    try:
        _queue(read_settings()).postpone(record["receiptHandle"], seconds)
    except (BotoCoreError, ClientError, Unavailable) as error:
        logs.failure(record["messageId"], error)


def _attempt(record: Record) -> int:
    """Return the number of this attempt; the first is 1."""
    return int(record["attributes"]["ApproximateReceiveCount"])
