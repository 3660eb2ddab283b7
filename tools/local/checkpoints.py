"""Take snapshots of the data: one soon after each write, and two identical ones at the end."""

import asyncio
import logging
import sys

from tools.local import snapshots
from tools.local.data_folder import DataFolder
from tools.local.emulator import Emulator, States

DELAY = 2.0  # seconds from a write to its snapshot; a kill loses nothing that was acknowledged 5 s before

logger = logging.getLogger(__name__)


class Checkpoints:
    """The snapshots of one run. `failing` is true while none can be written."""

    def __init__(self, folder: DataFolder, emulator: Emulator) -> None:
        self._folder, self._emulator = folder, emulator
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
            states = self._emulator.states()
            await asyncio.to_thread(self._write, states)

    def _write(self, states: States) -> None:
        self._emulator.save(states)
        snapshots.take(self._folder.state, self._folder.snapshots)

    async def keep_up(self) -> None:
        """Take a snapshot after writes, until cancelled."""
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
                    f"The data could not be saved ({error}). Writes are refused until it can be. "
                    f"Check whether {self._folder.path} has room.",
                    file=sys.stderr,
                )

    async def end(self, keeping_up: asyncio.Task[None]) -> None:
        """Take the last snapshots. They are identical, so a damaged file in one of them loses nothing."""
        async with self._taking:
            keeping_up.cancel()
        for _ in range(snapshots.KEPT):
            await self.take()
