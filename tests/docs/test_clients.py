"""What `make clients` needs is locked and stated, and its guide quotes what it runs."""

import json
import re

import pytest
import yaml

from tests.clients import node
from tests.clients.__main__ import GUIDE, blocks
from tests.support.cloud import ROOT

CLIENTS = ROOT / "tests/clients"
PACKAGES = json.loads((CLIENTS / "package.json").read_text())
LOCKED = json.loads((CLIENTS / "package-lock.json").read_text())["packages"]


@pytest.mark.parametrize(
    ("version", "enough"),
    [
        *(("v20.19.0", True), ("v20.20.2", True), ("v22.12.0", True), ("v23.0.0", True), ("v24.1.0", True)),
        *(("v20.18.3", False), ("v18.20.4", False), ("v21.7.3", False), ("v22.11.0", False), ("", False)),
    ],
)
def test_versions_of_node(version: str, enough: bool) -> None:
    assert node.is_enough(version) == enough


def test_the_versions_of_node_are_those_that_the_linter_takes() -> None:
    engine = LOCKED["node_modules/@redocly/cli"]["engines"]["node"]
    assert engine == PACKAGES["engines"]["node"]
    assert [tuple(map(int, each)) for each in re.findall(r">=(\d+)\.(\d+)\.0", engine)] == [
        *sorted(node.LEAST.items(), reverse=True)
    ]
    for page in (GUIDE.read_text(), (ROOT / "Makefile").read_text()):
        assert "Node.js 20.19 or 22.12" in page


def test_the_packages_are_locked_by_hash_and_by_no_address() -> None:
    root, *others = LOCKED.values()
    assert {name: root[name] for name in ("dependencies", "engines")} == {
        name: PACKAGES[name] for name in ("dependencies", "engines")
    }
    assert others
    assert all(each["integrity"].startswith("sha512-") for each in others)
    assert not [each for each in others if "resolved" in each]


def test_the_guide_has_the_configuration_that_is_used() -> None:
    (shown,) = blocks("yaml")
    used = (CLIENTS / "openapi-python-client.yaml").read_text()
    assert yaml.safe_load(shown) == yaml.safe_load(used)


def test_the_linter_lets_no_rule_warn() -> None:
    config = yaml.safe_load((CLIENTS / "redocly.yaml").read_text())
    assert config["extends"] == ["all"]  # their severity is error
    assert set(config["rules"].values()) == {False}  # `off` in YAML 1.1
