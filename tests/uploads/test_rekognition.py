"""The recogniser by Rekognition: requests and answers by the service's model, conversions, and errors."""

import io
import random
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber
from PIL import Image

from shared import aws, deadline
from shared.pictures.plain import is_plain
from shared.pictures.showing.shown import shown
from shared.recognition.detections import Detection, DetectionLimits, Recognise, RecognitionUnavailable, Unrecognisable
from shared.recognition.recognisers import chosen
from shared.recognition.rekognition_recogniser import BUSY, BYTES_MAX, REFUSALS, SIDE, Rekognition
from tests.support import pictures
from tests.support.hosts import forget_clients

ANSWER = {
    "Labels": [
        {"Name": "Pet", "Confidence": 98.5, "Parents": [{"Name": "Animal"}]},
        {"Name": "Cat", "Confidence": 99.25, "Instances": [{"Confidence": 99.25}]},
        {"Name": "Animal", "Confidence": 98.5},
    ],
    "LabelModelVersion": "3.0",
}
WANTED = [Detection("Cat", 99.25), Detection("Animal", 98.5), Detection("Pet", 98.5)]
PNG = pictures.png(size=(120, 80))


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("RECOGNISER", "rekognition")
    for name in ("RECOGNITION_MIN_CONFIDENCE", "RECOGNITION_MAX_LABELS"):
        monkeypatch.delenv(name, raising=False)
    forget_clients()
    yield
    forget_clients()


@pytest.fixture
def stub() -> Iterator[Stubber]:
    """Answer in place of Rekognition."""
    with Stubber(aws.rekognition()) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def sent() -> list[bytes]:
    """Return a list that gets each picture that the client is given."""
    found: list[bytes] = []

    def note(params: Any, **_: Any) -> None:
        found.append(params["Image"]["Bytes"])

    aws.rekognition().meta.events.register("provide-client-params.rekognition.DetectLabels", note)
    return found


# Little compression takes little time.
QUICK: dict[str, dict[str, int]] = {"JPEG": {"quality": 95}, "PNG": {"compress_level": 0}, "WEBP": {"method": 0}}


def noise(form: str, side: int) -> bytes:
    """Return a picture of noise, which has as many bytes as one of this size can have."""
    content = random.Random(7).randbytes(3 * side * side)
    return pictures.saved(Image.frombytes("RGB", (side, side), content), form, **QUICK[form])


def test_the_detections_are_rekognitions_the_strongest_first(stub: Stubber) -> None:
    stub.add_response("detect_labels", ANSWER, {"Image": {"Bytes": PNG}, "MaxLabels": 10, "MinConfidence": 70.0})
    assert chosen()(PNG, "image/png") == WANTED


def test_rekognition_gets_the_limits(stub: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOGNITION_MIN_CONFIDENCE", "55.5")
    monkeypatch.setenv("RECOGNITION_MAX_LABELS", "2")
    stub.add_response("detect_labels", ANSWER, {"Image": ANY, "MaxLabels": 2, "MinConfidence": 55.5})
    assert chosen()(PNG, "image/png") == WANTED[:2]


@pytest.mark.parametrize(
    ("content", "content_type"), [(PNG, "image/png"), (pictures.jpeg(size=(80, 80)), "image/jpeg")]
)
def test_small_jpeg_and_png_are_sent_as_they_are(
    content: bytes, content_type: str, stub: Stubber, sent: list[bytes]
) -> None:
    stub.add_response("detect_labels", ANSWER)
    chosen()(content, content_type)
    assert sent == [content]


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (pictures.png_with(PNG, pictures.chunk(b"gAMA", (100_000).to_bytes(4))), "image/png"),
        (pictures.animated_png(default_image=True), "image/png"),
        (pictures.png(size=(120, 80), mode="RGBA"), "image/png"),
        (pictures.saved(Image.new("CMYK", (90, 80)), "JPEG"), "image/jpeg"),
        (pictures.jpeg_with(pictures.jpeg(size=(120, 80)), pictures.exif_segment(6)), "image/jpeg"),
    ],
)
def test_a_picture_that_other_decoders_see_otherwise_is_sent_as_browsers_show_it(
    content: bytes, content_type: str, stub: Stubber, sent: list[bytes]
) -> None:
    stub.add_response("detect_labels", ANSWER)
    chosen()(content, content_type)
    with Image.open(io.BytesIO(sent[0])) as picture:
        assert (picture.format, picture.mode, picture.info.get("exif")) == ("JPEG", "RGB", None)
        shown_size = shown(content, 2048).size
        assert picture.size == tuple(max(side, 80) for side in shown_size)


def test_a_broken_picture_is_not_plain() -> None:
    for content in (b"", PNG[:20], pictures.jpeg()[:30], pictures.gif()):
        assert not is_plain(content)
    assert is_plain(PNG)


def test_webp_is_sent_as_jpeg_on_white(stub: Stubber, sent: list[bytes]) -> None:
    stub.add_response("detect_labels", ANSWER)
    chosen()(pictures.saved(Image.new("RGBA", (140, 130)), "WEBP"), "image/webp")
    with Image.open(io.BytesIO(sent[0])) as picture:
        assert (picture.format, picture.size) == ("JPEG", (140, 130))
        assert picture.getpixel((20, 15)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((79, 300), (80, 300)),
        ((300, 8), (300, 80)),
        ((16, 16), (80, 80)),
        ((10_000, 80), (10_000, 80)),
        ((10_001, 2000), (SIDE, 410)),
        ((100, 10_001), (80, SIDE)),
    ],
)
def test_a_side_that_rekognition_refuses_is_scaled_or_gets_white_borders(
    size: tuple[int, int], expected: tuple[int, int], stub: Stubber, sent: list[bytes]
) -> None:
    stub.add_response("detect_labels", ANSWER)
    chosen()(pictures.saved(Image.new("RGB", size, "red"), "PNG"), "image/png")
    with Image.open(io.BytesIO(sent[0])) as picture:
        assert picture.size == expected
        red, green, _ = picture.convert("RGB").getpixel((expected[0] // 2, expected[1] // 2))  # type: ignore[misc]
        assert red > 200
        assert green < 60


@pytest.mark.parametrize(("form", "content_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png")])
def test_what_is_over_five_megabytes_is_scaled(form: str, content_type: str, stub: Stubber, sent: list[bytes]) -> None:
    content = noise(form, 2600)
    assert len(content) > BYTES_MAX
    stub.add_response("detect_labels", ANSWER)
    chosen()(content, content_type)
    assert len(sent[0]) <= BYTES_MAX
    with Image.open(io.BytesIO(sent[0])) as picture:
        assert (picture.format, max(picture.size)) == ("JPEG", SIDE)


def test_the_worst_picture_fits_once_it_is_scaled(stub: Stubber, sent: list[bytes]) -> None:
    stub.add_response("detect_labels", ANSWER)
    chosen()(noise("WEBP", SIDE), "image/webp")  # it is not scaled, so it stays noise
    assert len(sent[0]) <= BYTES_MAX


def test_a_picture_that_cannot_be_converted_is_not_sent(stub: Stubber) -> None:
    for content, content_type in ((b"RIFFxxxxWEBP", "image/webp"), (pictures.gif(), "image/gif")):
        with pytest.raises(Unrecognisable):
            chosen()(content, content_type)


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_a_picture_that_rekognition_refuses_is_unrecognisable(code: str, stub: Stubber) -> None:
    stub.add_client_error("detect_labels", code, http_status_code=400)
    with pytest.raises(Unrecognisable, match="Rekognition"):
        chosen()(PNG, "image/png")


@pytest.mark.parametrize(("code", "status"), [*((code, 400) for code in sorted(BUSY)), ("ServiceUnavailable", 503)])
def test_throttling_and_outages_may_be_over_later(code: str, status: int, stub: Stubber) -> None:
    stub.add_client_error("detect_labels", code, http_status_code=status)
    with pytest.raises(RecognitionUnavailable, match=code):
        chosen()(PNG, "image/png")


@pytest.mark.parametrize("code", ["AccessDeniedException", "UnrecognizedClientException", "ValidationException"])
def test_a_mistake_in_the_configuration_is_raised_as_it_is(code: str, stub: Stubber) -> None:
    stub.add_client_error("detect_labels", code, http_status_code=400)
    with pytest.raises(ClientError, match=code):
        chosen()(PNG, "image/png")


def test_every_error_of_the_model_is_known() -> None:
    model = aws.rekognition().meta.service_model.operation_model("DetectLabels")
    known = {"AccessDeniedException", "InvalidS3ObjectException", *REFUSALS, *BUSY}  # we name no S3 object
    assert {shape.name for shape in model.error_shapes} == known


def of_endpoint(url: str) -> Recognise:
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=0.2, read_timeout=0.2)
    client = aws.session().create_client("rekognition", endpoint_url=url, config=config)
    return Rekognition(client, DetectionLimits(70, 10)).recognise


def test_a_service_that_does_not_listen_or_answer_cannot_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(RecognitionUnavailable, match="cannot be reached"):
            of_endpoint(f"http://127.0.0.1:{port}")(PNG, "image/png")
    with pytest.raises(RecognitionUnavailable, match="cannot be reached"):
        of_endpoint(f"http://127.0.0.1:{port}")(PNG, "image/png")


def test_a_call_without_time_left_does_not_ask_rekognition() -> None:
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 0)
    with deadline.of(context), pytest.raises(RecognitionUnavailable):
        chosen()(PNG, "image/png")
