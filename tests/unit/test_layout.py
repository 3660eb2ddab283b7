"""The layout that imports depend on."""

import ast
import re
import sys
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.support.cloud import FUNCTIONS, ROOT, functions, routes

SHIPPED = (*FUNCTIONS, "shared", "tools", "costs", "client")
MODULES = sorted(path for folder in SHIPPED for path in (ROOT / folder).rglob("*.py"))

# What never imports what, by folder. Of the modules of shared/ itself, a few stand above the groups; the others are the
# ground floor.
GROUPS = (
    *("shared/api", "shared/forms", "shared/labels", "shared/pictures", "shared/recognition", "shared/uploads"),
    "shared/vectors",
)
ABOVE = tuple(
    f"shared/{name}"
    for name in ("add_image", "index_state", "missing_picture", "picture_response", "thumbnail", "tiles")
)
GROUND = tuple(
    f"shared/{path.stem}"
    for path in sorted((ROOT / "shared").glob("*.py"))
    if path.stem != "__init__" and f"shared/{path.stem}" not in ABOVE
)


def _groups_but(*allowed: str) -> tuple[str, ...]:
    """Return all groups but these."""
    return tuple(group for group in GROUPS if group.removeprefix("shared/") not in allowed)


NEVER = {
    "shared": ("tools", "costs", "client", "tests", *FUNCTIONS),
    **dict.fromkeys(GROUND, (*GROUPS, *ABOVE)),
    "shared/api": (*ABOVE, *_groups_but("api", "labels")),
    "shared/forms": (*ABOVE, *_groups_but("forms")),
    "shared/labels": (*ABOVE, *_groups_but("labels")),
    "shared/pictures/stripping": ("shared/pictures/showing",),
    "shared/pictures/showing": ("shared/pictures/stripping/strip_jpeg", "shared/pictures/check"),
    "shared/pictures": (*ABOVE, *_groups_but("pictures")),
    "shared/recognition": (*ABOVE, *_groups_but("recognition", "pictures", "labels")),
    "shared/uploads": (*ABOVE, *_groups_but("uploads", "api", "labels")),
    "shared/vectors": (*ABOVE, *_groups_but("vectors", "pictures", "recognition")),
    **{
        folder: ("tools", "costs", "client", "tests", *(other for other in FUNCTIONS if other != folder))
        for folder in FUNCTIONS
    },
    "costs": ("tests", "client", *FUNCTIONS),
    "client": ("tests", "tools", "costs", "shared", *FUNCTIONS),  # it is a package of its own
    "tools/bundle": (
        "tests",
        "tools/local",
        "client",
        "tools/reconcile",
        "tools/benchmarks",
        "shared",
        *FUNCTIONS,
    ),
    "tools/corpus": (
        *("tests", "tools/local", "client", "tools/bundle", "tools/reconcile", "tools/benchmarks"),
        *FUNCTIONS,
    ),
    "tools/local": ("tests", "client", "tools/bundle", "tools/benchmarks", *FUNCTIONS),
    "tools/reconcile": ("tests", "tools/local", "client", "tools/bundle", "tools/benchmarks", *FUNCTIONS),
}


def place(path: Path) -> str:
    """Return `shared/labels/store` for a module's file, `shared/labels` for a package's."""
    return str(path.relative_to(ROOT).with_suffix("")).removesuffix("/__init__")


# Only the standard library and each other: no AWS, no clock, no randomness of their own.
PURE = {
    *(
        "shared/images",
        "shared/errors",
        "shared/limits",
        "shared/recognised_label",
        "shared/api/access",
        "shared/api/accept",
        "shared/api/etags",
    ),
    *("shared/api/image_json", "shared/labels/chunks", "shared/labels/counts", "shared/labels/items"),
    *("shared/labels/transactions", "shared/vectors/words", "shared/vectors/entry"),
    *("shared/uploads/callback_url", "shared/pictures/icc", "shared/pictures/transport"),
    *(place(path) for path in MODULES if path.parent.name == "stripping" and path.stem != "__init__"),
    *(f"shared/pictures/showing/{name}" for name in ("colour_spaces", "hdr", "lab_tables", "png_still")),
    *(
        "random/darts",
        "random/gaps",
        "random/session_order",
        "notify/backoff",
        "shared/backoff",
        "index/retrying",
        "notify/signature",
    ),
    *("shared/forms/boundary", "shared/forms/file_names"),
    *("mosaic/mosaic_options", "mosaic/mosaic_grid"),
    *(
        f"client/petapi_client/{name}"
        for name in ("cells", "chi_square", "problem", "values", "weights", "weights_csv")
    ),
    "tools/local/origins",
    *(f"tools/local/vectors/{name}" for name in ("filters", "policies", "refused", "rules", "targets")),
    *("tools/reconcile/placing", "tools/reconcile/rebuild_writes", "tools/reconcile/tally"),
    "tools/benchmarks/latency/quota",
}


# Pure, and of numbers.
PURE_OF_NUMPY = {"mosaic/matching"}
PLACES = {place(path) for path in MODULES}
FLAT = {path.stem: place(path) for path in MODULES if path.parent.name in FUNCTIONS}


def imports_of(path: Path) -> set[str]:
    """Return the modules that a file imports when it is imported, outside `if TYPE_CHECKING`, as dotted names."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


def all_imports_of(path: Path) -> set[str]:
    """Return them wherever they stand, in functions and under `if TYPE_CHECKING`, too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


def ours(names: set[str]) -> set[str]:
    """Return which of our modules these dotted names are."""
    paths = {FLAT.get(name.partition(".")[0], name.replace(".", "/")) for name in names}
    paths = {f"client/{path}" if path.startswith("petapi_client") else path for path in paths}
    return {path for path in paths if path in PLACES or path.startswith("tests/")}


def inside(module: str, folder: str) -> bool:
    return module == folder or module.startswith(f"{folder}/")


def test_function_folders_are_no_packages() -> None:
    assert not [folder for folder in FUNCTIONS if (ROOT / folder / "__init__.py").exists()]


def test_module_names_are_unique_and_not_the_standard_librarys() -> None:
    names = Counter(path.stem for folder in FUNCTIONS for path in (ROOT / folder).rglob("*.py"))
    assert not [name for name, count in names.items() if count > 1]
    assert not ({path.stem for path in MODULES} - {"__init__", "__main__"}) & set(sys.stdlib_module_names)


def test_the_function_folders_are_listed_in_the_template_and_for_ruff_only() -> None:
    listed = re.search(r"^src = \[(.*)\]$", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert listed
    assert set(re.findall(r'"(.*?)"', listed[1])) == {".", "client", *FUNCTIONS}
    makefile = (ROOT / "Makefile").read_text()
    assert not re.search(r"\b(browse|presign|ingest)\b", makefile)


def test_every_handler_of_the_template_is_there() -> None:
    for function in functions().values():
        module, _, name = function["Properties"]["Handler"].partition(".")
        source = (ROOT / function["Properties"]["CodeUri"] / f"{module}.py").read_text()
        assert re.search(rf"^{name} = |^def {name}\(", source, re.MULTILINE)


def test_every_handler_is_an_endpoint_or_an_entry() -> None:
    """Each call gets its deadline, and the first one ends the cold start."""
    for function in functions().values():
        module = function["Properties"]["Handler"].partition(".")[0]
        source = (ROOT / function["Properties"]["CodeUri"] / f"{module}.py").read_text()
        assert re.search(r"^handler = endpoint\(|^@entry\ndef handler\(", source, re.MULTILINE), module


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_a_module_is_about_one_thing(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 250
    assert ast.get_docstring(ast.parse(path.read_text())) or not path.read_text()


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_a_module_imports_one_way(path: Path) -> None:
    name, imported = place(path), ours(all_imports_of(path))
    never = {banned for folder, all_banned in NEVER.items() if inside(name, folder) for banned in all_banned}
    if name.startswith("shared/"):
        never -= {"shared"}
    assert not {module for module in imported for banned in never if inside(module, banned) and module != name}


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Not in functions either, where Python would let them. A package's `__init__` only hands names on."""
    packages = {place(path) for path in MODULES if path.stem == "__init__"}
    imported = {place(path): ours(all_imports_of(path)) - {place(path)} - packages for path in MODULES}
    list(TopologicalSorter(imported).static_order())  # raises CycleError


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_only_some_modules_make_clients(path: Path) -> None:
    name, imported = place(path), imports_of(path)
    assert "boto3" not in imported or inside(name, "tools"), "the layer has none"
    assert "botocore.session" not in imported or name == "shared/aws"


def test_no_test_module_imports_another() -> None:
    """What two test modules need lives in tests/support."""
    modules = [path for folder in ("tests", "tools") for path in sorted((ROOT / folder).rglob("*.py"))]
    imported = {place(path): all_imports_of(path) for path in modules}
    tests = {name.replace("/", ".") for name in imported if name.rpartition("/")[2].startswith(("test_", "conftest"))}
    assert tests
    assert not {(name, each) for name, names in imported.items() for each in names & tests}


@pytest.mark.parametrize("name", sorted(PURE | PURE_OF_NUMPY))
def test_a_pure_module_imports_the_standard_library_and_pure_modules(name: str) -> None:
    imported = imports_of(ROOT / f"{name}.py")
    allowed = {*sys.stdlib_module_names, *FLAT, "shared", "tools", "petapi_client"}
    allowed |= {"numpy"} if name in PURE_OF_NUMPY else set()
    assert not {m for m in imported if m.partition(".")[0] not in allowed}
    packages = {place(path) for path in MODULES if path.stem == "__init__"}
    assert ours(imported) - packages <= PURE


def test_no_path_has_any_of_one_function_and_a_method_of_another() -> None:
    """`sam local` serves such a method by one of the two at random (merge_routes in sam_api_provider.py)."""
    methods: dict[str, set[str]] = {}
    for path, method, _ in routes():
        methods.setdefault(path, set()).add(method)
    assert not [path for path, given in methods.items() if "ANY" in given and len(given) > 1]
