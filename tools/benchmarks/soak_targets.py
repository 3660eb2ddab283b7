"""What the clients of a soak use: petAPI over HTTP, or the store directly."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import draw
from foresight import Memory
from shared import images
from shared.errors import Unavailable
from shared.images import Image, Pool
from shared.labels.store import Store
from shared.settings import Settings
from tests.support.hosts import Api
from tests.support.local_service import Answer
from tests.support.pictures import name_of, tiny
from tools.benchmarks.soak_clients import Busy

RNG = random.SystemRandom()


class OverHttp:
    """A label of a running petAPI. Every response is checked."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def upload(self, number: int, weight: int, *, again: bool) -> str:
        """Upload a new picture and return its name."""
        content = tiny(number)
        _expect(self._api.upload(content, images.decimal(weight)), 201, *[200] * again)
        return name_of(content)

    def reweigh(self, name: str, weight: int) -> None:
        """Change the weight by PATCH."""
        answer = _expect(self._api.patch(self._path(name), {"weight": weight / images.UNITS}), 200)
        assert f'"weight": {weight / images.UNITS}' in answer.body.decode()

    def delete(self, name: str, *, again: bool) -> None:
        """Delete by DELETE."""
        _expect(self._api.delete(self._path(name)), 204, *[404] * again)

    def draw(self, turn: int) -> str:
        """Draw, and return the name. Every other time, get the picture and check that it is the named one."""
        form = ("json", "image")[turn % 2]
        answer = _expect(self._api.random(format=form), 200)
        label, _, name = answer.headers["image-id"].partition("/")
        assert label == self._api.label
        assert form == "json" or name_of(answer.body) == name, "the answer names another picture"
        return name

    def total_weight(self) -> int:
        """Return the label's total weight, from a draw."""
        return round(float(_expect(self._api.random(), 200).headers["image-total-weight"]) * images.UNITS)

    def _path(self, name: str) -> str:
        return f"/images/{self._api.label}/{name}"


def _expect(answer: Answer, *expected: int) -> Answer:
    """Check the status. Raise Busy for a 503 with Retry-After."""
    if answer.status == 503 and "retry-after" in answer.headers:
        raise Busy(float(answer.headers["retry-after"]))
    assert answer.status in expected, f"{answer.status} instead of {expected}: {answer.body[:300]!r}"
    return answer


class OnStore:
    """A label in these tables. Each operation has a store of its own, and each client a memory, as in Lambda."""

    def __init__(self, client: Any, names: Settings, label: str) -> None:
        self._client, self._names, self._label = client, names, label
        self._kept = threading.local()

    @property
    def _store(self) -> Store:
        return Store(self._client, self._names)

    @property
    def _memory(self) -> Memory:
        if not hasattr(self._kept, "memory"):
            self._kept.memory = Memory()
        memory: Memory = self._kept.memory
        return memory

    def upload(self, number: int, weight: int, *, again: bool) -> str:
        """Add an image and return its name."""
        image = Image(self._label, f"{number:032x}.png", weight, f"v{number}", 1, 1, 1, "")
        with _busy():
            stored, _ = self._store.add(image)
        assert stored == image
        return image.name

    def reweigh(self, name: str, weight: int) -> None:
        """Change the weight of an image."""
        with _busy():
            assert self._store.edit(self._label, name, lambda image: replace(image, weight=weight))

    def delete(self, name: str, *, again: bool) -> None:
        """Delete an image."""
        with _busy():
            assert self._store.remove(self._label, name) or again

    def draw(self, turn: int) -> str:
        """Draw, and return the image's name."""
        with _busy():
            return draw.draw(self._store, (Pool(self._label),), RNG, "{}/{}".format, self._memory)[0].name


@contextmanager
def _busy() -> Iterator[None]:
    try:
        yield
    except Unavailable as error:
        raise Busy(0.0) from error
