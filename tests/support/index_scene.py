"""Images that are uploaded, changed and deleted through the shipped handlers, on the index in memory."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import delete_image
import edit_image
import upload_image
from tests.support import memory_index
from tests.support.memory_index import IndexWorld, index_on
from tests.support.memory_uploads import Calls
from tests.support.pictures import File, multipart_body, name_of, tiny
from tests.support.simulation import call, shipped_code_on

LABEL = "cat"


class IndexScene:
    """The world with its index. The function gets nothing before `follow` or `drain`."""

    def __init__(self, world: IndexWorld, calls: Calls) -> None:
        self.world, self.calls = world, calls

    def upload(self, content: bytes, *, tags: str = "", filename: str = "picture.png", weight: str = "0.5") -> str:
        """Upload a picture and return the image's id."""
        fields = [("label", LABEL), ("weight", weight), ("tags", tags), ("img", File(content, filename))]
        body, content_type = multipart_body(fields)
        answer = call(upload_image, "POST", "/upload", "/upload", body=body, headers={"Content-Type": content_type})
        assert answer["statusCode"] in (200, 201), answer
        return str(json.loads(answer["body"])["id"])

    def patch(self, image_id: str, **changes: Any) -> None:
        headers = {"Content-Type": "application/json"}
        path, body = f"/images/{image_id}", json.dumps(changes).encode()
        answer = call(edit_image, "PATCH", "/images/{label}/{name}", path, body=body, headers=headers)
        assert answer["statusCode"] == 200, answer

    def delete(self, image_id: str) -> None:
        assert call(delete_image, "DELETE", "/images/{label}/{name}", f"/images/{image_id}")["statusCode"] == 204

    def follow(self) -> list[dict[str, Any]]:
        """Let the function have all records of the stream, and return them."""
        records, self.world.stream = self.world.stream, []
        for first in range(0, len(records), 25):
            memory_index.follow(self.world, records[first : first + 25])
        return records

    def drain(self) -> None:
        memory_index.drain(self.world)

    def differences(self) -> list[str]:
        return memory_index.differences(self.world)

    def metadata(self, image_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.world.vectors[image_id]["metadata"]
        return found

    def tile(self, image_id: str) -> dict[str, Any]:
        label, _, name = image_id.partition("/")
        found: dict[str, Any] = self.world.tables[memory_index.TILES][label, name]
        return found


@contextmanager
def index_scene(seed: int = 7, *, encoder: str = "titan") -> Iterator[IndexScene]:
    """Provide an empty world with its index."""
    world, calls = IndexWorld(random.Random(seed)), Calls()
    with shipped_code_on(world), index_on(world, calls=calls, encoder=encoder):
        yield IndexScene(world, calls)


def picture_name(number: int) -> str:
    """Return the id of the image that `tiny(number)` becomes."""
    return f"{LABEL}/{name_of(tiny(number))}"
