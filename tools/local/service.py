"""One run of petAPI on this machine: the emulator, the stack on it, the front, snapshots, and a clean end."""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from logging.handlers import RotatingFileHandler
from pathlib import Path

from shared import aws
from shared.pictures.bucket import Bucket
from shared.settings import read_settings
from tools.local import data_folder, local_issuer, protocol, snapshots, terminal
from tools.local.checkpoints import Checkpoints
from tools.local.choices import Choices
from tools.local.data_folder import DataFolder
from tools.local.deploy import ARTIFACTS, Deployment
from tools.local.emulator import Emulator, guarded
from tools.local.front import Front
from tools.local.listening import listen, loopback_socket
from tools.local.local_issuer import LocalIssuer
from tools.local.refusals import Refusal
from tools.local.warm import start_functions
from tools.reconcile.inventory import Inventory
from tools.reconcile.reconcile import Reconciliation

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent.parent
LOG_MAX = 5_000_000  # bytes, twice: the present log file and the one before


def serve(choices: Choices) -> None:
    """Serve until a signal says stop. Raise Refusal if the service cannot start."""
    folder = data_folder.claim(choices.data)
    public, private = loopback_socket(choices.port), loopback_socket(0)
    terminal.say(f"Starting petAPI with the data in {folder.path}. This takes a few seconds.")
    _log_to(folder.log)
    protocol.install()
    damaged = _restore(folder)
    issuer = local_issuer.begin(folder.token_issuer, choices.url) if choices.tokens else None
    killed = data_folder.mark_running(folder)
    try:
        say = terminal.quiet if _has_images(folder) else terminal.say
        say("- Loading the emulated AWS services")
        emulator = Emulator(folder, private.getsockname()[1])
        run = _Run(choices, folder, emulator, issuer, say)
        asyncio.run(run.run(public, private, killed=killed, damaged=damaged))
    except Refusal:
        if not killed:
            data_folder.mark_stopped(folder)
        raise
    data_folder.mark_stopped(folder)


class _Run:
    """What one run holds, from a started emulator to its end. `say` prints only as long as there are no images."""

    def __init__(
        self,
        choices: Choices,
        folder: DataFolder,
        emulator: Emulator,
        issuer: LocalIssuer | None,
        say: Callable[[str], None],
    ) -> None:
        self._folder, self._emulator, self._say, self._url = folder, emulator, say, choices.url
        self._checkpoints = Checkpoints(folder, emulator)
        self._documents = issuer.documents() if issuer else {}
        self._parameters = {**choices.parameters, **(issuer.parameters() if issuer else {})}
        self._issuer_command, self._warm = choices.issuer_command, choices.warm

    async def run(self, public: socket.socket, private: socket.socket, *, killed: bool, damaged: bool) -> None:
        """Do everything between the start of the emulator and its end."""
        stop, end_aws = _stop_signal(self._folder.path), asyncio.Event()
        aws_endpoints = guarded(self._emulator.asgi, self._checkpoints.written)
        emulating = asyncio.create_task(listen(aws_endpoints, private, end_aws.wait))
        try:
            outputs, functions = await asyncio.to_thread(self._deploy)
            if killed:
                await asyncio.to_thread(_after_unclean_stop, damaged=damaged)
            if self._warm and not stop.is_set():
                self._say("- Starting the functions")
                await asyncio.to_thread(start_functions, functions)
            await self._checkpoints.take()  # after the calls of the functions, which count as writes
            if not stop.is_set():
                await self._serve(outputs["ApiId"], public, stop, emulating)
        finally:
            self._emulator.stop_functions()
            end_aws.set()
            await emulating

    def _deploy(self) -> tuple[dict[str, str], list[str]]:
        """Bring up the stack. Return its outputs and the names of its functions."""
        deployment = Deployment()
        deployment.wait_for_emulator()
        self._emulator.refuse_lost_state()
        self._say("- Deploying the functions, tables, buckets and queues of template.yaml")
        outputs = deployment.bring_up(ROOT, self._parameters)
        text = "".join(f"{name}={value}\n" for name, value in self._emulator.variables.items())
        data_folder.write_private(self._folder.aws_env, text)
        return outputs, deployment.functions()

    async def _serve(
        self, api_id: str, public: socket.socket, stop: asyncio.Event, emulating: asyncio.Task[None]
    ) -> None:
        """Answer requests until `stop` is set or a part of the program fails."""
        front = Front(
            partial(self._emulator.call_api, api_id),
            str(self._folder.log),
            failing=lambda: self._checkpoints.failing,
            documents=self._documents,
        )
        serving = asyncio.create_task(listen(front, public, stop.wait))
        keeping_up = asyncio.create_task(self._checkpoints.keep_up())
        self._say_ready()
        done, _ = await asyncio.wait({serving, emulating, keeping_up}, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await serving
        await self._checkpoints.end(keeping_up)
        for task in done:
            task.result()

    def _say_ready(self) -> None:
        command = self._issuer_command
        ready = terminal.ready_text(self._url, self._folder.path, self._parameters, issuer_command=command)
        terminal.say(ready)
        self._say(terminal.first_steps(self._url, self._parameters, issuer_command=command))


def _after_unclean_stop(*, damaged: bool) -> None:
    """Reconcile rows and objects after a kill, and print how many did not match.

    This runs in a thread before the first request. No upload is under way, so no version is too young to be removed. If
    the newest snapshot was `damaged`, it may have known versions that have no row now, so they stay. The AWS clients
    made here reach the emulator as the account's owner, because the environment names its key.
    """
    until = datetime.min.replace(tzinfo=UTC) if damaged else datetime.now(UTC)
    settings = read_settings()
    store, bucket = Inventory(aws.dynamodb(), settings), Bucket(aws.s3(), settings.bucket)
    report = Reconciliation(store, bucket, until, log=logger.warning).run()
    terminal.say(f"The last run was killed. Reconciled: {report}.")


def _log_to(path: Path) -> None:
    """Send all log lines of this process to this file, so that the terminal shows our own sentences only."""
    handler = RotatingFileHandler(path, maxBytes=LOG_MAX, backupCount=1, encoding="utf-8")
    logging.basicConfig(handlers=[handler], format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.captureWarnings(True)
    logging.getLogger("functions").setLevel(logging.INFO)


def _restore(folder: DataFolder) -> bool:
    """Restore the newest whole snapshot into `state`. Start empty only if nothing was ever kept.

    Return whether there was a newer snapshot that is damaged.
    """
    snapshot, damages = snapshots.newest_whole(folder.snapshots)
    for damage in damages:
        print(f"The snapshot file {damage}. Using snapshot {snapshot and snapshot.name} instead.", file=sys.stderr)
    if snapshot:
        snapshots.restore(snapshot, folder.state)
        return bool(damages)
    if _has_images(folder):
        raise Refusal(
            f"{folder.objects} has images but {folder.snapshots} has no snapshot of the data about them. "
            "Put a copy of the data folder in its place, or move it away to begin with empty data."
        )
    folder.clear()
    return False


def _has_images(folder: DataFolder) -> bool:
    """Return whether a bucket has a file, apart from the packages of code."""
    return any(path.is_file() and ARTIFACTS not in path.parts for path in folder.objects.rglob("*"))


def _stop_signal(data: Path) -> asyncio.Event:
    """Return an event that Ctrl-C, SIGTERM and SIGHUP set; SIGHUP does not if `nohup` ignores it.

    The first of them prints at once that the end has begun.
    """
    stop = asyncio.Event()

    def begin_to_stop() -> None:
        if not stop.is_set():
            stop.set()
            terminal.say(f"Stopping. The data stays in {data}.")

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(number, begin_to_stop)
    return stop
