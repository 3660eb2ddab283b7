"""Make tests/data/<version>/names.txt: the names that a version of petAPI gives the sample pictures of packages.

Each line has the first 16 hexadecimal digits of a file's SHA-256, and either those of the name with its extension, or
`refused`.  Files that do not begin like a JPEG, PNG or WebP are left out, and equal files are listed once.

The names of version 0.1 were made by the code of commit 6307809, which strips and names pictures as 0.1 does:

    make corpus-fetch
    .venv/bin/python -m tests.make_old_names 6307809 0.1
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.corpora import FETCHED, ROOT, digits, fetched, files_like_pictures

# What runs with the commit's code: it reads the paths of files, and prints the name of each, or `refused`.
NAMING = """
import sys
from hashlib import sha256
from pathlib import Path
from shared.errors import ApiError
from shared.images import name_of
from shared.pictures.check import check_picture
for line in sys.stdin:
    try:
        picture = check_picture(Path(line.rstrip("\\n")).read_bytes())
        print(name_of(sha256(picture.content).digest(), picture.extension), flush=True)
    except ApiError:
        print("refused", flush=True)
"""


def main(commit: str, version: str) -> None:
    """Write the names that the code of this commit gives."""
    if not fetched():
        sys.exit(f"{FETCHED} is incomplete; run `make corpus-fetch`.")
    files = files_like_pictures()
    with TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "archive", commit, "shared"], cwd=ROOT, capture_output=True, check=True)
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        named = subprocess.run(
            [sys.executable, "-P", "-c", NAMING],
            input="".join(f"{path}\n" for path in files.values()),
            env={"PYTHONPATH": folder},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout.split()
    lines = [f"{digest} {digits(name)}\n" for digest, name in zip(files, named, strict=True)]
    target: Path = ROOT / "tests/data" / version / "names.txt"
    target.write_text("".join(lines), encoding="utf-8")
    print(f"{target} has the names of {len(lines)} files.")


if __name__ == "__main__":
    main(*sys.argv[1:])
