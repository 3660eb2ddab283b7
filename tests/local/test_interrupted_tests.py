"""A run of tests that is killed leaves no server behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.local_service import READY_MAX, ROOT, STOP_MAX

A_TEST = """
import signal
from pathlib import Path
from tests.support.local_service import LocalService

def test_that_never_ends() -> None:
    with LocalService(Path("data").absolute()) as service:
        Path("writing").write_text(str(service.pid))
        Path("writing").rename("pid")
        signal.pause()
"""


@pytest.mark.usefixtures("slow_tier")
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent ended")
def test_a_killed_pytest_leaves_no_server_behind(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(A_TEST)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, "test_it.py"]
    tests = subprocess.Popen(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL)
    try:
        give_up = time.monotonic() + READY_MAX
        while not (tmp_path / "pid").exists():
            assert tests.poll() is None
            assert time.monotonic() < give_up
            time.sleep(0.05)
        server = Path("/proc", (tmp_path / "pid").read_text())
        assert is_there(server)
    finally:
        tests.send_signal(signal.SIGKILL)
        tests.wait()
    give_up = time.monotonic() + STOP_MAX
    while is_there(server):
        if time.monotonic() > give_up:
            os.kill(int(server.name), signal.SIGKILL)
            pytest.fail("the server outlived the tests")
        time.sleep(0.05)


def is_there(server: Path) -> bool:
    """Return whether this process of /proc is a server that runs."""
    return (server / "cmdline").exists() and b"tools.local" in (server / "cmdline").read_bytes()
