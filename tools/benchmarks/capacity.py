"""What DynamoDB charges, by its rules: read units and write units; costs/rows.py has the sizes of items.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields

READ_UNIT = 4096  # bytes that are read consistently; twice as many eventually consistently
WRITE_UNIT = 1024  # bytes that are written; half as many in a transaction
ITEM_MAX = 400 * 1024  # bytes
PAGE_MAX = 1 << 20  # bytes that a Query reads at most


@dataclass(frozen=True, slots=True)
class Usage:
    """What one or more operations used: capacity units, S3 requests, all requests, bytes of all bodies."""

    read: float = 0
    write: float = 0
    puts: float = 0
    gets: float = 0
    trips: float = 0
    bytes: float = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(Usage)))

    def per(self, count: int) -> "Usage":
        """Return the mean of so many operations."""
        return Usage(*(getattr(self, each.name) / count for each in fields(Usage)))


def read_units(sizes: Iterable[int], *, consistent: bool = False) -> float:
    """Return the cost of reading items of these sizes by their keys. For a Query, give the sum as one size."""
    return sum(max(1, -(-size // READ_UNIT)) for size in sizes) * (1 if consistent else 0.5)


def query_units(size: int) -> float:
    """Return the cost of an eventually consistent Query of so many bytes, with all its pages."""
    pages, rest = divmod(size, PAGE_MAX)
    return pages * read_units([PAGE_MAX]) + (read_units([rest]) if rest or not pages else 0)


def write_units(size: int, *, transaction: bool = False) -> int:
    """Return the cost of writing an item. The size is the larger one of before and after."""
    return max(1, -(-size // WRITE_UNIT)) * (2 if transaction else 1)
