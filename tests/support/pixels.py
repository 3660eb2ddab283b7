"""What a picture shows, as Pillow reads it."""

import io
import warnings

from PIL import Image


def pixels(data: bytes) -> list[tuple[tuple[int, int], bytes]] | None:
    """Return size and colours of every frame, or None if Pillow cannot tell."""
    frames = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of broken metadata in what was sent; none is left in what is stored
        try:
            with Image.open(io.BytesIO(data), formats=["JPEG", "PNG", "WEBP"]) as image:
                for frame in range(getattr(image, "n_frames", 1)):
                    image.seek(frame)
                    frames.append((image.size, image.convert("RGBA").tobytes()))
        except (OSError, EOFError, LookupError, SyntaxError, ValueError):
            return None
    return frames
