"""POST /upload: check a picture, store it, and add it to its label."""

import form
from shared import add_image, aws, images, metrics, writes
from shared.api import access, image_responses
from shared.api.endpoint import Request, Response, endpoint
from shared.api.image_json import image_url
from shared.errors import PayloadTooLarge
from shared.labels.store import Store
from shared.limits import BODY_MAX
from shared.pictures.bucket import Bucket
from shared.pictures.check import check_picture
from shared.settings import read_settings


def upload_image(request: Request) -> Response:
    """Add the picture. Answer 201 if the image is new, 200 if it exists with these properties, and 409 otherwise."""
    caller = access.caller(request.authorizer, access.WRITE)
    settings = read_settings()
    writes.require_open(settings)
    if len(request.body) > BODY_MAX:
        raise PayloadTooLarge(
            f"The upload has {len(request.body):,} bytes, but may have at most {BODY_MAX:,}; "
            "use POST /uploads for larger files."
        )
    fields = form.parse(request.body, request.headers.get("content-type", ""))
    wanted = add_image.NewImage(
        label=images.parse_allowed_label(fields.label, settings.labels),
        weight=images.DEFAULT_WEIGHT if fields.weight is None else images.parse_weight(fields.weight),
        tags=images.parse_tags(fields.tags.split(",") if fields.tags.strip() else []),
        owner=caller.subject,
        filename=fields.filename,
        base_url=request.base_url,
    )
    checked = check_picture(fields.img)
    bucket, store = Bucket(aws.s3(), settings.bucket), Store(aws.dynamodb(), settings)
    added = add_image.add(checked, wanted, bucket, store)
    location = {"Location": image_url(added.image, request.base_url)}
    status = 201 if added.is_new else 200
    metrics.count_by("Uploads", "stored" if added.is_new else "known")
    return image_responses.with_probability(added.image, added.total_weight, request, status=status, headers=location)


handler = endpoint({"/upload": {"POST": upload_image}})
aws.make_now(aws.dynamodb, aws.s3, aws.ssm)
