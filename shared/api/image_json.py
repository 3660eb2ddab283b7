"""The address of an image, its JSON form, and the headers of its picture."""

from collections.abc import Iterable
from typing import Any

from shared.images import UNITS, Image, content_type


def image_url(image: Image, base_url: str) -> str:
    """Return the address of the picture."""
    return f"{base_url}images/{image.id}"


def image_json(image: Image, base_url: str, labels: Iterable[tuple[str, float]] | None = None) -> dict[str, Any]:
    """Return the image's JSON form. Its `weight` is the nearest floating-point number.

    `labels` are those that were recognised, with their confidence in percent; None if they are not known.
    """
    shown = {
        "id": image.id,
        "label": image.label,
        "weight": image.weight / UNITS,
        "contentType": content_type(image.name),
        "bytes": image.size,
        "width": image.width,
        "height": image.height,
        "created": image.created,
        "tags": list(image.tags),
        "url": image_url(image, base_url),
    }
    if image.filename:
        shown["filename"] = image.filename
    if labels is not None:
        shown["labels"] = [{"name": name, "confidence": confidence} for name, confidence in labels]
    return shown


def picture_headers(label: str, name: str) -> dict[str, str]:
    """Return the headers of a picture's bytes.

    Other sites may show the picture. Opened by itself, it can load and run nothing.
    """
    return {
        "Content-Type": content_type(name),
        "Content-Disposition": f'inline; filename="{label}-{name}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
