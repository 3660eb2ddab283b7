"""DELETE /images/{label}/{name}: remove an image from its label, then exactly its version and its thumbnails."""

from shared import aws, settings
from shared.api import access, image_responses
from shared.api.endpoint import Request, Response, endpoint
from shared.labels.store import Store
from shared.pictures.bucket import Bucket, ThumbnailBucket


def delete_image(request: Request) -> Response:
    """204; NotFound if there is no such image, Forbidden if it is another's, PreconditionFailed if it has changed."""
    caller = access.caller(request.authorizer, access.DELETE)
    label, name = image_responses.image_path(request)
    names = settings.read()
    check = access.permit(caller, request.headers.get("if-match", "*"))
    image = Store(aws.dynamodb(), names).remove(label, name, check=check)
    if image is None:
        raise image_responses.not_found(label, name)
    Bucket(aws.s3(), names.bucket).discard(image.id, image.version_id)
    ThumbnailBucket(aws.s3(), names.thumbnail_bucket).discard(image.id)
    return Response(204)


handler = endpoint({"/images/{label}/{name}": {"DELETE": delete_image}})
