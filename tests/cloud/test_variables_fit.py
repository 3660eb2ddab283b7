"""The variables of each function fit into what Lambda takes, whatever the parameters are."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.cloud import ROOT
from tests.support.transformed import of_type, resources
from tools.template import read_template

TEMPLATE = read_template(ROOT / "template.yaml")
PARAMETERS: dict[str, Any] = TEMPLATE["Parameters"]
VARIABLES_MAX = 4096  # bytes of all variables of a function as one JSON, as Lambda's own refusal shows them

PSEUDO = {
    "AWS::StackName": 128,  # characters, of CloudFormation
    "AWS::Region": len("ap-southeast-2"),
    "AWS::URLSuffix": len("amazonaws.com.cn"),
}
ARN = len("arn:aws-us-gov:secretsmanager:ap-southeast-2:123456789012:")
NAMES = {  # the longest that CloudFormation gives, by the type of the resource
    "AWS::S3::Bucket": 63,
    "AWS::DynamoDB::Table": 255,
    "AWS::SQS::Queue": len("https://sqs.ap-southeast-2.amazonaws.com.cn/123456789012/") + 80,
}
ATTRIBUTES = {
    ("AWS::SecretsManager::Secret", "Id"): ARN + len("secret:CallbackSecret-abcdefghijkl-abcdef"),
    ("AWS::S3Vectors::Index", "IndexArn"): ARN + len("bucket//index/") + 63 + 63,
}
SECRET = 64  # characters; the one that is made has 48


def longest(node: Any) -> int:
    """Return the most characters that a value of the template may have when CloudFormation has computed it."""
    if isinstance(node, str):
        return len(node)
    ((function, inner),) = node.items()
    if function == "Fn::If":
        return max(longest(inner[1]), longest(inner[2]))
    if function == "Fn::Sub":
        assert isinstance(inner, str)
        plain = re.sub(r"\{\{resolve:secretsmanager:\$\{CdnSecret\}[^}]*\}\}", "s" * SECRET, inner)
        refs = re.findall(r"\$\{([\w:]+)\}", plain)
        return len(re.sub(r"\$\{[\w:]+\}", "", plain)) + sum(longest({"Ref": name}) for name in refs)
    if function == "Fn::GetAtt":
        return longest_attribute(*inner)
    assert function == "Ref"
    if inner in PARAMETERS:
        return longest_parameter(inner)
    return PSEUDO[inner] if inner in PSEUDO else NAMES[resources()[inner]["Type"]]


def longest_attribute(logical: str, name: str) -> int:
    made = resources()[logical]
    if (made["Type"], name) == ("AWS::SSM::Parameter", "Value"):
        return longest(made["Properties"]["Value"])
    return ATTRIBUTES[made["Type"], name]


def longest_parameter(name: str) -> int:
    """Return the most characters that the declaration of a parameter allows."""
    declared = PARAMETERS[name]
    if "AllowedValues" in declared:
        return max(len(str(value)) for value in declared["AllowedValues"])
    assert declared["Type"] == "String", f"{name}: a Number may have any count of decimals"
    by_pattern = re._parser.parse(declared["AllowedPattern"]).getwidth()[1]  # type: ignore[attr-defined]
    return int(min(by_pattern, declared.get("MaxLength", by_pattern)))


def variables(function: str) -> dict[str, Any]:
    return dict(of_type("AWS::Lambda::Function")[function]["Environment"]["Variables"])


FUNCTIONS = sorted(of_type("AWS::Lambda::Function"))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_longest_variables_fit_together(function: str) -> None:
    given = {name: "x" * longest(value) for name, value in variables(function).items()}
    assert len(json.dumps(given)) <= VARIABLES_MAX


def parameters_of(node: Any) -> Iterator[str]:
    """Yield the parameters whose text is in a value."""
    if isinstance(node, dict):
        for function, inner in node.items():
            if function == "Ref" and inner in PARAMETERS:
                yield inner
            if function == "Fn::Sub":
                yield from set(re.findall(r"\$\{(\w+)\}", inner)) & set(PARAMETERS)
            if function == "Fn::GetAtt" and inner[1] == "Value":
                yield from parameters_of(resources()[inner[0]]["Properties"]["Value"])
            yield from parameters_of(inner)
    elif isinstance(node, list):
        for each in node:
            yield from parameters_of(each)


def test_a_character_of_a_variable_is_one_byte_of_json() -> None:
    """Others would have up to twelve: no parameter takes any that JSON escapes or UTF-8 makes longer."""
    read = {name for function in FUNCTIONS for name in parameters_of(variables(function))}
    assert read >= {"Labels", "LinkBase", "JwtIssuer", "RecognitionModel", "Stage", "ImageMaxAge", "DomainName"}
    for name in read:
        declared = PARAMETERS[name]
        if "AllowedValues" in declared:
            continue
        taken = example(declared["AllowedPattern"])
        for odd in '"\\\n\t\x7f\u2028é猫\U0001f408':
            tried = {taken[:at] + odd + taken[at:] for at in range(len(taken) + 1)} | {odd, odd * 3}
            assert not [text for text in tried if re.fullmatch(declared["AllowedPattern"], text)], (name, odd)


def example(pattern: str) -> str:
    """Return a text that the pattern takes."""
    texts = ("/a/b", "https://a/b", "https://a.example/b", "cat,dog", "a.example.com", "production", "900", "10", "5")
    return next(text for text in texts if re.fullmatch(pattern, text))
