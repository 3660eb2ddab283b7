"""Whether writes are open: an operator closes them while tables are restored or rebuilt.  Reads go on."""

from shared.errors import Unavailable
from shared.settings import Settings

OPEN = "open"
RETRY_AFTER = 60  # seconds; a restore takes minutes


class WritesClosed(Unavailable):
    """A write while writes are closed."""

    def __init__(self) -> None:
        super().__init__("Writes are closed for maintenance; retry in some minutes. Pictures can be drawn and read.")
        self.headers["Retry-After"] = str(RETRY_AFTER)


def require_open(settings: Settings) -> None:
    """Raise WritesClosed if the operator has closed writes."""
    if settings.writes != OPEN:
        raise WritesClosed
