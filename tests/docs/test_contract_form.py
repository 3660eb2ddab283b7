"""openapi.yaml has the form that generators of clients and linters need. `make clients` tries some of them."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.support.answers import CONTRACT, Validator, followed
from tests.support.cloud import ROOT

METHODS = {"get", "post", "put", "patch", "delete"}
OPERATIONS = [
    operation
    for group in ("paths", "webhooks")
    for item in CONTRACT[group].values()
    for method, operation in followed(item).items()
    if method in METHODS
]


def parts(part: Any, *names: str) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Yield each object in a part of the contract, with the names on the way to it."""
    if isinstance(part, dict):
        yield names, part
    members = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for name, member in members:
        yield from parts(member, *names, str(name))


def test_no_part_is_an_alias() -> None:
    """Parsers with a limit of aliases, as SnakeYAML's 50, refuse a document with more."""
    tokens = list(yaml.scan((ROOT / "openapi.yaml").read_text()))
    assert not [each for each in tokens if isinstance(each, yaml.AliasToken | yaml.AnchorToken)]


def test_each_operation_has_an_id_of_its_own() -> None:
    ids = [operation["operationId"] for operation in OPERATIONS]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch("[a-z]+([A-Z][a-z]+)*", each) for each in ids), ids


def test_each_operation_has_one_tag_that_is_described() -> None:
    described = {tag["name"] for tag in CONTRACT["tags"] if tag["description"]}
    assert {len(operation["tags"]) for operation in OPERATIONS} == {1}
    assert {tag for operation in OPERATIONS for tag in operation["tags"]} == described


def test_what_the_service_sends_has_a_tag_of_its_own() -> None:
    """A generator makes a class for each tag, and one for requests to and from the service would mix them up."""
    sent = {tag for item in CONTRACT["webhooks"].values() for tag in followed(item)["post"]["tags"]}
    asked = {
        tag for item in CONTRACT["paths"].values() for method in METHODS & item.keys() for tag in item[method]["tags"]
    }
    assert sent
    assert not sent & asked


def test_each_object_has_a_name() -> None:
    """A generator would invent one. Parts of an allOf, which has a name, need none."""
    unnamed = [names for names, part in parts(CONTRACT) if "properties" in part and not is_named(names)]
    assert not unnamed


def is_named(names: tuple[str, ...]) -> bool:
    """Return whether a path leads to a schema under components, or to a part of its allOf."""
    return names[:2] == ("components", "schemas") and (len(names) == 3 or (len(names) == 5 and names[3] == "allOf"))


@pytest.mark.skipif(not shutil.which("node"), reason="there is no Node.js")
def test_javascript_reads_each_pattern_with_and_without_unicode() -> None:
    """Generated validators compile patterns without the flag `u`, and JSON Schema means them with it."""
    patterns = [part["pattern"] for _, part in parts(CONTRACT) if isinstance(part.get("pattern"), str)]
    assert len(patterns) > 10
    program = f'for (const text of {json.dumps(patterns)}) ["", "u"].map((flags) => new RegExp(text, flags));'
    done = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_no_number_must_be_a_multiple_of_a_fraction() -> None:
    """Validators that divide doubles would refuse 0.5 as no multiple of 1e-9."""
    assert not [names for names, part in parts(CONTRACT) if isinstance(part.get("multipleOf"), float)]


def test_each_enumeration_has_a_type() -> None:
    assert not [names for names, part in parts(CONTRACT) if isinstance(part.get("enum"), list) and "type" not in part]


def test_each_body_has_a_schema() -> None:
    contents = [part["content"] for _, part in parts(CONTRACT) if isinstance(part.get("content"), dict)]
    assert all("schema" in media for content in contents for media in content.values())
    pictures = [media for content in contents for name, media in content.items() if re.match("image/(?!svg)", name)]
    assert pictures
    assert all(followed(media["schema"])["format"] == "binary" for media in pictures)


def test_json_comes_first() -> None:
    """Generators with one type per answer take the first."""
    contents = [list(part["content"]) for _, part in parts(CONTRACT) if isinstance(part.get("content"), dict)]
    assert {content.index("application/json") for content in contents if "application/json" in content} == {0}


def test_operations_without_security_are_open_and_each_scope_is_described() -> None:
    assert CONTRACT["security"] == []
    needed = {scope for each in OPERATIONS for way in each.get("security", ()) for scope in way.get("token", ())}
    described = set(re.findall("`(images:[a-z]+)`", CONTRACT["components"]["securitySchemes"]["token"]["description"]))
    assert needed
    assert needed <= described


def test_each_parameter_has_an_example_or_a_choice() -> None:
    """One that is required has it itself: forms are filled with it, and the others of a form should stay empty."""
    named = [part for _, part in parts(CONTRACT) if "name" in part and "in" in part and "schema" in part]
    assert len(named) > 30
    for part in named:
        schema = followed(part["schema"])
        shown = {"examples", "enum", "default"} & schema.keys()
        assert "example" in part if part.get("required") else shown, part["name"]
        if not part.get("required") and part["name"] != "label":
            assert "example" not in part, part["name"]
        examples = [*schema.get("examples", ()), *([part["example"]] if "example" in part else ())]
        for example in examples:
            Validator(schema).validate(example)


def test_labels_have_examples() -> None:
    named = [part for _, part in parts(CONTRACT) if part.get("name") == "label" and "in" in part]
    assert named
    assert all(followed(part["schema"])["examples"] for part in named)
