"""`make audit`: its verdict on exact and on wrong services, and its arithmetic."""

import io
import json
import math
import os
import random
import re
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from statistics import NormalDist
from typing import Any

import pytest

from petapi_client import audit, chi_square
from petapi_client.audit import ALARM, Audit, Law
from petapi_client.commands import main
from shared.images import UNITS
from tests.support.cloud import ROOT
from tests.support.local_service import LocalService
from tests.support.pictures import tiny

IDS = [f"cat/{n:032x}.jpg" for n in range(12)]
WEIGHTS = {image: (n + 1) * UNITS // 100 for n, image in enumerate(IDS)}
TOTAL = sum(WEIGHTS.values())


def run(url: str, draws: int, label: str = "cat") -> tuple[int, str]:
    """Run the audit.  Return its exit code and output."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        code = main(["audit", label, "-n", str(draws), "--url", url])
    return code, said.getvalue()


@pytest.mark.usefixtures("slow_tier")
def test_make_run_draws_with_the_stated_probabilities(running: LocalService) -> None:
    for seed in range(8):
        assert running.upload(tiny(seed), label="audited", weight=f"0.{seed + 1}").status == 201
    for _ in range(3):  # one audit in 1,000 fails an exact service; three in a row do once in 10**9
        code, said = run(running.url, 200, "audited")
        if code != 1:
            break
    assert code == 0, said
    assert "200 draws of audited, which has 8 images\n" in said
    assert "with 7 degrees of freedom" in said
    assert "happens to an exact service once in 1,000 audits" in said
    code, said = run(running.url, 5, "label-without-images")
    assert (code, said.endswith("Name a label that has images.\n")) == (2, True)


@contextmanager
def serving(draw: Callable[[], tuple[int, Any]], weights: dict[str, int] = WEIGHTS) -> Iterator[str]:
    """Serve this law, two images a page, and the draws that `draw` returns as status and document.  Yield the URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # so that head and body are sent together

        def do_GET(self) -> None:
            status, document = draw() if self.path.startswith("/Prod/random?") else (200, self.page())
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(body)

        def page(self) -> Any:
            start = int(self.path.partition("cursor=")[2] or 0)
            entries = list(weights.items())
            total = sum(weights.values())
            page = [
                {"id": name, "weight": weight / UNITS, "probability": weight / total}
                for name, weight in entries[start : start + 2]
            ]
            document = {"label": "cat", "count": len(entries), "totalWeight": total / UNITS, "images": page}
            return document | ({"cursor": str(start + 2)} if start + 2 < len(entries) else {})

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/Prod"
        server.shutdown()


def drawn(rng: random.Random, weights: dict[str, int]) -> tuple[int, Any]:
    (name,) = rng.choices(list(weights), list(weights.values()))
    return 200, shown(name, WEIGHTS.get(name, 0) / TOTAL)


def shown(image: str, probability: float) -> dict[str, Any]:
    """Return a drawn image as the API shows it."""
    known = {"id": image, "label": "cat", "weight": 0.5, "contentType": "image/jpeg", "bytes": 1, "width": 1}
    more = {"height": 1, "created": "", "tags": [], "url": "", "probability": probability, "totalWeight": 1}
    return {**known, **more}


def test_an_exact_service_passes_even_if_it_is_busy_at_times() -> None:
    rng = random.Random(1)
    turns = iter(range(10**6))

    def draw() -> tuple[int, Any]:
        turn = next(turns)
        return (429, {}) if turn % 7 == 0 else (503, {}) if turn % 11 == 0 else drawn(rng, WEIGHTS)

    with serving(draw) as url:
        code, said = run(url, 600)
    assert code == 0, said
    assert "600 draws" in said


def test_a_biased_service_fails() -> None:
    rng = random.Random(1)
    with serving(lambda: drawn(rng, {**WEIGHTS, IDS[11]: WEIGHTS[IDS[11]] * 3})) as url:
        code, said = run(url, 600)
    assert code == 1
    assert f"farthest off: {IDS[11]} " in said
    assert said.endswith("FAILED: the draws are not as stated\n")


def test_a_service_that_states_wrong_probabilities_fails() -> None:
    rng = random.Random(1)
    with serving(lambda: (200, {**drawn(rng, WEIGHTS)[1], "probability": 0.5})) as url:
        code, said = run(url, 50)
    assert (code, "50 draws stated another probability" in said) == (1, True)


def test_a_label_that_changes_during_the_audit_gets_no_verdict() -> None:
    rng, weights = random.Random(1), dict(WEIGHTS)

    def draw() -> tuple[int, Any]:
        weights[IDS[0]] = 5
        return drawn(rng, WEIGHTS)

    with serving(draw, weights) as url:
        code, said = run(url, 20)
    assert (code, "changed during the audit" in said) == (2, True)
    with serving(lambda: (200, shown("cat/" + "f" * 32 + ".jpg", 0.1))) as url:
        assert run(url, 20)[0] == 2


@pytest.mark.parametrize("url", ["cat", "ftp://127.0.0.1/", "http://127.0.0.1:1"])
def test_the_reason_why_an_audit_is_impossible_is_one_line(url: str) -> None:
    code, said = run(url, 1)
    assert (code, said.count("\n")) == (2, 1)


@pytest.mark.parametrize("target", ["audit", "import", "export"])
def test_without_a_label_make_asks_for_one(target: str) -> None:
    command = ["make", "-s", "-o", ".venv/client.installed", target, "FOLDER=photos", "LABEL="]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode
    assert re.match(rf"Name a .*: make {target} (\w+=\w+ )?(FOLDER=\w+ )?LABEL=\w+", done.stderr)


@pytest.mark.parametrize("target", ["audit", "import", "export"])
def test_make_heeds_the_variable_that_names_another_petapi(target: str) -> None:
    command = ["make", "-n", "-o", ".venv/client.installed", target, "FOLDER=photos", "LABEL=cat"]
    known = {name: value for name, value in os.environ.items() if name not in ("URL", "PORT", "PETAPI_URL")}
    for variables, url in (
        ({}, "http://127.0.0.1:3000"),
        ({"PETAPI_URL": "https://pets.example"}, "https://pets.example"),
        ({"PETAPI_URL": "https://pets.example", "URL": "https://other.example"}, "https://other.example"),
    ):
        said = subprocess.run(command, cwd=ROOT, env={**known, **variables}, capture_output=True, text=True, check=True)
        assert f"--url '{url}'" in said.stdout


# --- the report ---


def report(weights: dict[str, int], drawn: dict[str, int]) -> str:
    return str(Audit("cat", Law(weights), Counter(drawn)))


def test_the_report_shows_first_how_often_each_image_was_drawn_and_expected() -> None:
    weights = {"cat/a": UNITS // 10, "cat/b": UNITS * 3 // 5, "cat/c": UNITS * 3 // 10}

    title, _, *table = report(weights, {"cat/b": 130, "cat/c": 70}).splitlines()[:6]

    assert title == "200 draws of cat, which has 3 images"
    assert [line.split() for line in table] == [
        ["drawn", "expected", "probability", "image"],
        ["130", "120.0", "0.6", "cat/b"],
        ["70", "60.0", "0.3", "cat/c"],
        ["0", "20.0", "0.1", "cat/a"],
    ]


def test_more_images_than_one_can_read_have_no_table() -> None:
    for count in (20, 21):
        weights = {f"cat/{n}": UNITS // 100 for n in range(count)}
        said = report(weights, dict.fromkeys(weights, 100))
        assert ("expected  " in said, "cat/7\n" in said) == ((True, True) if count == 20 else (False, False))
        assert f"chi-square 0.00 with {count - 1} degrees of freedom" in said


def test_the_report_says_in_plain_words_what_so_many_draws_can_show() -> None:
    weights = {"cat/a": UNITS * 3 // 5, "cat/b": UNITS * 2 // 5}
    audited = Audit("cat", Law(weights), Counter({"cat/a": 120, "cat/b": 80}))
    (wrong,) = re.findall(r"If an image came with probability (0\.\d+) instead of 0\.6, 200 draws", str(audited))
    assert float(wrong) == pytest.approx(0.6 * (1 - audited.shift("cat/a")), abs=0.005)
    assert "too few to show a wrong probability" in report(weights, {"cat/a": 9, "cat/b": 4})
    assert "There is nothing to compare" in report({"cat/a": 1}, {"cat/a": 1000})


def test_the_sentence_comes_before_the_statistics_and_the_verdict_last() -> None:
    said = report(WEIGHTS, {name: weight * 1000 // TOTAL for name, weight in WEIGHTS.items()})
    order = [said.index(text) for text in ("expected", "If an image came", "chi-square", "farthest off:", "\nPASSED")]
    assert order == sorted(order)


# --- the arithmetic ---


@pytest.mark.parametrize(
    ("statistic", "freedom", "p"),  # from the tables in Abramowitz and Stegun, 26.8
    [(3.84146, 1, 0.05), (10.828, 1, 0.001), (5.99146, 2, 0.05), (20.515, 5, 0.001), (149.449, 100, 0.001)],
)
def test_p_agrees_with_the_tables(statistic: float, freedom: int, p: float) -> None:
    assert chi_square.survival(statistic, freedom) == pytest.approx(p, rel=3e-4)
    assert chi_square.critical(p, freedom) == pytest.approx(statistic, rel=1e-4)


@pytest.mark.parametrize("freedom", [1, 2, 999, 20_000])
def test_p_falls_from_1_to_0(freedom: int) -> None:
    values = [chi_square.survival(freedom * x / 10, freedom) for x in range(40)]
    assert values[0] == 1
    assert all(0 <= b <= a + 1e-9 <= 1 + 1e-9 for a, b in pairwise(values))
    assert values[-1] < 0.05


def test_the_power_with_one_degree_of_freedom_agrees_with_the_normal_distribution() -> None:
    normal = NormalDist()
    z = normal.inv_cdf(1 - 0.001 / 2)
    needed = math.sqrt(chi_square.noncentrality(0.001, 0.95, 1))
    assert (1 - normal.cdf(z - needed)) + normal.cdf(-z - needed) == pytest.approx(0.95, abs=1e-9)


def test_a_shift_is_found_and_an_exact_service_fails_as_often_as_stated() -> None:
    rng, draws, rounds = random.Random(3), 2_000, 1_000
    law = Law(WEIGHTS)
    shift = Audit("cat", law, Counter({IDS[0]: draws})).shift(IDS[11])
    p = WEIGHTS[IDS[11]] / TOTAL
    moved = {name: weight * (1 - p * (1 + shift)) / (1 - p) for name, weight in WEIGHTS.items()}
    moved[IDS[11]] = WEIGHTS[IDS[11]] * (1 + shift)
    verdicts = {
        kind: sum(
            not Audit("cat", law, Counter(rng.choices(list(weights), list(weights.values()), k=draws))).passed
            for _ in range(rounds)
        )
        for kind, weights in (("moved", moved), ("exact", WEIGHTS))
    }
    assert verdicts["moved"] / rounds == pytest.approx(0.95, abs=0.03)
    assert verdicts["exact"] <= 6  # 1 is expected; more than 6 come once in 10,000 runs
    assert audit.ALARM == ALARM == 0.001


def test_the_work_of_a_report_grows_with_the_number_of_images_and_not_with_its_square() -> None:
    sums: list[str] = []

    class Weights(dict[str, int]):
        def values(self) -> Any:
            sums.append("weights")
            return super().values()

    class Drawn(Counter[str]):
        def total(self) -> int:
            sums.append("draws")
            return super().total()

    found = Audit("cat", Law(Weights(WEIGHTS)), Drawn(WEIGHTS))
    assert found.passed
    assert f"{found}"
    assert len(sums) <= 2


def test_small_cells_are_combined() -> None:
    expected = {"a": 50.0, "b": 4.0, "c": 4.0, "d": 2.0}
    found = chi_square.fit(Counter(a=50, b=10), expected)
    assert (found.freedom, found.chi_square, found.p) == (1, 0, 1)
    assert chi_square.fit(Counter(a=7), {"a": 7.0}).p == 1


def test_an_image_that_hardly_ever_comes_fails_no_exact_service_when_it_does() -> None:
    law = Law({"a": UNITS // 2, "b": UNITS // 4, "c": 1_000})  # of 20,000 draws, 0.03 are expected to be of the last
    assert Audit("cat", law, Counter(a=13_333, b=6_666, c=1)).passed
    found = chi_square.fit(Counter(a=50, b=8, c=1, d=1), {"a": 50.0, "b": 6.0, "c": 2.0, "d": 2.0})
    assert (found.freedom, found.chi_square) == (1, 0)
