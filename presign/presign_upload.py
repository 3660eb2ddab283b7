"""/uploads: create a form that takes a file straight to S3, and show the state of the upload."""

import os
import re
import time
import uuid
from typing import Any

from shared import aws, images, writes
from shared.api import access, json_body
from shared.api.endpoint import Request, Response, as_json, endpoint
from shared.errors import BadRequest, NotFound
from shared.labels.store import Store
from shared.settings import read_settings
from shared.uploads.callback_url import CallbackRules
from shared.uploads.incoming import IncomingBucket
from shared.uploads.table import Uploads
from shared.uploads.upload import FORM_LIFETIME, Upload, current_image, upload_json

ID = re.compile("[0-9a-f]{32}")
EXAMPLE = '{"label": "cat"}'


def create_direct_upload(request: Request) -> Response:
    """Answer 201 with a form. The client posts its fields and then the file to its URL before `expires`."""
    caller = access.caller(request.authorizer, access.WRITE)
    asked = _asked(request)
    settings = read_settings()
    writes.require_open(settings)
    asked["label"] = images.parse_allowed_label(asked["label"], settings.labels)
    upload = Upload(
        uuid.uuid4().hex,
        int(time.time()),
        request.base_url,
        owner=caller.subject,
        request=request.id,
        form_lifetime=int(os.environ.get("FORM_LIFETIME") or FORM_LIFETIME),
        **asked,
    )
    Uploads(aws.dynamodb(), settings.uploads_table).add(upload)
    form = IncomingBucket(aws.s3(), settings.incoming_bucket).create_form(upload.key, upload.form_lifetime)
    shown = upload_json(upload, None)
    return as_json({**shown, "upload_info": form}, status=201, headers={"Location": shown["status_url"]})


def get_upload(request: Request) -> Response:
    """Answer with the state of an upload, and with its image, its detections or its error if it has them."""
    settings = read_settings()
    uploads, upload_id = Uploads(aws.dynamodb(), settings.uploads_table), request.path_parameters["id"]
    upload = uploads.get(upload_id, consistent=True) if ID.fullmatch(upload_id) else None
    if upload is None:
        raise NotFound("There is no upload with this id; uploads are kept for fifteen days.")
    image = current_image(upload, Store(aws.dynamodb(), settings))
    # A file that came in time may wait for days, while writes are closed.
    is_gone = upload.is_overdue(time.time()) and not IncomingBucket(aws.s3(), settings.incoming_bucket).has(upload.key)
    return as_json(upload_json(upload, image, is_gone=is_gone))


def _asked(request: Request) -> dict[str, Any]:
    """Parse the body. Return its values under the names of an Upload's fields."""
    asked = {"weight": images.DEFAULT_WEIGHT, **json_body.read(request, MEMBERS, ("application/json",), EXAMPLE)}
    if "label" not in asked:
        raise BadRequest(f"The member label is missing; send {EXAMPLE}.", field="label")
    asked["insecure_callback"] = asked.pop("allow_insecure_callback", False)
    if "callback_url" in asked:
        CallbackRules.of_environment().parse(asked["callback_url"])
    return asked


# In snake_case on purpose, as clients of similar APIs know them.
MEMBERS = {
    "label": json_body.text("label"),
    "weight": json_body.weight,
    "tags": json_body.tags,
    "filename": json_body.filename,
    "tag_from_labels": json_body.flag("tag_from_labels"),
    "callback_url": json_body.text("callback_url"),
    "allow_insecure_callback": json_body.flag("allow_insecure_callback"),
}

handler = endpoint({"/uploads": {"POST": create_direct_upload}, "/uploads/{id}": {"GET": get_upload}})
aws.make_now(aws.dynamodb, aws.s3, aws.ssm)
