"""Libraries whose imports the build makes cheaper answer as they did."""

import shutil
import subprocess
import sys
from pathlib import Path

import urllib3

from tools.bundle import imports

HOSTS = [
    "aws.test",
    "10.0.0.1",
    "0x7f.1",
    "::1",
    "fe80::1%25eth0",
    "1:2:3:4:5:6:7:8",
    "::ffff:10.0.0.1",
    "a:b",
    "1::2::3",
]
HOSTS += [
    "[::1]",
    "[fe80::1%25eth0]",
    "[fe80::1%eth0]",
    "[FE80::A]",
    "[1::2::3]",
    "[",
    "[]",
    "a[::1]",
    ":",
    "%41.test",
    "ä.test",
]

CODE = f"""
import urllib3
from urllib3.util import parse_url, ssl_
for host in {HOSTS!r}:
    for url in (host, f"https://{{host}}", f"https://{{host}}:443/x?y", f"ftp://{{host}}"):
        try:
            print(parse_url(url))
        except urllib3.exceptions.LocationParseError as refusal:
            print(refusal)
    print(ssl_.is_ipaddress(host), ssl_.is_ipaddress(host.encode()) if host.isascii() else "")
"""


def printed(packages: Path) -> str:
    """Return what CODE prints with the urllib3 of this folder."""
    code = f"import sys\nsys.path.insert(0, {str(packages)!r})\n{CODE}\nprint(urllib3.__file__, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert Path(done.stderr.strip()).is_relative_to(packages)
    return done.stdout


def test_urllib3_takes_and_refuses_the_hosts_that_it_did(tmp_path: Path) -> None:
    installed = Path(urllib3.__file__).parent
    shutil.copytree(installed, tmp_path / "urllib3", ignore=shutil.ignore_patterns("__pycache__"))
    imports.lighten(tmp_path)
    expected = printed(installed.parent)
    assert len(set(expected.splitlines())) > len(HOSTS)
    assert printed(tmp_path) == expected
