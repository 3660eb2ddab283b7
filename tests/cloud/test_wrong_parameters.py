"""A wrong parameter is refused by the template with a sentence, before CloudFormation makes anything."""

import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import cfnlint
import pytest

from tests.support.cloud import ROOT
from tests.support.deployed import Deployed
from tests.support.transformed import resources
from tools.template import read_template

TEMPLATE = read_template(ROOT / "template.yaml")
PARAMETERS: dict[str, Any] = TEMPLATE["Parameters"]
LAYER = "arn:aws:lambda:eu-west-1:123456789012:layer:lite0:1"

NO_SWITCH = ("", "yes", "True", "TRUE", "1", " true")
NO_COUNT = ("", "-1", "1.5", "1e3", "ten", "007", " 5", "5 ", "٣")
NO_RATE = ("", "-1", "many", "100001", "20 a second")
NO_NAME = ("a", "a b", "table/1", "x" * 256, " ")
NO_ARN = ("arn", "arn:aws:s3:::bucket", " ", "pets")
WRONG: dict[str, tuple[str, ...]] = {
    **{name: NO_SWITCH for name, each in PARAMETERS.items() if each.get("AllowedValues") == ["false", "true"]},
    **{name: NO_RATE for name in PARAMETERS if name.endswith("ThrottleRate")},
    **{name: (*NO_COUNT, "100000") for name in PARAMETERS if name.endswith("ThrottleBurst")},
    **{name: (*NO_COUNT, "0", "1", "1001") for name in PARAMETERS if re.match("(Ingest|Callback|Index)Conc", name)},
    **dict.fromkeys(("ChunkInfoTableName", "ImageChunksTableName"), NO_NAME),
    **dict.fromkeys(("EncoderLayer", "AlarmTopicArn", "PermissionsBoundary"), NO_ARN),
    **dict.fromkeys(("RecognitionModel", "RecognitionModelLabels"), (" ", " /opt/a", "/opt/a ", "/opt/a\n")),
    "Stage": ("", "Production", "1st", "a_b", "a/b", "a" * 33, " a", "é"),
    "Labels": ("", " ", ",", "2cats", "cat dog", "a" * 33, "cat;dog", "käse"),
    "JwtIssuer": ("example.com", "http://example.com/", "https://a/?b", "https://a b/", "ftp://a/", " "),
    "JwtAudience": (" ", "a b", "a" * 256, "a\n"),
    "Writes": ("", "Open", "true"),
    "ImageMaxAge": (*NO_COUNT, "100000000"),
    "Recogniser": ("", "aws", "Rekognition"),
    "RecognitionMinConfidence": ("-1", "101", "100.5", "70%", "."),
    "RecognitionMaxLabels": (*NO_COUNT, "0", "101"),
    "RecognitionLifetimeDays": (*NO_COUNT, "0", "100000"),
    "Encoder": ("", "clip", "Titan"),
    "FormLifetime": (*NO_COUNT, "0", "59", "3601", "9000"),
    "CallbackTimeout": ("", "0", "21", "-1", "soon"),
    "Architecture": ("", "arm", "x86"),
    "LogRetentionDays": ("", "0", "2", "366"),
    "AlarmEmail": ("me", "me@example", "a@b.c, d@e.f", "a b@example.com", " "),
    "AccountConcurrency": ("", "9", "-1", "all"),
    "BytesOutAlarm": ("", "0", "0.5", "-1"),
    "MonthlyBudget": ("", "-1", "0.0", "00", "50$", "1e3", "49.901", " "),
    "BudgetOf": ("", "tag"),
    "Tracing": ("", "true", "active"),
}
IN_TEST_CDN = {"LinkBase", "DomainName", "CertificateArn", "WebAclArn", "ApiWebAclArn"}  # tests/cloud/test_cdn.py


def test_every_parameter_is_tried() -> None:
    assert set(WRONG) | IN_TEST_CDN == set(PARAMETERS)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_refused_with_the_sentence_of_its_parameter(name: str) -> None:
    for value in WRONG[name]:
        assert PARAMETERS[name]["ConstraintDescription"] in Deployed(**{name: value}).refusals(), value


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_says_in_a_sentence_what_it_may_be(name: str) -> None:
    each = PARAMETERS[name]
    assert {"AllowedPattern", "AllowedValues", "MinValue"} & set(each)
    assert each["Type"] in ("String", "Number")
    sentence = each["ConstraintDescription"]
    assert sentence.startswith(f"{name} ")
    assert re.search(r"\.( .*\.)?$", sentence)
    assert all(str(value) in sentence for value in each.get("AllowedValues", ()))
    assert all(str(each[bound]) in sentence for bound in ("MinValue", "MaxValue") if bound in each)
    assert Deployed().refusals() == []


def test_what_must_be_whole_is_no_number_of_cloudformation() -> None:
    """A Number may be 1.5, and has no pattern: API Gateway, Lambda or our code would fail at it."""
    floats = {name for name, each in PARAMETERS.items() if each["Type"] == "Number" and "AllowedValues" not in each}
    rates = {name for name in PARAMETERS if name.endswith("ThrottleRate")}
    assert floats == rates | {"CallbackTimeout", "AccountConcurrency", "BytesOutAlarm"}


TOGETHER = {
    "JwtIssuer needs JwtAudience": {"JwtIssuer": "https://issuer.example.com/"},
    "Recogniser=onnx needs RecognitionModel and": {"Recogniser": "onnx", "EncoderLayer": LAYER},
    "Encoder=lite0, Recogniser=lite0 and Recogniser=onnx need EncoderLayer": {"Encoder": "lite0"},
    "MonthlyBudget needs AlarmEmail": {"MonthlyBudget": "50"},
    "This region has no Amazon S3 Vectors": {
        "Encoder": "lite0",
        "EncoderLayer": LAYER,
        "AWS::Region": "il-central-1",
    },
    "CloudFormation makes no CloudFront": {"Cdn": "true", "AWS::Region": "us-gov-west-1"},
    "CloudFormation makes no budgets in this region": {
        "MonthlyBudget": "50",
        "AlarmEmail": "me@example.com",
        "AWS::Region": "eu-south-2",
    },
    "This region has no Amazon Rekognition": {"AWS::Region": "eu-north-1"},
    "Encoder=titan needs a region": {"Encoder": "titan", "AWS::Region": "us-east-2"},
    "Encoder=nova needs us-east-1": {"Encoder": "nova", "AWS::Region": "us-west-2"},
}


@pytest.mark.parametrize("sentence", TOGETHER)
def test_what_does_not_fit_together_is_refused_with_one_sentence(sentence: str) -> None:
    (refusal,) = Deployed(**TOGETHER[sentence]).refusals()
    assert refusal.startswith(sentence)
    assert refusal.endswith(".")


@cache
def types_of(region: str) -> frozenset[str]:
    """Return the types of resources that CloudFormation has in a region, as cfn-lint knows them."""
    return frozenset(json.loads((providers() / f"{region}.json").read_text()))


def providers() -> Path:
    return Path(cfnlint.__file__).parent / "data/schemas/providers"


def regions() -> list[str]:
    """Return the regions that have functions at all."""
    found = sorted(path.stem for path in providers().glob("*-*.json"))
    return [region for region in found if "AWS::Lambda::Function" in types_of(region)]


def choices() -> Iterator[dict[str, str]]:
    """Yield parameters that make more or fewer types of resources."""
    for encoder, recogniser, cdn, budget in product(
        ("auto", "titan", "nova", "lite0", "none"), ("rekognition", "colours"), ("false", "true"), ("0", "50")
    ):
        yield {
            "Encoder": encoder,
            "EncoderLayer": LAYER,
            "Recogniser": recogniser,
            "Cdn": cdn,
            "CdnLogs": cdn,
            "MonthlyBudget": budget,
            "AlarmEmail": "me@example.com",
        }


def test_no_deploy_is_taken_where_a_resource_or_a_model_cannot_be() -> None:
    """And in each region something can be deployed."""
    kinds = {name: each["Type"] for name, each in resources().items()}
    assert len(regions()) > 30
    for region in regions():
        taken = [Deployed(**chosen, **{"AWS::Region": region}) for chosen in choices()]
        taken = [deployed for deployed in taken if deployed.refusals() == []]
        assert taken, region
        for deployed in taken:
            made = {kinds[name] for name in kinds if deployed.makes(name)}
            assert made <= types_of(region), (region, made - types_of(region))


def test_an_encoder_is_taken_only_where_its_model_is() -> None:
    """For the functions that search and index: both have it by the same expression."""
    for region in regions():
        for encoder in ("titan", "nova"):
            deployed = Deployed(Encoder=encoder, Recogniser="colours", **{"AWS::Region": region})
            assert (deployed.refusals() == []) == (region in WHERE[encoder]), (region, encoder)
        auto = Deployed(Recogniser="colours", **{"AWS::Region": region})
        variables = {
            name: auto.properties(f"{name}Function")["Environment"]["Variables"] for name in ("Search", "Index")
        }
        expected = "titan" if region in WHERE["titan"] else "none"
        assert {each["ENCODER"] for each in variables.values()} == {expected}, region


WHERE = {  # https://docs.aws.amazon.com/bedrock/latest/userguide/models-regions.html, and S3 Vectors beside it
    "titan": {
        *("us-east-1", "us-west-2", "ap-south-1", "ap-southeast-2", "ca-central-1"),
        *("eu-central-1", "eu-west-1", "eu-west-2", "eu-west-3"),
    },
    "nova": {"us-east-1"},
}
