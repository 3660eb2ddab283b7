"""A label in a cloud with the shipped handlers in front of it, and what must be true of both after a fault."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock

import random_image
from shared import aws, deadline, images, parallel, settings
from shared.labels import chunks, items, retries, store
from shared.pictures.bucket import Bucket
from shared.settings import read_settings
from tests.support import invariants, pictures
from tests.support.fault_clouds import LABEL, Cloud
from tests.support.fault_injection import Clock, Injector
from tests.support.hosts import Api, Handlers, json_of
from tests.support.local_service import Answer
from tests.support.simulation import at_once
from tools.reconcile.inventory import Inventory
from tools.reconcile.reconcile import Reconciliation
from tools.reconcile.report import Report

WEIGHT, SAME_CLASS, OTHER_CLASS = 3, 2, 5  # units: so few that every dart can be thrown
IMAGES = 6  # so many that one of the four lanes has two, whatever the lanes that chance chooses
TIMEOUT = 15.0  # seconds; the functions' timeout

Row = tuple[int, str]  # weight and version


@dataclass
class Scene:
    """Six images of one label; `reset` brings them back as they were."""

    cloud: Cloud
    injector: Injector
    clock: Clock
    api: Api = field(default_factory=lambda: Api(Handlers(), LABEL))

    def __post_init__(self) -> None:
        self.tables = self.cloud.tables
        self._baseline: dict[str, list[Any]] = {table: [] for table in self.tables}
        self.reset()
        self.content: dict[str, bytes] = {}
        for seed in range(IMAGES):
            self.content[self.upload(seed).headers["location"].rpartition("/")[2]] = pictures.tiny(seed)
        self._baseline = {table: self.items(table) for table in self.tables}
        self.moved, self.last = self._two_of_one_lane()
        new = pictures.tiny(IMAGES)
        self.content[pictures.name_of(new)] = new

    def _two_of_one_lane(self) -> tuple[str, str]:
        """Return the names of an image whose place a filler must take, and of the last one of its lane."""
        entries = sorted(map(items.entry, self._baseline[self.tables[0]]), key=lambda entry: entry.chunk_number)
        by_lane = [[e.name for e in entries if chunks.lane_of(e.chunk_number) == lane] for lane in range(chunks.LANES)]
        first, *_, last = max(by_lane, key=len)
        return first, last

    # --- requests ---

    def upload(self, seed: int, weight: int = WEIGHT) -> Answer:
        return self.api.upload(pictures.tiny(seed), images.decimal(weight))

    def delete(self, name: str) -> Answer:
        return self.api.delete(f"/images/{LABEL}/{name}")

    def patch(self, name: str, weight: int) -> Answer:
        return self.api.patch(f"/images/{LABEL}/{name}", f'{{"weight": {images.decimal(weight)}}}'.encode())

    # --- the state ---

    def reset(self) -> None:
        """Bring the images back, and let a new container of the functions find them."""
        self._put_versions()
        self.cloud.discard_thumbnails()
        for table in self.tables:
            found, wanted = self.items(table), self._baseline[table]
            for item in found:
                if _key(item) not in map(_key, wanted):
                    self.cloud.delete_item(table, item)
            for item in wanted:
                if item not in found:
                    self.cloud.put_item(table, item)
        forget(aws.dynamodb, aws.s3, aws.ssm)  # with them botocore's quota of retries, which other faults may have used
        self.fresh()

    def fresh(self) -> None:
        """Begin a new container: nothing is read yet, and chance starts anew."""
        forget(settings._cache, random_image.memory)
        for module in (store, retries, random_image):
            module.RNG.seed(1)

    def items(self, table: str) -> list[Any]:
        """Return all items of the table, but the list of labels."""
        return self.cloud.items(table)

    def rows(self) -> dict[str, Row]:
        """Return weight and version of each image, by name."""
        found = map(items.image, self.items(self.tables[0]))
        return {image.name: (image.weight, image.version_id) for image in found}

    def weights(self) -> dict[str, int]:
        """Return the weight of each image, by name."""
        return {name: weight for name, (weight, _) in self.rows().items()}

    # --- what must be true ---

    def check(self) -> int:
        """Return how many versions no image names, after checking that all else of the label is right."""
        rows = self.rows()
        found = invariants.label_of(LABEL, self.items(self.tables[0]), self.items(self.tables[1]))
        invariants.check(*found)
        assert invariants.throw_every_dart(*found[1:]) == {name: weight for name, (weight, _) in rows.items()}
        versions, named = self.cloud.versions(), {(name, version) for name, (_, version) in rows.items()}
        assert named <= versions, "an image without its version"
        return len(versions - named)

    def check_answers(self) -> None:
        """Check that each image is served, and one of them is drawn."""
        for name in self.rows():
            answer = self.api.get(f"/images/{LABEL}/{name}")
            assert (answer.status, answer.body) == (200, self.content[name]), "an image is not served"
        drawn = self.api.random()
        assert drawn.body == self.content[drawn.headers["image-id"].removeprefix(f"{LABEL}/")]

    def reconcile(self) -> Report:
        """Reconcile, with every version counted as old, and return the report."""
        both = Inventory(aws.dynamodb(), read_settings()), Bucket(aws.s3(), read_settings().bucket)
        until = datetime.now(UTC) + timedelta(hours=1)
        return Reconciliation(*both, until, log=lambda line: None).run()

    def _put_versions(self) -> None:
        """Let the baseline's images name versions that are there, and remove all others."""
        missing = {(item["s3key"]["S"], item["versionId"]["S"]): item for item in self._baseline[self.tables[0]]}
        for version in self.cloud.versions():
            if not missing.pop(version, None):
                self.cloud.delete_version(version)
        for (name, _), item in missing.items():
            item["versionId"] = {"S": self.cloud.put_version(name, self.content[name])}


def _key(item: Any) -> Any:
    return item["label"], item["s3key" if "s3key" in item else "chunkNumber"]


EVERYTHING = (aws.session, aws.dynamodb, aws.s3, aws.ssm, settings._cache, random_image.memory)


def forget(*kept: Any) -> None:
    """Let these be made anew when they are asked for next, as in a new container."""
    for function in kept:
        function.cache_clear()


def documented(answer: Answer, *, good: int) -> None:
    """Check that the answer is the good one, or a 503 that says when to retry."""
    if answer.status == good:
        return
    problem = json_of(answer)
    assert (answer.status, problem["status"]) == (503, 503), problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "1"
    assert problem["detail"].endswith(("; retry in a moment.", "; retry in a few seconds."))


@contextmanager
def staged(cloud: Cloud) -> Iterator[Scene]:
    """Provide the scene in this cloud."""
    clock = Clock()
    injector = Injector(clock, cloud.send)
    pauses: Callable[[float], None] = clock.back_off
    forget(*EVERYTHING)
    with (
        mock.patch.dict("os.environ", {**cloud.variables, "PUBLIC_WRITES": "true"}),
        mock.patch.object(deadline, "CLOCK", clock),
        mock.patch.object(retries, "CLOCK", clock),
        mock.patch.object(retries, "SLEEP", clock.sleep),
        mock.patch.object(retries, "RNG", random.Random(1)),
        mock.patch.object(store, "RNG", random.Random(1)),
        mock.patch.object(random_image, "RNG", random.Random(1)),
        mock.patch.object(parallel, "RUN", at_once),
        mock.patch("botocore.endpoint.time", SimpleNamespace(sleep=pauses)),
        mock.patch.object(settings.SettingsCache.__init__, "__kwdefaults__", {"clock": clock}),
    ):
        aws.session().register("before-send", injector.before_send)  # type: ignore[arg-type]
        yield Scene(cloud, injector, clock)
    forget(*EVERYTHING)
