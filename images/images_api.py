"""/images and /labels: a picture, its info, and lists of what there is (listing.py)."""

import logging

import listing
from shared import answers, aws, images, settings
from shared.api import Request, Response, elsewhere, endpoint
from shared.bucket import Bucket
from shared.store import Store

logger = logging.getLogger("petapi")

RESPONSE_MAX = 4_500_000  # bytes of a picture; in base64 it still fits into Lambda's answer of 6 MiB


def download(request: Request) -> Response:
    """The picture's bytes; 304 if the caller has them; 302 to S3 if they do not fit into an answer."""
    label, name = answers.image_path(request)
    names = settings.read()
    image = Store(aws.dynamodb(), names).image(label, name)
    if image is None:
        raise answers.not_found(label, name)
    headers = {
        **images.picture_headers(label, name),
        "ETag": f'"{name.partition(".")[0]}"',
        "Cache-Control": f"public, max-age={names.image_max_age}, immutable",
    }
    if images.matches(request.headers.get("if-none-match", ""), headers["ETag"], weak=True):
        # With the picture's headers: a gateway gives an answer without Content-Type its own, and caches take that over.
        return Response(304, headers=headers)
    bucket = Bucket(aws.s3(), names.bucket)
    if image.size > RESPONSE_MAX:
        location = bucket.url(image.id, headers)
        return Response(302, headers={"Location": location, "Cache-Control": "no-store"})
    content = bucket.get(image.id)
    if content is None:  # deleted between the two reads, or not for us to read
        logger.warning("%s %s is there, but its picture is not", request.id, image.id)
        raise answers.not_found(label, name)
    return Response(200, content, headers)


def info(request: Request) -> Response:
    """The image and its probability; the ETag is for a PATCH's or DELETE's If-Match."""
    label, name = answers.image_path(request)
    return answers.state(Store(aws.dynamodb(), settings.read()), request, label, name, consistent=False)


handler = endpoint(
    {
        "/images/{label}/{name}": {"GET": download, "PATCH": elsewhere, "DELETE": elsewhere},
        "/images/{label}/{name}/info": {"GET": info},
        "/images": {"GET": listing.list_images},
        "/labels": {"GET": listing.list_labels},
        "/labels/{label}": {"GET": listing.show_label},
    },
    parameters=listing.PARAMETERS,
)
