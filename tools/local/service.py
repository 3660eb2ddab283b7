"""One run of petAPI on this machine: the emulator, the stack on it, the front, snapshots, and a clean end."""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve as hypercorn
from hypercorn.config import Config

from shared import aws
from shared.pictures.bucket import Bucket
from shared.settings import read_settings
from tools.local import data_folder, protocol, snapshots
from tools.local.checkpoints import Checkpoints
from tools.local.data_folder import DataFolder
from tools.local.deploy import ARTIFACTS, Deployment
from tools.local.emulator import App, Emulator, guarded
from tools.local.front import Front
from tools.local.refusals import Refusal
from tools.reconcile.inventory import Inventory
from tools.reconcile.reconcile import Reconciliation

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent.parent
LOG_MAX = 5_000_000  # bytes, twice: the present log file and the one before
GRACE = 3.0  # seconds that requests under way at the end may take

READY = """petAPI is ready at {base}
{writers} may upload and delete; other machines cannot reach it. Ctrl-C stops it.
The data is in {data}, the log in {data}/emulator.log. Try:
  curl -F label={label} -F weight=0.7 -F img=@tests/images/chelsea.png {base}/upload
  curl -o /tmp/random.png -D - '{base}/random?label={label}'
  curl '{base}/random?label={label}&format=json'
"""


def serve(port: int, data: Path, parameters: Mapping[str, str]) -> None:
    """Serves until a signal says stop. Refusal if it cannot begin."""
    folder = data_folder.claim(data)
    public, private = _socket(port), _socket(0)
    _log_to(folder.log)
    protocol.install()
    damaged = _restore(folder)
    killed = data_folder.mark_running(folder)
    try:
        emulator = Emulator(folder, private.getsockname()[1])
        asyncio.run(_Run(folder, emulator, public, private, parameters).run(killed=killed, damaged=damaged))
    except Refusal:
        if not killed:
            data_folder.mark_stopped(folder)
        raise
    data_folder.mark_stopped(folder)


class _Run:
    """What one run holds, from a started emulator to its end."""

    def __init__(
        self,
        folder: DataFolder,
        emulator: Emulator,
        public: socket.socket,
        private: socket.socket,
        parameters: Mapping[str, str],
    ) -> None:
        self._folder, self._emulator, self._public, self._private = folder, emulator, public, private
        self._parameters = parameters
        self._checkpoints = Checkpoints(folder, emulator)

    async def run(self, *, killed: bool, damaged: bool) -> None:
        """Everything between the start of the emulator and its end."""
        stop, end_aws = _stop_signal(), asyncio.Event()
        private = asyncio.create_task(
            _listen(guarded(self._emulator.asgi, self._checkpoints.written), self._private, end_aws.wait)
        )
        try:
            outputs = await asyncio.to_thread(self._deploy)
            if killed:
                await asyncio.to_thread(_after_unclean_stop, damaged=damaged)
            await self._checkpoints.take()
            await self._serve(outputs["ApiId"], stop, private)
        finally:
            self._emulator.stop_functions()
            end_aws.set()
            await private

    def _deploy(self) -> dict[str, str]:
        deployment = Deployment()
        deployment.wait_for_emulator()
        self._emulator.refuse_lost_state()
        outputs = deployment.bring_up(ROOT, self._parameters)
        text = "".join(f"{name}={value}\n" for name, value in self._emulator.variables.items())
        data_folder.write_private(self._folder.aws_env, text)
        return outputs

    async def _serve(self, api_id: str, stop: asyncio.Event, private: asyncio.Task[None]) -> None:
        """Answers requests until `stop`, or until a part of the program fails."""
        front = Front(
            partial(self._emulator.call_api, api_id), str(self._folder.log), failing=lambda: self._checkpoints.failing
        )
        ready = self._ready()
        public = asyncio.create_task(_listen(front, self._public, stop.wait))
        keeping_up = asyncio.create_task(self._checkpoints.keep_up())
        print(ready, end="", flush=True)
        done, _ = await asyncio.wait({public, private, keeping_up}, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await public
        await self._checkpoints.end(keeping_up)
        for task in done:
            task.result()

    def _ready(self) -> str:
        labels = [label.strip() for label in self._parameters.get("Labels", "cat").split(",")]
        label = "cat" if {"cat", "*"} & set(labels) else labels[0]
        base = f"http://127.0.0.1:{self._public.getsockname()[1]}"
        issuer = self._parameters.get("JwtIssuer")
        writers = f"Only who has a token of {issuer}" if issuer else "Writes are open: every program on this machine"
        return READY.format(base=base, label=label, data=self._folder.path, writers=writers)


def _after_unclean_stop(*, damaged: bool) -> None:
    """Brings rows and objects together again after a kill, and says how many were apart.

    Runs in a thread, before the first request is taken: no upload is under way, so no version is too young.  But when
    the newest snapshot was `damaged`, versions without a row are what it knew: they stay.  AWS clients made here reach
    the emulator as the account's owner: the environment says so.
    """
    until = datetime.min.replace(tzinfo=UTC) if damaged else datetime.now(UTC)
    settings = read_settings()
    store, bucket = Inventory(aws.dynamodb(), settings), Bucket(aws.s3(), settings.bucket)
    report = Reconciliation(store, bucket, until, log=logger.warning).run()
    print(f"The last run did not end by itself. Reconciled: {report}.", flush=True)


def _socket(port: int) -> socket.socket:
    """A socket bound to this port of the loopback interface; port 0 is a free one."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(("127.0.0.1", port))
    except OSError as error:
        bound.close()
        raise Refusal(
            f"Port {port} cannot be used ({error.strerror}); choose another one: make run PORT=3001"
        ) from error
    bound.listen()
    return bound


def _log_to(path: Path) -> None:
    """The log of everything in this process; nothing but our own sentences goes to the terminal."""
    handler = RotatingFileHandler(path, maxBytes=LOG_MAX, backupCount=1, encoding="utf-8")
    logging.basicConfig(handlers=[handler], format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.captureWarnings(True)
    logging.getLogger("functions").setLevel(logging.INFO)


def _restore(folder: DataFolder) -> bool:
    """The newest whole snapshot into `state`, an empty start only where nothing was ever kept.

    True if there was a newer snapshot, which is damaged.
    """
    snapshot, damages = snapshots.newest_whole(folder.snapshots)
    for damage in damages:
        print(f"The snapshot file {damage}; going on with snapshot {snapshot and snapshot.name}.", file=sys.stderr)
    if snapshot:
        snapshots.restore(snapshot, folder.state)
        return bool(damages)
    kept = [path for path in folder.objects.rglob("*") if path.is_file() and ARTIFACTS not in path.parts]
    if kept:
        raise Refusal(
            f"{folder.objects} has images but {folder.snapshots} has no snapshot of the data about them. "
            "Put a copy of the data folder in its place, or move it away to begin with empty data."
        )
    folder.clear()
    return False


def _stop_signal() -> asyncio.Event:
    """Set by Ctrl-C, SIGTERM and, unless `nohup` has it ignored, SIGHUP."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _listen(app: App, bound: socket.socket, ended: Callable[[], Awaitable[object]]) -> None:
    config = Config()
    config.bind = [f"fd://{bound.detach()}"]
    config.errorlog = logging.getLogger("hypercorn")
    config.include_server_header = False
    config.graceful_timeout = GRACE
    config.keep_alive_timeout = 75
    framework: Any = app  # hypercorn has a type for each kind of message, we have dictionaries
    await hypercorn(framework, config, shutdown_trigger=ended)
