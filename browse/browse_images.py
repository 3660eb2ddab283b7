"""/images and /labels: a picture, its thumbnails, its info, and lists of what there is (listing.py)."""

import logging

import listing
import thumbnails
from shared import aws
from shared.api import etags, image_responses
from shared.api.endpoint import Request, Response, endpoint, other_function
from shared.api.image_json import picture_headers
from shared.labels.store import Store
from shared.limits import BODY_MAX
from shared.pictures.bucket import Bucket, ThumbnailBucket
from shared.settings import read_settings

logger = logging.getLogger("petapi")


def download(request: Request) -> Response:
    """The picture's bytes, or those of a thumbnail of it; 304 if the caller has them.

    302 to S3 for a picture that does not fit into an answer.
    """
    label, name = image_responses.image_path(request)
    thumbnail = thumbnails.asked(request, label, name)
    settings = read_settings()
    store = Store(aws.dynamodb(), settings)
    image = store.image(label, name)
    if image is None:
        raise image_responses.not_found(label, name)
    headers = {
        **(thumbnail.headers if thumbnail else _headers(label, name)),
        "Cache-Control": f"public, max-age={settings.image_max_age}, immutable",
    }
    if etags.matches(request.headers.get("if-none-match", ""), headers["ETag"], weak=True):
        # With the picture's headers: a gateway gives an answer without Content-Type its own, and caches take that over.
        return Response(304, headers=headers)
    bucket = Bucket(aws.s3(), settings.bucket)
    if thumbnail:
        kept = ThumbnailBucket(aws.s3(), settings.thumbnail_bucket)
        content = thumbnails.content(thumbnail, image, store, bucket, kept)
    elif image.size > BODY_MAX:
        location = bucket.url(image.id, headers)
        return Response(302, headers={"Location": location, "Cache-Control": "no-store"})
    else:
        content = bucket.get(image.id)
    if content is None:  # deleted between the two reads, or not for us to read
        logger.warning("%s %s is there, but its picture is not", request.id, image.id)
        raise image_responses.not_found(label, name)
    return Response(200, content, headers)


def _headers(label: str, name: str) -> dict[str, str]:
    return {**picture_headers(label, name), "ETag": f'"{name.partition(".")[0]}"'}


def info(request: Request) -> Response:
    """The image and its probability; the ETag is for a PATCH's or DELETE's If-Match."""
    label, name = image_responses.image_path(request)
    return image_responses.current_state(Store(aws.dynamodb(), read_settings()), request, label, name, consistent=False)


handler = endpoint(
    {
        "/images/{label}/{name}": {"GET": download, "PATCH": other_function, "DELETE": other_function},
        "/images/{label}/{name}/info": {"GET": info},
        "/images": {"GET": listing.list_images},
        "/labels": {"GET": listing.list_labels},
        "/labels/{label}": {"GET": listing.show_label},
    },
    parameters={"/images/{label}/{name}": {"size"}, **listing.PARAMETERS},
)
