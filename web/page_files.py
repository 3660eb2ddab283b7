"""The files in this folder that browsers load: those of the pages under a version, and the sample photographs."""

from functools import cache
from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).parent

CONTENT_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
SAMPLE_TYPES = {"jpg": "image/jpeg", "json": "application/json"}
LIBRARY = {name: f"vendor/swagger-ui/{name}" for name in ("swagger-ui.css", "swagger-ui-bundle.js")}  # of /docs
PAGE = "page"  # the folder of the page's modules and style sheets


@cache
def files() -> dict[str, str]:
    """Return the files of the pages: name in the address -> path in this folder.

    They are the styles, scripts and icons of this folder and of `page`. The scripts of `page` import each other by
    `./name.js`, which leads to the same version.
    """
    found = [f"{place}{path.name}" for place in ("", f"{PAGE}/") for path in (FOLDER / place).glob("*.*")]
    paths = [path for path in found if _ending(path) in CONTENT_TYPES]
    return {path.rpartition("/")[2]: path for path in sorted(paths)}


def modules() -> list[str]:
    """Return the names of the page's modules."""
    return [name for name, path in files().items() if path.startswith(f"{PAGE}/") and _ending(name) == "js"]


@cache
def read(path: str) -> str:
    """Read a text file in this folder."""
    return (FOLDER / path).read_text(encoding="utf-8")


@cache
def version() -> str:
    """Compute the fingerprint of all files of the pages and the library, which their addresses contain.

    The addresses change when one of the files does, so a page never meets the script of another version.  The sample
    photographs are no part of it.
    """
    digest = sha256()
    for name, path in (files() | LIBRARY).items():
        digest.update(f"{name}\0{read(path)}\0".encode())
    return digest.hexdigest()[:16]


def content_type(name: str) -> str:
    """Return the media type of a file of the pages, by the end of its name."""
    return CONTENT_TYPES[_ending(name)]


def sample_type(name: str) -> str:
    """Return the media type of a file of the samples."""
    return SAMPLE_TYPES[_ending(name)]


def sample(name: str) -> bytes | None:
    """Read a sample photograph, or the list of them. Return None if the folder `samples` has no such name."""
    return (FOLDER / "samples" / name).read_bytes() if name in _samples() else None


@cache
def _samples() -> frozenset[str]:
    return frozenset(path.name for path in (FOLDER / "samples").iterdir() if _ending(path.name) in SAMPLE_TYPES)


def _ending(name: str) -> str:
    return name.rpartition(".")[2]
