"""`petapi`: import, export, draw, search, similar, mosaic, labels, audit.

The exit code is 0 if all went well; 1 if some pictures were not imported or exported, or an audit failed; 2 if it could
not be done: wrong input, no server, a refusal; and 130 after Ctrl-C.
"""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from petapi_client.api import PetApi
from petapi_client.audit import AuditImpossible, audit
from petapi_client.credentials import token_of
from petapi_client.exporting import Export, write
from petapi_client.folder import checked_folder
from petapi_client.importing import Import, Options
from petapi_client.options import Arguments, parser
from petapi_client.problem import BadInput, Problem
from petapi_client.terminal import complain, counted, say
from petapi_client.transport import Pause
from petapi_client.values import Draw, Hit
from petapi_client.weights import text_of
from petapi_client.workers import INTERRUPTED, Crew

FAILED, IMPOSSIBLE = 1, 2
GO_ON = "The same command goes on from here."


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command and return the exit code."""
    given = parser().parse_args(arguments, Arguments())
    try:
        return COMMANDS[given.command](given)
    except (BadInput, Problem, AuditImpossible) as error:
        complain(f"{error}", *_hint(error))
        return IMPOSSIBLE
    except KeyboardInterrupt:
        complain("\nInterrupted.")
        return INTERRUPTED
    except BrokenPipeError:  # whoever reads has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def import_folder(given: Arguments) -> int:
    """Import a folder, and say what has become of it."""
    crew = Crew(given.workers)
    options = Options(
        label=given.label,
        weights=Path(given.weights) if given.weights else None,
        divide_by=given.divide_by,
        rounding=given.round,
        tags=given.tags,
        update=given.update,
        dry_run=given.dry_run,
    )
    report = Import(_api(given, crew.pause), crew, checked_folder(given.folder), options, say).run()
    if not given.dry_run:
        say(report.summary())
    complain(*report.complaints())
    if report.interrupted:
        complain(f"Stopped, with {counted(report.left, 'picture')} left. {GO_ON}")
        return INTERRUPTED
    if report.ended_by:
        complain(
            f"{report.ended_by}",
            *_hint(report.ended_by),
            f"{counted(report.left, 'picture')} left. {GO_ON}",
        )
        return FAILED if report.imported else IMPOSSIBLE
    return FAILED if report.wrong else 0


def export_label(given: Arguments) -> int:
    """Export a label to a folder."""
    crew = Crew(given.workers)
    run = Export(_api(given, crew.pause), crew, given.label, Path(given.folder))
    count = run.run()
    if crew.interrupted:
        complain(f"Stopped. {GO_ON}")
        return INTERRUPTED
    say(f"{counted(count, 'picture')} and weights.csv are in {given.folder}.")
    if run.gone:
        say(f"Deleted during the export, and not in it: {counted(len(run.gone), 'image')}.")
    complain(*(f"{each} is not in it: its bytes are not those that it is named after." for each in sorted(run.damaged)))
    return FAILED if run.damaged else 0


def draw(given: Arguments) -> int:
    """Draw one image or several, print their ids and probabilities, and save the picture of one."""
    if given.count is None and given.distinct:
        raise BadInput("--distinct needs --count; say how many images to draw.")
    if given.count is not None and (given.session is not None or given.position is not None):
        raise BadInput("--session and --position draw one image; leave out --count.")
    api = _api(given)
    options = {"tag": given.tag, "exclude": given.exclude, "seed": given.seed}
    if given.count is not None:
        drawn = api.random_many(given.label, given.count, distinct=given.distinct, **options)
    else:
        drawn = [api.random(given.label, session=given.session, position=given.position, **options)]
    if given.output:
        _save(given.output, api.picture(drawn[0].image.id))
    say(*map(_drawn, drawn))
    return 0


def search(given: Arguments) -> int:
    """Search by a text, and print what was found."""
    say(*map(_hit, _api(given).search(given.text, **_search_options(given))))
    return 0


def similar(given: Arguments) -> int:
    """Find what looks like an image, and print it."""
    say(*map(_hit, _api(given).similar(given.id, **_search_options(given))))
    return 0


def mosaic(given: Arguments) -> int:
    """Save the mosaic of an image."""
    _save(given.output, _api(given).mosaic(given.id, columns=given.columns, tiles=given.tiles))
    return 0


def list_labels(given: Arguments) -> int:
    """Print each label, how many images it has, and their total weight."""
    for label in _api(given).labels():
        say(f"{label.label}\t{label.count}\t{text_of(label.total_weight)}")
    return 0


def audit_label(given: Arguments) -> int:
    """Audit a label and print the report."""
    found = audit(_api(given), given.label, given.draws)
    say(f"{found}")
    return 0 if found.passed else FAILED


COMMANDS: dict[str, Callable[[Arguments], int]] = {
    "import": import_folder,
    "export": export_label,
    "random": draw,
    "search": search,
    "similar": similar,
    "mosaic": mosaic,
    "labels": list_labels,
    "audit": audit_label,
}


def _api(given: Arguments, pause: Pause | None = None) -> PetApi:
    token = token_of(given.token_file)
    return PetApi(given.url, token, pause=pause) if pause else PetApi(given.url, token)


def _hint(error: Exception) -> tuple[str, ...]:
    """Return where this client takes a token from, if one is missing or wrong."""
    is_about_token = isinstance(error, Problem) and error.status == 401
    return (
        ("The client takes the token from the file of --token-file, or from PETAPI_TOKEN.",) if is_about_token else ()
    )


def _search_options(given: Arguments) -> dict[str, str | int | float | None]:
    return {"k": given.k, "label": given.label, "tag": given.tag, "without": given.without, "least": given.least}


def _save(name: str, content: bytes) -> None:
    """Write a file.  What is there and is no file of its own, such as /dev/stdout or a link, is written into."""
    path = Path(name)
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            path.write_bytes(content)
        else:
            write(path, [content])
    except OSError as error:
        raise BadInput(f"{name} cannot be written ({error.strerror}); name another file with -o.") from error


def _drawn(draw: Draw) -> str:
    return f"{draw.image.id}\t{draw.probability}"


def _hit(hit: Hit) -> str:
    return f"{hit.image.id}\t{hit.similarity:.4f}\t{hit.by}"
