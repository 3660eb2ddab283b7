"""GET /images/{label}/{name}/mosaic: a picture made of tiles. GET /labels/{label}/tiles: the tiles in one file."""

from collections.abc import Sequence
from hashlib import sha256

import mosaic_options
import tile_sample
from mosaic_options import Options
from shared import aws, images
from shared.api import etags, image_paths, paging
from shared.api.endpoint import Request, Response, endpoint
from shared.api.image_json import picture_headers
from shared.errors import NotFound, UnprocessableValue
from shared.images import Image
from shared.labels.catalogue import Catalogue
from shared.labels.image_rows import ImageRows
from shared.missing_picture import missing
from shared.pictures.bucket import LOOK, Bucket
from shared.pictures.budget import CannotBeShown
from shared.settings import Settings, read_settings
from shared.tiles import Tile, Tiles

MADE = "v1"  # how mosaics are made, as their ETags name it; raise it when equal tiles make another mosaic
PACKED_MAX = 1_000  # tiles in a file: 3,084 bytes and 37 characters of 4 bytes each, so 3,232,000


def get_mosaic(request: Request) -> Response:
    """Answer with the mosaic of the image, or with 304 if the caller has it already."""
    label, name = image_paths.image_path(request)
    options = mosaic_options.parse(request.query, label)
    settings = read_settings()
    image = ImageRows(aws.dynamodb(), settings.image_chunks_table).of([f"{label}/{name}"]).get(f"{label}/{name}")
    if image is None:
        raise image_paths.not_found(label, name)
    tiles = tile_sample.tiles_for(
        image, options.tiles, Tiles(aws.dynamodb(), settings.tiles_table), Catalogue(aws.dynamodb(), settings)
    )
    headers = _headers(image, options, tiles)
    if etags.matches(request.headers.get("if-none-match", ""), headers["ETag"], weak=True):
        return Response(304, headers=headers)
    return _made(image, options, tiles, headers, settings)


def _headers(image: Image, options: Options, tiles: Sequence[Tile]) -> dict[str, str]:
    """Return the headers of a mosaic. It changes with its tiles, so caches must ask each time."""
    stem = image.name.partition(".")[0]
    used = [f"{tile.id} {tile.version}" for tile in tiles]
    etag = sha256("\n".join([MADE, LOOK, image.id, str(options.columns), *used]).encode()).hexdigest()[:32]
    return {
        **picture_headers(image.label, f"{stem}-mosaic.jpg"),
        "ETag": f'"{etag}"',
        "Cache-Control": "no-cache",
        "Mosaic-Columns": str(options.columns),
        "Mosaic-Tiles": str(len(tiles)),
    }


def _made(
    image: Image, options: Options, tiles: Sequence[Tile], headers: dict[str, str], settings: Settings
) -> Response:
    content = Bucket(aws.s3(), settings.bucket).get(image.id, image.version_id)
    if content is None:  # deleted since its row was read
        rows = ImageRows(aws.dynamodb(), settings.image_chunks_table).of([image.id])
        still = rows.get(image.id)
        raise missing(image.label, image.name, is_known=still is not None and still.version_id == image.version_id)
    from mosaic_making import make  # imports numpy and Pillow

    try:
        mosaic = make(content, [tile.tile for tile in tiles], options.columns)
    except CannotBeShown as error:
        raise UnprocessableValue(f"{image.id} has no mosaic, because {error.reason}; choose another image.") from error
    return Response(200, mosaic.jpeg, {**headers, "Mosaic-Rows": str(mosaic.grid.rows)})


def get_tiles(request: Request) -> Response:
    """Answer with a page of the label's tiles as a file of numpy's. If more follow, the headers link to them."""
    label = images.label_of_path(request.path_parameters["label"])
    if not images.LABEL.fullmatch(label):
        raise _no_tiles(label)
    query = f"labels/{label}/tiles"
    limit = paging.limit(request, default=PACKED_MAX, most=PACKED_MAX)
    after = paging.place(request, query, lambda place: len(place) == 1 and bool(images.NAME.fullmatch(place[0])))
    tiles, last = Tiles(aws.dynamodb(), read_settings().tiles_table).page(label, limit, *after)
    if not (tiles or after):
        raise _no_tiles(label)
    from packed_tiles import packed  # imports numpy

    headers = {"Content-Type": "application/octet-stream", "Cache-Control": "no-store"}
    headers["Content-Disposition"] = f'attachment; filename="{label}-tiles.npz"'
    if last:
        headers["Link"] = paging.link(request, query, paging.encode_cursor(query, (last,)))
    return Response(200, packed(tiles), headers)


def _no_tiles(label: str) -> NotFound:
    return NotFound(
        f"The label {label} has no tiles; upload an image with POST /upload. It has its tile a moment later.",
        field="label",
    )


handler = endpoint(
    {"/images/{label}/{name}/mosaic": {"GET": get_mosaic}, "/labels/{label}/tiles": {"GET": get_tiles}},
    parameters={
        "/images/{label}/{name}/mosaic": mosaic_options.NAMES,
        "/labels/{label}/tiles": paging.PARAMETERS,
    },
)
aws.make_now(aws.dynamodb, aws.s3, aws.ssm)
