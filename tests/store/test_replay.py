"""Another engine, given the simulation's transactions, has the same outcomes and ends with the same items."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support import cloud
from tests.support.local_service import LocalService
from tests.support.memory_aws import CHUNKS, IMAGES, key_of
from tests.support.simulation import Simulation

TABLES = {IMAGES: "ImageChunksTable", CHUNKS: "ChunkInfoTable"}


@pytest.mark.parametrize("seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3))])
def test_transactions_end_the_same_on_another_engine(running: LocalService, seed: int) -> None:
    simulation = Simulation(seed, pictures=(24, 8)[seed % 2])
    simulation.run()
    dynamodb = running.aws().client("dynamodb", endpoint_url=running.aws_endpoint)
    names = {ours: f"{ours}-{seed}" for ours in TABLES}
    for ours, theirs in names.items():
        dynamodb.create_table(TableName=theirs, **cloud.table(TABLES[ours]))
    log = simulation.world.transactions
    outcomes = {code for _, codes in log for code in codes}
    assert outcomes == {"None", "ConditionalCheckFailed"}
    assert len(log) > 50
    for writes, codes in log:
        assert replayed(dynamodb, writes, names) == codes
    for ours, theirs in names.items():
        assert scanned(dynamodb, theirs, like=ours) == simulation.world.tables[ours]
        dynamodb.delete_table(TableName=theirs)


def replayed(dynamodb: Any, writes: list[Any], names: dict[str, str]) -> list[str]:
    """Do the transaction in these tables and return the outcome of each write."""
    renamed = [
        {kind: {**write, "TableName": names[write["TableName"]]} for kind, write in entry.items()} for entry in writes
    ]
    try:
        dynamodb.transact_write_items(TransactItems=renamed)
    except ClientError as error:
        return [reason["Code"] for reason in error.response["CancellationReasons"]]
    return ["None"] * len(writes)


def scanned(dynamodb: Any, table: str, like: str) -> dict[tuple[str, str], Any]:
    """Return all items of a table by key."""
    pages = dynamodb.get_paginator("scan").paginate(TableName=table)
    return {key_of(like, item): item for page in pages for item in page["Items"]}
