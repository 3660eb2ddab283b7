"""Remove work that libraries do at import and that no function needs.

pylibmagic and urllib3 import importlib.resources, importlib.metadata and zipfile. python-magic starts a process. Pillow
makes hundreds of names for EXIF and TIFF tags and imports fractions to write animations. urllib3 compiles three
patterns of IPv6 addresses, which the addresses of AWS never need.

Without these changes a cold start of UploadFunction misses its bound (at most the CPU time of a boto3 client). Medians
of 25 interleaved rounds (of random, 15), as parts of that time:

| function | as shipped | urllib3 changed only | unchanged |
|----------|------------|----------------------|-----------|
| upload   | 0.95       | 1.00                 | 1.01      |
| ingest   | 0.95       | 0.99                 | 1.03      |
| random   | 0.85       | -                    | 0.89      |
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

# file -> what it contains -> what does the same without the import; a version is needed for HTTP/2 only
REPLACED = {
    "pylibmagic/__init__.py": {
        "from importlib import resources\n": "from pathlib import Path\n",
        "resources.files(__name__)": "Path(__file__).parent",
    },
    # The functions of another library with the same name, which would load libmagic a second time.
    "magic/__init__.py": {"\n_add_compat(globals())\n": "\n"},
    # It starts a process that searches the linker's cache, which has no libmagic; pylibmagic provides the next name.
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
    # Each of these hosts begins with a bracket, or contains a colon.
    "urllib3/util/url.py": {
        '_IPV6_RE = re.compile("^" + _IPV6_PAT + "$")\n': "",
        '_IPV6_ADDRZ_RE = re.compile("^" + _IPV6_ADDRZ_PAT + "$")\n_BRACELESS': "_BRACELESS",
        '_BRACELESS_IPV6_ADDRZ_RE = re.compile("^" + _IPV6_ADDRZ_PAT[2:-2] + "$")\n': "",
        "= _IPV6_ADDRZ_RE.match(host)": '= host[0] == "[" and re.match("^" + _IPV6_ADDRZ_PAT + "$", host)',
    },
    "urllib3/util/ssl_.py": {
        "import _BRACELESS_IPV6_ADDRZ_RE, _IPV4_RE\n": "import _IPV4_RE, _IPV6_ADDRZ_PAT, re\n",
        "or _BRACELESS_IPV6_ADDRZ_RE.match(hostname))": """or (
        ":" in hostname and re.match("^" + _IPV6_ADDRZ_PAT[2:-2] + "$", hostname)
    ))""",
    },
    "urllib3/http2/__init__.py": {
        "from importlib.metadata import version\n": "",
        "    h2_version = version(": "    from importlib.metadata import version\n\n    h2_version = version(",
    },
}


def lighten(packages: Path) -> None:
    """Rewrite the files of the table that this folder contains."""
    for name, changes in REPLACED.items():
        path = packages / name
        if path.exists():
            path.write_text(_changed(path, changes), encoding="utf-8")


def _changed(path: Path, changes: dict[str, str]) -> str:
    text = path.read_text(encoding="utf-8")
    for old, new in changes.items():
        if text.count(old) != 1:
            sys.exit(f"{path} no longer contains {old!r}. Look at it and correct tools/bundle/imports.py.")
        text = text.replace(old, new)
    return text
