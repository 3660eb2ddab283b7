"""What the index keeps of a picture: its tile, its labels, and its vector with metadata."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from shared.images import Image, content_type
from shared.pictures.budget import CannotBeShown, TooMuchWork
from shared.recognition.detections import Detection, Misconfigured, Unrecognisable
from shared.recognition.recognition import Recognition
from shared.tiles import Labels, Tile
from shared.vectors.encoder import CannotBeCompared, Encoder, index_name
from shared.vectors.entry import metadata_of, names_of
from shared.vectors.vector_index import Vector

logger = logging.getLogger("petapi")

FindLabels = Callable[[Image, bytes, bytes], Labels | None]  # image, stored bytes, JPEG of at most 1,024 pixels


@dataclass(frozen=True, slots=True)
class Made:
    """What is to be stored of a picture; no vector if there is no encoder, or if it refuses the picture."""

    tile: Tile
    vector: Vector | None


class Maker:
    """Makes what the index keeps, with this encoder if there is one."""

    def __init__(self, encoder: Encoder | None, find_labels: FindLabels) -> None:
        self._encoder, self._find_labels = encoder, find_labels
        self._index = index_name(encoder) if encoder else ""

    def make(self, image: Image, content: bytes, *, is_last_try: bool = True) -> Made:
        """Make tile and vector of the image's picture.

        A picture that cannot be decoded or compared, now and later, gets a tile that says so.  Raise EncoderBusy or
        RecognitionUnavailable if a later call may succeed, and TooMuchWork if this is not the last try: another
        container may have the time or the memory that this one had not.
        """
        from views import views_of  # here, because it imports Pillow

        try:
            views = views_of(content)
        except CannotBeShown as error:
            if isinstance(error, TooMuchWork) and not is_last_try:
                raise
            return _refused(Tile(image.label, image.name, image.version_id), error.reason, by="")
        tile = Tile(
            image.label, image.name, image.version_id, views.tile, self._find_labels(image, content, views.jpeg)
        )
        if self._encoder is None:
            return Made(tile, None)
        try:
            numbers = self._encoder.encode_picture(views.jpeg, names_of(image))
        except CannotBeCompared as error:
            return _refused(tile, str(error), by=self._index)
        return Made(tile, Vector(image.id, metadata_of(image, tile.labels), numbers))

    def labels(self, image: Image, content: bytes) -> Labels | None:
        """Find the labels of the image's picture; None if they are unknown."""
        return self._find_labels(image, content, b"")


def _refused(tile: Tile, reason: str, *, by: str) -> Made:
    """Return the tile with the reason why there is no vector."""
    logger.warning("%s is not compared: %s", tile.id, reason)
    made = Tile(tile.label, tile.name, tile.version, tile.tile, tile.labels, reason, by)
    return Made(made, None)


def labels_by(recognition: Recognition, *, recognise: bool) -> FindLabels:
    """Return a function that finds the labels of a picture: in the cache, or also by the recogniser."""

    def find(image: Image, content: bytes, jpeg: bytes) -> Labels | None:
        kind = content_type(image.name)
        try:
            found = recognition.detections(content, kind, small_jpeg=jpeg) if recognise else known(content)
        except Unrecognisable:
            return ()
        return None if found is None else tuple((each.name, each.confidence) for each in found)

    def known(content: bytes) -> list[Detection] | None:
        with suppress(Misconfigured):  # a model that only ingest/ has; its labels are no condition for the rest
            return recognition.known(content)
        return None

    return find
