"""`make corpus`: send every file of a folder to petAPI, and check that what it takes is stored and shown undamaged.

The folder may have any files.  Without a URL, a `make run` of its own takes them, with data that are removed at the
end.  The exit code is 0 if nothing is wrong; 1 after an error of the server, a damaged picture, private metadata, or a
picture that Chromium shows otherwise than before; 2 if the check was not possible.
"""

import argparse
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from tools.chromium import CHROMIUM
from tools.corpus import private, report
from tools.corpus.own_service import own_service
from tools.corpus.run import Checked, files_of, run
from tools.corpus.sending import Unreachable
from tools.corpus.service import Service
from tools.corpus.shown import viewer

STEP = 100  # files


def main() -> int:
    """Check the folder, print the report and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.corpus", description=__doc__)
    parser.add_argument("folder", help="the folder with the files")
    parser.add_argument("--url", default="", help="the URL of a petAPI; TOKEN is the variable of its token")
    parser.add_argument("--each", action="store_true", help="print a line for each file")
    arguments = parser.parse_args()
    folder = Path(arguments.folder)
    if not arguments.folder or not folder.is_dir():
        print("Name a folder with pictures: make corpus DIR=web/samples", file=sys.stderr)
        return 2
    paths = files_of(folder)
    try:
        checked = _checked(paths, arguments.url)
    except Unreachable as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.each:
        print(*(report.line(each, folder) for each in checked), sep="\n")
    print(*report.lines(checked, folder, looked=bool(CHROMIUM), read_again=bool(private.EXIFTOOL)), sep="\n")
    return 1 if any(each.wrong for each in checked) else 0


def _checked(paths: Sequence[Path], url: str) -> list[Checked]:
    with _service(url) as service, viewer() if CHROMIUM else nullcontext() as seen:
        return list(run(paths, service, seen, lambda done: _say(done, len(paths))))


@contextmanager
def _service(url: str) -> Iterator[Service]:
    """Give the service at the URL, or one of its own.  At the end, remove the images from the former."""
    if not url:
        with own_service() as own:
            yield Service(own)
        return
    service = Service(url, os.environ.get("TOKEN", ""))
    try:
        yield service
    finally:
        service.remove_all()


def _say(done: int, files: int) -> None:
    """Show the progress on one line of a terminal, or elsewhere on a line for every STEP files."""
    if sys.stderr.isatty():
        print(f"\r{done} of {files}", end="" if done < files else "\n", file=sys.stderr, flush=True)
    elif done % STEP == 0:
        print(f"{done} of {files}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # or a `make run` of its own would outlive it
    sys.exit(main())
