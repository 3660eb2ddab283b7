"""Keeps the snapshots close behind the data: one a little after each write, and two alike at the end."""

import asyncio
import logging
import sys

from tools.local import snapshots
from tools.local.data_folder import DataFolder
from tools.local.emulator import Emulator, States

DELAY = 2.0  # seconds from a write to the snapshot; so nothing is lost that was acknowledged 5 s before a kill

logger = logging.getLogger(__name__)


class Checkpoints:
    """Snapshots of the emulator's state in the folder."""

    def __init__(self, folder: DataFolder, emulator: Emulator) -> None:
        self._folder, self._emulator = folder, emulator
        self._unsaved = asyncio.Event()
        self._taking = asyncio.Lock()
        self.failing = False

    def written(self) -> None:
        """Something was written."""
        self._unsaved.set()

    async def take(self) -> None:
        """A snapshot of all that was written before this call."""
        async with self._taking:
            self._unsaved.clear()
            states = self._emulator.states()
            await asyncio.to_thread(self._write, states)

    def _write(self, states: States) -> None:
        self._emulator.save(states)
        snapshots.take(self._folder.state, self._folder.snapshots)

    async def keep_up(self) -> None:
        """Takes a snapshot after writes, for ever."""
        while True:
            await self._unsaved.wait()
            await asyncio.sleep(DELAY)
            try:
                await self.take()
                self.failing = False
            except OSError as error:
                self.failing = True
                self._unsaved.set()
                logger.exception("no snapshot")
                print(
                    f"The data could not be saved ({error}); writes are refused until it can; "
                    f"is there room in {self._folder.path}?",
                    file=sys.stderr,
                )

    async def end(self, keeping_up: asyncio.Task[None]) -> None:
        """The last snapshots. They are alike, so that a damaged file in one of them costs nothing."""
        async with self._taking:
            keeping_up.cancel()
        for _ in range(snapshots.KEPT):
            await self.take()
