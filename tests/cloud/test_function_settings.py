"""Each function has exactly the environment variables that its code reads, fallbacks of names in SSM among them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.settings import PARAMETERS
from tests.support.cloud import ROOT, functions, template

OF_LIBRARIES = {"OPENBLAS_NUM_THREADS"}  # which read them themselves
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


def environment_names(path: Path) -> set[str]:
    """Return the environment variables that a module reads, apart from fallbacks and Lambda's own.

    Where the name is a parameter or a loop's variable, these are all texts of the module that look like such a name.
    """
    module = ast.parse(path.read_text())
    keys = list(environment_keys(module))
    names = {key.value for key in keys if isinstance(key, ast.Constant)}
    if not all(isinstance(key, ast.Constant) for key in keys):
        names |= {node.value for node in ast.walk(module) if isinstance(node, ast.Constant)}
    looks_like_one = re.compile(r"(?!AWS_|LD_LIBRARY_PATH$)[A-Z]+(_[A-Z]+)*").fullmatch
    return {name for name in names if isinstance(name, str) and looks_like_one(name)}


def environment_keys(module: ast.Module) -> Iterator[ast.expr]:
    """Yield the key of each `os.environ.get(key)`, `os.environ[key]` and `key in os.environ`."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("os.environ.get", "os.getenv"):
            yield node.args[0]
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            yield node.slice
        elif isinstance(node, ast.Compare) and ast.unparse(node.comparators[0]) == "os.environ":
            yield node.left


def handler_of(name: str) -> Path:
    """Return the module of a function's handler."""
    properties = functions()[name]["Properties"]
    return ROOT / properties["CodeUri"] / f"{properties['Handler'].partition('.')[0]}.py"


def own_variables(name: str) -> set[str]:
    """Return the variables that the template gives to this function only."""
    return set(functions()[name]["Properties"].get("Environment", {}).get("Variables", {}))


GLOBALS = set(template()["Globals"]["Function"]["Environment"]["Variables"])


@pytest.mark.parametrize("name", functions())
def test_a_function_has_the_variables_that_its_code_reads(name: str) -> None:
    read = {variable for path in code_of(handler_of(name)) for variable in environment_names(path)}
    assert own_variables(name) - set(VARIABLES) - OF_LIBRARIES == read - GLOBALS


def test_functions_with_an_encoder_or_numpy_of_their_own_run_it_in_one_thread() -> None:
    encoders = ROOT / "shared/vectors/encoders.py"
    has_encoder = {name for name in functions() if encoders in code_of(handler_of(name))}
    folders = {name: function["Properties"]["CodeUri"].strip("/") for name, function in functions().items()}
    locks = {name: ROOT / "requirements" / f"{folder}.txt" for name, folder in folders.items()}
    has_numpy = {name for name, lock in locks.items() if lock.exists() and "numpy==" in lock.read_text()}
    assert has_encoder
    assert has_numpy
    assert has_encoder | has_numpy == {name for name in functions() if "OPENBLAS_NUM_THREADS" in own_variables(name)}


def test_the_variables_of_all_functions_are_read() -> None:
    every_module = {path for name in functions() for path in code_of(handler_of(name))}
    assert {variable for path in every_module for variable in environment_names(path)} >= GLOBALS


def test_nothing_else_reads_the_environment() -> None:
    """Such a read would escape these tests."""
    for path in {path for name in functions() for path in code_of(handler_of(name))}:
        module = ast.parse(path.read_text())
        named = [getattr(node, "attr", getattr(node, "name", "")) for node in ast.walk(module)]
        assert named.count("environ") + named.count("getenv") == len(list(environment_keys(module))), path


@pytest.mark.parametrize("name", functions())
def test_a_function_has_the_fallbacks_of_the_names_that_it_uses(name: str) -> None:
    declared = {VARIABLES[variable] for variable in own_variables(name) if variable in VARIABLES}
    assert declared == {field for path in code_of(handler_of(name)) for field in used(path)}


def test_the_globals_have_no_fallbacks_and_each_is_filled() -> None:
    assert not GLOBALS & set(VARIABLES)
    for function in functions().values():
        variables = function["Properties"].get("Environment", {}).get("Variables", {})
        assert all(variables[name] for name in set(variables) & set(VARIABLES))
