"""What is done with one picture of an import: send it, or bring the image that is there up to date."""

import threading
from hashlib import sha256
from pathlib import Path

from petapi_client import folder
from petapi_client.api import FILE_MAX, PetApi
from petapi_client.folder import Unreadable
from petapi_client.journal import CONFLICT, DUPLICATE, EXISTING, FAILED, REFUSED, STORED, UPDATED
from petapi_client.plan import Picture
from petapi_client.problem import Problem, Unreachable
from petapi_client.values import Image, image_or_none

FINAL = (413, 415, 422)  # of the file itself: it would be refused again
NO_ENTRY = (401, 403, 507)  # would refuse every picture
CHANGED = 412
UPDATES_MAX = 5  # tries to change an image that others change at the same time

Outcome = tuple[str, str, str]  # the status, the image's id, and a sentence


class Sender:
    """Sends pictures of a folder to a label.  Several threads may use it."""

    def __init__(self, api: PetApi, place: Path, label: str, *, update: bool) -> None:
        self._api, self._place, self._label, self._update = api, place, label, update
        self._files: dict[str, str] = {}  # image id -> the file of this import that became it
        self._lock = threading.Lock()

    def claim(self, image_id: str, file: str) -> str:
        """Note that this file is the image.  Return the file that was it before, or this one."""
        with self._lock:
            return self._files.setdefault(image_id, file)

    def send(self, picture: Picture) -> Outcome:
        """Send a picture.  Raise Problem if no picture at all can be stored."""
        try:
            content = folder.read(self._place, picture.file, FILE_MAX)
        except Unreadable as error:
            return FAILED, "", f"{error}."
        if sha256(content).hexdigest() != picture.sha256:
            return FAILED, "", "changed during the import; run it again."
        try:
            sent = self._api.upload(
                content, self._label, weight=picture.weight, tags=picture.tags or (), filename=picture.filename
            )
        except Problem as problem:
            return self._refused(picture, problem)
        status = EXISTING if sent.is_new is False else STORED
        return self._same(picture, sent.image) or self.settle(picture, sent.image, status)

    def settle(self, picture: Picture, image: Image, status: str = EXISTING) -> Outcome:
        """Compare the image that is there with what is wanted; bring it up to date if that was asked for."""
        if twin := self._same(picture, image):
            return twin
        differs = picture.differs_from(image)
        if not differs:
            return status, image.id, ""
        if not self._update:
            return CONFLICT, image.id, f"is there as {image.id} with {differs}; --update changes it."
        try:
            return self._brought_up_to_date(picture, image.id)
        except Unreachable:
            raise
        except Problem as problem:
            return FAILED, image.id, problem.detail

    def _same(self, picture: Picture, image: Image) -> Outcome | None:
        """Return the outcome if another file of this import is this image."""
        other = self.claim(image.id, picture.file)
        if other == picture.file:
            return None
        return DUPLICATE, image.id, f"is the same picture as {other}, whose row counts."

    def _refused(self, picture: Picture, problem: Problem) -> Outcome:
        if existing := image_or_none(problem.existing):
            return self.settle(picture, existing)
        if isinstance(problem, Unreachable) or problem.status in NO_ENTRY or "label" in problem.fields:
            raise problem
        return REFUSED if problem.status in FINAL else FAILED, "", problem.detail

    def _brought_up_to_date(self, picture: Picture, image_id: str) -> Outcome:
        """Change weight and tags of the image as it is now, even if others change it at the same time."""
        for left in reversed(range(UPDATES_MAX)):
            now = self._api.image(image_id)
            if not picture.differs_from(now.image):
                break
            try:
                self._api.change(image_id, weight=picture.weight, tags=picture.tags, if_match=now.etag)
                break
            except Problem as problem:
                if problem.status != CHANGED or not left:
                    raise
        return UPDATED, image_id, ""
