"""What a pass of reconcile finds: a line for each finding, and counts of what was really done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

from botocore.exceptions import ClientError

from shared.errors import ApiError, Unavailable

T = TypeVar("T")

TRIES = 10  # of what loses every race within the five seconds that a request may wait; a pass has more time


def patiently(action: Callable[[], T]) -> T:
    """Return what `action()` returns, also where others write all the time.  Each try reads anew what is there."""
    for _ in range(TRIES - 1):
        with suppress(Unavailable):
            return action()
    return action()


@dataclass(slots=True)
class Report:
    """The numbers of images and versions, of each kind of repair, and of what was not repaired."""

    images: int = 0
    versions: int = 0
    versions_removed: int = 0
    rows_renamed: int = 0
    rows_removed: int = 0
    rows_mended: int = 0
    labels_listed: int = 0
    labels_rebuilt: int = 0
    not_compared: int = 0
    not_repaired: int = 0
    errors: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether all that was found is repaired."""
        return not self.not_repaired and not self.errors

    def __str__(self) -> str:
        done = (
            f"{self.images} images, {self.versions} versions; removed: {self.versions_removed} versions without an "
            f"image, {self.rows_removed} images without a picture; {self.rows_renamed} images now name another version"
        )
        more = {
            "images whose tags were mended": self.rows_mended,
            "labels added to the list": self.labels_listed,
            "labels rebuilt": self.labels_rebuilt,
            "labels or tags not compared, because they are written to": self.not_compared,
            "not repaired": self.not_repaired,
            "errors": self.errors,
        }
        return "; ".join([done, *(f"{count} {what}" for what, count in more.items() if count)])


@dataclass(slots=True)
class Findings:
    """The report of a pass, its lines, and whether it may repair what it finds."""

    dry_run: bool = False
    log: Callable[[str], None] = print
    report: Report = field(default_factory=Report)

    def repair(self, finding: str, done: str, repair: Callable[[], bool], count: str) -> bool:
        """Repair a finding, tell it in one line, and count it if `repair` says that it did something."""
        if not self.dry_run and not patiently(repair):
            return False
        self.log(f"{finding}: {'would be ' if self.dry_run else ''}{done}")
        setattr(self.report, count, getattr(self.report, count) + 1)
        return True

    def cannot_repair(self, finding: str) -> None:
        """Tell what only an operator can repair."""
        self.log(finding)
        self.report.not_repaired += 1

    @contextmanager
    def errors_of(self, what: str) -> Iterator[None]:
        """Tell and count any failure, and go on: one bad image or label never ends the pass."""
        try:
            yield
        except Exception as error:
            self.log(f"{what}: {_reason(error)}")
            self.report.errors += 1


def _reason(error: Exception) -> str:
    if isinstance(error, ApiError):
        return error.detail
    if isinstance(error, ClientError):
        return f"AWS refused {error.operation_name} ({error.response['Error']['Code']})"
    if isinstance(error, KeyError | TypeError | ValueError | AttributeError):
        return f"its row cannot be read ({type(error).__name__} {error})"
    return f"{type(error).__name__} {error}"
