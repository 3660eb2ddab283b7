"""The layout that imports depend on."""

import ast
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from cloud import ROOT, routes, template

FUNCTIONS = (
    *("upload", "random", "delete", "images", "edit", "web", "authorize"),
    *("uploads", "receive", "notify"),
)
SHIPPED = (*FUNCTIONS, "shared", "reconcile", "audit", "local", "costs")
PURE = (
    *("shared/access", "shared/addresses", "shared/chunks", "shared/images", "shared/items", "shared/transactions"),
    *("random/darts", "random/gaps", "random/order", "audit/chi_square"),
    *(f"shared/container{part}" for part in ("", "_jpeg", "_parts", "_png", "_webp")),
    *("notify/backoff", "notify/signature"),
)
MODULES = sorted(path for folder in SHIPPED for path in (ROOT / folder).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The modules that a file imports, outside `if TYPE_CHECKING`."""
    tree = ast.parse(path.read_text())
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


def test_function_folders_are_no_packages() -> None:
    assert not [folder for folder in FUNCTIONS if (ROOT / folder / "__init__.py").exists()]
    assert sorted(r["Properties"]["CodeUri"] for r in functions()) == sorted(f"{folder}/" for folder in FUNCTIONS)


def functions() -> list[dict[str, dict[str, str]]]:
    return [r for r in template()["Resources"].values() if r["Type"] == "AWS::Serverless::Function"]


def test_module_names_are_unique_and_not_the_standard_librarys() -> None:
    names = Counter(path.stem for folder in FUNCTIONS for path in (ROOT / folder).rglob("*.py"))
    assert not [name for name, count in names.items() if count > 1]
    assert not {path.stem for path in MODULES} - {"__init__", "__main__"} & set(sys.stdlib_module_names)


def test_every_handler_of_the_template_is_there() -> None:
    for function in functions():
        module, _, name = function["Properties"]["Handler"].partition(".")
        source = (ROOT / function["Properties"]["CodeUri"] / f"{module}.py").read_text()
        assert re.search(rf"^{name} = |^def {name}\(", source, re.MULTILINE)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_about_one_thing_and_imports_one_way(path: Path) -> None:
    name = str(path.relative_to(ROOT).with_suffix(""))
    assert len(path.read_text().splitlines()) <= 250
    assert ast.get_docstring(ast.parse(path.read_text())) or not path.read_text()
    imports = imported(path)
    folder = name.split("/")[0]
    others = {other for other in imported_folders(imports) if other not in (folder, "shared")}
    assert not others - ({"reconcile"} if folder == "local" else set()), "it imports another function's module"
    if folder == "shared":
        assert not {module for module in imports if module.split(".")[0] in set(SHIPPED) - {"shared", "random"}}
    if folder not in ("local",):
        assert "boto3" not in imports, "the layer has none"
        assert "botocore.session" not in imports or name == "shared/aws"
    if name.startswith(PURE):
        allowed = set(sys.stdlib_module_names) | {"shared"} | {Path(p).name for p in PURE}
        assert {module.split(".")[0] for module in imports} <= allowed
        inside = {module for module in imports if module.startswith("shared.")}
        pure = {p.replace("/", ".") for p in PURE} | {"shared.errors"}
        assert all(module in pure or module.rpartition(".")[0] in pure for module in inside)


def imported_folders(imports: set[str]) -> set[str]:
    """The folders of ours that these modules are in."""
    places = {path.stem: path.parent.name for path in MODULES if path.parent.name in FUNCTIONS}
    packages = {"shared", "reconcile", "audit", "local"}
    roots = {module.split(".")[0] for module in imports}
    return {places[root] for root in roots if root in places} | (roots & packages)


def test_no_path_has_any_of_one_function_and_a_method_of_another() -> None:
    """`sam local` serves such a method by one of the two at random (merge_routes in sam_api_provider.py)."""
    methods: dict[str, set[str]] = {}
    for path, method, _ in routes():
        methods.setdefault(path, set()).add(method)
    assert not [path for path, given in methods.items() if "ANY" in given and len(given) > 1]
