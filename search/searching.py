"""What a search works with: the encoder, the index of its vectors, and the tables. Or the refusal if there is none."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from hits import Hits
from shared import aws, logs
from shared.errors import Unavailable, UnprocessableValue
from shared.index_state import name_of
from shared.labels.image_rows import ImageRows
from shared.settings import NO_INDEX, read_settings
from shared.tiles import Tiles
from shared.vectors import encoders
from shared.vectors.encoder import CannotBeCompared, Encoder, EncoderBusy, index_name
from shared.vectors.vector_index import IndexBusy, VectorIndex

encoder = cache(encoders.chosen)


@dataclass(frozen=True, slots=True)
class Searching:
    """The parts of a search."""

    encoder: Encoder
    index: VectorIndex
    rows: ImageRows
    tiles: Tiles
    hits: Hits


def load_encoder() -> None:
    """Load what the encoder needs before the first request, because that may take seconds.

    If it fails, the first search fails, too, and so says 500. What is no search works.
    """
    try:
        if chosen := encoder():
            chosen.load()
    except Exception as error:
        logs.failure("loading the encoder", error)


@contextmanager
def begun(field: str | None = None) -> Iterator[Searching]:
    """Yield the parts of a search.  Raise UnprocessableValue if this service has no encoder.

    Within the block, turn what the encoder does not take into the refusal of this field, and what the encoder or the
    index is too busy for into Unavailable.
    """
    try:
        yield _parts()
    except CannotBeCompared as error:
        reason = str(error).rstrip(".")
        raise UnprocessableValue(f"{field} cannot be compared with images: {reason}.", field=field) from error
    except EncoderBusy as error:
        raise Unavailable("The model that compares pictures and texts is busy; retry in a moment.") from error
    except IndexBusy as error:
        raise Unavailable("The index of vectors is busy; retry in a moment.") from error


def _parts() -> Searching:
    chosen, settings = encoder(), read_settings()
    if chosen is None or settings.vector_index == NO_INDEX:
        raise UnprocessableValue(
            "This service has no encoder, so it cannot search. Its operator can choose one with the parameter Encoder; "
            "GET /images lists images by label, tag and file name."
        )
    if name_of(settings.vector_index) != index_name(chosen):
        raise Unavailable("The encoder of this service is being changed; retry in a few minutes.")
    index = VectorIndex(aws.s3vectors(), settings.vector_index)
    rows = ImageRows(aws.dynamodb(), settings.image_chunks_table)
    tiles = Tiles(aws.dynamodb(), settings.tiles_table)
    return Searching(chosen, index, rows, tiles, Hits(index, rows, chosen.similarity))
