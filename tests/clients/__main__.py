"""`make clients`: generate clients from the contract of a running petAPI, use them, and lint the contract.

Each client uploads, draws, lists, changes and deletes, and gets refusals. Without Node.js, this says what was not
tested.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from tests.clients import node
from tests.support import pictures
from tests.support.local_service import ROOT, LocalService
from tools.local import local_issuer
from tools.local.data_folder import TOKEN_ISSUER
from tools.local.print_token import DEFAULT_SCOPE

HERE = Path(__file__).parent
GUIDE = ROOT / "docs/how-to/generate-a-client.md"
PRINTED_URL = "http://127.0.0.1:3000"
STEP_MAX = 600.0  # seconds until a hanging program is ended
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
TOKENS = {"TOKENS": "1"}  # writes need one
LOUD = "!!!!!!!!"


def main(environment: Path) -> None:
    """Run all steps. `environment` has the generator for Python in bin/, and gets the packages for Node.js in node/."""
    missing = node.why_not()
    modules = Path() if missing else node.install(environment / "node")
    if not missing:
        lint(modules)
    with tempfile.TemporaryDirectory() as folder, LocalService(Path(folder) / "data", variables=TOKENS) as service:
        service.be_patient()
        os.environ["TOKEN"] = local_issuer.find(service.data / TOKEN_ISSUER).token("me", DEFAULT_SCOPE)
        picture = Path(folder) / "picture.png"
        picture.write_bytes(pictures.png())
        use = (service.url, str(picture))
        python_client(environment / "bin", Path(folder) / "python", *use)
        if not missing:
            typescript_client(modules, Path(folder) / "typescript", *use)
    if missing:
        print(f"{LOUD} the TypeScript client and the form of openapi.yaml WERE NOT TESTED: {missing} {LOUD}")


def lint(modules: Path) -> None:
    """Hold openapi.yaml to the rules of redocly.yaml, where each is an error."""
    options = ("--config", str(HERE / "redocly.yaml"), "--lint-config", "error")
    step("redocly", str(modules / ".bin/redocly"), "lint", "openapi.yaml", *options)


def python_client(programs: Path, folder: Path, url: str, picture: str) -> None:
    """Generate the client with openapi-python-client, check the types of what uses it, and use it."""
    script, types = str(HERE / "use_python_client.py"), {"MYPYPATH": str(folder)}
    options = ["--config", str(HERE / "openapi-python-client.yaml"), "--fail-on-warning", "--output-path", str(folder)]
    generator = (str(programs / "openapi-python-client"), "generate", "--url", f"{url}/openapi.json", *options)
    step("openapi-python-client", *generator, environment={"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"})
    check = (sys.executable, "-m", "mypy", "--strict", "--python-executable", str(programs / "python"), script)
    step("its types", *check, environment=types)
    python, using = str(programs / "python"), {"PYTHONPATH": str(folder)}
    step("the Python client", python, script, url, picture, environment=using)
    printed = step("as printed", python, str(as_printed("python", folder / "printed.py", url)), environment=using)
    assert re.search(r"^ImageWithProbability\(.*\nDrawnImage\(", printed), printed


def typescript_client(modules: Path, folder: Path, url: str, picture: str) -> None:
    """Generate types with openapi-typescript, compile what uses them, and use it."""
    folder.mkdir()
    (folder / "node_modules").symlink_to(modules)
    (folder / "package.json").write_text('{"type": "module"}\n')
    for name in ("generate_types.mjs", "use_typescript_client.ts", "tsconfig.json"):
        (folder / name).write_bytes((HERE / name).read_bytes())
    types = step("openapi-typescript", "node", "generate_types.mjs", f"{url}/openapi.json", folder=folder)
    (folder / "petapi.ts").write_text(types)
    as_printed("ts", folder / "printed.ts", url)
    step("its types", str(modules / ".bin/tsc"), folder=folder)
    step("the TypeScript client", "node", "built/use_typescript_client.js", url, picture, folder=folder)
    printed = step("as printed", "node", str(folder / "built/printed.js"))
    assert re.search(r"^cat/\w+\.png\n\{[^}]* totalWeight: ", printed), printed


def blocks(language: str) -> list[str]:
    """Return the blocks of the guide in this language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE.read_text(), re.DOTALL | re.MULTILINE)


def as_printed(language: str, path: Path, url: str) -> Path:
    """Write the guide's program in this language to a path, with the address of this service."""
    (program,) = blocks(language)
    assert PRINTED_URL in program
    path.write_text(program.replace(PRINTED_URL, url))
    return path


def step(name: str, *command: str, folder: Path = ROOT, environment: Mapping[str, str] | None = None) -> str:
    """Run a command and return what it prints. If it fails, show its output and exit."""
    started = time.monotonic()
    variables = {**os.environ, **QUIET, **(environment or {})}
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, check=False, timeout=STEP_MAX
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\n{done.stderr}\nmake clients: {name} failed, as it says above.")
    print(f"{name}: ok ({time.monotonic() - started:.0f} s)", flush=True)
    return done.stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]))
