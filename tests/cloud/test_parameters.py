"""Each parameter of the template changes what is deployed, and reaches every function that reads it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.cloud import ROOT
from tests.support.deployed import Deployed
from tests.support.transformed import resources
from tools.template import read_template

TEMPLATE = read_template(ROOT / "template.yaml")
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
ACL = "arn:aws:wafv2:{}:123456789012:{}/webacl/pets/01234567-89ab-cdef-0123-456789abcdef"

DOMAIN = {"DomainName": "pets.example.com", "CertificateArn": CERTIFICATE}
CDN = {"Cdn": "true"}
LAYER = {"EncoderLayer": "arn:aws:lambda:eu-west-1:123456789012:layer:lite0:1"}
MAIL = {"AlarmEmail": "operator@example.com"}

# What a parameter needs beside it, and a text where any would do. Switches and numbers have their other values below.
BESIDE = {
    "CdnOnly": CDN | DOMAIN,
    "CdnSecretRotation": CDN | DOMAIN | {"CdnOnly": "true"},
    "CdnLogs": CDN,
    "JwtIssuer": {"JwtAudience": "pets"},
    "DomainName": DOMAIN,
    "CertificateArn": DOMAIN,
    "WebAclArn": CDN,
    **dict.fromkeys(("AccountConcurrency", "BytesOutAlarm", "MonthlyBudget"), MAIL),
    "BudgetOf": MAIL | {"MonthlyBudget": "100"},
}
TEXTS = {
    "Stage": "second",
    "Labels": "cat,dog,bird",
    **dict.fromkeys(("ThrottleBurst", "DrawThrottleBurst", "PictureThrottleBurst", "SearchThrottleBurst"), "40"),
    **dict.fromkeys(("IngestConcurrency", "CallbackConcurrency", "IndexConcurrency"), "3"),
    "ImageMaxAge": "86400",
    "FormLifetime": "60",
    "CallbackTimeout": "2.5",
    "MonthlyBudget": "49.90",
    "JwtIssuer": "https://issuer.example.com/",
    "JwtAudience": "pets",
    "LinkBase": "https://d111111abcdef8.cloudfront.net/",
    "Recogniser": "colours",
    "RecognitionMinConfidence": "80",
    "RecognitionMaxLabels": "5",
    "RecognitionModel": "/opt/model.onnx",
    "RecognitionModelLabels": "/opt/names.txt",
    "RecognitionLifetimeDays": "30",
    "DomainName": "images.example.com",
    "CertificateArn": CERTIFICATE.replace("abcdef", "fedcba"),
    "WebAclArn": ACL.format("us-east-1", "global"),
    "ApiWebAclArn": ACL.format("eu-west-1", "regional"),
    "ChunkInfoTableName": "restored-chunks",
    "ImageChunksTableName": "restored-images",
    "PermissionsBoundary": "arn:aws:iam::123456789012:policy/petapi-deployer-Boundary-1ABCDEF",
    "AlarmTopicArn": "arn:aws:sns:eu-west-1:123456789012:alarms",
    **MAIL,
    **LAYER,
}
# Functions have another value only with both this and another parameter, which rules allow together only.
WITH_ANOTHER = {"Cdn", "CertificateArn"}


def other(name: str) -> str:
    """Return another value than the default."""
    declared = TEMPLATE["Parameters"][name]
    if name in TEXTS:
        return TEXTS[name]
    if allowed := [str(value) for value in declared.get("AllowedValues", ()) if value != declared["Default"]]:
        return allowed[-1]
    assert declared["Type"] == "Number", f"add another value of {name} to TEXTS"
    return str(declared["Default"] + (-1 if declared["Default"] == declared.get("MaxValue") else 1))


def changed(name: str) -> set[str]:
    """Return the resources that are made, gone or different with another value of this parameter."""
    beside = BESIDE.get(name, {})
    first, second = Deployed(**beside), Deployed(**{**beside, name: other(name)})
    assert first.refusals() == second.refusals() == []
    before, after = first.resources(), second.resources()
    return {each for each in {*before, *after} if before.get(each) != after.get(each)}


def readers(name: str) -> set[str]:
    """Return the functions that name this parameter, or a condition or SSM parameter that depends on it."""
    functions = {each: made for each, made in resources().items() if made["Type"] == "AWS::Lambda::Function"}
    return {each for each, made in functions.items() if name in set(named(made["Properties"]))}


def named(node: Any) -> Iterator[str]:
    """Yield the names that a value of the template refers to, those of its conditions included."""
    if isinstance(node, list):
        for each in node:
            yield from named(each)
    elif isinstance(node, dict):
        for function, inner in node.items():
            condition = inner if function == "Condition" else inner[0] if function == "Fn::If" else None
            if condition:
                yield from named(TEMPLATE["Conditions"][condition])
            if function == "Fn::GetAtt" and inner[1] == "Value":  # of an SSM parameter
                yield from named(resources()[inner[0]]["Properties"]["Value"])
            yield from [inner] if function == "Ref" else ()
            yield from re.findall(r"\$\{(\w+)\}", str(inner)) if function == "Fn::Sub" else ()
            yield from named(inner)


@pytest.mark.parametrize("name", TEMPLATE["Parameters"])
def test_another_value_changes_what_is_deployed_and_every_function_that_reads_it(name: str) -> None:
    different = changed(name)
    assert different
    functions = {each for each in different if resources()[each]["Type"] == "AWS::Lambda::Function"}
    if name in WITH_ANOTHER:
        assert not functions
    else:
        assert functions == readers(name)


def test_what_every_function_reads_reaches_all_of_them() -> None:
    everywhere = {name for name in TEMPLATE["Parameters"] if len(readers(name)) == 13}
    assert everywhere >= {"Stage", "LinkBase", "ConsistentReads", "ImageMaxAge", "DomainName", "CdnOnly"}
    assert readers("Recogniser") == {"IndexFunction", "IngestFunction"}
    assert readers("FormLifetime") == {"PresignFunction"}
    writers = ("Delete", "Edit", "Ingest", "Presign", "Upload")
    assert readers("Writes") == {f"{name}Function" for name in (*writers, "Browse")}  # which shows it at /status
    assert readers("ImageChunksTableName") == {
        f"{name}Function" for name in (*writers, "Browse", "Index", "Mosaic", "Random", "Search")
    }
    assert not readers("CdnLogs") | readers("WebAclArn") | readers("ApiWebAclArn")


@pytest.mark.parametrize(
    ("recogniser", "everything", "allowed"),
    [
        ("rekognition", "false", {"IngestFunctionRole"}),
        ("rekognition", "true", {"IngestFunctionRole", "IndexFunctionRole"}),
        *((other, everything, set()) for other in ("colours", "onnx", "lite0") for everything in ("false", "true")),
    ],
)
def test_only_a_function_that_asks_rekognition_may(recogniser: str, everything: str, allowed: set[str]) -> None:
    made = Deployed(Recogniser=recogniser, RecogniseAll=everything).resources()
    roles = {name: each for name, each in made.items() if resources()[name]["Type"] == "AWS::IAM::Role"}
    assert {name for name, each in roles.items() if "rekognition:" in str(each)} == allowed


RESTORED = {"ChunkInfoTable": "restored-chunks", "ImageChunksTable": "restored-images"}


def written(deployed: Deployed) -> dict[str, str]:
    """Return resources and outputs as JSON, in which the value of a table's SSM parameter stands for its name."""
    found = {name: json.dumps(each, sort_keys=True) for name, each in deployed.resources().items()}
    found["Outputs"] = json.dumps(deployed.outputs(), sort_keys=True)
    for table in RESTORED:
        value = deployed.properties(f"{table}Parameter")["Value"]
        plain = value if isinstance(value, str) else f"${{{value['Ref']}}}"
        attribute = json.dumps({"Fn::GetAtt": [f"{table}Parameter", "Value"]})
        found = {
            name: text.replace(attribute, json.dumps(value)).replace(f"${{{table}Parameter.Value}}", plain)
            for name, text in found.items()
        }
    return found


@pytest.mark.parametrize("tables", [("ChunkInfoTable",), ("ImageChunksTable",), ("ChunkInfoTable", "ImageChunksTable")])
def test_a_restore_changes_ssm_fallbacks_policies_alarms_and_outputs_together(tables: tuple[str, ...]) -> None:
    """By one deploy: whatever named the stack's own table names the restored one, and nothing else changes."""
    before = written(Deployed(**MAIL))
    after = written(Deployed(**MAIL, **{f"{table}Name": RESTORED[table] for table in tables}))
    for table in tables:
        own = (f'{{"Ref": "{table}"}}', f"${{{table}}}")
        before = {
            name: text.replace(own[0], f'"{RESTORED[table]}"').replace(own[1], RESTORED[table])
            for name, text in before.items()
        }
        naming = {name for name, text in after.items() if RESTORED[table] in text}
        functions = {name for name in naming if name.endswith("Function")}
        assert naming >= {f"{table}Parameter", "TableThrottleAlarm", "Dashboard", "Outputs"}
        assert functions >= {"UploadFunction", "RandomFunction", "DeleteFunction", "BrowseFunction", "EditFunction"}
        may_use = {name.removesuffix("Role") for name in naming if name.endswith("Role")}
        assert functions - may_use <= {"PresignFunction"}  # which reads images, and no chunks
        assert may_use - functions == set()
        left = {name for name, text in after.items() if re.search(rf'"{table}"|\{{{table}[.}}]', text)}
        assert left <= {"FollowImages", "IndexFunctionRole"}  # only the stack's own table has the stream
    assert before == after
