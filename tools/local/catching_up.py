"""Index what is not indexed after a start, in the background: the emulator loses changes that were not followed yet.

An older version may have left pictures unindexed, too. The service is ready meanwhile.
"""

import asyncio
import logging
from collections.abc import Mapping
from threading import Event

from shared import aws
from shared.settings import read_settings
from tools.reconcile.indexed import IndexReconciliation, index_reconciliation
from tools.reconcile.inventory import Inventory

logger = logging.getLogger(__name__)


class CatchingUp:
    """The comparison of one run with these parameters of the template."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._wants_labels = parameters.get("RecogniseAll") == "true"
        self._stop = Event()
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Compare in a thread."""
        self._task = asyncio.create_task(asyncio.to_thread(self._run))

    async def end(self) -> None:
        """End after the page that is compared now."""
        self._stop.set()
        if self._task:
            await self._task

    def _run(self) -> None:
        """Compare. A failure is logged: the next start compares again."""
        try:
            report = self._reconciliation().run()
        except Exception:
            logger.exception("the index was not compared with the images")
        else:
            logger.warning("%s", report)

    def _reconciliation(self) -> IndexReconciliation:
        """Return the comparison. Its AWS clients are the account's owner, whose key the environment has."""
        settings = read_settings()
        made = index_reconciliation(settings, Inventory(aws.dynamodb(), settings), wants_labels=self._wants_labels)
        made.log, made.stopped = logger.debug, self._stop.is_set
        return made
