"""DELETE /images/{label}/{name}: delete an image from its label, then its version in the bucket and its thumbnails.

`index/`, which follows the table's stream, removes its tile and its vector.
"""

from functools import partial

from shared import aws, writes
from shared.api import access, image_paths
from shared.api.endpoint import Request, Response, endpoint
from shared.labels.store import Store
from shared.parallel import beside
from shared.pictures.bucket import Bucket, ThumbnailBucket
from shared.settings import read_settings


def delete_image(request: Request) -> Response:
    """Delete an image: 204.

    Raise NotFound if there is no such image, Forbidden if it has another owner, PreconditionFailed if it has changed.
    """
    caller = access.caller(request.authorizer, access.DELETE)
    label, name = image_paths.image_path(request)
    settings = read_settings()
    writes.require_open(settings)
    check = access.permit(caller, request.headers.get("if-match", "*"))
    image = Store(aws.dynamodb(), settings).remove(label, name, check=check)
    if image is None:
        raise image_paths.not_found(label, name)
    bucket, thumbnails = Bucket(aws.s3(), settings.bucket), ThumbnailBucket(aws.s3(), settings.thumbnail_bucket)
    with beside(partial(thumbnails.discard, image.id)) as discard_thumbnails:
        bucket.discard(image.id, image.version_id)
        discard_thumbnails()
    return Response(204)


handler = endpoint({"/images/{label}/{name}": {"DELETE": delete_image}})
aws.make_now(aws.dynamodb, aws.s3, aws.ssm)
