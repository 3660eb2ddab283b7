"""A picture that is indexed is recognised and encoded by one run of the network of `lite0`, on one small JPEG."""

import random

import numpy as np
import pytest
from numpy.typing import NDArray

from making import Maker, labels_by
from shared import aws
from shared.images import Image
from shared.recognition.onnx_recogniser import Model
from shared.recognition.recognition import Recognition
from shared.vectors.lite0_encoder import Lite0
from tests.support import lite0_models
from tests.support.memory_aws import DETECTIONS, DynamoDB, World
from tests.support.sample_pictures import FOLDER

CONTENT = (FOLDER / "macaws.jpg").read_bytes()
IMAGE = Image("bird", "0123456789abcdef0123456789abcdef.jpg", 1, "v1", len(CONTENT), 768, 512, "now")

pytestmark = pytest.mark.usefixtures("models")


@pytest.mark.parametrize(("recogniser", "label"), [("lite0", "macaw"), ("colours", "grey")])
def test_a_picture_is_run_through_the_network_once(
    recogniser: str, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, outputs = [], Model.outputs

    def counted(self: Model, content: bytes, content_type: str) -> list[NDArray[np.float64]]:
        runs.append(content_type)
        return outputs(self, content, content_type)

    monkeypatch.setattr(Model, "outputs", counted)
    monkeypatch.setattr(aws, "dynamodb", lambda: DynamoDB(World(random.Random(7))))
    monkeypatch.setenv("RECOGNISER", recogniser)
    lite0_models.forget()

    made = Maker(Lite0(), labels_by(Recognition(DETECTIONS), recognise=True)).make(IMAGE, CONTENT)

    assert runs == ["image/jpeg"]
    assert made.vector
    assert made.tile.labels
    assert made.tile.labels[0][0] == label
