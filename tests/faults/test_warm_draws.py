"""A container that knows the label draws right in the request after a fault, or after calls that were cut off."""

from contextlib import suppress

import pytest

from tests.support import fault_matrix
from tests.support.fault_injection import Attempt, Killed
from tests.support.fault_matrix import FAULTS, OPERATIONS, Fault
from tests.support.fault_scene import LABEL, Scene

(DRAW,) = [operation for operation in OPERATIONS if operation.warm]
SEVERAL = [fault for fault in FAULTS if not fault.settings_read]


@pytest.mark.parametrize("fault", SEVERAL, ids=[fault.title for fault in SEVERAL])
def test_the_next_draw_is_right(scene: Scene, fault: Fault) -> None:
    for number, call in enumerate(fault_matrix.clean_run(scene, DRAW)[0], 1):
        if not fault.may_happen(call):
            continue
        fault_matrix.begin(scene, DRAW)

        def hits(attempt: Attempt, at: int, tried: int, number: int = number) -> bool:
            return at == number and (fault.lasting or tried == 1)

        scene.injector.arm(fault.happening, hits)
        with suppress(Killed):
            fault_matrix.request(scene, DRAW)
        scene.injector.disarm()
        for _ in range(5):
            answer = scene.api.random()
            assert answer.status == 200
            name = answer.headers["image-id"].removeprefix(f"{LABEL}/")
            assert answer.body == scene.content[name]
            weight = scene.weights()[name]
            assert float(answer.headers["image-probability"]) == weight / sum(scene.weights().values())
