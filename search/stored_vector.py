"""The vector of a stored image, which is made a moment after its upload, or never."""

from collections.abc import Sequence

from searching import Searching
from shared.errors import Conflict, UnprocessableValue
from shared.images import Image
from shared.index_state import is_refused
from shared.vectors.encoder import index_name

SECONDS = 5  # after which to ask again; an image is normally indexed within two


def of_image(image: Image, search: Searching) -> Sequence[float]:
    """Return the vector of this version of the image.

    Raise Conflict if there is none yet, and UnprocessableValue if the encoder does not take the picture.
    """
    found = search.index.get([image.id], with_data=True).get(image.id)
    if found is not None and found.metadata.get("version") == image.version_id:
        return found.numbers
    tile = search.tiles.get(image.label, image.name)
    if tile and tile.version == image.version_id and is_refused(tile, index_name(search.encoder)):
        raise UnprocessableValue(f"This picture cannot be compared with others: {tile.refused.rstrip('.')}.")
    raise Conflict(
        f"{image.id} is not indexed yet, so nothing can be compared with it; retry in {SECONDS} seconds.",
        headers={"Retry-After": str(SECONDS)},
    )
