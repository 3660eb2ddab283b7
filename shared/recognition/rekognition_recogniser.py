"""A recogniser by Amazon Rekognition: DetectLabels on the picture's bytes."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004 (botocore's name)

from shared.errors import Unavailable
from shared.pictures.plain import is_plain
from shared.recognition import pixels
from shared.recognition.detections import Detection, DetectionLimits, RecognitionUnavailable, Unrecognisable

if TYPE_CHECKING:
    from mypy_boto3_rekognition import RekognitionClient

TYPES = ("image/jpeg", "image/png")
BYTES_MAX = 5_242_880  # bytes of a picture in a request, by the service's model
# Pixels of each side: https://docs.aws.amazon.com/rekognition/latest/dg/limits.html
SIDE_MIN, SIDE_MAX = 80, 10_000
SIDE = 2048  # pixels of the longest side of a picture that is scaled down: as JPEG far below 5 MB, even if it is noise

REFUSALS = {
    "ImageTooLargeException": "The picture is too large for Rekognition.",
    "InvalidImageFormatException": "Rekognition cannot read the picture.",
    "InvalidParameterException": "Rekognition refuses the picture.",  # recognisers.py checks the others
}
BUSY = {"ThrottlingException", "ProvisionedThroughputExceededException", "InternalServerError"}


class Rekognition:
    """The recogniser that this client calls."""

    def __init__(self, client: "RekognitionClient", limits: DetectionLimits) -> None:
        self._client, self._limits = client, limits

    def recognise(self, content: bytes, content_type: str) -> list[Detection]:
        """Detect labels. Re-encode a picture that Rekognition would refuse, or see other than browsers show it."""
        sides = pixels.size(content, content_type)
        fits = min(sides) >= SIDE_MIN and max(sides) <= SIDE_MAX and len(content) <= BYTES_MAX
        if content_type not in TYPES or not fits or not is_plain(content):
            content = pixels.jpeg(content, content_type, longest=SIDE, least=SIDE_MIN)
        found = self._detect(content)
        return self._limits.best(Detection(label["Name"], label["Confidence"]) for label in found)

    def _detect(self, content: bytes) -> list[Any]:
        limits = self._limits
        try:
            answer = self._client.detect_labels(
                Image={"Bytes": content}, MaxLabels=limits.max_detections, MinConfidence=limits.min_confidence
            )
        except ClientError as error:
            raise _meaning(error) from error
        except (ConnectionError, HTTPClientError, Unavailable) as error:
            raise RecognitionUnavailable("Rekognition cannot be reached.") from error
        return answer["Labels"]


def _meaning(error: ClientError) -> Exception:
    """Return what an error of Rekognition means for the picture. A mistake in the configuration stays as it is."""
    code = error.response["Error"]["Code"]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in REFUSALS:
        return Unrecognisable(REFUSALS[code])
    if code in BUSY or status >= 500:
        return RecognitionUnavailable(f"Rekognition is busy: {code}.")
    return error
