"""/uploads: ask for a form that takes a file straight to S3, and follow what becomes of it."""

import os
import re
import time
import uuid
from typing import Any

from shared import access, addresses, aws, documents, images, settings, uploads
from shared.api import Request, Response, as_json, endpoint
from shared.errors import BadRequest, NotFound
from shared.incoming import IncomingBucket
from shared.store import Store
from shared.uploads import Upload, Uploads

ID = re.compile("[0-9a-f]{32}")
EXAMPLE = '{"label": "cat"}'


def ask(request: Request) -> Response:
    """201 and a form: within the hour, post its fields and then the file to its address."""
    caller = access.caller(request.authorizer, access.WRITE)
    asked = _asked(request)
    names = settings.read()
    asked["label"] = images.parse_allowed_label(asked["label"], names.labels)
    upload = Upload(uuid.uuid4().hex, int(time.time()), request.base_url, owner=caller.subject, **asked)
    Uploads(aws.dynamodb(), names.uploads_table).add(upload)
    form = IncomingBucket(aws.s3(), names.incoming_bucket).form(upload.key)
    shown = uploads.as_dict(upload, None, upload.created)
    return as_json({**shown, "upload_info": form}, status=201, headers={"Location": shown["status_url"]})


def follow(request: Request) -> Response:
    """The state of an upload, with its image, the labels that were recognised, or what is wrong with it."""
    names = settings.read()
    known, upload_id = Uploads(aws.dynamodb(), names.uploads_table), request.path_parameters["id"]
    upload = known.get(upload_id, consistent=True) if ID.fullmatch(upload_id) else None
    if upload is None:
        raise NotFound("There is no such upload; each is known for fifteen days.")
    image = uploads.image_of(upload, Store(aws.dynamodb(), names))
    return as_json(uploads.as_dict(upload, image, time.time()))


def _asked(request: Request) -> dict[str, Any]:
    """What the body asks for, by the names of an Upload's fields."""
    asked = {"weight": images.DEFAULT_WEIGHT, **documents.read(request, MEMBERS, ("application/json",), EXAMPLE)}
    if "label" not in asked:
        raise BadRequest(f"The member label is missing; send {EXAMPLE}.", field="label")
    asked["insecure_callback"] = asked.pop("allow_insecure_callback", False)
    if "callback_url" in asked:
        addresses.parse(
            asked["callback_url"],
            allow_http=os.environ.get("CALLBACK_ALLOW_HTTP") == "true",
            allow_loopback=os.environ.get("CALLBACK_ALLOW_LOOPBACK") == "true",
        )
    return asked


# On purpose in snake_case, as clients of such APIs know them.
MEMBERS = {
    "label": documents.text("label"),
    "weight": documents.weight,
    "tags": documents.tags,
    "filename": documents.filename,
    "tag_from_labels": documents.flag("tag_from_labels"),
    "callback_url": documents.text("callback_url"),
    "allow_insecure_callback": documents.flag("allow_insecure_callback"),
}

handler = endpoint({"/uploads": {"POST": ask}, "/uploads/{id}": {"GET": follow}})
