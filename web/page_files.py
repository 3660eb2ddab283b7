"""The files in this folder that browsers ask for, and the version that their addresses bear."""

from functools import cache
from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).parent

# name in the address -> path here
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
    """The text of a file in this folder."""
    return (FOLDER / path).read_text(encoding="utf-8")


@cache
def version() -> str:
    """A fingerprint of all files: their addresses change when one of them does, so no page meets another's script."""
    digest = sha256()
    for name, path in FILES.items():
        digest.update(f"{name}\0{read(path)}\0".encode())
    return digest.hexdigest()[:16]


def content_type(name: str) -> str:
    """The media type that a file's name ends in."""
    return CONTENT_TYPES[name.rpartition(".")[2]]
