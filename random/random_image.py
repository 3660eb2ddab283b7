"""GET /random: random images of a label, with probability exactly weight / total."""

import logging
import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from draw import Drawn, draw
from shared import aws, images
from shared.api.accept import prefers_json
from shared.api.endpoint import Request, Response, as_json, endpoint, required
from shared.api.image_json import image_json, picture_headers
from shared.errors import Unavailable, UnprocessableValue
from shared.images import Pool
from shared.labels.store import Store
from shared.limits import BODY_MAX
from shared.pictures.bucket import Bucket
from shared.settings import Settings, read_settings

if TYPE_CHECKING:
    from draw_many import Several

logger = logging.getLogger("petapi")

PICTURES = tuple(images.CONTENT_TYPES.values())
FORMATS = ("image", "json", "redirect")
REDRAWS_MAX = 4  # when image after image was deleted between the draw and the look at it
OPTIONS = {"count", "distinct", "seed", "session", "position"}  # random/options.py
RNG: random.Random = random.SystemRandom()


def random_image(request: Request) -> Response:
    """Draw until the drawn image is still there, and answer in the form asked for."""
    pool = _pool(request)
    form = _format(request)
    if OPTIONS & request.query.keys():
        return _with_options(request, pool, form)
    settings = read_settings()
    store = Store(aws.dynamodb(), settings)
    return _answer(request, settings, form, store, partial(draw, store, pool, RNG))


def _with_options(request: Request, pool: Pool, form: str) -> Response:
    """Several images, or one that a seed or a session chooses.

    What is to come out alike again is read consistently: the answer changes with the label, and at no other time.
    """
    from bulk_reads import Rows
    from draw_many import several
    from options import generator, parse  # the plain draw need not wait for what it does not use
    from session import image_at_position

    asked = parse(request.query)
    rng = generator(asked.seed) if asked.seed else RNG
    settings = read_settings()
    if asked.seed or asked.session:
        settings = replace(settings, consistent_reads=True)
    store, rows = Store(aws.dynamodb(), settings), Rows(aws.dynamodb(), settings)
    if asked.count:
        return _all(several(store, rows, pool, asked.count, rng, distinct=asked.distinct), request)
    if asked.session:
        walk = partial(image_at_position, store, rows, pool, asked.session, asked.position)
        return _answer(request, settings, form, store, walk)
    return _answer(request, settings, form, store, partial(draw, store, pool, rng))


def _answer(request: Request, settings: Settings, form: str, store: Store, choose: Callable[[], Drawn]) -> Response:
    """The image chosen; another one while it is gone."""
    bucket = Bucket(aws.s3(), settings.bucket)
    for _ in range(REDRAWS_MAX):
        drawn = choose()
        response = ANSWERS[form](drawn, store, bucket, request)
        if response:
            headers = {**response.headers, **_headers(drawn)}
            return replace(response, headers=headers)
        logger.warning("%s %s was drawn, but is gone", request.id, drawn.id)
    raise Unavailable(f"The images of {drawn.label} that were drawn are gone; retry in a moment.")


def _pool(request: Request) -> Pool:
    """What is drawn from: the images of the label, or those of them that have the tag."""
    label = images.parse_label(required(request.query, "label"))
    return Pool(label, images.parse_tag(request.query["tag"])) if "tag" in request.query else Pool(label)


def _format(request: Request) -> str:
    asked = request.query.get("format")
    if asked is None:
        return "json" if prefers_json(request.headers.get("accept", ""), to=PICTURES) else "image"
    if asked not in FORMATS:
        raise UnprocessableValue(f"format must be one of {', '.join(FORMATS)}.", field="format")
    return asked


def _image(drawn: Drawn, store: Store, bucket: Bucket, request: Request) -> Response | None:
    content = bucket.get(drawn.id)
    if content is None:
        return None
    if len(content) > BODY_MAX:  # the picture's own address redirects to S3
        return Response(302, headers={"Location": f"{request.base_url}images/{drawn.id}"})
    return Response(200, content, picture_headers(drawn.label, drawn.name))


def _json(drawn: Drawn, store: Store, bucket: Bucket, request: Request) -> Response | None:
    image = store.image(drawn.label, drawn.name)
    if image is None:
        return None
    shown = image_json(replace(image, weight=drawn.weight), request.base_url)
    return as_json({**shown, "probability": drawn.probability, "totalWeight": drawn.total_weight / images.UNITS})


def _redirect(drawn: Drawn, store: Store, bucket: Bucket, request: Request) -> Response | None:
    if store.image(drawn.label, drawn.name) is None:
        return None
    return Response(302, headers={"Location": f"{request.base_url}images/{drawn.id}"})


def _all(drawn: "Several", request: Request) -> Response:
    found = [{**image_json(image, request.base_url), "probability": probability} for image, probability in drawn.images]
    headers = {"Image-Total-Weight": images.decimal(drawn.total_weight)}
    return as_json({"images": found, "totalWeight": drawn.total_weight / images.UNITS}, headers=headers)


ANSWERS = {"image": _image, "json": _json, "redirect": _redirect}


def _headers(drawn: Drawn) -> dict[str, str]:
    return {
        "Cache-Control": "no-store",
        "Image-Id": drawn.id,
        "Image-Weight": images.decimal(drawn.weight),
        "Image-Total-Weight": images.decimal(drawn.total_weight),
        "Image-Probability": repr(drawn.probability),
    }


handler = endpoint({"/random": {"GET": random_image}}, parameters={"/random": {"label", "tag", "format", *OPTIONS}})
