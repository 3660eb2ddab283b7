"""The encoders, and the one that the variable ENCODER chooses.

| ENCODER | what it is                                                          | numbers |
|---------|---------------------------------------------------------------------|---------|
| titan   | Amazon Titan Multimodal Embeddings, English                         | 1,024   |
| nova    | Amazon Nova Multimodal Embeddings, many languages                   | 1,024   |
| lite0   | EfficientNet-Lite0 and a sentence encoder in this process, offline  | 1,792   |
| none    | the default: there is no encoder, and so no search by picture       |         |
"""

import os

from shared import aws
from shared.recognition.detections import Misconfigured
from shared.vectors.encoder import Encoder

NAMES = ("titan", "nova", "lite0", "none")


def chosen() -> Encoder | None:
    """Return the encoder that ENCODER names, or None for `none`. Raise Misconfigured if it names none that can work.

    Each is imported only here, because it has libraries that the others do not need.
    """
    name = os.environ.get("ENCODER") or "none"
    if name not in NAMES:
        raise Misconfigured(f"ENCODER is {name!r}; it must be one of {', '.join(NAMES)}.")
    if name == "none":
        return None
    if name == "lite0":
        return _lite0()
    from shared.vectors import bedrock

    return bedrock.Nova(aws.bedrock()) if name == "nova" else bedrock.Titan(aws.bedrock())


def _lite0() -> Encoder:
    try:
        from shared.vectors.lite0_encoder import Lite0
    except ModuleNotFoundError as error:
        raise Misconfigured(f"ENCODER=lite0 needs {error.name}; `make run` installs it.") from error
    return Lite0()
