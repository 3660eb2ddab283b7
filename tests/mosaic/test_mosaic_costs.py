"""What a mosaic takes: at most three times the time of the plain way in the same run, and 500 MB."""

import json
import subprocess
import sys

from tests.support.cloud import ROOT
from tools.benchmarks import results


def test_a_mosaic_takes_at_most_three_times_the_plain_way_and_500_megabytes(slow_tier: None) -> None:
    command = [sys.executable, "-m", "tools.benchmarks.mosaic_costs", "--print"]
    found = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    assert (found["tiles"], found["columns"], found["whole"]["rows"]) == (2_000, 100, 75)
    assert found["megabytes"] < 500
    for each in found["photographs"].values():
        assert each["ratio"] <= 3
        assert each["ours"] < each["plain"]
        assert each["ours_alike"] < 0.01 < each["plain_alike"]


def test_neither_numpy_nor_pillow_is_imported_at_the_start_of_a_function_that_is_fast() -> None:
    code = "import random_image, delete_image, browse_images, mosaic_images\n"
    code += "import sys; print({'numpy', 'PIL'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_page_has_figures_that_keep_the_bounds() -> None:
    found = results.read()["mosaic"]
    assert found["megabytes"] < 500
    assert max(each["ratio"] for each in found["photographs"].values()) <= 3
