"""What you choose for `make run` by environment variables: port, data folder, labels, tokens and more."""

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.images import LABEL
from shared.limits import RESPONSE_SECONDS
from tools.local.refusals import Refusal

# Variables and the parameters of template.yaml that they set
PARAMETERS = {
    "LABELS": "Labels",
    "WRITES": "Writes",
    "JWT_ISSUER": "JwtIssuer",
    "JWT_AUDIENCE": "JwtAudience",
    "RECOGNISER": "Recogniser",
    "RECOGNISE_ALL": "RecogniseAll",
    "ENCODER": "Encoder",
    "RECOGNITION_MODEL": "RecognitionModel",
    "RECOGNITION_MODEL_LABELS": "RecognitionModelLabels",
    "CALLBACK_HTTP": "CallbackHttp",
    "CALLBACK_LOOPBACK": "CallbackLoopback",
    "CALLBACK_TIMEOUT": "CallbackTimeout",
}
THROTTLES = tuple(f"{kind}Throttle{what}" for kind in ("", "Draw", "Picture", "Search") for what in ("Rate", "Burst"))

ENCODERS = ("lite0", "none", "titan", "nova")  # the last two for tests of policies: their models are in AWS

TEMPLATE = Path(__file__).resolve().parent.parent.parent / "template.yaml"
SECONDS_MAX = 900  # as long as a Lambda function may take
DEFAULT_DATA = Path(".local")

HELP = """Usage: make run [VARIABLE=value ...]

Serve petAPI on this machine, with everything that template.yaml describes. Variables:
  PORT=3000           the port, on 127.0.0.1
  DATA=.local         the folder that keeps the data
  LABELS=*            the labels that uploads may use, separated by commas; * allows any
  TOKENS=1            require tokens for writes; make token prints one
  WARM=0              start each function at its first request; the processes take 300 MB
  WRITES=closed       refuse writes, for example while a label is rebuilt
  JWT_ISSUER=, JWT_AUDIENCE=    require tokens of this issuer instead
  ENCODER=none        do without search by picture and by meaning, and without its 160 MB of models
  RECOGNISER=lite0    what recognises pictures: lite0 (colours with ENCODER=none), colours, rekognition or onnx
  RECOGNISE_ALL=false recognise the pictures of direct uploads only
  RECOGNITION_MODEL=, RECOGNITION_MODEL_LABELS=    for onnx: the paths of the model and of its class names
  CALLBACK_LOOPBACK=true, CALLBACK_HTTP=true       let callbacks go to this machine, and by HTTP
  CALLBACK_TIMEOUT=5  seconds that the receiver of a callback has
  THROTTLE=1          answer 429 beyond the rates of template.yaml, as API Gateway does
  RESPONSE_SECONDS=29 answer 504 after so many seconds, as API Gateway does
docs/reference/configuration.md has the details."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices for one run. With `tokens`, the run issues the tokens that writes need.

    With `warm`, all functions are started before the first request. With `throttle`, template.yaml's throttles hold.
    """

    port: int
    data: Path
    tokens: bool
    warm: bool
    throttle: bool
    response_seconds: float
    parameters: Mapping[str, str]

    @property
    def url(self) -> str:
        """The address of the service, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def uses_lite0(self) -> bool:
        """Whether this run needs the models of lite0."""
        return "lite0" in (self.parameters["Encoder"], self.parameters["Recogniser"])

    @property
    def issuer_command(self) -> str:
        """The command that prints a token, empty if this run issues none."""
        data = "" if self.data == DEFAULT_DATA.resolve() else f" DATA={shlex.quote(str(self.data))}"
        return f"make -s token{data}" if self.tokens else ""


def read_choices(environment: Mapping[str, str]) -> Choices:
    """Read the choices from environment variables. Raise Refusal if one is unusable."""
    chosen = {parameter: environment[name] for name, parameter in PARAMETERS.items() if environment.get(name)}
    tokens, warm = _switch(environment, "TOKENS", "0"), _switch(environment, "WARM", "1")
    throttle = _switch(environment, "THROTTLE", "0")
    if tokens and not {"JwtIssuer", "JwtAudience"}.isdisjoint(chosen):
        raise Refusal(
            "With TOKENS=1, petAPI is its own issuer of tokens; JWT_ISSUER and JWT_AUDIENCE are of another one. "
            "Leave out TOKENS, or these two."
        )
    return Choices(
        port=_port(environment),
        data=data_path(environment),
        tokens=tokens,
        warm=warm,
        throttle=throttle,
        response_seconds=_seconds(environment),
        parameters=_parameters(chosen, tokens),
    )


def hint(environment: Mapping[str, str]) -> str:
    """Return what is probably a slip in the variables, empty if nothing is. `make audit` has LABEL, for one label."""
    label = environment.get("LABEL")
    if label and not environment.get("LABELS"):
        return f"LABEL does nothing here. To choose the labels of uploads, set LABELS: make run LABELS={label}"
    return ""


def data_path(environment: Mapping[str, str]) -> Path:
    """Return the data folder."""
    return Path(os.path.realpath(environment.get("DATA") or DEFAULT_DATA))  # which takes links in a circle, too


def _port(environment: Mapping[str, str]) -> int:
    text = environment.get("PORT") or "3000"
    if not 0 < _whole_number(text) < 65536:
        raise Refusal(f"PORT is {text!r}. It must be a number from 1 to 65535, such as 3000.")
    return int(text)


def _seconds(environment: Mapping[str, str]) -> float:
    text = environment.get("RESPONSE_SECONDS") or f"{RESPONSE_SECONDS}"
    if not 0 < _whole_number(text) <= SECONDS_MAX:
        raise Refusal(f"RESPONSE_SECONDS is {text!r}. It must be a number from 1 to {SECONDS_MAX}, such as 29.")
    return float(text)


def _whole_number(text: str) -> int:
    """Return the number of at most nine digits that a text is, or 0 for any other text."""
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0


def _switch(environment: Mapping[str, str], name: str, default: str) -> bool:
    text = environment.get(name) or default
    if text not in ("0", "1"):
        raise Refusal(f"{name} is {text!r}. Use {name}=1 or {name}=0.")
    return text == "1"


def _parameters(chosen: Mapping[str, str], tokens: bool) -> dict[str, str]:
    """Return the parameters of template.yaml: any label, links from the root, open writes, no throttles.

    The emulator would apply the throttle of the stage to the paths that have one of their own; the front throttles.
    """
    if "Labels" in chosen:
        _check_labels(chosen["Labels"])
    if chosen.get("Writes", "open") not in ("open", "closed"):
        raise Refusal(f"WRITES is {chosen['Writes']!r}. Use WRITES=closed or WRITES=open.")
    encoder = chosen.get("Encoder", "lite0")
    if encoder not in ENCODERS:
        raise Refusal(f"ENCODER is {encoder!r}. Use ENCODER=lite0 or ENCODER=none.")
    _check_allowed(chosen)
    public = {"PublicWrites": "false" if tokens or "JwtIssuer" in chosen else "true"}
    throttles = dict.fromkeys(THROTTLES, "5000")  # requests a second
    own = {"Labels": "*", "Writes": "open", "LinkBase": "/", "Encoder": encoder, "RecogniseAll": "true"}
    recogniser = {"Recogniser": "lite0" if encoder == "lite0" else "colours"}
    return {**own, **recogniser, **throttles, **public, **chosen}


def _check_labels(text: str) -> None:
    labels = [label.strip().lower() for label in text.split(",") if label.strip()]
    bad = [label for label in labels if label != "*" and not LABEL.fullmatch(label)]
    if bad or not labels:
        found = f"{bad[0]!r} is not a label" if bad else "it names no label"
        raise Refusal(
            f"LABELS is {text!r}, but {found}. A label is a letter, then at most 31 letters, digits and hyphens; "
            "separate labels by commas (make run LABELS=cat,dog), or allow any (LABELS='*')."
        )


def _check_allowed(chosen: Mapping[str, str]) -> None:
    """Raise Refusal for a value that template.yaml does not allow."""
    from tools.template import read_template  # needs PyYAML, which may be missing, as __main__ says

    rules = read_template(TEMPLATE)["Parameters"]
    for variable, parameter in PARAMETERS.items():
        value, rule = chosen.get(parameter), rules[parameter]
        if value is None:
            continue
        allowed = rule.get("AllowedValues", [value])
        if value not in allowed:
            raise Refusal(f"{variable} is {value!r}. Use {variable}={f' or {variable}='.join(allowed)}.")
        if rule["Type"] == "Number" and not _is_from(rule["MinValue"], rule["MaxValue"], value):
            raise Refusal(f"{variable} is {value!r}. Use a number from {rule['MinValue']} to {rule['MaxValue']}.")
        if not re.fullmatch(rule.get("AllowedPattern", ".*"), value, re.DOTALL):
            raise Refusal(f"{variable} is {value!r}, which is not allowed. It sets this: {rule['Description']}")


def _is_from(least: float, most: float, text: str) -> bool:
    try:
        return least <= float(text) <= most
    except ValueError:
        return False
