"""References for the designs: reading one row and one picture, and a table in SQLite."""

import random
import sqlite3
from collections.abc import Iterable

from shared.labels import items
from tools.benchmarks.designs import petapi
from tools.benchmarks.designs.rows import BUCKET, LABEL, Clients

PICTURE = f"{LABEL}/picture"
PICTURE_BYTES = 200_000  # a photograph for the web

# The smallest of independent exponential times with rates w belongs to an image with probability w / total (Efraimidis
# and Spirakis 2006). The form random()^(1/w) is the same in real numbers. But for w = 10^-9 it is 0 in floating point
# for nearly every image, and a tie has no distribution.  (random() is a signed integer of 64 bits; the sum is never 0.)
SQL = """
    SELECT name FROM images
    ORDER BY -ln((random() + 9223372036854775808.5) / 18446744073709551616.0) / weight LIMIT 1
"""


class Floor:
    """GetItem of a known row, perhaps with GetObject of its picture. No draw can cost less."""

    def __init__(self, clients: Clients, names: list[str], rng: random.Random, *, picture: bool) -> None:
        self._clients, self._names, self._rng, self._picture = clients, names, rng, picture
        clients.s3.put_object(Bucket=BUCKET, Key=PICTURE, Body=rng.randbytes(PICTURE_BYTES))

    def draw(self) -> None:
        """Read the row."""
        key = items.image_key(LABEL, self._rng.choice(self._names))
        assert "Item" in self._clients.dynamodb.get_item(TableName=petapi.IMAGES, Key=key)
        if self._picture:
            self._clients.s3.get_object(Bucket=BUCKET, Key=PICTURE)["Body"].read()


class Sqlite:
    """A table in this process."""

    def __init__(self, weights: Iterable[tuple[str, int]]) -> None:
        self._database = sqlite3.connect(":memory:")
        self._database.execute("CREATE TABLE images (name TEXT PRIMARY KEY, weight INTEGER NOT NULL)")
        self._database.executemany("INSERT INTO images VALUES (?, ?)", weights)

    def draw(self) -> None:
        """Sort by a random key."""
        assert self._database.execute(SQL).fetchone()
