"""What each format of a draw gets of the drawn image, and how it shows that."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from draw import Drawn
from shared import images
from shared.api.endpoint import Request, Response, as_json
from shared.api.image_json import image_json, image_url, picture_headers
from shared.images import Image
from shared.labels.store import Store
from shared.picture_response import picture_response
from shared.pictures.bucket import Bucket, ThumbnailBucket
from shared.thumbnail import FAILED, Thumbnail, requested


class Sources(NamedTuple):
    """Where the image is, and the request that asks for it; `side` is of its thumbnail, None for the whole picture."""

    store: Store
    pictures: Bucket
    thumbnails: ThumbnailBucket
    request: Request
    side: int | None


class Format(NamedTuple):
    """`fetch` gets what is shown of an image, by label and name, or None if it was deleted; `respond` shows it."""

    fetch: Callable[[Sources, str, str], Any]
    respond: Callable[[Sources, Drawn, Any], Response]


def shown(image: Image, sources: Sources) -> dict[str, Any]:
    """Return the image's JSON form, with the address of its thumbnail if the request names a size."""
    document = image_json(image, sources.request.base_url)
    address = {"thumbnailUrl": f"{document['url']}?size={sources.side}"} if sources.side else {}
    return {**document, **address}


def _picture(sources: Sources, label: str, name: str) -> Response | None:
    """Return the response with the picture, or with its thumbnail.

    Its row is not read: the chunk that the dart hit vouches for the image.  A delete removes it from there before it
    removes the picture.
    """
    if thumbnail := requested(sources.request, label, name):
        return _thumbnail(sources, thumbnail)
    return picture_response(sources.pictures, f"{label}/{name}", picture_headers(label, name))


def _thumbnail(sources: Sources, thumbnail: Thumbnail) -> Response | None:
    """Return the response with the thumbnail, or a redirect to the address that makes it, which takes Pillow."""
    content = sources.thumbnails.get(f"{thumbnail.label}/{thumbnail.name}", thumbnail.side, thumbnail.extension)
    if content is not None and not content.startswith(FAILED):
        return Response(200, content, thumbnail.shown_headers)
    image = _row(sources, thumbnail.label, thumbnail.name)
    return Response(302, headers={"Location": _address(sources, image)}) if image else None


def _row(sources: Sources, label: str, name: str) -> Image | None:
    """Return the image's row."""
    return sources.store.image(label, name)


def _as_it_is(_: Sources, __: Drawn, response: Response) -> Response:
    return response


def _json(sources: Sources, drawn: Drawn, image: Image) -> Response:
    """Return the image's row as JSON, with the weight that it was drawn with."""
    document = shown(replace(image, weight=drawn.weight), sources)
    return as_json({**document, "probability": drawn.probability, "totalWeight": drawn.total_weight / images.UNITS})


def _redirect(sources: Sources, _: Drawn, image: Image) -> Response:
    """Return a redirect to the picture's own address, or to that of its thumbnail."""
    return Response(302, headers={"Location": _address(sources, image)})


def _address(sources: Sources, image: Image) -> str:
    return image_url(image, sources.request.base_url) + (f"?size={sources.side}" if sources.side else "")


FORMATS = {"image": Format(_picture, _as_it_is), "json": Format(_row, _json), "redirect": Format(_row, _redirect)}
