"""The shortcuts through ministack: they answer as ministack does."""

import base64
import json
import re
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

import pybase64
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ministack.core import iam_evaluator
from ministack.services import dynamodb
from samtranslator.swagger import swagger

from tests.support import transformed
from tools.local import shortcuts

SLOT = "KeyConditionExpression"
STRINGS = st.sampled_from(["", "a", "cat", "cat#x", "ä"])
ATTRIBUTES = st.one_of(
    STRINGS.map(lambda text: {"S": text}),
    st.sampled_from(["0", "3", "10", "1e11", "-2", "3.0"]).map(lambda number: {"N": number}),
    st.sampled_from([{"B": "YQ=="}, {"BOOL": True}, {"NULL": True}, {"SS": ["a"]}, {"L": []}]),
)
ITEMS = st.lists(st.dictionaries(st.sampled_from(["label", "n"]), ATTRIBUTES), min_size=1, max_size=6)
CONDITIONS = st.sampled_from(
    [
        "label = :a",
        "#l = :a",
        *(f"label = :a AND {name} {operator} :b" for name in ("n", "#n") for operator in ("=", "<", "<=", ">", ">=")),
        "label = :a AND n BETWEEN :b AND :a",
        "label = :a AND begins_with(n, :b)",
        "label=:a AND n<:b",
        "(label = :a) AND n < :b",
        "((label = :a))",
        "label = :a OR n = :b",
        "label = :a AND n <> :b",
        "label = :missing",
        "name = :a",
        "label = ",
        " ",
    ]
)


def outcome(call: Callable[[], object]) -> object:
    """Return what a call returns or raises."""
    try:
        return call()
    except Exception as error:
        return type(error), str(error)


@given(st.lists(st.tuples(CONDITIONS, ATTRIBUTES, ATTRIBUTES, ITEMS), min_size=1, max_size=3))
@example([("label = :a AND n < :b", {"S": "cat"}, {"N": "10"}, [{"label": {"S": "cat"}, "n": {"N": "3"}}] * 2)])
def test_a_key_condition_is_judged_as_without_the_shortcut(queries: list[tuple[str, Any, Any, list[Any]]]) -> None:
    judge = shortcuts._KeyConditions(dynamodb._evaluate_condition, dynamodb._compare_ddb)
    names = {"#l": "label", "#n": "n"}

    for condition, first, second, items in queries:
        values, own_names = {":a": first, ":b": second}, dict(names)
        for item in items:
            asked = (condition, item, values, own_names, SLOT)
            assert outcome(partial(judge, *asked)) == outcome(partial(dynamodb._evaluate_condition, *asked))


def test_a_query_with_other_values_is_another_query() -> None:
    judge = shortcuts._KeyConditions(dynamodb._evaluate_condition, dynamodb._compare_ddb)
    condition, item, names = "label = :a", {"label": {"S": "cat"}}, dict[str, str]()

    for wanted in ("cat", "dog", "cat", "dog"):
        values: dict[str, Any] = {":a": {"S": wanted}}
        assert [judge(condition, item, values, names, slot=SLOT) for _ in range(3)] == [wanted == "cat"] * 3


def test_a_key_condition_is_evaluated_once_for_all_items() -> None:
    evaluated: list[Any] = []

    def evaluate(*arguments: Any, slot: str) -> Any:
        evaluated.append(arguments)
        return dynamodb._evaluate_condition(*arguments, slot=slot)

    judge = shortcuts._KeyConditions(evaluate, dynamodb._compare_ddb)
    condition, values, names = "label = :a AND n < :b", {":a": {"S": "cat"}, ":b": {"N": "10"}}, dict[str, str]()
    items = [{"label": {"S": "cat"}, "n": {"N": f"{number}"}} for number in range(20)]

    assert sum(judge(condition, item, values, names, slot=SLOT) for item in items) == 10
    assert len(evaluated) == 1
    assert sum(judge(condition, item, values, names) for item in items) == 10
    assert len(evaluated) == 21, "other conditions have no shortcut"


@given(st.binary() | st.text(alphabet=st.sampled_from("QUJD=-_ \n!é"), max_size=12))
def test_base64_is_decoded_as_python_does(content: bytes | str) -> None:
    text = base64.b64encode(content).decode() if isinstance(content, bytes) else content

    assert outcome(partial(shortcuts.decoded, text)) == outcome(partial(base64.b64decode, text))
    assert pybase64.b64encode(text.encode()) == base64.b64encode(text.encode())


POLICY = '{"Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", "%s"], "Resource": "*"}]}'


@pytest.mark.parametrize(
    "document", [POLICY % "a", "no JSON", "[]", '{"Statement": {"Effect": "Deny"}}', {"Statement": []}]
)
def test_a_policy_is_parsed_as_without_the_shortcut(document: Any) -> None:
    parse = shortcuts._once_per_text(iam_evaluator.parse_policy_document)

    assert [parse(deepcopy(document)) for _ in range(2)] == [iam_evaluator.parse_policy_document(document)] * 2


def test_a_policy_that_changes_is_parsed_again() -> None:
    parsed: list[Any] = []
    parse = shortcuts._once_per_text(lambda document: parsed.append(document) or document)

    for document in (POLICY % "a", POLICY % "b", POLICY % "a", {"Statement": []}, {"Statement": []}):
        assert parse(document) == document
    assert parsed == [POLICY % "a", POLICY % "b", {"Statement": []}, {"Statement": []}]


def test_a_template_is_transformed_as_without_the_shortcut(monkeypatch: pytest.MonkeyPatch) -> None:
    """But for the id of a deployment, which is a hash of the description in an order of its own."""
    monkeypatch.setattr(swagger, "_deepcopy", swagger._deepcopy)  # puts it back at the end
    transform = transformed.resources.__wrapped__
    plain = transform()
    quick = shortcuts._without_copies(transform)()

    description = {"paths": {}}
    assert swagger._deepcopy(description) is description
    assert without_deployment_ids(quick) == without_deployment_ids(plain)
    assert any(kind["Type"] == "AWS::ApiGateway::Deployment" for kind in quick.values())


def without_deployment_ids(resources: dict[str, Any]) -> Any:
    return json.loads(re.sub(r"(ApiDeployment|deployment id: )[0-9a-f]+", r"\1", json.dumps(resources)))
