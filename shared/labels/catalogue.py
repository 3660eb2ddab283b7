"""Pages of a label's images, all of them or a selection, and pages of labels.

| pattern                   | request                                             | read units of a page of n |
|---------------------------|-----------------------------------------------------|---------------------------|
| images of a label         | Query image-chunks                                  | 0.5 per 4 KB of rows      |
| with a tag                | Query image-chunks, `label#tag`, + BatchGetItem     | 0.5 per 4 KB + 0.5 n      |
| with a file name          | Query FilenameIndex + BatchGetItem                  | 0.5 per 4 KB + 0.5 n      |
| of an owner               | Query OwnerIndex + BatchGetItem                     | 0.5 per 4 KB + 0.5 n      |
| labels                    | Query image-chunks, `#labels`                       | 0.5 per 4 KB              |

Each Query reads one row more than the page shows, which says whether another page follows.  A page starts after the key
of the last row of the page before it.  So an image that exists all along appears exactly once, whatever is added or
deleted meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from shared.images import Image, Pool
from shared.labels import batch_get, items, query
from shared.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Selection:
    """Rows with these attribute values; in the index of file names, those that begin with the prefix.

    They are sorted by the attributes of `order`, whose values mark the end of a page.
    """

    values: Mapping[str, str]
    index: str = ""
    prefix: str = ""
    order: tuple[str, ...] = ("s3key",)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a selection.  `last` has a text for each attribute of the order; it is empty on the last page."""

    entries: Sequence[T]
    last: tuple[str, ...] = ()


def of_label(label: str) -> Selection:
    """Select all images of the label, by name."""
    return Selection({"label": label})


def with_tag(label: str, tag: str) -> Selection:
    """Select the label's images with this tag, by name."""
    return Selection({"label": Pool(label, tag).key})


def with_filename(label: str, prefix: str) -> Selection:
    """Select the label's images whose file names begin with the prefix, by file name."""
    return Selection({"label": label}, "FilenameIndex", prefix, ("filename", "s3key"))


def of_owner(label: str, owner: str) -> Selection:
    """Select the label's images of this owner, by name."""
    return Selection({"label": label, "owner": owner}, "OwnerIndex")


LABELS = of_label(items.LABELS)


class Catalogue:
    """The image table, page by page.  `after` is the `last` of the page before."""

    def __init__(self, client: "DynamoDBClient", settings: Settings) -> None:
        self._client, self._table = client, settings.image_chunks_table
        self._consistent = settings.consistent_reads

    def images(self, label: str, selection: Selection, limit: int, after: tuple[str, ...] = ()) -> Page[Image]:
        """Return a page of at most `limit` of the label's selected images; fewer if some were deleted just now."""
        page = self._query(selection, limit, after)
        if selection == of_label(label):
            return Page([items.image(row) for row in page.entries], page.last)
        names = [row["s3key"]["S"] for row in page.entries]
        found = self._rows(label, names)
        return Page([items.image(found[name]) for name in names if name in found], page.last)

    def labels(self, limit: int, after: tuple[str, ...] = ()) -> Page[str]:
        """Return a page of at most `limit` of the labels that ever had an image, by name."""
        page = self._query(LABELS, limit, after)
        return Page([row["s3key"]["S"] for row in page.entries], page.last)

    def _query(self, selection: Selection, limit: int, after: tuple[str, ...]) -> Page[items.Item]:
        values = {f":{name}": {"S": value} for name, value in selection.values.items()}
        conditions = [f"#{name} = :{name}" for name in selection.values]
        names = {f"#{name}": name for name in selection.values}
        if selection.prefix:
            values[":prefix"] = {"S": selection.prefix}
            conditions.append("begins_with(filename, :prefix)")
        request: Any = {
            "TableName": self._table,
            "KeyConditionExpression": " AND ".join(conditions),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
            "ConsistentRead": self._consistent and not selection.index,
        }
        if selection.index:
            request["IndexName"] = selection.index
        if after:
            key = {**selection.values, **dict(zip(selection.order, after, strict=True))}
            request["ExclusiveStartKey"] = {name: {"S": value} for name, value in key.items()}
        rows = query.read(self._client, request, limit=limit + 1)
        more = len(rows) > limit
        return Page(rows[:limit], tuple(rows[limit - 1][name]["S"] for name in selection.order) if more else ())

    def _rows(self, label: str, names: Sequence[str]) -> dict[str, items.Item]:
        """Return name -> row of the images that exist."""
        keys = [items.image_key(label, name) for name in names]
        read = batch_get.read(self._client, self._table, keys, consistent=self._consistent)
        return {row["s3key"]["S"]: row for row in read}
