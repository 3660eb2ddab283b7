"""GET /mine: the caller's own images, page by page; an administrator may name another owner."""

from urllib.parse import urlencode

from shared import aws, images
from shared.api import access, paging
from shared.api.endpoint import Request, Response, required
from shared.api.image_json import image_json
from shared.errors import Forbidden, UnprocessableValue
from shared.labels import catalogue
from shared.labels.catalogue import Catalogue
from shared.settings import read_settings
from shared.tiles import Tiles

OWNER_MAX = 255  # characters of a token's subject; authorize/tokens.py has the same limit

PARAMETERS = {"label", "owner", *paging.PARAMETERS}


def list_own(request: Request) -> Response:
    """Return a page of the label's images of one owner.

    Raise Forbidden if the owner is not the caller and the caller is no administrator.
    """
    caller = access.caller(request.authorizer, access.WRITE)
    label = images.parse_label(required(request.query, "label"))
    owner = request.query.get("owner", caller.subject)
    if owner != caller.subject and access.ADMIN not in caller.scopes:
        raise Forbidden(
            "Only administrators may list the images of another owner; remove owner to list your own.", field="owner"
        )
    if not caller.subject:
        raise Forbidden("Images uploaded without a token have no owner, so there is nothing to list.", field="owner")
    if not (0 < len(owner) <= OWNER_MAX and owner.isprintable()):
        raise UnprocessableValue(
            f"owner must be the subject of a token, 1 to {OWNER_MAX} printable characters.", field="owner"
        )
    selection = catalogue.of_owner(label, owner)
    query = f"mine?{urlencode({'label': label, 'owner': owner})}"
    limit, after = paging.limit(request), paging.start_after(request, query, selection)
    settings = read_settings()
    page = Catalogue(aws.dynamodb(), settings).images(label, selection, limit, after)
    labels = Tiles(aws.dynamodb(), settings.tiles_table).labels_of(page.entries)
    shown = [image_json(image, request.base_url, labels.get(image.id)) for image in page.entries]
    return paging.page_response(request, {"images": shown}, query, page)
