"""Each function has the fallback variables of exactly the names that its code uses, and asks SSM for no others."""

import ast
from pathlib import Path

import pytest

from shared.settings import PARAMETERS
from tests.support.cloud import ROOT, functions, template

VARIABLES = {variable: field for field, (_, variable) in PARAMETERS.items()}


def imports(path: Path) -> set[Path]:
    """Return our files that a module imports, wherever the statement stands, except for type checkers only."""
    found: set[Path] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            for candidate in (path.parent / f"{name}.py", ROOT / f"{name.replace('.', '/')}.py"):
                if candidate.exists():
                    found.add(candidate)
    return found


def code_of(handler: Path) -> set[Path]:
    """Return the handler's module and all modules that it imports, directly or not."""
    found, todo = set[Path](), [handler]
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += imports(path)
    return found


def used(path: Path) -> set[str]:
    """Return the fields of Settings that a module reads."""
    return {
        node.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "settings"
    } & set(PARAMETERS)


@pytest.mark.parametrize("name", functions())
def test_a_function_has_the_fallbacks_of_the_names_that_it_uses(name: str) -> None:
    properties = functions()[name]["Properties"]
    handler = ROOT / properties["CodeUri"] / f"{properties['Handler'].partition('.')[0]}.py"
    declared = {VARIABLES[v] for v in properties.get("Environment", {}).get("Variables", {}) if v in VARIABLES}
    assert declared == {field for path in code_of(handler) for field in used(path)}


def test_the_globals_have_no_fallbacks_and_each_is_filled() -> None:
    assert not set(template()["Globals"]["Function"]["Environment"]["Variables"]) & set(VARIABLES)
    for function in functions().values():
        variables = function["Properties"].get("Environment", {}).get("Variables", {})
        assert all(variables[name] for name in set(variables) & set(VARIABLES))
