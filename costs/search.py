"""What search needs: the index of images, and the searches in it.

| step                            | DynamoDB                                     | S3  | S3 Vectors        | Bedrock   |
|---------------------------------|----------------------------------------------|-----|-------------------|-----------|
| index: a new image, by a stream | the row, its tile, a result; both rows; tile | GET | read, write       | a picture |
| search by a text                | the rows and tiles of the hits               |     | two queries       | its words |
| search by a picture             | the rows and tiles of the hits               |     | one query         | a picture |
| similar: like a stored image    | its row; the rows and tiles of the hits      |     | read, one query   |           |

Lambda reads the stream without charge. A query is charged by all vectors of the index, whatever it finds.
"""

from dataclasses import replace
from decimal import Decimal
from functools import cache

from costs.measured import NO_S3, Measured, Requests
from costs.prices import GB, TB
from costs.rows import TYPICAL, tile_bytes
from costs.use import HITS, Assumed, Use
from shared.vectors.bedrock import NUMBERS
from shared.vectors.entry import metadata_of, size_of

INDEX, BY_TEXT, BY_PICTURE, SIMILAR = "index", "search by text", "search by picture", "similar"
STEPS = {INDEX: "IndexFunction", **dict.fromkeys((BY_TEXT, BY_PICTURE, SIMILAR), "SearchFunction")}
QUERIES = {BY_TEXT: Decimal(2), BY_PICTURE: Decimal(1), SIMILAR: Decimal(1)}  # a text: by its words, and by meaning
HIT_BYTES = Decimal(700)  # of the JSON of a hit
TILE_UNITS = Decimal(4)  # a tile has 3,072 bytes, and is written at once with what was recognised
PUT_BYTES_LEAST = Decimal(128 * 1024)  # a request is charged at least so much
FIRST, NEXT = Decimal(100_000), Decimal(10_000_000)  # vectors of an index, up to which a price holds


def requests(use: Use) -> Requests:
    """Return the searches by kind."""
    return {BY_TEXT: use.searches, BY_PICTURE: use.picture_searches, SIMILAR: use.similars}


def indexed(use: Use) -> Requests:
    """Return how many images are indexed. With `none`, it is only their tiles."""
    return {INDEX: use.uploads + use.direct_uploads}


def with_steps(measured: Measured, use: Use, assumed: Assumed) -> Measured:
    """Return the measured requests and those of search."""
    info, upload, thumbnail = (measured.operations[name] for name in ("info", "upload", "thumbnail first"))
    asks, read = use.encoder != "none", read_hits(use.hits)
    model, index = (each if asks else Decimal(0) for each in (assumed.model_ms, assumed.vectors_ms))
    steps = {
        INDEX: replace(
            thumbnail,
            read_units=Decimal(5),
            write_units=TILE_UNITS,
            trips=Decimal(6),
            s3={**NO_S3, "get": Decimal(1)},
            other_ms=model + 2 * index,
            response_bytes=Decimal(0),
        )
    }
    found = replace(
        info,
        read_units=read + use.hits / 2,
        trips=Decimal(2),
        s3=NO_S3,
        other_ms=model + index,
        response_bytes=use.hits * HIT_BYTES,
    )
    steps[BY_TEXT] = replace(found, read_units=2 * read + use.hits / 2, trips=Decimal(3), other_ms=model + 2 * index)
    steps[BY_PICTURE] = replace(found, cpu_ms=upload.cpu_ms)
    steps[SIMILAR] = replace(found, read_units=found.read_units + 1, trips=Decimal(3), other_ms=2 * index)
    return replace(measured, operations={**measured.operations, **steps})


def read_hits(hits: Decimal) -> Decimal:
    """Return how many rows a query leads to; some may be of images that have changed."""
    return min(hits + hits // 5 + 1, HITS)


def quantities(use: Use, assumed: Assumed) -> dict[str, Decimal]:
    """Return the quantities of S3 Vectors and Bedrock by the names of prices."""
    if use.encoder == "none":
        return {}
    new, asked = indexed(use)[INDEX], requests(use)
    queries = sum((count * QUERIES[kind] for kind, count in asked.items()), Decimal(0))
    read = queries * vector_bytes() / TB
    return {
        "vectors-storage": use.images * vector_bytes() / GB,
        "vectors-puts": new * max(vector_bytes(), PUT_BYTES_LEAST) / GB,
        "vectors-queries": queries,
        "vectors-first": read * min(use.images, FIRST),
        "vectors-next": read * min(max(use.images - FIRST, Decimal(0)), NEXT - FIRST),
        "vectors-rest": read * max(use.images - NEXT, Decimal(0)),
        f"bedrock-{use.encoder}-pictures": new + asked[BY_PICTURE],
        f"bedrock-{use.encoder}-tokens": asked[BY_TEXT] * assumed.tokens,
    }


def kept_bytes(use: Use) -> Decimal:
    """Return the bytes in the table of tiles."""
    return use.images * tile_bytes()


@cache
def vector_bytes() -> Decimal:
    """Return the bytes of a vector with its key and metadata."""
    return Decimal(4 * NUMBERS + len(TYPICAL.id) + size_of(metadata_of(TYPICAL, None)))
