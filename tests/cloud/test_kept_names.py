"""What keeps its name, because a deployed stack or its data hangs on it: compared with tests/cloud/kept_names.yaml."""

import json
import re
from dataclasses import fields
from functools import cache
from typing import Any

import yaml

import search_images
from hits import Hit
from shared.api.image_json import image_json
from shared.images import Image
from shared.labels import chunks, items
from shared.uploads.callbacks import Callback
from shared.uploads.table import Uploads
from shared.uploads.upload import Upload, upload_json
from tests.support.cloud import ROOT, routes, template

IMAGE = Image("cat", f"{1:032x}.png", 1, "v", 1, 1, 1, "2026-01-01T00:00:00.000Z", "alice", ("calm",), "a.png")
UPLOAD = Upload("u", 0, "https://pets.test/", "cat", 1, image=IMAGE.id)
PROBLEM = {"status": 422}


@cache
def kept() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "tests/cloud/kept_names.yaml").read_text())
    return found


class Recorder:
    """A DynamoDB client that remembers the names of the attributes that are written."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def put_item(self, Item: dict[str, Any], **_: Any) -> None:
        self.names |= set(Item)

    def update_item(self, ExpressionAttributeNames: dict[str, str], **_: Any) -> None:
        self.names |= set(ExpressionAttributeNames.values())


def test_resources_that_hold_something_have_the_logical_ids_of_before() -> None:
    resources = template()["Resources"]
    for kind, names in kept()["resources"].items():
        missing = [name for name in names if resources.get(name, {}).get("Type") != kind]
        assert not missing, f"{kind} {missing}: a new id is a new, empty resource"
        new = {name for name, each in resources.items() if each["Type"] == kind} - set(names)
        assert not new, f"{kind} {new}: write it down, from now on it has to stay"


def test_outputs_routes_indexes_and_parameters_of_ssm_are_those_of_before() -> None:
    assert set(kept()["outputs"]) == set(template()["Outputs"])
    assert set(kept()["routes"]) == {path for path, _, _ in routes()}
    indexes = template()["Resources"]["ImageChunksTable"]["Properties"]["GlobalSecondaryIndexes"]
    assert [index["IndexName"] for index in indexes] == kept()["indexes"]
    resources = template()["Resources"].values()
    assert set(kept()["ssm"]) == {r["Properties"]["Name"] for r in resources if r["Type"] == "AWS::SSM::Parameter"}


def test_an_images_rows_have_the_attributes_of_before() -> None:
    of = kept()["attributes"]
    assert set(items.image_item(IMAGE, 1)) == set(of["image"])
    assert set(items.tag_item(IMAGE, IMAGE.pools[1], 1)) == set(of["tag"])
    assert set(items.chunk_item(IMAGE.pools[0], 1, {})) == set(of["chunk"])
    lane = {name: {"N": "1", "S": "cat"} for name in of["lane"]}
    assert items.lane(lane) == chunks.Lane(1, 1, {30: 1})


def test_an_uploads_row_has_the_attributes_of_before() -> None:
    recorder = Recorder()
    table = Uploads(recorder, "uploads")  # type: ignore[arg-type]
    table.add(UPLOAD)
    for name in ("received", "recognised", "failed", "given_up", "callback_sent"):
        given = {"recognised": ((),), "failed": (PROBLEM,), "given_up": (PROBLEM,)}.get(name, ())
        getattr(table, f"mark_{name}")(UPLOAD, *given)
    table.mark_stored(UPLOAD, IMAGE)
    assert recorder.names == set(kept()["attributes"]["upload"])


def test_a_recognition_has_the_attributes_of_before() -> None:
    source = (ROOT / "shared/recognition/detection_cache.py").read_text()
    named = set(re.findall(r'"(\w+)": \{"[SNLBM]', source)) | set(re.findall(r'"(expires)"', source))
    assert set(kept()["attributes"]["recognition"]) <= named


def test_a_callbacks_message_and_the_json_forms_have_the_members_of_before() -> None:
    assert [field.name for field in fields(Callback)] == kept()["messages"]["callback"]
    image = image_json(IMAGE, "https://pets.test/", [("Cat", 90.0)])
    assert set(image) == set(kept()["members"]["image"])
    hit = search_images._hit(Hit(IMAGE, 0.5, "words", ("calm",)), "https://pets.test/", (), 1)
    assert set(hit) - set(image) == set(kept()["members"]["hit"])
    shown: set[str] = set()
    for state in ("recognised", "failed"):
        of_state = Upload("u", 0, "https://pets.test/", "cat", 1, state=state, problem=PROBLEM)
        shown |= set(json.loads(json.dumps(upload_json(of_state, IMAGE))))
    assert shown == set(kept()["members"]["upload"])
