"""An end within bounds: whatever waits for ever when the service should stop, the process ends."""

import faulthandler
import logging
import os
import threading
from contextlib import suppress
from pathlib import Path

from tools.local import terminal

STOP_MAX = 60.0  # seconds; a stop takes 1 to 3 s, and up to 20 s more for requests under way that do not end

logger = logging.getLogger(__name__)


class Ending:
    """The end of this process. `saved` says whether everything is in the last snapshot."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._timer: threading.Timer | None = None
        self.saved = False

    def begin(self, seconds: float = STOP_MAX) -> None:
        """Let the process end in this time, by its own way or by force. Only the first call counts."""
        if self._timer is None:
            self._timer = threading.Timer(seconds, self._force)
            self._timer.daemon = True
            self._timer.start()

    def _force(self) -> None:
        """End the process at once. The log gets what each thread waits for."""
        with suppress(OSError), self._log.open("a") as log:  # the disk may be full
            faulthandler.dump_traceback(log)
        if not self.saved:
            terminal.warn("petAPI did not stop in time. The next start finds all that was stored.")
        os._exit(0 if self.saved else 1)
