"""`python -m tools.local`: serve petAPI on this machine; `--help` lists the environment variables."""

import importlib.util
import logging
import os
import resource
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from tools.local import terminal
from tools.local.choices import HELP, Choices, hint, read_choices
from tools.local.refusals import Refusal
from tools.models import folder

OF_FUNCTIONS = ("boto3", "multipart", "magic", "pylibmagic", "PIL", "jwt", "samtranslator", "numpy")  # imported later


def main(arguments: Sequence[str]) -> int:
    """Serve until a signal. Return the exit code: 0 after a signal, 1 if it cannot start, 2 for unknown arguments."""
    if arguments and not {"-h", "--help"}.isdisjoint(arguments):
        print(HELP)
        return 0
    if arguments:
        print(f"Unknown argument {arguments[0]!r}.\n{HELP}", file=sys.stderr)
        return 2
    os.umask(0o077)  # what is stored is for its owner
    _allow_more_files()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))  # until the service has its own
    try:
        choices = read_choices(os.environ)
        if slip := hint(os.environ):
            terminal.warn(slip)
        _check_libraries(choices)
        from tools.local.service import serve

        serve(choices)
    except Refusal as refusal:
        terminal.warn(str(refusal))
        return 1
    except ModuleNotFoundError as error:
        terminal.warn(
            f"The Python module {error.name} is missing. Install what petAPI needs: "
            f"{sys.executable} -m pip install -r requirements/run.txt"
        )
        return 1
    except OSError as error:
        logging.getLogger(__name__).exception("stopped")
        terminal.warn(f"petAPI had to stop ({error}). The next start finds all that was stored.")
        return 1
    return 0


def _check_libraries(choices: Choices) -> None:
    """Raise ModuleNotFoundError or Refusal if something is missing that functions import or read later."""
    for name in OF_FUNCTIONS:
        if not importlib.util.find_spec(name):
            raise ModuleNotFoundError(name=name)
    file = folder.chosen(os.environ) / folder.MODEL
    libraries = [name for name in folder.LIBRARIES if not importlib.util.find_spec(name)]
    if choices.uses_lite0 and (libraries or not file.exists()):
        missing = " and ".join(libraries) or file
        raise Refusal(f"lite0 needs {missing}. `make run` installs it; to do without it, set ENCODER=none.")


def _allow_more_files() -> None:
    """Raise the soft limit of open files to the hard one, because each connection is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # macOS has a lower limit than the one that it names
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    terminal.without_buffers()
    sys.exit(main(sys.argv[1:]))
