"""What happens to a file that came by a form. Each step can be repeated, also by two calls at the same time."""

import json
import re
from contextlib import suppress
from dataclasses import replace
from functools import partial

from shared import add_image, aws, images, logs
from shared.add_image import NewImage
from shared.api import endpoint
from shared.errors import ApiError, Unavailable, UnprocessableValue
from shared.images import Image
from shared.index_queue import IndexQueue, ToIndex
from shared.labels.store import CompanionWriteFailed, Store
from shared.pictures.bucket import Bucket, denial
from shared.pictures.check import check_picture
from shared.recognition.detections import Detection, Unrecognisable
from shared.recognition.recognition import Recognition
from shared.settings import Settings, read_settings
from shared.uploads.callbacks import Callback, CallbackQueue
from shared.uploads.incoming import IncomingBucket
from shared.uploads.table import Uploads
from shared.uploads.upload import Upload, current_image, incoming_key, upload_json

NO_TAG = re.compile(r"[^a-z0-9]+")
GIVEN_UP = Unavailable("The service failed again and again; its operators can have the file ingested later.")


class FileMissing(Exception):
    """The file is not there, and its upload has no image."""


class UploadGivenUp(Exception):
    """The upload has failed through no fault of its file."""


def ingest(upload_id: str) -> str:
    """Do all that is left to do for an upload. Return its last state, empty if the upload no longer exists.

    A mistake in the file ends the upload as failed. Any other failure is raised, and the caller should try again later.
    """
    settings = read_settings()
    uploads = Uploads(aws.dynamodb(), settings.uploads_table)
    while (upload := uploads.get(upload_id, consistent=True)) and not upload.has_ended:
        logs.note(request=upload.request)
        go_on = _recognise if upload.image else _store
        try:
            go_on(upload, uploads, settings)
        except Unavailable:
            raise
        except ApiError as refusal:
            uploads.mark_failed(upload, endpoint.problem_of(refusal))
    if upload:
        _send_callback(upload, uploads, settings)
    IncomingBucket(aws.s3(), settings.incoming_bucket).discard(incoming_key(upload_id))
    return upload.state if upload else ""


def give_up(upload_id: str) -> str:
    """Mark an upload as given up, send its callback and raise UploadGivenUp; if it has ended, do the same as `ingest`.

    The file of an upload that is given up stays, so that operators can send its message again from the dead-letter
    queue.
    """
    settings = read_settings()
    uploads = Uploads(aws.dynamodb(), settings.uploads_table)
    upload = uploads.get(upload_id, consistent=True)
    if upload and uploads.mark_given_up(upload, endpoint.problem_of(GIVEN_UP)):
        upload = uploads.get(upload_id, consistent=True)
        if upload:
            _send_callback(upload, uploads, settings)
        raise UploadGivenUp(upload_id)
    return ingest(upload_id)


def _store(upload: Upload, uploads: Uploads, settings: Settings) -> None:
    """Add the file to its label as an image."""
    file = IncomingBucket(aws.s3(), settings.incoming_bucket).get(upload.key)
    if file is None:
        raise FileMissing(upload.id)
    uploads.mark_received(upload)
    checked = check_picture(file)
    wanted = NewImage(
        upload.label,
        upload.weight,
        upload.tags,
        upload.owner,
        upload.filename,
        upload.base_url,
        allow_other_tags=upload.tag_from_labels,
    )
    bucket, store = Bucket(aws.s3(), settings.bucket), Store(aws.dynamodb(), settings)
    with suppress(CompanionWriteFailed):  # another call has gone on with the upload meanwhile
        added = add_image.add(checked, wanted, bucket, store, companion=partial(uploads.stored_write, upload))
        if not added.is_new:
            uploads.mark_stored(upload, added.image)


def _recognise(upload: Upload, uploads: Uploads, settings: Settings) -> None:
    """Find what the image shows, and give the image tags from it if the client wants that."""
    store, bucket = Store(aws.dynamodb(), settings), Bucket(aws.s3(), settings.bucket)
    image = current_image(upload, store)
    content = bucket.get(image.id, image.version_id) if image else None
    if image is None or content is None:
        is_known = image is not None and current_image(upload, store) is not None
        raise denial(is_known=is_known) or UnprocessableValue("The image was deleted before it was recognised.")
    try:
        detections = Recognition(settings.recognitions_table).detections(content, images.content_type(image.name))
    except Unrecognisable as reason:
        raise UnprocessableValue(f"The picture is stored, but it cannot be recognised: {reason}") from reason
    if upload.tag_from_labels:
        store.edit(image.label, image.name, partial(_tagged, version=image.version_id, detections=detections))
    # The index has the image by now, but perhaps not these labels: the stream is faster than a recogniser.
    IndexQueue(aws.sqs(), settings.index_queue).put(
        [ToIndex(image.label, image.name, recognised=True, request=upload.request)]
    )
    uploads.mark_recognised(upload, [(detection.name, detection.confidence) for detection in detections])


def _tagged(image: Image, *, version: str, detections: list[Detection]) -> Image:
    """Return the image with tags from detections if it is this version. Another version belongs to another upload."""
    return replace(image, tags=tags_from(image.tags, detections)) if image.version_id == version else image


def tags_from(tags: tuple[str, ...], detections: list[Detection]) -> tuple[str, ...]:
    """Fill the places that are left for tags with the names of the strongest detections that can be tags."""
    found = list(tags)
    for detection in detections:
        tag = NO_TAG.sub("-", detection.name.lower()).strip("-")
        if len(found) < images.TAGS_MAX and images.LABEL.fullmatch(tag) and tag not in found:
            found.append(tag)
    return tuple(sorted(found))


def _send_callback(upload: Upload, uploads: Uploads, settings: Settings) -> None:
    """Put the callback that is due into the queue, unless that was done before."""
    if not upload.callback_url or upload.callback_sent == upload.callback_id:
        return
    image = current_image(upload, Store(aws.dynamodb(), settings))
    payload = json.dumps(upload_json(upload, image))
    callback = Callback(upload.callback_id, upload.callback_url, upload.insecure_callback, payload, upload.request)
    CallbackQueue(aws.sqs(), settings.callback_queue).put(callback)
    uploads.mark_callback_sent(upload)
