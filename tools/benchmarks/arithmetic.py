"""The tests' DynamoDB in memory, which charges as DynamoDB does, by the sizes of items."""

from typing import Any

from costs.rows import size as item_size
from tests.support import memory_aws
from tools.benchmarks.capacity import Usage, read_units, write_units
from tools.benchmarks.designs.petapi import Memory

INDEX_KEYS = ("label", "s3key", "filename", "owner")  # what the indexes keep of a row


class Metered(Memory):
    """DynamoDB for the shipped code. It does not count writes to indexes, so use images without file name and owner."""

    used = Usage()

    def take(self) -> Usage:
        """Return what was used, and start again from zero."""
        used, self.used = self.used, Usage()
        return used

    def query(self, **request: Any) -> Any:
        """Return the items of a Query, charged for the sum of what it reads."""
        answer = super().query(**request)
        size = sum(item_size(_in_index(item) if "IndexName" in request else item) for item in answer["Items"])
        self.used += Usage(read=read_units([size], consistent=request["ConsistentRead"]), trips=1)
        return answer

    def get_item(self, **request: Any) -> Any:
        """Return the item."""
        answer = super().get_item(**request)
        size = item_size(answer.get("Item", {}))
        self.used += Usage(read=read_units([size], consistent=request["ConsistentRead"]), trips=1)
        return answer

    def batch_get_item(self, *, RequestItems: Any) -> Any:
        """Return the items. Each is charged separately, even one that does not exist."""
        answer = super().batch_get_item(RequestItems=RequestItems)
        ((table, request),) = RequestItems.items()
        found = answer["Responses"][table]
        sizes = [item_size(item) for item in found] + [0] * (len(request["Keys"]) - len(found))
        self.used += Usage(read=read_units(sizes, consistent=request["ConsistentRead"]), trips=1)
        return answer

    def transact_write_items(self, *, TransactItems: list[Any]) -> Any:
        """Write, and charge each write for the larger one of the items before and after."""
        writes = [write for each in TransactItems for write in each.values()]
        before = self._sizes(writes)
        answer = super().transact_write_items(TransactItems=TransactItems)
        sizes = map(max, before, self._sizes(writes))
        self.used += Usage(write=sum(write_units(size, transaction=True) for size in sizes), trips=1)
        return answer

    def _sizes(self, writes: list[Any]) -> list[int]:
        keys = [(write["TableName"], write.get("Key") or write["Item"]) for write in writes]
        found = [self.world.tables[table].get(memory_aws.key_of(table, key)) for table, key in keys]
        return [item_size(item or {}) for item in found]


def _in_index(item: Any) -> Any:
    return {name: value for name, value in item.items() if name in INDEX_KEYS}
