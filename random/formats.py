"""What each format of a draw gets of the drawn image, and how it shows that."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from draw import Drawn
from shared import images
from shared.api.endpoint import Request, Response, as_json
from shared.api.image_json import image_json, image_url, picture_headers
from shared.images import Image
from shared.labels.reading import Reader
from shared.picture_response import picture_response
from shared.pictures.bucket import Bucket, ThumbnailBucket


class Sources(NamedTuple):
    """Where the image is, and the request that asks for it; `side` is of its thumbnail, None for the whole picture."""

    reader: Reader
    pictures: Bucket
    thumbnails: ThumbnailBucket
    request: Request
    side: int | None


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
    if sources.side:
        return _thumbnail(sources, label, name)
    return picture_response(sources.pictures, f"{label}/{name}", picture_headers(label, name))


def _thumbnail(sources: Sources, label: str, name: str) -> Response | None:
    """Return the response with the thumbnail, or a redirect to the address that makes it, which takes Pillow."""
    from shared.thumbnail import FAILED, requested  # here, so that a draw of a whole picture does not wait for it

    if thumbnail := requested(sources.request, label, name):
        content = sources.thumbnails.get(f"{label}/{name}", thumbnail.side, thumbnail.extension)
        if content is not None and not content.startswith(FAILED):
            return Response(200, content, thumbnail.shown_headers)
    image = _row(sources, label, name)
    return Response(302, headers={"Location": _address(sources, image)}) if image else None


def _row(sources: Sources, label: str, name: str) -> Image | None:
    """Return the image's row."""
    return sources.reader.image(label, name)


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


# What gets what is shown of an image, by label and name, or None if it was deleted; and what shows it.
Format = tuple[Callable[[Sources, str, str], Any], Callable[[Sources, Drawn, Any], Response]]
FORMATS: dict[str, Format] = {"image": (_picture, _as_it_is), "json": (_row, _json), "redirect": (_row, _redirect)}
