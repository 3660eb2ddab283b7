"""Encoders by models of Amazon Bedrock, which put pictures and texts into one space: one vector serves both searches.

Requests and responses of the models:
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-mm.html
https://docs.aws.amazon.com/nova/latest/nova2-userguide/embeddings-schema.html
"""

import json
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004 (botocore's name)

from shared.errors import Unavailable
from shared.vectors.encoder import CannotBeCompared, EncoderBusy

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

NUMBERS = 1024  # of a vector; both models can make shorter ones
KNOWN_GOOD = "a picture"  # a text that each model takes

REFUSED = "ValidationException"
BUSY = {
    *("ThrottlingException", "ServiceQuotaExceededException", "ModelNotReadyException", "ModelTimeoutException"),
    *("ModelErrorException", "InternalServerException", "ServiceUnavailableException"),
}


class BedrockEncoder(ABC):
    """An encoder by one model, which this client calls. A subclass knows the model's requests and responses."""

    name: ClassVar[str]
    model: ClassVar[str]  # its id in Bedrock
    dimension = picture_numbers = text_numbers = NUMBERS
    version = 1

    def __init__(self, client: "BedrockRuntimeClient") -> None:
        self._client = client
        self._works = False  # whether the model has ever answered

    def load(self) -> None:  # noqa: B027 (there is nothing to load)
        """Load nothing: the model is elsewhere."""

    def encode_picture(self, jpeg: bytes, names: Sequence[str]) -> list[float]:
        """Make the vector that is stored, only from the picture."""
        return self._vector(self._of_picture(jpeg, "GENERIC_INDEX"))

    def picture_query(self, jpeg: bytes) -> list[float]:
        """Make the vector of a picture that is searched for."""
        return self._vector(self._of_picture(jpeg, "IMAGE_RETRIEVAL"))

    def stored_query(self, vector: Sequence[float]) -> list[float]:
        """Return the stored vector, which is one of a query, too."""
        return list(vector)

    def text_query(self, text: str) -> list[float]:
        """Make the vector of a text that is searched for."""
        return self._vector(self._of_text(text))

    def similarity(self, distance: float) -> float:
        """Return the cosine of two vectors from their cosine distance."""
        return 1 - distance

    @abstractmethod
    def _of_picture(self, jpeg: bytes, purpose: str) -> dict[str, Any]:
        """Return the request for the vector of a picture."""

    @abstractmethod
    def _of_text(self, text: str) -> dict[str, Any]:
        """Return the request for the vector of a text."""

    @abstractmethod
    def _found(self, answer: Any) -> list[float]:
        """Return the vector in the model's answer."""

    def _vector(self, request: dict[str, Any]) -> list[float]:
        """Ask the model. Raise CannotBeCompared if it refuses what it is asked for and takes something else.

        A wrong model, or one that the account may not use, is a ValidationException, too. It must not brand every
        picture as one that cannot be compared.
        """
        try:
            return self._ask(request)
        except ClientError as error:
            if error.response["Error"]["Code"] != REFUSED:
                raise
            if not self._works:
                self._ask(self._of_text(KNOWN_GOOD))
            message = error.response["Error"].get("Message", "")
            raise CannotBeCompared(f"The model {self.model} refuses it: {message}") from error

    def _ask(self, request: dict[str, Any]) -> list[float]:
        try:
            answer = self._client.invoke_model(
                modelId=self.model, body=json.dumps(request), contentType="application/json", accept="application/json"
            )
            vector = self._found(json.loads(answer["body"].read()))
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            code = error.response["Error"]["Code"]
            if code in BUSY or status >= 500:
                raise EncoderBusy(f"The model {self.model} is busy: {code}.") from error
            raise
        except (ConnectionError, HTTPClientError, Unavailable) as error:
            raise EncoderBusy("Bedrock cannot be reached.") from error
        self._works = True
        return vector


class Titan(BedrockEncoder):
    """Amazon Titan Multimodal Embeddings G1."""

    name = "titan"
    model = "amazon.titan-embed-image-v1"

    def _of_picture(self, jpeg: bytes, purpose: str) -> dict[str, Any]:
        return self._request(inputImage=b64encode(jpeg).decode())

    def _of_text(self, text: str) -> dict[str, Any]:
        return self._request(inputText=text)

    def _request(self, **inputs: str) -> dict[str, Any]:
        return {**inputs, "embeddingConfig": {"outputEmbeddingLength": NUMBERS}}

    def _found(self, answer: Any) -> list[float]:
        """Return the vector. An answer without one says why in `message`."""
        if not answer.get("embedding"):
            raise CannotBeCompared(f"The model {self.model} makes no vector of it: {answer.get('message')}")
        vector: list[float] = answer["embedding"]
        return vector


class Nova(BedrockEncoder):
    """Amazon Nova Multimodal Embeddings, which makes other vectors of what is stored than of what is searched for."""

    name = "nova"
    model = "amazon.nova-2-multimodal-embeddings-v1:0"

    def _of_picture(self, jpeg: bytes, purpose: str) -> dict[str, Any]:
        source = {"bytes": b64encode(jpeg).decode()}
        return self._request(purpose, image={"format": "jpeg", "detailLevel": "STANDARD_IMAGE", "source": source})

    def _of_text(self, text: str) -> dict[str, Any]:
        return self._request("IMAGE_RETRIEVAL", text={"truncationMode": "END", "value": text})

    def _request(self, purpose: str, **inputs: Any) -> dict[str, Any]:
        parameters = {"embeddingPurpose": purpose, "embeddingDimension": NUMBERS, **inputs}
        return {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": parameters}

    def _found(self, answer: Any) -> list[float]:
        vector: list[float] = answer["embeddings"][0]["embedding"]
        return vector
