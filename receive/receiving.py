"""What becomes of a file that came by a form.  Each step can be taken again, and by two at once."""

import json
import os
import re
from dataclasses import replace
from hashlib import sha256

import recognition
from labels import Label, Unrecognisable
from recognitions import Recognitions
from shared import adding, api, aws, images, picture, settings, uploads
from shared.adding import Wanted
from shared.bucket import Bucket
from shared.callbacks import Callback, CallbackQueue
from shared.errors import ApiError, Conflict, Unavailable, UnprocessableValue
from shared.images import Image
from shared.incoming import IncomingBucket
from shared.settings import Settings
from shared.store import Store
from shared.uploads import Upload, Uploads

LIFETIME_DAYS = 365
NO_TAG = re.compile(r"[^a-z0-9]+")


GIVEN_UP = Unavailable("The service failed again and again; its operators can have the file received later.")


class FileMissing(Exception):
    """The file is not there, and it has become no image."""


def receive(upload_id: str, *, is_last: bool = False) -> str:
    """The state of the upload after all has been done that can be; empty if there is no such upload any more.

    What fails rises and is tried again; but if this is the last try, the upload has failed, and its callback tells.
    """
    names = settings.read()
    known, incoming = Uploads(aws.dynamodb(), names.uploads_table), IncomingBucket(aws.s3(), names.incoming_bucket)
    upload = known.get(upload_id, consistent=True)
    failure: Exception | None = None
    if upload and not upload.is_over:
        try:
            _go_on(upload, known, incoming, names)
        except Exception as error:
            refused = isinstance(error, ApiError) and not isinstance(error, Unavailable)
            if not refused and not is_last:
                raise
            failure = None if refused else error
            known.failed(upload, api.problem_of(error if isinstance(error, ApiError) and refused else GIVEN_UP))
        upload = known.get(upload_id, consistent=True)
    if upload and upload.callback_url and not upload.notified:
        _notify(upload, names)
        known.notified(upload)
    if failure:  # the file stays for those who find the message in the dead-letter queue and have it received again
        raise failure
    incoming.discard(uploads.key_of(upload_id))
    return upload.state if upload else ""


def _go_on(upload: Upload, known: Uploads, incoming: IncomingBucket, names: Settings) -> None:
    store, bucket = Store(aws.dynamodb(), names), Bucket(aws.s3(), names.bucket)
    image, content = _image(upload, known, incoming, store, bucket)
    try:
        labels = _labels(image, content, names)
    except Unrecognisable as reason:
        raise UnprocessableValue(f"The picture is stored, but cannot be recognised: {reason}") from reason
    if upload.tag_from_labels:
        store.edit(image.label, image.name, lambda image: replace(image, tags=tags_from(image.tags, labels)))
    known.recognised(upload, [(label.name, label.confidence) for label in labels])


def _image(
    upload: Upload, known: Uploads, incoming: IncomingBucket, store: Store, bucket: Bucket
) -> tuple[Image, bytes]:
    """The image that the file has become, or becomes here, and its bytes."""
    if upload.image:
        return _stored(upload.image, store, bucket)
    file = incoming.get(upload.key)
    if file is None:
        raise FileMissing(upload.id)
    known.received(upload)
    checked = picture.check(file)
    more = upload.tag_from_labels
    wanted = Wanted(upload.label, upload.weight, upload.tags, upload.owner, upload.filename, more_tags=more)
    try:
        image = adding.add(checked, wanted, bucket, store).image
    except Conflict:
        present = known.get(upload.id, consistent=True)
        if present and present.image:  # another one, at the same time, has stored it and perhaps given it tags
            return _stored(present.image, store, bucket)
        raise
    known.stored(upload, image.id)
    return image, checked.content


def _stored(image_id: str, store: Store, bucket: Bucket) -> tuple[Image, bytes]:
    image, content = store.image(*image_id.split("/"), consistent=True), bucket.get(image_id)
    if image is None or content is None:
        raise UnprocessableValue("The image was deleted before it was recognised.")
    return image, content


def _labels(image: Image, content: bytes, names: Settings) -> list[Label]:
    kept = Recognitions(aws.dynamodb(), names.recognitions_table, _lifetime())
    content_type = images.content_type(image.name)
    return kept.recognised(
        sha256(content).hexdigest(),
        recognition.identity(),
        lambda: recognition.chosen()(content, content_type),
    )


def _lifetime() -> int:
    """Seconds that a result is good for."""
    return int(os.environ.get("RECOGNITION_LIFETIME_DAYS") or LIFETIME_DAYS) * 86_400


def tags_from(tags: tuple[str, ...], labels: list[Label]) -> tuple[str, ...]:
    """The tags, and in the places that are left the names of the strongest labels that can be tags."""
    found = list(tags)
    for label in labels:
        tag = NO_TAG.sub("-", label.name.lower()).strip("-")
        if len(found) < images.TAGS_MAX and images.LABEL.fullmatch(tag) and tag not in found:
            found.append(tag)
    return tuple(sorted(found))


def _notify(upload: Upload, names: Settings) -> None:
    label, _, name = upload.image.partition("/")
    image = Store(aws.dynamodb(), names).image(label, name, consistent=True) if name else None
    payload = json.dumps(uploads.as_dict(upload, image, upload.created))
    callback = Callback(upload.id, upload.callback_url, upload.insecure_callback, payload)
    CallbackQueue(aws.sqs(), names.callback_queue).put(callback)
