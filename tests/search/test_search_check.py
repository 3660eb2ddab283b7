"""`make search-check`: what it tries, what it prints, and that nothing of it stays."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from shared.vectors import bedrock
from shared.vectors.vector_index import VectorIndex
from tests.support import vectors_aws
from tools import search_check

TEMPLATE = """
Resources: {Topic: {Type: AWS::SNS::Topic}}
Outputs:
  EncoderInUse: {Value: %s}
  VectorIndexArn: {Value: "%s"}
"""


class Bedrock:
    """The two calls of Bedrock, whose answers a test sets."""

    def __init__(self) -> None:
        self.vector = [0.5] * bedrock.NUMBERS
        self.lifecycle: dict[str, Any] = {"status": "ACTIVE"}

    def invoke_model(self, **_: Any) -> Any:
        return {"body": io.BytesIO(json.dumps({"embedding": self.vector}).encode())}

    def get_foundation_model(self, *, modelIdentifier: str) -> Any:
        assert modelIdentifier == "amazon.titan-embed-image-v1"
        return {"modelDetails": {"modelLifecycle": self.lifecycle}}


@pytest.fixture
def index(moto_aws: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[VectorIndex, Bedrock]]:
    """Provide the index of a stack with titan, and what stands for the models."""
    models, real = Bedrock(), boto3.client
    with vectors_aws.served(tmp_path / "vectors.db") as client:
        arn = vectors_aws.new_index(client, dimension=bedrock.NUMBERS, name="titan-1024-1")
        for name, encoder in (("petapi", "titan"), ("without", "none")):
            real("cloudformation").create_stack(StackName=name, TemplateBody=TEMPLATE % (encoder, arn))
        clients = {"s3vectors": client, "bedrock-runtime": models, "bedrock": models}
        monkeypatch.setattr(boto3, "client", lambda name: clients.get(name) or real(name))
        yield VectorIndex(client, arn), models


def test_each_step_is_tried_and_nothing_stays(
    index: tuple[VectorIndex, Bedrock], capsys: pytest.CaptureFixture[str]
) -> None:
    assert search_check.main("petapi") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("The encoder is titan, the index arn:aws:s3vectors:")
    assert [line.partition(" ")[0] for line in lines[1:]] == ["ok"] * 5
    assert "meadow became 1024 numbers" in lines[1]
    assert lines[2].endswith("it is ACTIVE")
    assert list(index[0].pages()) in ([], [[]])


def test_a_model_that_is_legacy_or_answers_nothing_fails(
    index: tuple[VectorIndex, Bedrock], capsys: pytest.CaptureFixture[str]
) -> None:
    index[1].lifecycle = {"status": "LEGACY", "endOfLifeTime": datetime(2027, 3, 1, tzinfo=UTC)}
    index[1].vector = []
    assert search_check.main("petapi") == 1
    printed = capsys.readouterr().out
    assert printed.count("FAILED") == 2
    assert "it is LEGACY, so choose another Encoder. endOfLifeTime 2027-03-01" in printed
    assert printed.count("ok ") == 3


def test_an_index_that_is_gone_fails(index: tuple[VectorIndex, Bedrock], capsys: pytest.CaptureFixture[str]) -> None:
    index[0]._client.delete_index(indexArn=index[0]._arn)
    assert search_check.main("petapi") == 1
    assert capsys.readouterr().out.count("FAILED") == 3


@pytest.mark.parametrize(
    ("stack", "sentence"), [("", "Name the stack"), ("other", "cannot be read"), ("without", "no encoder")]
)
def test_a_stack_that_cannot_be_tried_is_told_so(
    index: tuple[VectorIndex, Bedrock], capsys: pytest.CaptureFixture[str], stack: str, sentence: str
) -> None:
    assert search_check.main(stack) == 2
    assert sentence in capsys.readouterr().err
