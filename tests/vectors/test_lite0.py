"""`lite0` as encoder and as recogniser: pinned vectors, one run for both, altered copies, and queries by text."""

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from shared.recognition import lite0_network, recognisers
from shared.recognition.detections import DetectionLimits, Misconfigured, Unrecognisable
from shared.recognition.lite0_recogniser import recognise
from shared.recognition.onnx_recogniser import Model
from shared.vectors import lite0_sentences
from shared.vectors.encoder import CannotBeCompared, index_name
from shared.vectors.encoders import chosen
from shared.vectors.lite0_encoder import Lite0, weights
from tests.support import lite0_models, sample_pictures
from tools.benchmarks.lite0_costs import quality

FOLDER = Path(__file__).resolve().parent
MACAWS = (sample_pictures.FOLDER / "macaws.jpg").read_bytes()
NEAR = 1e-3

# The first four numbers of a word's meaning.
WORDS = {
    "cat": (0.0931, -0.0001, 0.0210, 0.0380),
    "dog": (0.0996, -0.0411, 0.0316, 0.0235),
    "park": (0.0968, 0.0046, -0.0331, -0.0182),
    "meadow": (0.1231, -0.0065, 0.0588, 0.0612),
    "Wiese": (0.1981, 0.0225, 0.0361, -0.0171),
    "chat": (0.0956, -0.0378, -0.0119, -0.0030),
    "gato": (0.0906, 0.0355, 0.0406, 0.0179),
    "MEADOW": (0.1231, -0.0065, 0.0588, 0.0612),
    "lighthouse": (0.1077, -0.0977, -0.0238, -0.0149),
    "猫": (0.0996, -0.0386, 0.0549, 0.0189),
}

pytestmark = pytest.mark.usefixtures("models")


def cosine(one: list[float], other: list[float]) -> float:
    return float(np.dot(one, other) / np.linalg.norm(one) / np.linalg.norm(other))


# -- meaning ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", WORDS)
def test_a_word_has_the_pinned_meaning(word: str) -> None:
    found = lite0_sentences.of_text(word)
    assert found[:4] == pytest.approx(WORDS[word], abs=NEAR)
    assert np.linalg.norm(found) == pytest.approx(1)
    assert found.shape == (512,)


@settings(max_examples=25)
@given(st.text(max_size=40))
def test_every_text_has_a_meaning(text: str) -> None:
    assert np.linalg.norm(lite0_sentences.of_text(text)) == pytest.approx(1)


def test_what_all_names_share_is_the_mean_of_the_classes(slow_tier: None) -> None:
    names = dict.fromkeys(lite0_network.model().names)
    wanted = np.mean([lite0_sentences.of_text(name) for name in names], axis=0)
    assert lite0_sentences.shared_meaning() == pytest.approx(wanted, abs=1e-4)


def test_a_meaning_is_the_weighted_sum_beyond_what_all_names_share_in_unit_length() -> None:
    shared = lite0_sentences.SHARED_OFF * lite0_sentences.shared_meaning()
    one, other = (lite0_sentences.of_text(word) - shared for word in ("cat", "park"))
    wanted = 3 * one / np.linalg.norm(one) + other / np.linalg.norm(other)
    assert lite0_sentences.meaning({"cat": 3, "park": 1}) == pytest.approx(wanted / np.linalg.norm(wanted), abs=1e-6)


def test_a_class_counts_by_the_root_of_its_probability_and_a_name_once() -> None:
    assert weights({"cat": 0.25, "dog": 0.04}, ["park", "cat", "park"]) == {"cat": 1, "dog": 0.2, "park": 1}


def test_text_in_capitals_means_what_it_means_in_small_letters() -> None:
    assert Lite0().text_query("MEADOW") == Lite0().text_query("meadow") != Lite0().text_query("Meadow")


@cache
def labelled() -> dict[str, NDArray[np.float32]]:
    """Return the meanings of 40 pictures, by labels with their confidence in percent."""
    images = json.loads((FOLDER / "words.json").read_text())["images"]
    return {
        name: lite0_sentences.meaning({label: math.sqrt(confidence / 100) for label, confidence in labels})
        for name, labels in images.items()
    }


def by_meaning(text: str) -> list[str]:
    """Return the pictures in the order of their meaning's nearness to a text."""
    wanted = lite0_sentences.of_text(text)
    return sorted(labelled(), key=lambda name: -float(labelled()[name] @ wanted))


@pytest.mark.parametrize(("language", "first", "within_five"), [("queries", 25, 29), ("german", 6, 7)])
def test_words_that_are_no_label_find_the_picture(language: str, first: int, within_five: int) -> None:
    queries = json.loads((FOLDER / "words.json").read_text())[language]
    places = [by_meaning(text).index(picture) for text, picture in queries]
    assert sum(place == 0 for place in places) >= first
    assert sum(place < 5 for place in places) >= within_five


@pytest.mark.parametrize("text", ["meadow", "field", "Wiese"])
def test_meadow_and_field_find_a_cat_in_a_park_with_grass_and_sun(text: str) -> None:
    assert "park" in by_meaning(text)[:5]


# -- pictures ---------------------------------------------------------------------------------------------------------


def test_a_picture_has_the_classes_that_it_shows() -> None:
    found = recognise(MACAWS, "image/jpeg", limits=DetectionLimits(5, 10))
    assert [detection.name for detection in found] == ["macaw"]
    assert found[0].confidence == pytest.approx(80, abs=5)


def test_the_probabilities_of_a_picture_are_one_in_all() -> None:
    seen = lite0_network.look(MACAWS, "image/jpeg")
    assert sum(seen.classes.values()) == pytest.approx(1)
    assert len(seen.classes) == 998
    assert list(seen.likeliest(2)) == sorted(seen.classes, key=lambda name: -seen.classes[name])[:2]


def test_classes_of_one_name_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = [place for place, name in enumerate(lite0_network.model().names) if name == "sunglasses"]
    logits = np.zeros(1000)
    logits[twice] = 10
    monkeypatch.setattr(Model, "outputs", lambda *_: [logits, np.ones(1280)])
    lite0_network.look.cache_clear()
    (found,) = recognise(b"any", "image/jpeg", limits=DetectionLimits(50, 10))
    assert (len(twice), found.name) == (2, "sunglasses")
    assert found.confidence == pytest.approx(100 * 2 * math.exp(10) / (2 * math.exp(10) + 998))


def test_lite0_is_chosen_as_recogniser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOGNISER", "lite0")
    for name in ("RECOGNITION_MIN_CONFIDENCE", "RECOGNITION_MAX_LABELS"):
        monkeypatch.delenv(name, raising=False)
    assert recognisers.chosen()(MACAWS, "image/jpeg") == recognise(MACAWS, "image/jpeg", limits=DetectionLimits(5, 10))
    assert recognisers.identity() == f"lite0 v2 5.0% 10 {lite0_network.model().digest}"
    with pytest.raises(Unrecognisable, match="broken"):
        recognisers.chosen()(MACAWS[:999], "image/jpeg")


def test_lite0_is_chosen_as_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCODER", "lite0")
    encoder = chosen()
    assert isinstance(encoder, Lite0)
    assert index_name(encoder) == "lite0-1792-1"
    assert (encoder.picture_numbers, encoder.text_numbers) == (1280, 512)
    encoder.load()
    assert len(encoder.text_query("cat")) == encoder.dimension


@pytest.mark.parametrize("missing", ["lite0.onnx", "classes.txt", "shared-meaning.txt"])
def test_a_missing_file_is_named(missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in {"lite0.onnx", "classes.txt", "shared-meaning.txt"} - {missing}:
        (tmp_path / name).symlink_to(lite0_models.folder() / name)
    monkeypatch.setenv("LITE0_MODELS", str(tmp_path))
    lite0_models.forget()
    with pytest.raises(Misconfigured, match=rf"lite0 needs {tmp_path / missing}, which cannot be read: No such file"):
        Lite0().load()


def test_a_picture_is_recognised_and_encoded_by_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    runs, outputs = [], Model.outputs

    def counted(self: Model, content: bytes, content_type: str) -> list[NDArray[np.float64]]:
        runs.append(content)
        return outputs(self, content, content_type)

    monkeypatch.setattr(Model, "outputs", counted)
    lite0_models.forget()
    recognise(MACAWS, "image/jpeg", limits=DetectionLimits(5, 10))
    Lite0().encode_picture(MACAWS, [])
    Lite0().picture_query(MACAWS)
    assert runs == [MACAWS]


def test_a_vector_is_the_look_and_the_meaning() -> None:
    encoder, seen = Lite0(), lite0_network.look(MACAWS, "image/jpeg")
    vector = encoder.encode_picture(MACAWS, ["parrot", "zoo"])
    look, meaning = np.array(vector[:1280]), np.array(vector[1280:])
    roots = np.sqrt(seen.features)
    assert look == pytest.approx(roots / np.linalg.norm(roots), abs=1e-6)
    assert meaning == pytest.approx(lite0_sentences.meaning(weights(seen.likeliest(50), ["parrot", "zoo"])), abs=1e-6)
    assert np.linalg.norm(vector) == pytest.approx(math.sqrt(2))


def test_a_query_compares_its_part_only() -> None:
    encoder = Lite0()
    stored = encoder.encode_picture(MACAWS, [])
    by_look, by_text = encoder.picture_query(MACAWS), encoder.text_query("a bird")
    assert by_look == encoder.stored_query(stored)
    assert not any(by_look[1280:] + by_text[:1280])
    assert encoder.similarity(1 - cosine(by_look, stored)) == pytest.approx(1)
    meaning = cosine(by_text[1280:], stored[1280:])
    assert encoder.similarity(1 - cosine(by_text, stored)) == pytest.approx(meaning)


def test_names_change_the_meaning_and_not_the_look() -> None:
    encoder = Lite0()
    plain, named = encoder.encode_picture(MACAWS, []), encoder.encode_picture(MACAWS, ["harbour"])
    assert plain[:1280] == named[:1280]
    harbour = encoder.text_query("harbour")
    assert cosine(harbour, named) > cosine(harbour, plain) + 0.1


@pytest.mark.parametrize("colour", ["white", "black", "red", "grey"])
def test_a_picture_of_one_colour_can_be_compared(colour: str) -> None:
    content = sample_pictures.jpeg(Image.new("RGB", (64, 48), colour))
    assert np.linalg.norm(Lite0().picture_query(content)) == pytest.approx(1)


def test_a_broken_picture_cannot_be_compared() -> None:
    for ask in (Lite0().picture_query, lambda content: Lite0().encode_picture(content, [])):
        with pytest.raises(CannotBeCompared, match="broken"):
            ask(MACAWS[:999])


# -- the photographs --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found(models: None) -> dict[str, Any]:
    """Return how often the photographs and their quarters are found, without any name."""
    return quality()


def test_an_altered_copy_finds_its_original_first(slow_tier: None, found: dict[str, Any]) -> None:
    assert found["pictures"] == 120
    assert len(found["altered"]) == 5
    assert sum(found["altered"].values()) >= 0.98 * 5 * 120


@pytest.mark.parametrize(("language", "first", "within_five"), [("en", 15, 19), ("de", 7, 8)])
def test_queries_that_were_written_before_the_first_run_find_their_photographs(
    language: str, first: int, within_five: int, slow_tier: None, found: dict[str, Any]
) -> None:
    """A quarter counts as its photograph. The first run found 13 and 18 in English, 6 and 8 in German."""
    texts = found["texts"][language]
    assert texts["first"] >= first
    assert texts["within_five"] >= within_five
