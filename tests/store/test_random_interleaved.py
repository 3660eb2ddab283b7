"""Several images, seeds and sessions during uploads, deletes and edits, with stale reads."""

import json
from collections import Counter

import pytest

import random_image
from tests.support.simulation import LABEL, Simulation, call

QUERIES = (
    {"count": "5"},
    {"count": "2", "distinct": "true"},
    {"count": "9", "distinct": "true"},
    {"count": "3", "distinct": "true", "seed": "a"},
    {"session": "me", "position": "0", "format": "json"},
    {"session": "me", "position": "4", "format": "json"},
)


class Drawing(Simulation):
    """A simulation whose draws have options."""

    def _random(self, _: int) -> int:
        chosen = self.rng.choice(QUERIES)
        query = {"label": [LABEL], **{name: [value] for name, value in chosen.items()}}
        answer = call(random_image, "GET", "/random", "/random", query=query)
        status = int(answer["statusCode"])
        if status != 200:
            assert status in (404, 422, 503)
            return status
        document = json.loads(answer["body"])
        shown = document.get("images", [document])
        ids = [image["id"] for image in shown]
        assert len(shown) == int(chosen.get("count", "1"))
        assert "count" in chosen or answer["headers"]["Image-Id"] == document["id"]
        assert "distinct" not in chosen or len(set(ids)) == len(ids)
        assert all(0 < image["probability"] <= 1 for image in shown)
        if "distinct" in chosen:
            left = document["totalWeight"] * 1e9
            for image in shown:
                assert abs(image["probability"] * left - image["weight"] * 1e9) < 1e-3
                left -= image["weight"] * 1e9
        return status


@pytest.mark.parametrize("seeds", [range(10), pytest.param(range(10, 40), marks=pytest.mark.slow)])
def test_draws_with_options_stay_exact_during_writes(seeds: range) -> None:
    answers: Counter[str] = Counter()
    for seed in seeds:
        answers += Drawing(seed).run().answers
    draws = {answer: count for answer, count in answers.items() if answer.startswith("_random")}
    assert draws["_random 200"] > 6 * len(seeds)
    assert draws.get("_random 503", 0) < draws["_random 200"] / 50, draws
