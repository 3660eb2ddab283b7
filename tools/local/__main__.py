"""`python -m tools.local`: petAPI at http://127.0.0.1:$PORT, its data in the folder $DATA; README.md has the rest."""

import importlib.util
import logging
import os
import signal
import sys
from pathlib import Path

from tools.local.refusals import Refusal

OF_FUNCTIONS = ("boto3", "multipart", "magic", "pylibmagic", "PIL", "jwt", "samtranslator")  # imported later, by others

# Environment variables and the parameters of template.yaml that they set
CHOICES = {
    "LABELS": "Labels",
    "JWT_ISSUER": "JwtIssuer",
    "JWT_AUDIENCE": "JwtAudience",
    "RECOGNISER": "Recogniser",
    "RECOGNITION_MODEL": "RecognitionModel",
    "RECOGNITION_MODEL_LABELS": "RecognitionModelLabels",
    "CALLBACK_HTTP": "CallbackHttp",
    "CALLBACK_LOOPBACK": "CallbackLoopback",
    "CALLBACK_TIMEOUT": "CallbackTimeout",
}


def main() -> int:
    """The exit code: 0 after a stop by signal, 1 if it could not start."""
    os.umask(0o077)  # what is stored is for its owner
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))  # until the service has its own
    try:
        port, data, parameters = _port(), Path(os.environ.get("DATA") or ".local").resolve(), _parameters()
        for name in OF_FUNCTIONS:
            if not importlib.util.find_spec(name):
                raise ModuleNotFoundError(name=name)
        from tools.local.service import serve

        serve(port, data, parameters)
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(
            f"The Python module {error.name} is missing; install what petAPI needs: "
            f"{sys.executable} -m pip install -r requirements/run.txt",
            file=sys.stderr,
        )
        return 1
    except OSError as error:
        logging.getLogger(__name__).exception("stopped")
        print(f"petAPI had to stop ({error}); the data is as the last snapshot has it.", file=sys.stderr)
        return 1
    return 0


def _port() -> int:
    text = os.environ.get("PORT") or "3000"
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise Refusal(f"PORT is {text!r}; it must be a number from 1 to 65535, such as 3000.")
    return int(text)


def _parameters() -> dict[str, str]:
    """Parameters of template.yaml: links begin at the root, no throttle, writes are open; some may be chosen."""
    chosen = {name: os.environ[variable] for variable, name in CHOICES.items() if os.environ.get(variable)}
    limits = dict.fromkeys(("ThrottleRate", "ThrottleBurst", "PictureThrottleRate", "PictureThrottleBurst"), "5000")
    writes = {"PublicWrites": "false" if "JwtIssuer" in chosen else "true"}
    return {"LinkBase": "/", "Recogniser": "colours", **limits, **writes, **chosen}


sys.exit(main())
