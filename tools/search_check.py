"""`make search-check STACK=name`: try on a real account what a search needs, and print what came of each step.

It puts a vector of its own into the stack's index, finds it, removes it, lets the stack's model read one word, and
prints how long AWS will offer the model: new customers get none that is Legacy.
"""

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from shared.vectors import bedrock
from shared.vectors.encoder import CannotBeCompared, EncoderBusy
from shared.vectors.vector_index import IndexBusy, Vector, VectorIndex

KEY = "search-check"  # no image has this key, because an image's has a slash
VERSION = "search-check"
WORD = "meadow"
ENCODERS = {"titan": bedrock.Titan, "nova": bedrock.Nova}

Step = tuple[str, Callable[[], str]]  # what is tried, and what tries it and says what came of it


class NotAsExpected(Exception):
    """A step whose call succeeded, but with another result; the message is a sentence."""


def main(stack: str) -> int:
    """Try all steps. Return the exit code: 1 if one fails, 2 if no stack is named or it cannot be read."""
    if not stack:
        print("Name the stack: make search-check STACK=petapi", file=sys.stderr)
        return 2
    try:
        outputs = outputs_of(stack)
    except (BotoCoreError, ClientError) as error:
        print(f"The stack {stack} cannot be read ({error}).", file=sys.stderr)
        return 2
    encoder = outputs.get("EncoderInUse", "none")
    if encoder == "none":
        print(
            f"The stack {stack} has no encoder, so it cannot search. Deploy it with another Encoder.", file=sys.stderr
        )
        return 2
    print(f"The encoder is {encoder}, the index {outputs['VectorIndexArn']}.")
    index = VectorIndex(boto3.client("s3vectors"), outputs["VectorIndexArn"])
    outcomes = [done(step) for step in steps(encoder, index)]
    return int(not all(outcomes))


def outputs_of(stack: str) -> Mapping[str, str]:
    """Return the outputs of a stack."""
    (described,) = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


def done(step: Step) -> bool:
    """Carry out a step and print what came of it. Return whether it succeeded."""
    title, attempt = step
    try:
        print(f"ok      {title}: {attempt()}")
    except (BotoCoreError, ClientError, IndexBusy, EncoderBusy, CannotBeCompared, NotAsExpected) as error:
        print(f"FAILED  {title}: {error}")
        return False
    return True


def steps(encoder: str, index: VectorIndex) -> Iterator[Step]:
    """Yield the steps for this encoder, in order."""
    if encoder in ENCODERS:
        model = ENCODERS[encoder](boto3.client("bedrock-runtime"))
        vector: Sequence[float] = [1.0] * model.dimension
        yield f"the model {model.model} reads a word", lambda: _read(model)
        yield "AWS offers the model", lambda: _offered(boto3.client("bedrock"), model.model)
    else:
        print(f"{encoder} runs in the functions, so there is no model to ask.")
        vector = [1.0] * 1_792  # as lite0 has them
    yield "a vector is put into the index", lambda: _put(index, vector)
    yield "it is found", lambda: _found(index, vector)
    yield "it is removed", lambda: _removed(index)


def _read(model: bedrock.BedrockEncoder) -> str:
    vector = model.text_query(WORD)
    length = math.sqrt(sum(number * number for number in vector))
    if len(vector) != model.dimension or not length:
        raise NotAsExpected(f"{WORD} became {len(vector)} numbers of the length {length:.3g}.")
    return f"{WORD} became {len(vector)} numbers"


def _offered(client: Any, model: str) -> str:
    lifecycle = client.get_foundation_model(modelIdentifier=model)["modelDetails"]["modelLifecycle"]
    ends = [f"{name} {day:%Y-%m-%d}" for name, day in sorted(lifecycle.items()) if name.endswith("Time")]
    if lifecycle["status"] != "ACTIVE":
        raise NotAsExpected(" ".join([f"it is {lifecycle['status']}, so choose another Encoder.", *ends]))
    return ", ".join(["it is ACTIVE", *ends])


def _put(index: VectorIndex, vector: Sequence[float]) -> str:
    index.put([Vector(KEY, {"label": KEY, "version": VERSION}, vector)])
    return f"under the key {KEY}"


def _found(index: VectorIndex, vector: Sequence[float]) -> str:
    hits = index.query(vector, 1, {"label": {"$eq": KEY}})
    if [hit.metadata.get("version") for hit in hits] != [VERSION]:
        raise NotAsExpected(f"The index finds {hits} instead.")
    return f"at the distance {hits[0].distance:.3g}"


def _removed(index: VectorIndex) -> str:
    index.delete([KEY])
    if index.get([KEY]):
        raise NotAsExpected("It is still there.")
    return "it is gone"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
