"""python -m tools.models [<folder>]: make the files that the recogniser and encoder `lite0` read, in this folder.

These are the network as an ONNX model, from the weights of an installed package, the names of its classes, and the mean
of their meanings, which the sentence encoder would need two seconds for.
"""

import sys
from pathlib import Path

from tools.models import weights
from tools.models.folder import CLASSES, FOLDER, MODEL, SHARED

HERE = Path(__file__).resolve().parent
NAMES = HERE / "imagenet-classes.txt"


def main(folder: Path) -> None:
    """Make the files. The model comes last and at once, so that it is there only if all are whole."""
    from tools.models import network

    content = network.model(weights.read(weights.installed()))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CLASSES).write_bytes(NAMES.read_bytes())
    (folder / SHARED).write_bytes((HERE / SHARED).read_bytes())
    unfinished = folder / f"{MODEL}.unfinished"
    unfinished.write_bytes(content)
    unfinished.replace(folder / MODEL)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]) if sys.argv[1:] else FOLDER)
    except weights.NotTheWeights as error:
        sys.exit(str(error))
