"""The sample photographs and the four quarters of each as JPEG, and altered copies of pictures."""

from collections.abc import Callable, Iterator
from io import BytesIO

from PIL import Image, ImageOps

from shared.recognition import pixels
from shared.vectors import encoder
from tests.support.cloud import ROOT

FOLDER = ROOT / "web/samples"

ALTERED: dict[str, Callable[[Image.Image], bytes]] = {
    "crop": lambda picture: jpeg(_crop(picture, 0.8)),
    "mirrored": lambda picture: jpeg(ImageOps.mirror(picture)),
    "quality 30": lambda picture: jpeg(picture, quality=30),
    "grey": lambda picture: jpeg(picture.convert("L").convert("RGB")),
    "128 pixels": lambda picture: jpeg(ImageOps.contain(picture, (128, 128))),
}


def photographs() -> Iterator[tuple[str, Image.Image]]:
    """Yield the 24 photographs by name."""
    for path in sorted(FOLDER.glob("*.jpg")):
        with Image.open(path) as picture:
            yield path.stem, picture.convert("RGB")


def with_quarters() -> dict[str, Image.Image]:
    """Return the photographs and their quarters, which are called like `macaws 1`."""
    found = {}
    for name, picture in photographs():
        width, height = picture.width // 2, picture.height // 2
        found[name] = picture
        for number, (left, top) in enumerate(((0, 0), (width, 0), (0, height), (width, height)), 1):
            found[f"{name} {number}"] = picture.crop((left, top, left + width, top + height))
    return found


def photograph_of(name: str) -> str:
    """Return the name of the photograph that this is, or that this is a quarter of."""
    return name.partition(" ")[0]


def jpeg(picture: Image.Image, quality: int = 90) -> bytes:
    """Encode a picture as JPEG."""
    out = BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def shown(content: bytes) -> bytes:
    """Return a JPEG as encoders get it."""
    return pixels.jpeg(content, "image/jpeg", longest=encoder.SIDE, least=1)


def _crop(picture: Image.Image, share: float) -> Image.Image:
    """Return the middle of the picture, with this share of its width and of its height."""
    width, height = round(picture.width * share), round(picture.height * share)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))
