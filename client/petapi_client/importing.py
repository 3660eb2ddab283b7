"""`petapi import`: check everything first, then send each picture once, however often the import is interrupted."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from tqdm import tqdm

from petapi_client import journal, plan, weights
from petapi_client.api import FILE_MAX, PetApi
from petapi_client.folder import Unreadable
from petapi_client.journal import BEGUN, DUPLICATE, FAILED, REFUSED, THERE, Entry, Journal
from petapi_client.plan import DEFAULT_WEIGHT, Picture, Wishes
from petapi_client.problem import BadInput, Problem
from petapi_client.report import Report
from petapi_client.sending import Outcome, Sender
from petapi_client.terminal import counted
from petapi_client.values import Image
from petapi_client.workers import Crew


@dataclass(frozen=True, slots=True)
class Options:
    """What the user has asked for."""

    label: str
    weights: Path | None = None
    divide_by: int | None = None
    rounding: bool = False
    tags: tuple[str, ...] = ()
    update: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """A picture, and the image that it is already, which is then compared; without one, the picture is sent.

    In an earlier run, `is_twin` was the same image as another file.  That one counts, so it must come first.
    """

    picture: Picture
    image: Image | None
    is_twin: bool = False


class Import:
    """One run of an import.  `report` says how far it has come; `tell` gets what the user should know before."""

    def __init__(self, api: PetApi, crew: Crew, place: Path, options: Options, tell: Callable[[str], None]) -> None:
        self._api, self._crew, self._place, self._options, self._tell = api, crew, place, options, tell
        self._sender = Sender(api, place, options.label, update=options.update)
        self._journal, self._lock = Journal(place), threading.Lock()
        self._divisor = 1
        self.report = Report()

    def run(self) -> Report:
        """Import the folder.  Raise BadInput, before anything is sent, for whatever can be known before."""
        wishes = plan.wishes(self._place, self._options.weights, self._options.tags)
        entries = self._journal.read(self._api.url, self._options.label)
        known = self._options.divide_by or journal.last_divisor(entries)
        self._divisor = known or weights.smallest_divisor(wishes.weights)
        scaled, error = plan.scaled(wishes, self._divisor, rounding=self._options.rounding)
        self._check_scale(entries, is_known=known is not None)
        self._check_server(is_known=known is not None)
        self._note_scale(wishes, error)
        unusable = self._unweighted(wishes, scaled)
        pictures, repeated = plan.first_of_each(self._read(wishes, scaled, unusable))
        tasks = list(self._tasks(pictures, entries))
        if self._options.dry_run:
            self._note_dry_run(tasks, unusable, repeated)
            return self.report
        with self._journal:
            self._journal.add(self._entry(BEGUN))
            for file, sentence in unusable.items():
                self._note(Picture(file, 0, "", "", None, None), (FAILED, "", sentence))
            for picture, first in repeated:
                self._note(picture, (DUPLICATE, "", f"has the same bytes as {first.file}, whose row counts."))
            self._work(tasks)
        return self.report

    # -- checks before anything is sent ---------------------------------------------------------------------------

    def _check_scale(self, entries: list[Entry], *, is_known: bool) -> None:
        """Refuse another scale than that of the pictures that are there already, unless these change, too."""
        before = journal.last_divisor(entries) if any(entry.status in THERE for entry in entries) else None
        if is_known and before and before != self._divisor and not self._options.update:
            raise BadInput(
                f"An earlier run divided the weights by {before} ({journal.NAME}); leave out --divide-by, or add "
                "--update to change the weights of the images that are there, too."
            )

    def _check_server(self, *, is_known: bool) -> None:
        """Refuse weights that cannot be compared with those of the label, and an upload that may not be made."""
        label = self._options.label
        count = self._count()
        if count and self._divisor > 1 and not is_known:
            raise BadInput(
                f"{label} has {counted(count, 'image')} already, whose weights are below 1. Say with --divide-by what "
                "makes yours comparable with them, such as --divide-by "
                f"{self._divisor}, the smallest power of ten above all."
            )
        self._api.check_access(label)

    def _count(self) -> int:
        """Return how many images the label has."""
        try:
            return next(self._api.law(self._options.label)).label.count
        except Problem as problem:
            if problem.status != 404:
                raise
            return 0

    def _note_scale(self, wishes: Wishes, error: Fraction) -> None:
        if self._divisor > 1 and wishes.weights:
            self._tell(f"All weights are divided by {self._divisor}, so their proportions stay as they are.")
        if error:
            self._tell(f"Weights are rounded to 10^-9; the largest relative error is {float(error):.2g}.")
        unweighted = len(wishes.files) - len(wishes.weights)
        if self._divisor == 1 and wishes.weights and unweighted:
            self._tell(
                f"{DEFAULT_WEIGHT} is the weight of {counted(unweighted, 'picture')} without one in {wishes.source}."
            )

    def _unweighted(self, wishes: Wishes, scaled: dict[str, Decimal]) -> dict[str, str]:
        """Return the files without a weight if 0.5 would mean nothing beside the weights of the others."""
        if self._divisor == 1 or not wishes.weights:
            return {}
        sentence = f"has no weight in {wishes.source}; add one and run the import again."
        return {file: sentence for file in wishes.files if file not in scaled}

    def _read(self, wishes: Wishes, scaled: dict[str, Decimal], unusable: dict[str, str]) -> Iterator[Picture]:
        """Read all files once, for their hashes.  Add to `unusable` what cannot be read."""
        for file in tqdm(wishes.files, desc="reading", unit=" files", disable=None, leave=False):
            if file in unusable:
                continue
            try:
                size, digest = plan.hashed(self._place, file, FILE_MAX)
            except Unreadable as error:
                unusable[file] = f"{error}."
                continue
            yield Picture(file, size, digest, wishes.filename_of(file), scaled.get(file), wishes.tags_of(file))

    # -- what is left to do ---------------------------------------------------------------------------------------

    def _tasks(self, pictures: Iterable[Picture], entries: Iterable[Entry]) -> Iterator[Task]:
        """Yield what is left to do after earlier runs, as far as the label still has what they stored."""
        latest = {entry.key: entry for entry in entries if entry.status != BEGUN}
        before = {entry.file: entry for entry in latest.values() if entry.status in THERE}
        known = any(entry.id for entry in latest.values())
        there = {image.id: image for image in self._api.images(self._options.label)} if known else {}
        for picture in pictures:
            entry = latest.get(picture.key)
            image = there.get(entry.id) if entry else None
            if entry and entry.status == REFUSED:
                self.report.add(picture.file, (REFUSED, "", f"was refused before: {entry.detail}"))
            elif entry and image and entry.status == DUPLICATE:
                yield Task(picture, image, is_twin=True)
            elif entry and image and entry.status in THERE:
                self._sender.claim(image.id, picture.file)
                if picture.differs_from(image):
                    yield Task(picture, image)
                else:
                    self.report.before += 1
            else:
                if (former := before.get(picture.file)) and former.id in there:
                    why = f"has changed since it became {former.id}, which stays; delete that if you do not want both."
                    self.report.changed.append((picture.file, why))
                yield Task(picture, None)

    def _note_dry_run(
        self, tasks: list[Task], unusable: dict[str, str], repeated: list[tuple[Picture, Picture]]
    ) -> None:
        sent = sum(task.image is None for task in tasks)
        self._tell(f"Would send {counted(sent, 'picture')}, and compare {len(tasks) - sent} with what is there.")
        self.report.wrong += unusable.items()
        self.report.repeated += [(picture.file, f"has the same bytes as {first.file}.") for picture, first in repeated]

    # -- the work -------------------------------------------------------------------------------------------------

    def _work(self, tasks: list[Task]) -> None:
        self.report.left = len(tasks)
        with tqdm(total=len(tasks), desc=self._options.label, unit=" pictures", disable=None if tasks else True) as bar:

            def do(task: Task) -> None:
                image = task.image
                outcome = self._sender.settle(task.picture, image) if image else self._sender.send(task.picture)
                self._note(task.picture, outcome)
                with self._lock:
                    self.report.left -= 1
                    bar.set_postfix(failed=len(self.report.wrong), refresh=False)
                    bar.update()

            for is_twin in (False, True):
                self._crew.work([task for task in tasks if task.is_twin == is_twin], do)
        self.report.interrupted = self._crew.interrupted
        if self._crew.error and not isinstance(self._crew.error, (Problem, BadInput)):
            raise self._crew.error
        self.report.ended_by = self._crew.error

    def _note(self, picture: Picture, outcome: Outcome) -> None:
        """Write the outcome into the journal, and then into the report."""
        status, image_id, detail = outcome
        self._journal.add(self._entry(status, picture, image_id, detail))
        with self._lock:
            self.report.add(picture.file, outcome)

    def _entry(self, status: str, picture: Picture | None = None, image_id: str = "", detail: str = "") -> Entry:
        run = Entry(status, self._api.url, self._options.label, f"{self._divisor}")
        if picture is None:
            return run
        weight = "" if picture.weight is None else weights.text_of(picture.weight)
        file, size, digest = picture.key
        tags = " ".join(picture.tags or ())
        return Entry(status, run.url, run.label, run.divide_by, file, size, digest, weight, tags, image_id, detail)
