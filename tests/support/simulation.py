"""Clients of the shipped handlers, interleaved call by call on an AWS in memory.

A scenario is a function of its seed.  Each client is a greenlet, and each AWS call hands over to the scheduler.  It
chooses which client goes on, which one to kill (another one takes its place), and which transaction meets a conflict.
If the weights are small, every possible dart is thrown at the end.
"""

import base64
import json
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any, TypeVar
from unittest import mock

from greenlet import getcurrent, greenlet

import browse_images
import delete_image
import edit_image
import random_image
import upload_image
from foresight import Memory
from shared import aws, deadline, images, parallel, settings
from shared.images import Pool
from shared.labels import chunks, items, retries, store
from shared.parallel import Running
from shared.pictures.bucket import Bucket
from tests.support import invariants, memory_aws
from tests.support.memory_aws import BUCKET, CHUNKS, IMAGES, THUMBNAILS, TILES
from tests.support.pictures import File, multipart_body, name_of, tiny
from tools.reconcile.inventory import Inventory
from tools.reconcile.reconcile import Reconciliation
from tools.reconcile.report import Report

CLIENTS = 6
OPERATIONS = 150
CONFLICTS = 0.10  # the share of transactions that meet a conflict
KILLED = 0.035  # the share of calls that kill their client, first calls of operations excepted
STALE = 0.2  # the share of eventually consistent reads that return the previous item
RECONCILERS = 2  # at once, as long as there are clients
ACCIDENTS = 0.03  # the share of operations that are accidents, as bugs, old code and operators made them
LABEL = "cat"

T = TypeVar("T")

SETTINGS = settings.Settings(BUCKET, CHUNKS, IMAGES, frozenset({LABEL}), THUMBNAILS, tiles_table=TILES)


class Killed(BaseException):
    """The client's process is killed here."""


class Broken(BaseException):
    """An invariant is broken.  A BaseException, so that no handler catches it."""


@dataclass
class Outcome:
    """The responses of a scenario by operation and status, and its killed operations."""

    answers: Counter[str] = field(default_factory=Counter)
    killed: int = 0
    orphans: set[str] = field(default_factory=set)  # versions that killed clients may have left
    touched: set[str] = field(default_factory=set)  # images whose thumbnails killed clients may have left since


class Simulation:
    """One scenario. A subclass may have another world, more code in it, and more clients."""

    world_type: type[memory_aws.World] = memory_aws.World

    def __init__(
        self,
        seed: int,
        *,
        operations: int = OPERATIONS,
        pictures: int = 24,
        heavy: int = 60,
        conflicts: float = CONFLICTS,
        thumbnails: float = 0.0,
        accidents: float = ACCIDENTS,
    ) -> None:
        self.rng = random.Random(seed)
        self.world = self.world_type(self.rng, stale=STALE)
        self.world.pause, self.world.after_write = self._pause, self._check
        self.world.page = self.rng.randint(1, 9)
        self.left, self.conflicts, self.outcome = operations, conflicts, Outcome()
        self.shares = {"_thumbnail": thumbnails, "_accident": accidents}
        self.begun: dict[greenlet, int] = {}  # when each client began the operation that it is in
        self.damaged: set[str] = set()  # names of images that had an accident
        self.world.after_discard = self.outcome.touched.discard
        # Few pictures and weights, so that clients meet: the same bytes, the same chunk, the same class.
        self.pictures = [tiny(i) for i in range(pictures)]
        self.names = [name_of(picture) for picture in self.pictures]
        self.weights = self.rng.choices(range(1, heavy), k=4)
        self.uploads = self.rng.choice([0.35, 0.45, 0.6])
        self.tags = self.rng.choice([(), ("red",), ("blue", "red")])  # that pictures may have
        self.busy: Counter[int] = Counter()  # clients at each picture
        self.lanes_seen: list[tuple[Pool, dict[int, Any]]] = []
        self.parsed: dict[tuple[Any, int], tuple[Any, Any]] = {}  # (parser, id of an item) -> the item, what it parsed
        self.history: list[dict[memory_aws.Key, memory_aws.Item]] = []  # the chunk table after each transaction

    def run(self) -> Outcome:
        """Let the clients do all operations, then check the end state."""
        self.main = getcurrent()
        self.running = [greenlet(self._client) for _ in range(CLIENTS)]
        self.running += [greenlet(client) for client in (*[self._reconciler] * RECONCILERS, *self._more_clients())]
        with silent(), self._shipped_code(), self._more_code():
            while self.running:
                running = self.rng.choice(self.running)
                running.switch()
                if running.dead:
                    self.running.remove(running)
            self._check_end()
            self._check_more()
        self._check_darts()
        return self.outcome

    def _shipped_code(self) -> AbstractContextManager[None]:
        memory = _OfClient(self._me)
        return shipped_code_on(self.world, sleep=lambda _: self.main.switch(), run=self._begin_task, memory=memory)

    def _more_code(self) -> AbstractContextManager[None]:
        """Let more shipped code run on the world."""
        return nullcontext()

    def _more_clients(self) -> Sequence[Callable[[], None]]:
        """Return what more clients do."""
        return ()

    def _check_more(self) -> None:
        """Check what a subclass adds, at the end, when no call meets anything."""

    # --- the scheduler ---

    def _pause(self, call: str) -> None:
        client = self._me()
        self.main.switch()
        self.world.ticks += 1
        client.is_killed |= bool(client.calls) and self.rng.random() < KILLED * client.frailty
        if client.is_killed:  # with all that it does at the same time
            raise Killed
        client.calls += 1
        if call == "put_object":
            client.versions.add(f"v{self.world.versions + 1}")
        if call.startswith("transact_") and self.rng.random() < self.conflicts:
            raise memory_aws.Conflict

    def _me(self) -> Any:
        """Return the client that makes the present call, or for which a task makes it."""
        return getattr(getcurrent(), "client", getcurrent())

    def _begin_task(self, task: Callable[[], T]) -> Running[T]:
        """Let a task of the present client run beside it."""
        outcome: list[Callable[[], T]] = []

        def run() -> None:
            try:
                result = task()
                outcome.append(lambda: result)
            except BaseException as error:
                outcome.append(partial(_throw, error))

        running = greenlet(run, parent=self.main)
        running.client = self._me()
        self.running.append(running)

        def wait() -> T:
            while not running.dead:
                (running if getcurrent() is self.main else self.main).switch()  # at the end, nobody else runs it
            return outcome[0]()

        return wait, partial(_end, wait)

    # --- the clients ---

    def _client(self) -> None:
        self._me().memory = Memory()
        operations = {self._upload: self.uploads, self._delete: 0.25, self._patch: 0.15, self._random: 0.15}
        operations |= {self._thumbnail: self.shares["_thumbnail"], self._accident: self.shares["_accident"]}
        while self.left > 0:
            self.left -= 1
            (operation,) = self.rng.choices(list(operations), list(operations.values()))
            client = self._begin(frailty=1.0)
            which = self.rng.randrange(len(self.names))
            self.busy[which] += 1
            try:
                status = operation(which)
            except Killed:
                client.memory = Memory()
                self.outcome.killed += 1
                self.outcome.touched.add(f"{LABEL}/{self.names[which]}")
                self.outcome.orphans |= client.versions
            else:
                self.outcome.answers[f"{operation.__name__} {status}"] += 1
                assert status != 500 or self.names[which] in self.damaged, "a handler failed"
            self.busy[which] -= 1
            self._check_thumbnails(which)
        del self.begun[getcurrent()]

    def _begin(self, *, frailty: float) -> Any:
        """Return the present client, which has done nothing yet of what it begins now."""
        client = getcurrent()
        client.calls, client.committed, client.versions, client.frailty = 0, 0, set(), frailty
        client.is_killed = False
        self.begun[client] = self.world.ticks
        return client

    def _reconciler(self) -> None:
        """Reconcile again and again.  No operation lasts as long as the least age of a version that may be removed."""
        while self.left > 0:
            client = self._begin(frailty=0.1)  # a pass makes dozens of calls, and most should end
            lines: list[str] = []
            try:
                self._reconcile(self.world.time(min(self.begun.values()) - 1), lines.append)
            except Killed:
                self.outcome.killed += 1
            else:
                self.outcome.answers["_reconcile"] += 1
            self.outcome.orphans |= client.versions
            self.outcome.answers["_reconcile repairs"] += len(lines)
        del self.begun[getcurrent()]

    def _reconcile(self, until: datetime, log: Callable[[str], None]) -> Report:
        both = Inventory(aws.dynamodb(), SETTINGS), Bucket(aws.s3(), BUCKET)
        report = Reconciliation(*both, until, log=log).run()
        assert not report.not_repaired, "reconcile tells of damage that is none"
        return report

    def _upload(self, which: int) -> int:
        weight = self.rng.choice(self.weights)
        fields = [("label", LABEL), ("weight", images.decimal(weight)), ("img", File(self.pictures[which]))]
        fields.append(("tags", ",".join(self._some_tags())))
        body, content_type = multipart_body(fields)
        headers = {"Content-Type": content_type}
        answer = call(upload_image, "POST", "/upload", "/upload", body=body, headers=headers)
        self._expect(committed=answer["statusCode"] == 201)
        return int(answer["statusCode"])

    def _delete(self, which: int) -> int:
        answer = call(delete_image, "DELETE", "/images/{label}/{name}", f"/images/{LABEL}/{self.names[which]}")
        self._expect(committed=answer["statusCode"] == 204)
        return int(answer["statusCode"])

    def _patch(self, which: int) -> int:
        changes = {"weight": self.rng.choice(self.weights) / images.UNITS, "tags": self._some_tags()}
        body = json.dumps(dict(self.rng.sample(list(changes.items()), self.rng.randint(1, 2)))).encode()
        path, headers = f"/images/{LABEL}/{self.names[which]}", {"Content-Type": "application/json"}
        answer = call(edit_image, "PATCH", "/images/{label}/{name}", path, body=body, headers=headers)
        return int(answer["statusCode"])

    def _some_tags(self) -> list[str]:
        return self.rng.sample(self.tags, self.rng.randint(0, len(self.tags)))

    def _random(self, _: int) -> int:
        answer = call(random_image, "GET", "/random", "/random", query={"label": [LABEL]})
        if answer["statusCode"] == 200:
            name = name_of(base64.b64decode(answer["body"]))
            assert answer["headers"]["Image-Id"] == f"{LABEL}/{name}"
            assert 0 < float(answer["headers"]["Image-Probability"]) <= 1
        return int(answer["statusCode"])

    def _thumbnail(self, which: int) -> int:
        path, query = f"/images/{LABEL}/{self.names[which]}", {"size": [self.rng.choice(["256", "512"])]}
        answer = call(browse_images, "GET", "/images/{label}/{name}", path, query=query)
        if answer["statusCode"] == 200:
            assert answer["headers"]["Content-Type"] == "image/jpeg"
            assert base64.b64decode(answer["body"]).startswith(b"\xff\xd8\xff")
        return int(answer["statusCode"])

    def _accident(self, which: int) -> int:
        """Let something happen to an image, at one moment, that no code of today would do; once to each image."""
        name, rows = self.names[which], self.world.tables[IMAGES]
        row = rows.get((LABEL, name))
        if name in self.damaged or not row:
            return 0
        self.damaged.add(name)
        tags = sorted(row.get("tags", {"SS": []})["SS"])
        kinds = [self._replace_version, *(2 * [self._lose_row, self._leave_version] if tags else [])]
        kinds += [self._leave_row] if len(tags) < len(self.tags) else []
        with self._at_once():
            self.rng.choice(kinds)(name, row)
        return 1

    def _replace_version(self, name: str, row: Any) -> None:
        """Let the bucket have the picture under another, old version, as after an undone delete."""
        versions = self.world.objects[f"{LABEL}/{name}"]
        content = versions.pop(row["versionId"]["S"])
        self.world.versions += 1
        new = f"v{self.world.versions}"
        versions[new], self.world.stored[new] = content, -1
        self.outcome.orphans.add(new)

    def _lose_row(self, name: str, row: Any) -> None:
        """Take the image from the pool of one of its tags, but leave it the tag."""
        pool = Pool(LABEL, self.rng.choice(sorted(row["tags"]["SS"])))
        inventory = Inventory(aws.dynamodb(), SETTINGS)
        inventory.write(inventory._take({}, items.entry(self.world.tables[IMAGES][pool.key, name])))

    def _leave_version(self, name: str, row: Any) -> None:
        """Let the row under one of the image's tags name a version that was replaced."""
        pool = Pool(LABEL, self.rng.choice(sorted(row["tags"]["SS"])))
        update = {
            "TableName": IMAGES,
            "Key": items.image_key(pool.key, name),
            "UpdateExpression": "SET versionId = :version",
            "ExpressionAttributeValues": {":version": {"S": "v0"}},
        }
        Inventory(aws.dynamodb(), SETTINGS).write([{"Update": update}])

    def _leave_row(self, name: str, row: Any) -> None:
        """Leave the image in the pool of a tag that it does not have."""
        own = row.get("tags", {"SS": []})["SS"]
        pool = Pool(LABEL, self.rng.choice(sorted({*self.tags} - {*own})))
        inventory = Inventory(aws.dynamodb(), SETTINGS)
        inventory.write(inventory._add(items.image(row), pool, inventory.lanes(pool, consistent=True)))

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        """Let no other client run, and check nothing."""
        before = self.world.pause, self.world.after_write, self.world.removed
        self.world.pause, self.world.after_write = lambda call: None, lambda: None
        yield
        self.world.pause, self.world.after_write, self.world.removed = before

    def _expect(self, *, committed: bool) -> None:
        assert getcurrent().committed == committed, "the response does not say what was written"

    # --- the checks ---

    def _check(self) -> None:
        """Check all invariants of docs/explanation/transactions.md, after each transaction."""
        client = self._me()
        client.committed += 1
        client.versions.add(self.world.removed)
        self.history.append(dict(self.world.tables[CHUNKS]))
        try:
            for pool in self._pools():
                entries, lanes, found = self._pool(pool)
                invariants.check(entries, lanes, found)
                if self.rng.random() < 0.02:
                    self.lanes_seen.append((pool, lanes))
            rows = self.world.tables[IMAGES].items()
            known = [self._parsed(invariants.row, row) for (_, name), row in rows if name not in self.damaged]
            invariants.check_rows(known)
            assert (items.LABELS, LABEL) in self.world.tables[IMAGES], "a label is not listed"
        except AssertionError as error:
            raise Broken(str(error)) from error

    def _pools(self) -> list[Pool]:
        return [Pool(LABEL), *(Pool(LABEL, tag) for tag in self.tags)]

    def _pool(self, pool: Pool) -> Any:
        """Return the pool's entries, lanes and chunks."""
        rows, numbered = self.world.tables[IMAGES].items(), self.world.tables[CHUNKS].items()
        entries = [self._parsed(items.entry, row) for (key, _), row in rows if key == pool.key]
        lanes, found = {}, {}
        for (key, text), item in numbered:
            if key == pool.key:
                number = int(text)
                if number < chunks.FIRST_CHUNK_NUMBER:
                    lanes[number] = self._parsed(items.lane, item)
                else:
                    found[number] = self._parsed(items.weights, item)
        return entries, lanes, found

    def _parsed(self, parse: Callable[[Any], T], item: Any) -> T:
        """Parse an item once; it never changes, and is kept, so that no other item has its id."""
        known = self.parsed.get((parse, id(item)))
        if known is None:
            known = self.parsed[parse, id(item)] = item, parse(item)
        parsed: T = known[1]
        return parsed

    def _check_thumbnails(self, which: int) -> None:
        """Check that a deleted image has no thumbnails once no client works on it, except those of killed clients."""
        name = self.names[which]
        quiet = not self.busy[which] and f"{LABEL}/{name}" not in self.outcome.touched
        if quiet and (LABEL, name) not in self.world.tables[IMAGES]:
            left = [key for key in self.world.thumbnails if name in key]
            assert not left, "a thumbnail of a deleted image"

    def _check_end(self) -> None:
        """Check that a last pass heals what accidents left, and removes what killed clients left, and nothing else."""
        self.world.pause, self.world.after_write, self.world.stale = lambda call: None, lambda: None, 0.0
        named, kept = self._named(), self._kept()
        lost = {key for key, _ in named - kept}
        assert lost <= {f"{LABEL}/{name}" for name in self.damaged}, "an image without its object"
        unseen = {version for _, version in kept - named}
        assert unseen <= self.outcome.orphans, "an unseen version that no killed client left"
        report = self._last_pass()
        assert (report.rows_removed, report.rows_renamed, report.errors) == (0, len(lost), 0), (report, lost)
        left = {version for key, version in self._kept() - self._named()}
        assert all(key in lost for key, _ in self._kept() - self._named()), "reconcile left a version without an image"
        assert report.versions_removed == len(unseen) - len(lost) - len(left), (report, unseen, lost)
        assert {key for key, _ in named} == {key for key, _ in self._named()}, "reconcile removed an image"
        invariants.check_tags(list(self.world.tables[IMAGES].values()))
        # Another version of an image that names another one now is left for the next pass.
        assert self._last_pass().versions_removed == len(left)
        assert self._kept() == self._named(), "reconcile left a version without an image"
        assert self._last_pass() == Report(images=len(named), versions=len(named)), "a third pass found more"

    def _last_pass(self) -> Report:
        return self._reconcile(datetime.max.replace(tzinfo=UTC), lambda line: None)

    def _named(self) -> set[tuple[str, str]]:
        """Return the keys and versions that images name."""
        rows = self.world.tables[IMAGES].items()
        return {(f"{LABEL}/{name}", item["versionId"]["S"]) for (key, name), item in rows if key == LABEL}

    def _kept(self) -> set[tuple[str, str]]:
        """Return the keys and versions in the bucket."""
        return {(key, version) for key, versions in self.world.objects.items() for version in versions}

    def _check_darts(self) -> None:
        """Check that each image is hit by exactly its weight in darts, with the present lanes and with earlier ones."""
        for pool in self._pools():
            entries, lanes, found = self._pool(pool)
            weights = {entry.name: entry.weight for entry in entries}
            assert invariants.throw_every_dart(lanes, found) == weights
        for pool, saved in self.lanes_seen[:2]:
            entries, _, found = self._pool(pool)
            hits = invariants.throw_every_dart(saved, found)
            known = {entry.name: entry.weight for entry in entries if invariants.knows(saved, entry.chunk_number)}
            assert hits == known


class _OfClient:
    """What each client remembers of its own draws; the next process remembers nothing of a killed one."""

    def __init__(self, me: Callable[[], Any]) -> None:
        self._me = me

    def __getattr__(self, name: str) -> Any:
        return getattr(self._me().memory, name)


def at_once(task: Callable[[], T]) -> Running[T]:
    """Do a task before anything else."""
    wait = parallel.once(task)
    _end(wait)
    return wait, lambda: None


def _end(wait: Callable[[], object]) -> None:
    """Wait for the end of a task. That it was killed, its client must learn."""
    with suppress(Exception):
        wait()


def _throw(error: BaseException) -> Any:
    raise error


@contextmanager
def silent() -> Iterator[None]:
    """Log nothing: pytest keeps each line, which takes twice as long as the scenario itself."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


@contextmanager
def shipped_code_on(
    world: memory_aws.World,
    *,
    sleep: Callable[[float], object] = lambda seconds: None,
    run: Callable[[Callable[[], T]], Running[T]] = at_once,
    memory: Any = None,
) -> Iterator[None]:
    """Let the shipped code run on an AWS in memory, with the random generator of that world."""
    with (
        mock.patch.object(aws, "dynamodb", partial(_given, memory_aws.DynamoDB(world))),
        mock.patch.object(aws, "s3", partial(_given, memory_aws.S3(world))),
        mock.patch.object(settings, "_cache", partial(_given, SimpleNamespace(read=lambda: SETTINGS))),
        mock.patch.object(store, "RNG", world.rng),
        mock.patch.object(retries, "RNG", world.rng),
        mock.patch.object(retries, "SLEEP", sleep),
        mock.patch.object(retries, "CLOCK", partial(_given, 0.0)),  # nothing is late because the machine is busy
        mock.patch.object(deadline, "CLOCK", partial(_given, 0.0)),
        mock.patch.object(random_image, "RNG", world.rng),
        mock.patch.object(random_image, "memory", partial(_given, memory or Memory())),
        mock.patch.object(parallel, "RUN", run),
    ):
        yield


def _given(value: T) -> T:
    """Return this value: half as dear as a mock with a return value."""
    return value


def call(function: Any, method: str, resource: str, path: str, **parts: Any) -> Any:
    """Call a shipped handler and return its proxy response."""
    label, _, name = path.removeprefix("/images/").partition("/")
    event = {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": {"Host": "pets.test", **parts.get("headers", {})},
        "multiValueQueryStringParameters": parts.get("query"),
        "pathParameters": {"label": label, "name": name},
        "requestContext": {
            "path": f"/Prod{path}",
            "requestId": "simulated",
            "authorizer": parts.get("authorizer", {"scope": "images:write images:delete"}),
        },
        "body": base64.b64encode(parts.get("body", b"")).decode(),
        "isBase64Encoded": True,
    }
    return function.handler(event, None)
