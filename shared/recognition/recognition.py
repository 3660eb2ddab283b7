"""What a stored picture shows: from the cache, or by the recogniser, whose result the cache then keeps."""

import os
from hashlib import sha256

from shared import aws
from shared.recognition import recognisers
from shared.recognition.detection_cache import DetectionCache
from shared.recognition.detections import Detection

LIFETIME_DAYS = 365


class Recognition:
    """The recogniser that the environment chooses, with the cache in the table of this name."""

    def __init__(self, table: str) -> None:
        self._cache = DetectionCache(aws.dynamodb(), table, _lifetime())

    def detections(self, content: bytes, content_type: str, *, small_jpeg: bytes | None = None) -> list[Detection]:
        """Return what the picture shows. Raise Unrecognisable, RecognitionUnavailable or Misconfigured.

        A recogniser for which the small JPEG is as good gets that one, if it is given: it is decoded faster, and lite0
        runs its network once for recogniser and encoder.
        """
        seen = (content, content_type)
        if small_jpeg and recognisers.sees_small_pictures():
            seen = (small_jpeg, "image/jpeg")
        return self._cache.get_or_recognise(
            _digest(content), recognisers.identity(), lambda: recognisers.chosen()(*seen)
        )

    def known(self, content: bytes) -> list[Detection] | None:
        """Return what the cache has of the picture, or None. Raise Unrecognisable if that is what it has."""
        return self._cache.known(_digest(content), recognisers.identity())


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def _lifetime() -> int:
    """Return for how many seconds a result is used."""
    return int(os.environ.get("RECOGNITION_LIFETIME_DAYS") or LIFETIME_DAYS) * 86_400
