"""GET /random, /random.json and /random/{label}: random images, with probability exactly weight / total."""

import logging
import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

from draw import Drawn, draw
from foresight import Memory
from formats import FORMATS, Sources, shown
from pools import Pools, named
from pools import parse as parse_pools
from shared import aws, images, metrics
from shared.api.accept import prefers_json
from shared.api.endpoint import Request, Response, as_json, endpoint, required
from shared.api.parameters import RANDOM
from shared.errors import BadRequest, Unavailable, UnprocessableValue
from shared.labels.reading import Reader
from shared.pictures.bucket import Bucket, ThumbnailBucket
from shared.settings import Settings, read_settings

if TYPE_CHECKING:
    from draw_many import DrawnImages

logger = logging.getLogger("petapi")

MEDIA_TYPES = tuple(images.CONTENT_TYPES.values())
DRAWS_MAX = 4  # of a request: each drawn image but the last may be deleted before it is read
EXTRA_PARAMETERS = {"count", "distinct", "exclude", "seed", "session", "position"}  # parsed by random/options.py
RNG: random.Random = random.SystemRandom()
FORGETFUL = Memory(strips=0, chunks=0, unknown=1)

Found = TypeVar("Found")
Fetch = Callable[[str, str], Found | None]  # gets what is shown of the image of this label and name; None if it is gone
Choose = Callable[[Fetch[Found]], tuple[Drawn, Found | None]]


@cache
def memory() -> Memory:
    """Return what this process remembers for its next draws."""
    return Memory()


def random_image(request: Request) -> Response:
    """Draw an image that still exists, and return it in the requested format."""
    return _draw(request, _pools(request), _format(request))


def random_json(request: Request) -> Response:
    """Draw an image that still exists, and return it as JSON, whatever the request accepts.

    A generated client has one type for each response, so it cannot use a route that chooses among them.
    """
    return _draw(request, _pools(request), "json")


def _draw(request: Request, pools: Pools, response_format: str) -> Response:
    """Draw with the options of the query, if there are any."""
    if EXTRA_PARAMETERS & request.query.keys():
        return _with_options(request, pools, response_format)
    settings = read_settings()
    sources = _sources(request, settings)
    known = FORGETFUL if settings.consistent_reads else memory()
    return _respond(sources, pools, response_format, partial(draw, sources.reader, pools, RNG, memory=known))


def _sources(request: Request, settings: Settings) -> Sources:
    """Return where images are, for this request."""
    side, s3 = None, aws.s3()
    if "size" in request.query:
        from shared.thumbnail import requested_side  # here, so that a draw without it does not wait for it

        side = requested_side(request)
    pictures, thumbnails = Bucket(s3, settings.bucket), ThumbnailBucket(s3, settings.thumbnail_bucket)
    return Sources(Reader(aws.dynamodb(), settings), pictures, thumbnails, request, side)


def _with_options(request: Request, pools: Pools, response_format: str) -> Response:
    """Return several images, one that a seed or a session chooses, or one that is not left out.

    With a seed or a session, reads are consistent: the response changes only when the label changes.
    """
    from bulk_reads import Rows
    from draw_many import draw_many, draw_one
    from options import generator, parse  # imported here, so that a plain draw does not wait for it
    from session import image_at_position

    options = parse(request.query, pools)
    rng = generator(options.seed) if options.seed else RNG
    settings = read_settings()
    if options.seed or options.session:
        settings = replace(settings, consistent_reads=True)
    sources, rows = _sources(request, settings), Rows(aws.dynamodb(), settings)
    reader = sources.reader
    if options.count:
        several = partial(draw_many, reader, rows, pools, options.count, rng)
        return _all_as_json(several(distinct=options.distinct, excluded=options.excluded), sources)
    if options.session:
        walk = partial(image_at_position, reader, rows, pools[0], options.session, options.position)
        return _respond(sources, pools, response_format, partial(_fetched, walk))
    if options.excluded:
        other = partial(draw_one, reader, rows, pools, options.excluded, rng)
        return _respond(sources, pools, response_format, partial(_fetched, other))
    return _respond(sources, pools, response_format, partial(draw, reader, pools, rng, memory=FORGETFUL))


def _respond(sources: Sources, pools: Pools, response_format: str, choose: Choose[Any]) -> Response:
    """Choose an image and return it in this format.  If it was deleted meanwhile, choose again, DRAWS_MAX times in all.

    `choose` draws an image, or takes the one at the position of a session, and gets what the format shows of it.
    """
    fetch, respond = FORMATS[response_format]
    for _ in range(DRAWS_MAX):
        drawn, found = choose(partial(fetch, sources))
        if found is not None:
            metrics.count("Draws")
            response = respond(sources, drawn, found)
            return Response(response.status, response.body, {**response.headers, **_headers(drawn)})
        logger.warning("%s the drawn image %s was deleted meanwhile", sources.request.id, drawn.id)
    if metrics.counted("Denied") >= DRAWS_MAX:  # so many deletions in a moment are less likely than a wrong policy
        logger.error("S3 denied each drawn picture: look at the bucket's policy, its key and this function's role")
    raise Unavailable(f"Each drawn image of {named(pools)} was deleted meanwhile; retry in a moment.")


def _fetched(choose: Callable[[], Drawn], fetch: Fetch[Found]) -> tuple[Drawn, Found | None]:
    drawn = choose()
    return drawn, fetch(drawn.label, drawn.name)


def _pools(request: Request) -> Pools:
    """Return the pools of the labels that the path or the query names."""
    in_path = request.path_parameters.get("label")
    if in_path and "label" in request.query:
        raise BadRequest("The label is in the path already; remove label from the query.", field="label")
    return parse_pools(in_path or required(request.query, "label"), request.query.get("tag"))


def _format(request: Request) -> str:
    """Return the format that the query names, or the one that the Accept header prefers."""
    asked = request.query.get("format")
    if asked is None:
        return "json" if prefers_json(request.headers.get("accept", ""), to=MEDIA_TYPES) else "image"
    if asked not in FORMATS:
        raise UnprocessableValue(f"format must be one of {', '.join(FORMATS)}.", field="format")
    return asked


def _all_as_json(drawn: "DrawnImages", sources: Sources) -> Response:
    """Return several drawn images, in the order of the draws."""
    found = [{**shown(image, sources), "probability": probability} for image, probability in drawn.images]
    headers = {"Image-Total-Weight": images.decimal(drawn.total_weight)}
    metrics.count("Draws", len(found))
    return as_json({"images": found, "totalWeight": drawn.total_weight / images.UNITS}, headers=headers)


def _headers(drawn: Drawn) -> dict[str, str]:
    """Return the headers that a draw in any format has."""
    return {
        "Cache-Control": "no-store",
        "Image-Id": drawn.id,
        "Image-Weight": images.decimal(drawn.weight),
        "Image-Total-Weight": images.decimal(drawn.total_weight),
        "Image-Probability": repr(drawn.probability),
    }


_PARAMETERS = {"label", "tag", "size", RANDOM, *EXTRA_PARAMETERS}
handler = endpoint(
    {
        "/random": {"GET": random_image},
        "/random/{label}": {"GET": random_image},
        "/random.json": {"GET": random_json},
    },
    parameters={
        "/random": {"format", *_PARAMETERS},
        "/random/{label}": {"format", *_PARAMETERS},
        "/random.json": _PARAMETERS,
    },
)
aws.make_now(aws.dynamodb, aws.s3, aws.ssm)
