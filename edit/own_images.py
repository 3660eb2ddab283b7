"""GET /mine: the images that belong to the caller, page by page; an administrator may name another owner."""

from urllib.parse import urlencode

from shared import aws, images
from shared.api import access, paging
from shared.api.endpoint import Request, Response, required
from shared.api.image_json import image_json
from shared.errors import Forbidden, UnprocessableValue
from shared.labels import catalogue
from shared.labels.catalogue import Catalogue
from shared.settings import read_settings

OWNER_MAX = 255  # characters of a subject (authorize/tokens.py)

PARAMETERS = {"label", "owner", *paging.PARAMETERS}


def list_own(request: Request) -> Response:
    """A page of the label's images of an owner; Forbidden if that is not the caller and the caller no administrator."""
    caller = access.caller(request.authorizer, access.WRITE)
    label = images.parse_label(required(request.query, "label"))
    owner = request.query.get("owner", caller.subject)
    if owner != caller.subject and access.ADMIN not in caller.scopes:
        raise Forbidden("Who owns what is told to the owner and to administrators alone.", field="owner")
    if not caller.subject:
        raise Forbidden("Nothing is yours: images that are uploaded without a token belong to nobody.", field="owner")
    if not (0 < len(owner) <= OWNER_MAX and owner.isprintable()):
        raise UnprocessableValue(f"owner must be a token's subject: 1 to {OWNER_MAX} characters.", field="owner")
    selection = catalogue.of_owner(label, owner)
    query = f"mine?{urlencode({'label': label, 'owner': owner})}"
    limit, after = paging.limit(request), paging.start_after(request, query, selection)
    page = Catalogue(aws.dynamodb(), read_settings()).images(label, selection, limit, after)
    shown = [image_json(image, request.base_url) for image in page.entries]
    return paging.page_response(request, {"images": shown}, query, page)
