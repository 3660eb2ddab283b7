"""S3 only: an index object with the chunks' totals, and chunk files that are never changed, only replaced.

A write puts the new chunk under a new key, then the index that names it, on condition that the index has not changed
since it was read. So the index decides whether a write is done, and a reader of it sees a whole label. For deletes,
another small object names an image's chunk. The draw is exact, but the index grows, and all writes of a label wait for
it.
"""

import json
import random
from fractions import Fraction
from typing import Any
from uuid import UUID

from tools.benchmarks.capacity import Usage
from tools.benchmarks.designs import rows
from tools.benchmarks.designs.chunked import CHUNK, Chunks, open_chunk
from tools.benchmarks.designs.rows import BUCKET, LABEL, Clients, Shares

INDEX = f"{LABEL}/index.json"
Index = dict[int, list[Any]]  # chunk -> [volume, total weight, key of its file]


class State(Chunks):
    """The label in memory."""

    def stored(self) -> dict[str, list[Any]]:
        """Return [key, content] of each object in the order of a load, with the index last."""
        files: dict[int, dict[str, int]] = {chunk: {} for chunk in self.volumes}
        for name, (chunk, weight) in self.images.items():
            files[chunk][name] = weight
        index = {chunk: [self.volumes[chunk], self.totals[chunk], file_key(chunk, UUID(int=chunk))] for chunk in files}
        objects = [[place_key(name), chunk] for name, (chunk, _) in self.images.items()]
        objects += [[index[chunk][2], weights] for chunk, weights in files.items()]
        return {BUCKET: [*objects, [INDEX, index]]}


def place_key(name: str) -> str:
    """Return the key of the object that names an image's chunk."""
    return f"{LABEL}/places/{name}"


def file_key(chunk: int, version: UUID) -> str:
    """Return the key of a chunk's file."""
    return f"{LABEL}/chunks/{chunk}-{version.hex}.json"


def law(stored: dict[str, list[Any]]) -> Shares:
    """Return each image's share of the draws: the listed share of its chunk, times its share in the chunk."""
    objects = dict(stored[BUCKET])
    return {
        name: Fraction(listed * weight, total)
        for _, listed, key in objects[INDEX].values()
        for total in [sum(objects[key].values())]
        for name, weight in objects[key].items()
    }


class Label:
    """The label in S3. A lost race raises ClientError, because only one client works here."""

    def __init__(self, clients: Clients, rng: random.Random) -> None:
        self._client, self._rng = clients.s3, rng

    def create(self) -> None:
        """Create the bucket and the index."""
        self._client.create_bucket(Bucket=BUCKET)
        self._put(INDEX, {})

    def load(self, stored: dict[str, list[Any]]) -> None:
        """Store what was made in memory."""
        for key, content in stored[BUCKET]:
            self._put(key, content)

    def add(self, name: str, weight: int) -> None:
        """Upload an image."""
        index, tag = self._index()
        chunk = open_chunk({chunk: volume for chunk, (volume, _, _) in index.items()})
        weights = self._get(index[chunk][2]) if chunk in index else {}
        self._put(place_key(name), chunk, IfNoneMatch="*")
        self._replace(index, tag, chunk, {**weights, name: weight})

    def remove(self, name: str) -> None:
        """Delete an image."""
        chunk = self._get(place_key(name))
        index, tag = self._index()
        weights = self._get(index[chunk][2])
        del weights[name]
        self._replace(index, tag, chunk, weights)
        self._client.delete_object(Bucket=BUCKET, Key=place_key(name))

    def draw(self) -> str:
        """Return the name of a random image."""
        index, _ = self._index()
        key = rows.pick({key: total for _, total, key in index.values()}, self._rng)
        return rows.pick(self._get(key), self._rng)

    def _replace(self, index: Index, tag: str, chunk: int, weights: dict[str, int]) -> None:
        """Replace the chunk's images if the index still has this entity tag."""
        key = file_key(chunk, UUID(int=self._rng.getrandbits(128)))
        self._put(key, weights)
        self._put(INDEX, {**index, chunk: [len(weights), sum(weights.values()), key]}, IfMatch=tag)
        if chunk in index:
            self._client.delete_object(Bucket=BUCKET, Key=index[chunk][2])

    def _index(self) -> tuple[Index, str]:
        answer = self._client.get_object(Bucket=BUCKET, Key=INDEX)
        return {int(chunk): entry for chunk, entry in json.loads(answer["Body"].read()).items()}, answer["ETag"]

    def _get(self, key: str) -> Any:
        return json.loads(self._client.get_object(Bucket=BUCKET, Key=key)["Body"].read())

    def _put(self, key: str, content: Any, **condition: str) -> None:
        self._client.put_object(Bucket=BUCKET, Key=key, Body=_json(content), **condition)  # type: ignore[arg-type]


def costs(count: int) -> dict[str, Usage]:
    """Return the computed cost of a draw, an upload and a delete."""
    entry = len(_json({count // CHUNK: [CHUNK, CHUNK * 500_000_001, file_key(count // CHUNK, UUID(int=0))]}))
    index = entry * -(-count // CHUNK)
    chunk = len(_json({"0" * 36: 500_000_001})) * min(count, CHUNK)
    read, half = index + chunk, index + chunk // 2
    return {
        "draw": Usage(gets=2, trips=2, bytes=read),
        "upload": Usage(gets=2, puts=3, trips=6, bytes=2 * half),
        "delete": Usage(gets=3, puts=2, trips=7, bytes=2 * read),
    }


def _json(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
