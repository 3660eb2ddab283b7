"""One run of petAPI on this machine: the emulator, the stack on it, the front, snapshots, and a clean end."""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from shared import aws
from shared.errors import Unavailable
from shared.settings import read_settings
from tools.local import data_folder, incoming_again, local_issuer, protocol, snapshots, terminal
from tools.local.catching_up import CatchingUp
from tools.local.checkpoints import Checkpoints
from tools.local.choices import Choices
from tools.local.data_folder import DataFolder
from tools.local.deploy import ARTIFACTS, Deployment
from tools.local.emulator import Emulator
from tools.local.ending import Ending
from tools.local.front import Front, Rules
from tools.local.guard import guarded
from tools.local.journal import Journal
from tools.local.listening import CUT, listen, loopback_socket
from tools.local.local_issuer import LocalIssuer
from tools.local.log_file import log_to
from tools.local.lost_and_found import LostAndFound
from tools.local.refusals import Refusal
from tools.local.space import Space
from tools.local.throttles import Throttles
from tools.local.warm import load_models, start_functions
from tools.reconcile.inventory import Inventory
from tools.reconcile.reconcile import Reconciliation
from tools.template import read_template

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent.parent
KEEP_ALIVE = 5.0  # seconds that a client's connection may wait for another request
KEEP_ALIVE_AWS = 75.0  # the functions' connections, which are few
GRACE = 10.0  # seconds that requests under way at the end may take; more than a busy machine needs for one
GRACE_FUNCTIONS = 5.0  # functions that work for queues, or for requests that got no response in time
GRACE_AWS = 3.0  # the functions, whose clients have their responses, are over by then


def serve(choices: Choices) -> None:
    """Serve until a signal says stop. Raise Refusal if the service cannot start."""
    folder = data_folder.claim(choices.data)
    public, private = loopback_socket(choices.port), loopback_socket(0)
    terminal.say(f"Starting petAPI with the data in {folder.path}. This takes a few seconds.")
    log_to(folder.log)
    protocol.install()
    damaged = _restore(folder)
    issuer = local_issuer.begin(folder.token_issuer, choices.url) if choices.tokens else None
    killed = data_folder.mark_running(folder)
    ending = Ending(folder.log)
    try:
        say = terminal.quiet if _has_images(folder) else terminal.say
        say("- Loading the emulated AWS services")
        emulator = Emulator(folder, private.getsockname()[1])
        run = _Run(choices, folder, emulator, issuer, say, ending)
        asyncio.run(run.run(public, private, killed=killed, damaged=damaged))
    except Refusal:
        if not killed:
            data_folder.mark_stopped(folder)
        raise


class _Run:
    """What one run holds, from a started emulator to its end. `say` prints only as long as there are no images."""

    def __init__(
        self,
        choices: Choices,
        folder: DataFolder,
        emulator: Emulator,
        issuer: LocalIssuer | None,
        say: Callable[[str], None],
        ending: Ending,
    ) -> None:
        self._folder, self._emulator, self._say, self._choices = folder, emulator, say, choices
        self._space, self._ending = Space(folder, terminal.say), ending
        self._journal = Journal(folder)
        self._checkpoints = Checkpoints(folder, emulator, self._space, self._journal)
        self._documents = issuer.documents() if issuer else {}
        self._parameters = {**choices.parameters, **(issuer.parameters() if issuer else {})}
        self._stop = asyncio.Event()

    async def run(self, public: socket.socket, private: socket.socket, *, killed: bool, damaged: bool) -> None:
        """Do everything between the start of the emulator and its end."""
        started, end_aws = datetime.now(UTC), asyncio.Event()
        self._heed_signals()
        aws_endpoints = guarded(
            self._emulator.asgi, self._checkpoints.written, self._space.is_short, self._journal.note
        )
        emulating = asyncio.create_task(
            listen(aws_endpoints, private, end_aws.wait, keep_alive=KEEP_ALIVE_AWS, grace=GRACE_AWS)
        )
        try:
            outputs, functions = await asyncio.to_thread(self._deploy)
            if killed:
                await asyncio.to_thread(self._reconcile, started, damaged=damaged)
            await asyncio.to_thread(self._start_functions, functions)
            await self._checkpoints.try_to_take()  # after the calls of the functions, which count as writes
            if not self._stop.is_set():
                await self._serve(outputs["ApiId"], public, emulating, CatchingUp(self._parameters))
            await self._save()
        finally:
            self._ending.begin()
            await asyncio.to_thread(self._emulator.stop_functions)
            end_aws.set()
            await emulating
            self._emulator.close_vectors()

    async def _save(self) -> None:
        """Take the last snapshots, when no function works any more."""
        ended = await self._emulator.functions_end(GRACE_FUNCTIONS)
        await asyncio.to_thread(self._emulator.stop_functions)
        await self._checkpoints.end()
        self._journal.close()
        self._ending.saved = True
        if ended:  # else the next start looks for what was cut off
            data_folder.mark_stopped(self._folder)

    def _deploy(self) -> tuple[dict[str, str], list[str]]:
        """Bring up the stack. Return its outputs and the names of its functions."""
        deployment = Deployment()
        deployment.wait_for_emulator()
        self._emulator.refuse_lost_state()
        if said := self._emulator.mend_vectors():
            terminal.warn(said)
        self._say("- Deploying the functions, tables, buckets and queues of template.yaml")
        outputs = deployment.bring_up(ROOT, self._parameters)
        text = "".join(f"{name}={value}\n" for name, value in self._emulator.variables.items())
        data_folder.write_private(self._folder.aws_env, text)
        return outputs, deployment.functions()

    def _start_functions(self, names: list[str]) -> None:
        """Unpack the functions, so that they can be called when the disk is full, and start a process of each."""
        self._emulator.unpack_functions()
        if self._choices.warm and not self._stop.is_set():
            self._say("- Starting the functions")
            start_functions(names)

    async def _serve(
        self, api_id: str, public: socket.socket, emulating: asyncio.Task[None], catching_up: CatchingUp
    ) -> None:
        """Answer requests until a signal or until a part of the program fails."""
        throttles = Throttles(read_template(ROOT / "template.yaml"), {})
        rules = Rules(
            check_write=self._check_write,
            throttles=throttles if self._choices.throttle else None,
            seconds=self._choices.response_seconds,
        )
        front = Front(partial(self._emulator.call_api, api_id), str(self._folder.log), rules, self._documents)

        async def ended() -> None:
            await self._stop.wait()
            front.stop(GRACE)

        serving = asyncio.create_task(listen(front, public, ended, keep_alive=KEEP_ALIVE, grace=GRACE + CUT))
        keeping_up = asyncio.create_task(self._checkpoints.keep_up())
        self._say_ready()
        catching_up.begin()
        if self._choices.warm:
            load_models()
        done, _ = await asyncio.wait({serving, emulating, keeping_up}, return_when=asyncio.FIRST_COMPLETED)
        self._stop.set()
        self._ending.begin()
        await asyncio.gather(serving, catching_up.end())
        await self._checkpoints.pause(keeping_up)
        for task in done:
            task.result()

    def _check_write(self, method: str, size: int) -> None:
        """Raise the refusal of a write that could not be kept. A DELETE may be what makes room."""
        self._space.check_write(method, size)
        if self._checkpoints.failing and method != "DELETE":
            raise Unavailable("The data cannot be saved now. Make room on the disk and retry.")

    def _reconcile(self, started: datetime, *, damaged: bool) -> None:
        """Make changes that the last snapshot lacks, compare rows and objects, and print how many did not match.

        Versions that no image names are set aside. Those that functions store since the start may get their row yet, so
        they stay. If the newest snapshot was `damaged`, it may have known versions that have no row now, so all stay.
        The AWS clients made here reach the emulator as the account's owner, because the environment names its key.
        """
        count = self._journal.replay(aws.dynamodb(), aws.sqs())
        until = datetime.min.replace(tzinfo=UTC) if damaged else started
        settings = read_settings()
        bucket = LostAndFound(aws.s3(), settings.bucket, self._folder.lost)
        report = Reconciliation(Inventory(aws.dynamodb(), settings), bucket, until, log=logger.warning).run()
        terminal.say(f"The last run did not end well. {count} changes were made again. Reconciled: {report}.")
        if bucket.kept:
            terminal.say(f"{bucket.kept} pictures that no image names were moved to {self._folder.lost}.")
        if files := incoming_again.report(aws.s3(), settings.incoming_bucket):
            terminal.say(f"{files} files of direct uploads are received again.")

    def _heed_signals(self) -> None:
        """Stop at Ctrl-C, SIGTERM and SIGHUP, which does nothing if `nohup` ignores it.

        The first of them prints at once that the end has begun.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                asyncio.get_running_loop().add_signal_handler(number, self._begin_to_stop)

    def _begin_to_stop(self) -> None:
        if not self._stop.is_set():
            self._stop.set()
            self._ending.begin()
            terminal.say(f"Stopping. The data stays in {self._folder.path}.")

    def _say_ready(self) -> None:
        url, command = self._choices.url, self._choices.issuer_command
        texts = [terminal.ready_text(url, self._folder.path, self._parameters, issuer_command=command)]
        if self._say is terminal.say:
            texts.append(terminal.first_steps(url, self._parameters, issuer_command=command))
        terminal.say("\n".join(texts))  # as one write, so that whoever waits for the first line has all


def _restore(folder: DataFolder) -> bool:
    """Restore the newest whole snapshot into `state`. Start empty only if nothing was ever kept.

    Return whether there was a newer snapshot that is damaged.
    """
    snapshot, damages = snapshots.newest_whole(folder.snapshots)
    for damage in damages:
        terminal.warn(f"The snapshot file {damage}. Using snapshot {snapshot and snapshot.name} instead.")
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
    files = (path.relative_to(folder.objects) for path in folder.objects.rglob("*") if path.is_file())
    return any(ARTIFACTS not in file.parts for file in files)
