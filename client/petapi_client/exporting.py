"""`petapi export`: all pictures of a label and a weights.csv that `petapi import` takes: a backup.

A file is written beside its place and then renamed, and weights.csv comes last, so nothing is ever there by half.
"""

import os
import re
import threading
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from tqdm import tqdm

from petapi_client import weights_csv
from petapi_client.api import FILE_MAX, PetApi
from petapi_client.problem import BadInput, Problem, Unreachable
from petapi_client.values import Image
from petapi_client.workers import Crew

PARTIAL = re.compile(r"\.petapi-[0-9a-f]{32}\.part")
TRIES = 3  # for a picture whose bytes arrive otherwise than they are stored


class Export:
    """One export of a label to a folder.

    `gone` are the images that were deleted meanwhile, and `damaged` those whose bytes are not those that they are named
    after.  The folder has neither.
    """

    def __init__(self, api: PetApi, crew: Crew, label: str, folder: Path) -> None:
        self._api, self._crew, self._label, self._folder = api, crew, label, folder
        self._lock = threading.Lock()
        self.gone: set[str] = set()
        self.damaged: set[str] = set()

    def run(self) -> int:
        """Write the folder and return how many images it has.

        Raise BadInput if the label has no images, or the folder has something else or cannot be written.
        """
        images = list(self._api.images(self._label))
        if not images:
            raise BadInput(f"{self._label} has no images; petapi labels lists the labels that have some.")
        try:
            self._prepare(images)
            self._fetch([image for image in images if not self._is_there(image)])
            if self._crew.stopped:
                return 0
            kept = [image for image in images if image.id not in self.gone | self.damaged]
            write(self._folder / weights_csv.NAME, [weights_csv.text_of(kept).encode()])
        except OSError as error:
            raise BadInput(
                f"{self._folder} cannot be written ({error.strerror}); mend that and run the same command again: "
                "the pictures that are there are kept."
            ) from error
        return len(kept)

    def _prepare(self, images: Iterable[Image]) -> None:
        """Make the folder.  Raise BadInput if it has anything but pictures of an export that was interrupted."""
        self._folder.mkdir(parents=True, exist_ok=True)
        wanted = {image.name for image in images}
        for name in sorted(os.listdir(self._folder)):
            if PARTIAL.fullmatch(name):
                (self._folder / name).unlink()
            elif name not in wanted:
                raise BadInput(f"{self._folder} has other files already, such as {name}; name an empty folder.")

    def _is_there(self, image: Image) -> bool:
        """Return whether an earlier run has written the picture: its name is the hash of its bytes."""
        path = self._folder / image.name
        return path.is_file() and path.stat().st_size <= FILE_MAX and _is_named_after(path.read_bytes(), image.name)

    def _fetch(self, images: list[Image]) -> None:
        with tqdm(total=len(images), desc=self._label, unit=" pictures", disable=None if images else True) as bar:

            def do(image: Image) -> None:
                self._save(image)
                with self._lock:
                    bar.update()

            self._crew.work(images, do)
        if self._crew.error:
            raise self._crew.error

    def _save(self, image: Image) -> None:
        """Write a picture, unless it was deleted meanwhile or is damaged."""
        try:
            content = self._whole(image)
        except Problem as problem:
            if problem.status != 404:
                raise
            with self._lock:
                self.gone.add(image.id)
            return
        if content is None:
            with self._lock:
                self.damaged.add(image.id)
        else:
            write(self._folder / image.name, [content])

    def _whole(self, image: Image) -> bytes | None:
        """Get the bytes of a picture, again if they break off or are not those that it is named after.

        Return None if they never are.
        """
        for left in reversed(range(TRIES)):
            try:
                content = self._api.picture(image.id)
            except Unreachable:
                if not left:
                    raise
                continue
            if _is_named_after(content, image.name):
                return content
        return None


def write(path: Path, blocks: Iterable[bytes]) -> None:
    """Write a file beside its place and rename it.  If that fails, nothing is left."""
    partial = path.with_name(f".petapi-{uuid4().hex}.part")
    try:
        with partial.open("xb") as file:
            file.writelines(blocks)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _is_named_after(content: bytes, name: str) -> bool:
    return sha256(content).hexdigest()[:32] == name.partition(".")[0]
