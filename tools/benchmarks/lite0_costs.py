"""`make measure-models`: the processor time and memory that `lite0` takes, and what it finds, for the page of figures.

It is the section "lite0" of results.json. Times are CPU times of a process that has nothing else to do, as `index/` and
`search/` have one each.
"""

import json
import math
import os
import subprocess
import sys
from typing import Any

import numpy as np

from shared.vectors.lite0_encoder import Lite0
from tests.support import lite0_models, sample_pictures
from tests.support.cloud import ROOT
from tools.benchmarks import page, results

QUERIES = ROOT / "tests/vectors/queries.json"

# Prints CPU milliseconds and resident megabytes.
ONCE = """
import json, re, sys, time
from pathlib import Path

def resident():
    return int(re.search(r"VmRSS:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1]) * 1024 / 1e6

def milliseconds(work, *each):
    start = time.process_time()
    for argument in each or [()]:
        work(*argument)
    return 1000 * (time.process_time() - start) / len(each or [()])

def imports():
    global lite0_network, lite0_sentences, Lite0, numpy
    import numpy
    from shared.recognition import lite0_network
    from shared.vectors import lite0_sentences
    from shared.vectors.lite0_encoder import Lite0

pictures = [Path(path).read_bytes() for path in sys.argv[1:]]
found = {"import": milliseconds(imports)}
found["load_network"] = milliseconds(lite0_network.model)
lite0_network.look(pictures[0], "image/jpeg")
found["recogniser_megabytes"] = resident()
found["load_sentences"] = milliseconds(lite0_sentences.encoder)
found["text"] = milliseconds(lite0_sentences.of_text, *((f"a picture of thing {number}",) for number in range(100)))
blank = numpy.zeros((1, 3, 224, 224), numpy.float32)
session = lite0_network.model()._session
found["network"] = milliseconds(lambda: session.run(None, {"picture": blank}), *[()] * 100)
encoder = Lite0()
milliseconds(encoder.encode_picture, *((each, ["sea", "boat"]) for each in pictures))  # keeps the meanings of names
lite0_network.look.cache_clear()
found["picture"] = milliseconds(encoder.encode_picture, *((each, ["sea", "boat"]) for each in pictures))
found["encoder_megabytes"] = resident()
print(json.dumps(found))
"""


def costs() -> dict[str, float]:
    """Return CPU milliseconds and megabytes of a process that encodes the sample photographs."""
    variables = {"PYTHONPATH": str(ROOT), "LITE0_MODELS": str(lite0_models.folder()), "OPENBLAS_NUM_THREADS": "1"}
    paths = sorted(map(str, sample_pictures.FOLDER.glob("*.jpg")))
    done = subprocess.run(
        [sys.executable, "-c", ONCE, *paths],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def quality() -> dict[str, Any]:
    """Return how often the sample photographs, or their quarters, are found by altered copies and by texts."""
    pictures, encoder = sample_pictures.with_quarters(), Lite0()
    shown = [sample_pictures.shown(sample_pictures.jpeg(picture)) for picture in pictures.values()]
    stored = np.array([encoder.encode_picture(jpeg, []) for jpeg in shown]) / math.sqrt(2)
    altered = {
        kind: sum(
            int(np.argmax(stored @ encoder.picture_query(sample_pictures.shown(alter(picture))))) == place
            for place, picture in enumerate(pictures.values())
        )
        for kind, alter in sample_pictures.ALTERED.items()
    }
    texts = {}
    for language, queries in json.loads(QUERIES.read_text()).items():
        places = []
        for text, wanted in queries.items():
            order = np.argsort(-(stored @ encoder.text_query(text)))
            names = [sample_pictures.photograph_of(list(pictures)[place]) for place in order]
            places.append(min(map(names.index, wanted)))
        firsts, fives = sum(place == 0 for place in places), sum(place < 5 for place in places)
        texts[language] = {"first": firsts, "within_five": fives, "of": len(places)}
    return {"pictures": len(pictures), "altered": altered, "texts": texts}


def main() -> None:
    """Measure, print and keep all."""
    with lite0_models.in_use():
        found = {**costs(), **quality()}
    print(json.dumps(found, indent=1))
    results.update("lite0", {"machine": results.machine(), **found})
    page.write()


if __name__ == "__main__":
    main()
