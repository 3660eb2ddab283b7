"""The files in this folder that browsers load: those of the pages under a version, and the sample photographs."""

from functools import cache
from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).parent

# Name in the address -> path in this folder.
FILES = {
    "page.css": "page.css",
    "page.js": "page.js",
    "icon.svg": "icon.svg",
    "docs.css": "docs.css",
    "docs.js": "docs.js",
    "swagger-ui.css": "vendor/swagger-ui/swagger-ui.css",
    "swagger-ui-bundle.js": "vendor/swagger-ui/swagger-ui-bundle.js",
}
CONTENT_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@cache
def read(path: str) -> str:
    """Read a text file in this folder."""
    return (FOLDER / path).read_text(encoding="utf-8")


@cache
def version() -> str:
    """Compute the fingerprint of all files in FILES, which their addresses contain.

    The addresses change when one of the files does, so a page never meets the script of another version.  The sample
    photographs are no part of it.
    """
    digest = sha256()
    for name, path in FILES.items():
        digest.update(f"{name}\0{read(path)}\0".encode())
    return digest.hexdigest()[:16]


def content_type(name: str) -> str:
    """Return the media type of a file in FILES, by the end of its name."""
    return CONTENT_TYPES[name.rpartition(".")[2]]


def sample(name: str) -> bytes | None:
    """Read a sample photograph, a JPEG.  Return None if the folder `samples` lists no such name."""
    return (FOLDER / "samples" / name).read_bytes() if name in _samples() else None


@cache
def _samples() -> frozenset[str]:
    return frozenset(path.name for path in (FOLDER / "samples").glob("*.jpg"))
