"""Drop each condition and step of the transactions and of the order of writes, once; the simulation must notice.

`make mutants` runs the mutants of mutants.yaml and prints a table: each is caught, or implied by others with the proof
given there.
"""

import importlib.abc
import importlib.util
import logging
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.cloud import FUNCTIONS, ROOT

SCENARIOS = 300  # at most, until one of them notices

# (pictures, heaviest weight, conflicts, share of thumbnails): many pictures, one picture for all clients, a store that
# often gives up, and thumbnails of images that are deleted soon
KINDS = (
    *((24, 60, 0.1, 0.0), (6, 6, 0.1, 0.0), (1, 3, 0.1, 0.0), (24, 1, 0.1, 0.0), (1, 1, 0.1, 0.0), (6, 60, 0.85, 0.0)),
    *((3, 1, 0.1, 1.0), (2, 1, 0.1, 3.0), (1, 1, 0.1, 2.0)),
)


@dataclass(frozen=True)
class Mutant:
    """Replacements of texts, each found once in its file.  `implied` is the proof that no run can notice them.

    `kind` has the arguments of the scenarios that show it, where the usual kinds rarely do.  `draws` is whether every
    dart shows it, which scenarios do not throw, or a file name that changes, which scenarios do not change.
    """

    name: str
    replace: list[dict[str, str]]
    implied: str = ""
    kind: dict[str, float] | None = None
    draws: bool = False


def mutants() -> list[Mutant]:
    """Return the mutants of mutants.yaml."""
    return [Mutant(**entry) for entry in yaml.safe_load((ROOT / "tests" / "mutants.yaml").read_text())]


class Loader(importlib.abc.MetaPathFinder, importlib.abc.SourceLoader):
    """An importer that loads the mutant's modules from the replaced source."""

    def __init__(self, mutant: Mutant) -> None:
        self.sources: dict[str, str] = {}
        for change in mutant.replace:
            path = str(ROOT / change["file"])
            source = self.sources.get(path) or Path(path).read_text()
            assert source.count(change["old"]) == 1, f"{change['old']!r} is there {source.count(change['old'])} times"
            self.sources[path] = source.replace(change["old"], change["new"])

    def find_spec(self, fullname, path, target=None):  # type: ignore[no-untyped-def]
        for file in self.sources:
            module = Path(file).relative_to(ROOT).with_suffix("")
            name = module.name if module.parts[0] in FUNCTIONS else ".".join(module.parts)
            if name == fullname:
                return importlib.util.spec_from_file_location(fullname, file, loader=self)
        return None

    def get_filename(self, fullname: str) -> str:
        return next(file for file in self.sources if Path(file).stem == fullname.rpartition(".")[2])

    def get_data(self, path: str | bytes) -> bytes:
        return self.sources[str(path)].encode()

    def path_stats(self, path: str | bytes) -> dict[str, object]:
        raise OSError  # so that nothing is cached


def notice(mutant: Mutant, scenarios: int) -> str:
    """Return why the simulation fails with this mutant; empty if it does not."""
    sys.meta_path.insert(0, Loader(mutant))
    from tests.support.simulation import Broken, Simulation

    if mutant.draws:
        return notice_by_darts(scenarios)
    for seed in range(scenarios):
        pictures, heavy, conflicts, thumbnails = KINDS[seed % len(KINDS)]
        usual = {"pictures": pictures, "heavy": heavy + 1, "conflicts": conflicts, "thumbnails": thumbnails}
        kind: Any = mutant.kind or usual
        try:
            outcome = Simulation(seed, **kind).run()
            gave_up = sum(count for answer, count in outcome.answers.items() if answer.endswith("503"))
            assert kind["conflicts"] > 0.5 or gave_up <= 1, "operations give up"
        except (Exception, Broken) as error:
            return f"scenario {seed}: {_line(error)}"
    return ""


def _line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def notice_by_darts(scenarios: int) -> str:
    """Return why draws fail whose reads are of chosen moments; empty if they do not."""
    from shared.errors import Unavailable
    from tests.support import every_dart, left_out, renamed
    from tests.support.simulation import Simulation

    try:
        every_dart.check_failed_reads(is_remembered=True)
        every_dart.check_order()
        every_dart.check_picture()
        every_dart.check_total()
        for said in left_out.SAID:
            left_out.check_law(said)
        renamed.check_all()
    except (AssertionError, Unavailable) as error:
        return _line(error)
    for seed in range(scenarios):
        try:
            scenario = Simulation(seed, heavy=4, pictures=8)
            scenario.run()
            every_dart.in_turn(scenario.history, random.Random(seed), count=10, longest=400)
        except AssertionError as error:
            return f"scenario {seed}: {_line(error)}"
    return ""


def run(number: int, scenarios: int = SCENARIOS) -> str:
    """Do the same in another process."""
    command = [sys.executable, "-m", "tests.mutants", str(number), str(scenarios)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def main() -> int:
    """Run all mutants.  Return 1 if one goes unnoticed that is not implied, or is noticed although it is."""
    all_mutants = mutants()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(zip(all_mutants, pool.map(run, range(len(all_mutants))), strict=True))
    for mutant, noticed in results:
        verdict = "caught" if noticed else "implied" if mutant.implied else "MISSED"
        print(f"{verdict:8} {mutant.name:48} {noticed or mutant.implied}")
    wrong = [mutant.name for mutant, noticed in results if bool(noticed) == bool(mutant.implied)]
    implied = sum(bool(mutant.implied) for mutant in all_mutants)
    count = len(all_mutants)
    print(f"{count} mutants: {implied} implied, {count - implied} to be caught, {len(wrong)} not as expected")
    return int(bool(wrong))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        logging.disable(logging.CRITICAL)
        print(notice(mutants()[int(sys.argv[1])], int(sys.argv[2])))
    else:
        sys.exit(main())
