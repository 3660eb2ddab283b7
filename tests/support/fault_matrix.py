"""Every fault at every AWS call of every operation, and what came of it."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from unittest import mock

import random_image
from shared import settings
from shared.settings import read_settings
from tests.support import fault_injection
from tests.support.fault_injection import Attempt, Happening, Killed
from tests.support.fault_scene import IMAGES, LABEL, OTHER_CLASS, SAME_CLASS, TIMEOUT, Scene, documented
from tests.support.local_service import Answer

Calls = list[tuple[str, str]]  # service and operation of each AWS call of a request


@dataclass(frozen=True)
class Operation:
    """A request, its answer when all is well, and the answer when it is made once more after that.

    `warm` is whether the container has had the request twice.  Calls at a time come one after the other here.
    """

    title: str
    send: Callable[[Scene], Answer]
    answer: int
    again: int
    warm: bool = False


@dataclass(frozen=True)
class Fault:
    """What happens to attempts: to the first of a call, or to all from there on of the `lasting` service."""

    title: str
    happening: Happening
    lasting: bool
    concerns: tuple[str, ...] = ()  # services or operations; any
    settings_read: bool = False  # a container that read them, more than five minutes ago

    def may_happen(self, call: tuple[str, str]) -> bool:
        return not self.concerns or bool({*self.concerns} & {*call})


@dataclass(frozen=True)
class Outcome:
    """What a fault came to: the answer, the state, the versions that no image names, the answer to the next try."""

    answer: str
    state: str
    orphans: int
    again: int


OPERATIONS = (
    Operation("Upload a new picture", lambda scene: scene.upload(IMAGES), 201, 200),
    Operation("Upload it again", lambda scene: scene.upload(0), 200, 200),
    Operation("Upload it again with another weight", lambda scene: scene.upload(0, SAME_CLASS), 409, 409),
    Operation("Delete the last image of a lane", lambda scene: scene.delete(scene.last), 204, 404),
    Operation("Delete an image whose place is filled", lambda scene: scene.delete(scene.moved), 204, 404),
    Operation("Change a weight within its class", lambda scene: scene.patch(scene.moved, SAME_CLASS), 200, 200),
    Operation("Change a weight to another class", lambda scene: scene.patch(scene.moved, OTHER_CLASS), 200, 200),
    Operation("Draw a picture", lambda scene: scene.api.random(), 200, 200),
    Operation("Draw a picture once more", lambda scene: scene.api.random(), 200, 200, warm=True),
    Operation("Draw two different pictures", lambda scene: scene.api.random(count="2", distinct="true"), 200, 200),
    Operation("Get a picture", lambda scene: scene.api.get(f"/images/{LABEL}/{scene.moved}"), 200, 200),
    Operation("Make a thumbnail", lambda scene: scene.api.get(f"/images/{LABEL}/{scene.moved}?size=256"), 200, 200),
)

WRITES = ("TransactWriteItems",)
FAULTS = (
    Fault("the process dies before it", fault_injection.dies_before, lasting=False),
    Fault("the process dies after it", fault_injection.dies_after, lasting=False),
    Fault("connection refused once", fault_injection.refused, lasting=False),
    Fault("connection refused for good", fault_injection.refused, lasting=True),
    Fault("no connection in time, for good", fault_injection.unreachable, lasting=True),
    Fault("request lost once", fault_injection.silent, lasting=False),
    Fault("request lost for good", fault_injection.silent, lasting=True),
    Fault("answer lost once", fault_injection.lost, lasting=False),
    Fault("answer lost for good", fault_injection.lost, lasting=True),
    Fault("done, then 500, once", fault_injection.failed_afterwards, lasting=False),
    Fault("500 for good", fault_injection.failed, lasting=True),
    Fault("throttled once", fault_injection.busy, lasting=False, concerns=("dynamodb", "ssm")),
    Fault("throttled for good", fault_injection.busy, lasting=True, concerns=("dynamodb", "ssm")),
    Fault("throughput exceeded for good", fault_injection.over_capacity, lasting=True, concerns=("dynamodb",)),
    Fault("503 SlowDown once", fault_injection.busy, lasting=False, concerns=("s3",)),
    Fault("503 SlowDown for good", fault_injection.busy, lasting=True, concerns=("s3",)),
    Fault("cancelled by a conflict once", fault_injection.conflict, lasting=False, concerns=WRITES),
    Fault("cancelled by a conflict for good", fault_injection.conflict, lasting=True, concerns=WRITES),
    Fault("cancelled by throttling once", fault_injection.throttled_inside, lasting=False, concerns=WRITES),
    Fault("cancelled by throttling for good", fault_injection.throttled_inside, lasting=True, concerns=WRITES),
    Fault("UnprocessedKeys once", fault_injection.unprocessed, lasting=False, concerns=("BatchGetItem",)),
    Fault("UnprocessedKeys for good", fault_injection.unprocessed, lasting=True, concerns=("BatchGetItem",)),
    Fault(
        "silent, its values read before", fault_injection.silent, lasting=True, concerns=("ssm",), settings_read=True
    ),
    Fault("the answer breaks off, once", fault_injection.broken_off, lasting=False, concerns=("GetObject",)),
)


def clean_run(scene: Scene, operation: Operation) -> tuple[Calls, dict[str, int], dict[str, int]]:
    """Return the AWS calls of the operation when all is well, and the weights before and after it."""
    begin(scene, operation)
    before = scene.weights()
    scene.injector.arm(fault_injection.refused, lambda *_: False)
    assert request(scene, operation).status == operation.answer
    calls = scene.injector.disarm()
    assert scene.check() == 0, "versions are left though all went well"
    return calls, before, scene.weights()


def outcomes(scene: Scene, operation: Operation) -> Iterator[tuple[Fault, int, Outcome]]:
    """Inject each fault at each call of the operation, and yield what came of it; calls count from 1."""
    calls, *states = clean_run(scene, operation)
    for fault in FAULTS:
        for number, call in enumerate(calls, 1):
            if fault.may_happen(call):
                try:
                    yield fault, number, _outcome(scene, operation, fault, number, call, *states)
                except BaseException as error:
                    error.add_note(f"{operation.title}: {fault.title}, at call {number}, {call}")
                    raise


def calls_of(scene: Scene, operation: Operation) -> list[str]:
    """Return the names of the operation's AWS calls, in order."""
    return [name for _, name in clean_run(scene, operation)[0]]


def _outcome(
    scene: Scene,
    operation: Operation,
    fault: Fault,
    number: int,
    call: tuple[str, str],
    before: dict[str, int],
    after: dict[str, int],
) -> Outcome:
    def hits(attempt: Attempt, at: int, tried: int) -> bool:
        if not fault.lasting:
            return (at, tried) == (number, 1)
        return at >= number and attempt.service == call[0] and fault.may_happen((attempt.service, attempt.operation))

    begin(scene, operation)
    if fault.settings_read:
        read_settings()
        scene.clock.now += settings.LIFETIME + 1
    scene.injector.arm(fault.happening, hits)
    begun = scene.clock.now
    try:
        answer = request(scene, operation)
    except Killed:
        answer = None
    scene.injector.disarm()
    assert scene.clock.now - begun < TIMEOUT, "Lambda would have ended it"
    if answer:
        documented(answer, good=operation.answer)
    scene.fresh()
    weights = scene.weights()
    assert weights in (before, after)
    if answer and answer.status == operation.answer:
        assert weights == after, "what was acknowledged is not there"
    orphans = scene.check()
    scene.check_answers()
    report = scene.reconcile()
    assert (report.versions_removed, report.rows_removed, report.rows_renamed) == (orphans, 0, 0)
    assert len(scene.cloud.versions()) == len(weights)
    again = request(scene, operation)
    assert again.status in (operation.answer, operation.again)
    assert scene.weights() == after
    assert scene.check() == 0
    state = "unchanged" if before == after else "done" if weights == after else "as before"
    return Outcome(str(answer.status) if answer else "none", state, orphans, again.status)


def begin(scene: Scene, operation: Operation) -> None:
    """Bring everything back, in a new container or in one that has had the request."""
    scene.reset()
    for _ in range(2 if operation.warm else 0):  # a strip is steady if it was the same twice
        assert request(scene, operation).status == operation.answer


def request(scene: Scene, operation: Operation) -> Answer:
    """Send the request, with draws that always fall alike."""
    with mock.patch.object(random_image, "RNG", random.Random(1)):
        return operation.send(scene)
