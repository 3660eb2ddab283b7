"""Labels by Amazon Rekognition: DetectLabels on the picture's bytes."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004 (botocore calls it so)

import pixels
from detections import Detection, DetectionLimits, RecognitionUnavailable, Unrecognisable
from shared.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_rekognition import RekognitionClient

TAKEN = ("image/jpeg", "image/png")
BYTES_MAX = 5_242_880  # bytes of a picture that is sent along, by the service's model
# Pixels that each side may have: https://docs.aws.amazon.com/rekognition/latest/dg/limits.html
SIDE_MIN, SIDE_MAX = 80, 10_000
SIDE = 2048  # pixels of the longest side of what is sent instead: far below 5 MB as JPEG, even if it is all noise

REFUSALS = {
    "ImageTooLargeException": "The picture is too large for Rekognition.",
    "InvalidImageFormatException": "Rekognition cannot read the picture.",
    "InvalidParameterException": "Rekognition does not take the picture.",  # the other parameters are checked before
}
BUSY = {"ThrottlingException", "ProvisionedThroughputExceededException", "InternalServerError"}


class Rekognition:
    """The recogniser behind this client."""

    def __init__(self, client: "RekognitionClient", limits: DetectionLimits) -> None:
        self._client, self._limits = client, limits

    def recognise(self, content: bytes, content_type: str) -> list[Detection]:
        """What Rekognition sees; what it does not take as it is, it gets as JPEG, and of a size that it takes."""
        sides = pixels.size(content, content_type)
        fits = min(sides) >= SIDE_MIN and max(sides) <= SIDE_MAX and len(content) <= BYTES_MAX
        if content_type not in TAKEN or not fits:
            content = pixels.jpeg(content, content_type, longest=SIDE, least=SIDE_MIN)
        found = self._detected(content)
        return self._limits.best(Detection(label["Name"], label["Confidence"]) for label in found)

    def _detected(self, content: bytes) -> list[Any]:
        limits = self._limits
        try:
            answer = self._client.detect_labels(
                Image={"Bytes": content}, MaxLabels=limits.max_detections, MinConfidence=limits.min_confidence
            )
        except ClientError as error:
            raise _meaning(error) from error
        except (ConnectionError, HTTPClientError, Unavailable) as error:
            raise RecognitionUnavailable("Rekognition is out of reach.") from error
        return answer["Labels"]


def _meaning(error: ClientError) -> Exception:
    """What an error of Rekognition means for the picture; itself, if it is a mistake in the configuration."""
    code = error.response["Error"]["Code"]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in REFUSALS:
        return Unrecognisable(REFUSALS[code])
    if code in BUSY or status >= 500:
        return RecognitionUnavailable(f"Rekognition is busy: {code}.")
    return error
