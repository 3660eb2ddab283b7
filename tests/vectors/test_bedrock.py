"""The encoders by Bedrock: requests and answers by the service's model, what errors mean, and which is chosen."""

import io
import json
import socket
from base64 import b64decode
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from shared import aws, deadline
from shared.recognition.detections import Misconfigured
from shared.vectors.bedrock import BUSY, KNOWN_GOOD, REFUSED, BedrockEncoder, Nova, Titan
from shared.vectors.encoder import CannotBeCompared, Encoder, EncoderBusy, index_name
from shared.vectors.encoders import chosen
from tests.support import pictures
from tests.support.hosts import forget_clients

JPEG = pictures.jpeg(1)
VECTOR = [0.5, -0.25] * 512
MODELS = {"titan": Titan, "nova": Nova}
IDS = {"titan": "amazon.titan-embed-image-v1", "nova": "amazon.nova-2-multimodal-embeddings-v1:0"}
ANSWERS: dict[str, dict[str, Any]] = {
    "titan": {"embedding": VECTOR, "inputTextTokenCount": 3},
    "nova": {"embeddings": [{"embeddingType": "TEXT", "embedding": VECTOR}]},
}


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    forget_clients()
    yield
    forget_clients()


@pytest.fixture(params=sorted(MODELS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def encoder(name: str, monkeypatch: pytest.MonkeyPatch) -> Encoder:
    monkeypatch.setenv("ENCODER", name)
    made = chosen()
    assert made
    return made


@pytest.fixture
def stub() -> Iterator[Stubber]:
    """Answer in place of Bedrock."""
    with Stubber(aws.bedrock()) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def sent() -> list[dict[str, Any]]:
    """Return a list that gets the body of each request."""
    bodies: list[dict[str, Any]] = []

    def note(params: dict[str, Any], **_: object) -> None:
        assert params["contentType"] == params["accept"] == "application/json"
        bodies.append({"model": params["modelId"], **json.loads(params["body"])})

    aws.bedrock().meta.events.register("provide-client-params.bedrock-runtime.InvokeModel", note)
    return bodies


def answer(stub: Stubber, found: object) -> None:
    content = json.dumps(found).encode()
    body = StreamingBody(io.BytesIO(content), len(content))
    stub.add_response("invoke_model", {"body": body, "contentType": "application/json"})


def refuse(stub: Stubber, code: str, status: int = 400, message: str = "Cannot read the image.") -> None:
    stub.add_client_error("invoke_model", code, message, http_status_code=status)


# -- requests and answers ---------------------------------------------------------------------------------------------


def test_a_picture_is_sent_as_titan_wants_it(stub: Stubber, sent: list[dict[str, Any]]) -> None:
    encoder = Titan(aws.bedrock())
    for ask in (lambda: encoder.encode_picture(JPEG, ["cat"]), lambda: encoder.picture_query(JPEG)):
        answer(stub, ANSWERS["titan"])
        assert ask() == VECTOR
        body = sent.pop()
        assert b64decode(body.pop("inputImage"), validate=True) == JPEG
        assert body == {"model": IDS["titan"], "embeddingConfig": {"outputEmbeddingLength": 1024}}


def test_a_text_is_sent_as_titan_wants_it(stub: Stubber, sent: list[dict[str, Any]]) -> None:
    answer(stub, ANSWERS["titan"])
    assert Titan(aws.bedrock()).text_query("a cat, über alles") == VECTOR
    wanted = {"inputText": "a cat, über alles", "embeddingConfig": {"outputEmbeddingLength": 1024}}
    assert sent == [{"model": IDS["titan"], **wanted}]


@pytest.mark.parametrize("purpose", ["GENERIC_INDEX", "IMAGE_RETRIEVAL"])
def test_a_picture_is_sent_as_nova_wants_it(purpose: str, stub: Stubber, sent: list[dict[str, Any]]) -> None:
    encoder = Nova(aws.bedrock())
    answer(stub, ANSWERS["nova"])
    is_stored = purpose == "GENERIC_INDEX"
    assert (encoder.encode_picture(JPEG, []) if is_stored else encoder.picture_query(JPEG)) == VECTOR
    (body,) = sent
    image = body["singleEmbeddingParams"].pop("image")
    assert b64decode(image["source"].pop("bytes"), validate=True) == JPEG
    assert image == {"format": "jpeg", "detailLevel": "STANDARD_IMAGE", "source": {}}
    parameters = {"embeddingPurpose": purpose, "embeddingDimension": 1024}
    assert body == {"model": IDS["nova"], "taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": parameters}


def test_a_text_is_sent_as_nova_wants_it(stub: Stubber, sent: list[dict[str, Any]]) -> None:
    answer(stub, ANSWERS["nova"])
    assert Nova(aws.bedrock()).text_query("Wiese") == VECTOR
    text = {"truncationMode": "END", "value": "Wiese"}
    parameters = {"embeddingPurpose": "IMAGE_RETRIEVAL", "embeddingDimension": 1024, "text": text}
    wanted = {"model": IDS["nova"], "taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": parameters}
    assert sent == [wanted]


def test_a_stored_vector_is_a_query_without_a_call(encoder: Encoder, stub: Stubber) -> None:
    assert encoder.stored_query(VECTOR) == VECTOR
    assert encoder.similarity(0.25) == 0.75
    assert encoder.picture_numbers == encoder.text_numbers == encoder.dimension == len(VECTOR)


def test_the_name_of_the_index_tells_the_encoder(encoder: Encoder, name: str) -> None:
    assert index_name(encoder) == f"{name}-1024-1"


# -- what errors mean -------------------------------------------------------------------------------------------------


def asked(encoder: Encoder, kind: str) -> list[float]:
    match kind:
        case "stored":
            return encoder.encode_picture(JPEG, [])
        case "picture":
            return encoder.picture_query(JPEG)
    return encoder.text_query("q")


KINDS = ("stored", "picture", "text")


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_model_that_works_refuses_cannot_be_compared(
    kind: str, encoder: Encoder, name: str, stub: Stubber
) -> None:
    answer(stub, ANSWERS[name])
    encoder.text_query("it works")
    refuse(stub, REFUSED)
    with pytest.raises(CannotBeCompared, match=r"refuses it: Cannot read the image\.$"):
        asked(encoder, kind)


def test_a_model_that_has_not_worked_yet_is_asked_for_a_text(
    encoder: Encoder, name: str, stub: Stubber, sent: list[dict[str, Any]]
) -> None:
    refuse(stub, REFUSED)
    answer(stub, ANSWERS[name])
    with pytest.raises(CannotBeCompared):
        encoder.encode_picture(JPEG, [])
    assert KNOWN_GOOD in json.dumps(sent[1])
    refuse(stub, REFUSED)
    with pytest.raises(CannotBeCompared):  # and only once
        encoder.encode_picture(JPEG, [])


def test_a_model_that_cannot_be_used_brands_no_picture(encoder: Encoder, stub: Stubber) -> None:
    for _ in range(2):
        refuse(stub, REFUSED, message="The provided model identifier is invalid.")
    with pytest.raises(ClientError, match="model identifier"):
        encoder.encode_picture(JPEG, [])


def test_a_model_that_is_busy_when_it_is_asked_for_a_text_brands_no_picture(encoder: Encoder, stub: Stubber) -> None:
    refuse(stub, REFUSED)
    refuse(stub, "ThrottlingException", 429)
    with pytest.raises(EncoderBusy):
        encoder.encode_picture(JPEG, [])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("code", "status"), [*((code, 400) for code in sorted(BUSY)), ("Unknown", 503)])
def test_throttling_and_outages_may_be_over_later(
    code: str, status: int, kind: str, encoder: Encoder, stub: Stubber
) -> None:
    refuse(stub, code, status)
    with pytest.raises(EncoderBusy, match=code):
        asked(encoder, kind)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException", "ExpiredTokenException"])
def test_a_mistake_in_the_configuration_is_raised_as_it_is(code: str, encoder: Encoder, stub: Stubber) -> None:
    refuse(stub, code, 403)
    with pytest.raises(ClientError, match=code):
        encoder.encode_picture(JPEG, [])


def test_an_answer_of_titan_without_a_vector_says_why(stub: Stubber) -> None:
    for found in ({"message": "blocked"}, {"embedding": None, "message": "blocked"}, {"embedding": []}):
        answer(stub, found)
        with pytest.raises(CannotBeCompared, match="makes no vector"):
            Titan(aws.bedrock()).encode_picture(JPEG, [])


def test_every_error_of_the_service_is_known() -> None:
    model = aws.bedrock().meta.service_model.operation_model("InvokeModel")
    known = {"AccessDeniedException", "ResourceNotFoundException", REFUSED, *BUSY}
    assert {shape.name for shape in model.error_shapes} == known


def of_endpoint(url: str, made: type[BedrockEncoder]) -> Encoder:
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=0.2, read_timeout=0.2)
    return made(aws.session().create_client("bedrock-runtime", endpoint_url=url, config=config))


def test_a_service_that_does_not_listen_or_answer_cannot_be_reached(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(EncoderBusy, match="cannot be reached"):
            of_endpoint(f"http://127.0.0.1:{port}", MODELS[name]).text_query("q")
    with pytest.raises(EncoderBusy, match="cannot be reached"):
        of_endpoint(f"http://127.0.0.1:{port}", MODELS[name]).text_query("q")


def test_a_call_that_may_end_after_the_deadline_is_not_made(encoder: Encoder) -> None:
    longest = deadline.LAST_ATTEMPT + aws.MODEL_LONGER
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 1000 * longest - 1)
    with deadline.of(context), pytest.raises(EncoderBusy, match="cannot be reached"):
        encoder.text_query("q")


# -- the choice -------------------------------------------------------------------------------------------------------


def test_without_an_encoder_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENCODER", raising=False)
    assert chosen() is None
    for text in ("", "none"):
        monkeypatch.setenv("ENCODER", text)
        assert chosen() is None


def test_another_encoder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCODER", "clip")
    with pytest.raises(Misconfigured, match="ENCODER is 'clip'; it must be one of titan, nova, lite0, none"):
        chosen()
