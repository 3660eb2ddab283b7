"""GET /images, /labels and /status: pictures, thumbnails, infos, lists (listing.py), and the state of the service."""

from collections.abc import Mapping

import listing
import service_status
import thumbnails
from shared import aws
from shared.api import etags, image_paths, image_responses
from shared.api.endpoint import Request, Response, endpoint, other_function
from shared.api.image_json import image_url, picture_headers
from shared.api.parameters import OTHERS
from shared.images import Image
from shared.labels.store import Store
from shared.missing_picture import missing
from shared.picture_response import picture_response
from shared.pictures.bucket import Bucket, ThumbnailBucket
from shared.settings import read_settings
from shared.thumbnail import Thumbnail, requested
from shared.tiles import Tiles


def get_picture(request: Request) -> Response:
    """Answer with the picture or a thumbnail of it, or with 304 if the caller has it already.

    A picture that does not fit into an answer is a 302 to S3.  A label in upper case is one to the picture's own
    address, so that caches keep a picture once.
    """
    label, name = image_paths.image_path(request)
    thumbnail = requested(request, label, name)
    settings = read_settings()
    store = Store(aws.dynamodb(), settings)
    image = store.image(label, name)
    if image is None:
        raise image_paths.not_found(label, name)
    if label != request.path_parameters["label"]:
        return _redirect(image_url(image, request.base_url) + (f"?size={thumbnail.side}" if thumbnail else ""))
    headers = {
        **(thumbnail.headers if thumbnail else _headers(label, name)),
        "Cache-Control": f"public, max-age={settings.image_max_age}, immutable",
    }
    if etags.matches(request.headers.get("if-none-match", ""), headers["ETag"], weak=True):
        # It has the picture's headers, because a gateway adds a Content-Type of its own, which caches would take over.
        return Response(304, headers=headers)
    if response := _content(image, thumbnail, store, headers):
        return response
    # deleted between the two reads, perhaps uploaded again since, or the row was an old one
    newest = store.image(label, name, consistent=True)
    response = _content(newest, thumbnail, store, headers) if newest else None
    if response is None:
        still = store.image(label, name, consistent=True)  # or it was deleted once more meanwhile
        is_known = newest is not None and still is not None and still.version_id == newest.version_id
        raise missing(label, name, is_known=is_known)
    return response


def _content(image: Image, thumbnail: Thumbnail | None, store: Store, headers: Mapping[str, str]) -> Response | None:
    """Answer with the thumbnail, or with the version of the picture that the row names, or return None without it."""
    settings = read_settings()
    bucket = Bucket(aws.s3(), settings.bucket)
    if thumbnail is None:
        return picture_response(bucket, image.id, headers, image.version_id)
    kept = ThumbnailBucket(aws.s3(), settings.thumbnail_bucket)
    content = thumbnails.read_or_make(thumbnail, image, store, bucket, kept)
    return None if content is None else Response(200, content, headers)


def _redirect(location: str) -> Response:
    return Response(302, headers={"Location": location, "Cache-Control": "no-store"})


def _headers(label: str, name: str) -> dict[str, str]:
    return {**picture_headers(label, name), "ETag": f'"{name.partition(".")[0]}"'}


def get_image(request: Request) -> Response:
    """Answer with the image, its probability, and its labels if they are known.

    The ETag is for If-Match of PATCH and DELETE.
    """
    label, name = image_paths.image_path(request)
    settings = read_settings()
    store, tiles = Store(aws.dynamodb(), settings), Tiles(aws.dynamodb(), settings.tiles_table)
    return image_responses.current_state(
        store, request, label, name, consistent=False, labels=lambda image: tiles.labels_of([image]).get(image.id)
    )


handler = endpoint(
    {
        "/images/{label}/{name}": {"GET": get_picture, "PATCH": other_function, "DELETE": other_function},
        "/images/{label}/{name}/info": {"GET": get_image},
        "/images": {"GET": listing.list_images},
        "/labels": {"GET": listing.list_labels},
        "/labels/{label}": {"GET": listing.get_label},
        "/status": {"GET": service_status.get_status},
    },
    parameters={"/images/{label}/{name}": {"size", OTHERS}, **listing.PARAMETERS},
)
aws.make_now(aws.dynamodb, aws.s3, aws.ssm)
