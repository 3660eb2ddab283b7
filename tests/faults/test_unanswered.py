"""A transaction without a response may still be done, so the version that it names stays."""

from dataclasses import dataclass, field

import pytest
from botocore.awsrequest import AWSResponse

from tests.support import fault_injection
from tests.support.fault_injection import Attempt
from tests.support.fault_scene import IMAGES, WEIGHT, Scene
from tests.support.hosts import json_of


@dataclass
class Late:
    """The first transaction's connection breaks, so it is sent again; then there are conflicts.

    The first request arrives all the same, but late: just before the third one is answered.
    """

    conflicts: int
    attempts: list[Attempt] = field(default_factory=list)

    def __call__(self, attempt: Attempt) -> AWSResponse:
        self.attempts.append(attempt)
        if len(self.attempts) == 1:
            return fault_injection.refused(attempt)
        if len(self.attempts) == 3:
            self.arrive()
        return fault_injection.conflict(attempt) if len(self.attempts) - 1 <= self.conflicts else attempt.done()

    def arrive(self) -> None:
        """Let DynamoDB get the first request and do it."""
        assert self.attempts[0].done().status_code == 200


def of_transactions(attempt: Attempt, *_: int) -> bool:
    return attempt.operation == "TransactWriteItems"


def test_an_upload_that_gives_up_keeps_the_version_that_a_late_transaction_names(scene: Scene) -> None:
    scene.reset()
    scene.injector.arm(Late(conflicts=1000), of_transactions)
    assert scene.upload(IMAGES).status == 503
    scene.injector.disarm()
    assert len(scene.rows()) == IMAGES + 1
    assert scene.check() == 0
    scene.check_answers()


def test_an_upload_that_meets_its_own_late_transaction_is_created(scene: Scene) -> None:
    scene.reset()
    scene.injector.arm(Late(conflicts=1), of_transactions)
    answer = scene.upload(IMAGES)
    scene.injector.disarm()
    assert (answer.status, json_of(answer)["probability"]) == (201, WEIGHT / (WEIGHT * (IMAGES + 1)))
    assert scene.check() == 0
    scene.check_answers()


def test_an_upload_that_finds_its_image_there_keeps_its_version_if_its_transaction_may_be_late(scene: Scene) -> None:
    scene.reset()
    late = Late(conflicts=0)
    scene.injector.arm(late, of_transactions)
    answer = scene.upload(0)
    scene.injector.disarm()
    assert (answer.status, scene.check()) == (200, 1)
    assert scene.delete(json_of(answer)["id"].rpartition("/")[2]).status == 204
    late.arrive()
    assert len(scene.rows()) == IMAGES
    assert scene.check() == 0
    scene.check_answers()


def test_an_upload_that_surely_wrote_nothing_takes_its_version_away(scene: Scene) -> None:
    scene.reset()
    scene.injector.arm(fault_injection.conflict, of_transactions)
    assert scene.upload(IMAGES).status == 503
    scene.injector.disarm()
    assert scene.check() == 0
    assert len(scene.cloud.versions()) == IMAGES


@pytest.mark.parametrize("done", [True, False])
def test_an_upload_whose_transaction_failed_inside_dynamodb_keeps_its_version(scene: Scene, done: bool) -> None:
    scene.reset()
    scene.injector.arm(fault_injection.failed_afterwards if done else fault_injection.failed, of_transactions)
    assert scene.upload(IMAGES).status == 503
    scene.injector.disarm()
    assert scene.check() == (0 if done else 1)
    assert len(scene.cloud.versions()) == IMAGES + 1
