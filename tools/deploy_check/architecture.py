"""What `sam build` made, or will make: libraries for one kind of processor, on which the functions must run."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from tools.deploy_check.plan import Deploy

BUILT = ".aws-sam/build"
MACHINES = {0x3E: "x86_64", 0xB7: "arm64"}  # of ELF, at byte 18
DEFAULT = "x86_64"


def unlike(deploy: Deploy, variables: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Yield a sentence if the functions will have libraries for another processor.

    What the build folder has counts, unless BUILDS says that it is filled anew: then what ARCHITECTURE chooses does.
    """
    wanted = deploy.parameters["Architecture"]
    will_be = variables.get("ARCHITECTURE") or DEFAULT
    there = set() if variables.get("BUILDS") else built(folder / BUILT)
    if there - {wanted}:
        yield (
            f"Architecture is {wanted}, but {BUILT} has libraries for {' and '.join(sorted(there))}. Build it anew: "
            f"ARCHITECTURE={wanted} sam build"
        )
    elif not there and will_be != wanted:
        yield (
            f"Architecture is {wanted}, but the libraries are built for {will_be}. Set both to one: "
            f"make deploy ARCHITECTURE={wanted} PARAMETERS='Architecture={wanted}'"
        )


def built(folder: Path) -> set[str]:
    """Return the processors for which the libraries in a folder are."""
    heads = [_head(path) for path in folder.rglob("*.so*") if path.is_file()]
    found = {int.from_bytes(head[18:20], "little") for head in heads if head.startswith(b"\x7fELF")}
    return {MACHINES.get(each, f"machine {each}") for each in found}


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(20)
