"""Take snapshots of the data: one soon after each write, and two identical ones at the end."""

import asyncio
import logging
from pathlib import Path

from tools.local import journal, snapshots, terminal
from tools.local.data_folder import DataFolder
from tools.local.emulator import Emulator, States
from tools.local.journal import Journal
from tools.local.space import Space

DELAY = 2.0  # seconds from a write to its snapshot; until then the journal has it

logger = logging.getLogger(__name__)


class Checkpoints:
    """The snapshots of one run. `failing` is true while none can be written."""

    def __init__(self, folder: DataFolder, emulator: Emulator, space: Space, journal: Journal) -> None:
        self._folder, self._emulator, self._space, self._journal = folder, emulator, space, journal
        self._unsaved = asyncio.Event()
        self._taking = asyncio.Lock()
        self.failing = False

    def written(self) -> None:
        """Note that something was written."""
        self._unsaved.set()

    async def take(self) -> None:
        """Take a snapshot of everything that was written before this call."""
        async with self._taking:
            self._unsaved.clear()
            states, following = self._emulator.states(), self._journal.rotate()
            await asyncio.to_thread(self._write, states, following)

    def _write(self, states: States, following: int) -> None:
        """Write a snapshot. If that fails, make room and try again: the reserve first, then what is older."""
        try:
            snapshot = self._write_once(states, following)
        except OSError:
            self._space.release_reserve()
            snapshots.forget_older(self._folder.snapshots)
            snapshot = self._write_once(states, following)
        self._journal.forget()
        self._space.keep_reserve(snapshot)

    def _write_once(self, states: States, following: int) -> Path:
        """Write a snapshot. The file of the journal with this number has the changes that come after it."""
        self._emulator.save(states)
        (self._folder.state / journal.BEGINNING).write_text(f"{following}")
        return snapshots.take(self._folder.state, self._folder.snapshots)

    async def keep_up(self) -> None:
        """Take a snapshot after writes, until cancelled."""
        while True:
            await self._unsaved.wait()
            await asyncio.sleep(DELAY)
            await self.try_to_take()

    async def try_to_take(self) -> None:
        """Take a snapshot. If that fails, refuse writes until a later one succeeds; the journal has what it would have.

        Reads go on, and a DELETE may make room.
        """
        try:
            await self.take()
            self.failing = False
        except OSError as error:
            self._unsaved.set()
            self._note_failure(error)

    def _note_failure(self, error: OSError) -> None:
        """Refuse writes from now on. Print why, once until a snapshot can be taken again."""
        logger.error("no snapshot", exc_info=error)
        if not self.failing:
            terminal.warn(
                f"The data could not be saved ({error}). Writes are refused until it can be. "
                f"Check whether {self._folder.path} has room."
            )
        self.failing = True

    async def pause(self, keeping_up: asyncio.Task[None]) -> None:
        """End `keep_up` between two snapshots."""
        async with self._taking:
            keeping_up.cancel()

    async def end(self) -> None:
        """Take the last snapshots. They are identical, so a damaged file in one of them loses nothing.

        The first must succeed. On a full disk there may be no room for another.
        """
        await self.take()
        for _ in range(snapshots.KEPT - 1):
            try:
                await self.take()
            except OSError:
                logger.exception("one last snapshot only")
