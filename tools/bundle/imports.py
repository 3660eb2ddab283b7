"""Libraries without what they do at import that nobody here needs.

Two imports bring the standard library's importlib.resources and zipfile along; a third starts a process; Pillow makes
hundreds of names of EXIF's and TIFF's tags, which it needs once it reads some, and fractions to write animations.
"""

import sys
from pathlib import Path

LATER = """

class _Later:
    def __init__(self, module):
        self._module = module

    def __getattr__(self, name):
        import importlib

        return getattr(importlib.import_module(self._module), name)


ExifTags, TiffTags = _Later("PIL.ExifTags"), _Later("PIL.TiffTags")
"""

# file -> what stands there, and what does the same at once: only HTTP/2 asks for a version, and nobody here uses it
REPLACED = {
    "pylibmagic/__init__.py": {
        "from importlib import resources\n": "from pathlib import Path\n",
        "resources.files(__name__)": "Path(__file__).parent",
    },
    # The functions of another library of the same name, which loads libmagic once more.
    "magic/__init__.py": {"\n_add_compat(globals())\n": "\n"},
    # A process asks the linker's cache, which has no libmagic; pylibmagic gives the next name its meaning.
    "magic/loader.py": {"  yield find_library('magic')\n\n": ""},
    "PIL/Image.py": {
        "    ExifTags,\n    ImageMode,\n    TiffTags,\n": "    ImageMode,\n",
        "from ._util import DeferredError, is_path\n": "from ._util import DeferredError, is_path\n" + LATER,
    },
    "PIL/ImageFile.py": {"from . import ExifTags, Image\n": "from . import Image\nfrom .Image import ExifTags\n"},
    "PIL/PngImagePlugin.py": {
        "from fractions import Fraction\n": "",
        "delay = Fraction(new_": "from fractions import Fraction; delay = Fraction(new_",
        "delay = Fraction(frame_": "from fractions import Fraction; delay = Fraction(frame_",
    },
    "urllib3/http2/__init__.py": {
        "from importlib.metadata import version\n": "",
        "    h2_version = version(": "    from importlib.metadata import version\n\n    h2_version = version(",
    },
}


def lighten(packages: Path) -> None:
    """Rewrite those of the files that are in this folder."""
    for name, changes in REPLACED.items():
        path = packages / name
        if path.exists():
            path.write_text(_changed(path, changes), encoding="utf-8")


def _changed(path: Path, changes: dict[str, str]) -> str:
    text = path.read_text(encoding="utf-8")
    for old, new in changes.items():
        if text.count(old) != 1:
            sys.exit(f"{path} has no {old!r} any more; look at it and correct tools/bundle/imports.py.")
        text = text.replace(old, new)
    return text
