"""What the methods of PetApi are given, as the paths, queries and bodies of its requests."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

Query = Mapping[str, str | int | float | None]


def path(image_id: str) -> str:
    """Return the path of an image."""
    if not isinstance(image_id, str):
        raise TypeError(f"An image is named by its id, a text such as image.id, not by {type(image_id).__name__}.")
    return f"/images/{quote(image_id)}"


def tags(texts: Iterable[str]) -> tuple[str, ...]:
    """Return tags, after checking that they are several texts and not one."""
    if isinstance(texts, str):
        raise TypeError(f"Tags are a list of texts: tags=[{texts!r}], not tags={texts!r}.")
    return tuple(texts)


def picture(content: bytes) -> bytes:
    """Return the bytes of a picture, after checking that they are bytes."""
    if not isinstance(content, bytes | bytearray | memoryview):
        raise TypeError(f"The picture is bytes, not {type(content).__name__}; Path.read_bytes() reads a file.")
    return bytes(content)


def drawing(
    label: str | Iterable[str], tag: str | None, exclude: str | Iterable[str], seed: str | None
) -> dict[str, str | int | None]:
    """Return the query of a draw.  Several labels and ids are separated by commas."""
    return {"label": _joined(label), "tag": tag, "exclude": _joined(exclude) or None, "seed": seed}


def given(query: Query) -> dict[str, Any]:
    """Leave out what is None."""
    return {name: value for name, value in query.items() if value is not None}


def _joined(texts: str | Iterable[str]) -> str:
    return texts if isinstance(texts, str) else ",".join(texts)
