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
ODD = ("https://a/é", 'https://a/"', "https://a/\\", "https://a/\x7f", "https://a/\n", "https://a/\U0001f408")
NO_ARN = ("arn", "arn:aws:s3:::bucket", " ", "pets")
WRONG: dict[str, tuple[str, ...]] = {
    **{name: NO_SWITCH for name, each in PARAMETERS.items() if each.get("AllowedValues") == ["false", "true"]},
    **{name: NO_RATE for name in PARAMETERS if name.endswith("ThrottleRate")},
    **{name: (*NO_COUNT, "100000") for name in PARAMETERS if name.endswith("ThrottleBurst")},
    **{name: (*NO_COUNT, "0", "1", "1001") for name in PARAMETERS if re.match("(Ingest|Callback|Index)Conc", name)},
    **dict.fromkeys(("ChunkInfoTableName", "ImageChunksTableName"), NO_NAME),
    **dict.fromkeys(("EncoderLayer", "AlarmTopicArn", "PermissionsBoundary"), NO_ARN),
    **dict.fromkeys(
        ("RecognitionModel", "RecognitionModelLabels"), (" ", " /opt/a", "/opt/a ", "/opt/a\n", *ODD, "a" * 256)
    ),
    "Stage": ("", "Production", "1st", "a_b", "a/b", "a" * 33, " a", "é"),
    "Labels": ("", " ", ",", "2cats", "cat dog", "a" * 33, "cat;dog", "käse", "cat,dog\n", "cat," * 375 + "a"),
    "JwtIssuer": (
        *("example.com", "http://example.com/", "https://a/?b", "https://a b/", "ftp://a/", " ", *ODD),
        *("https://" + "a" * 248, "http://localhost/é", "http://localhost:x/"),
    ),
    "JwtAudience": (" ", "a b", "a" * 256, "a\n", *ODD),
    "Writes": ("", "Open", "true"),
    "ImageMaxAge": (*NO_COUNT, "100000000"),
    "Recogniser": ("", "aws", "Rekognition"),
    "RecognitionMinConfidence": ("-1", "101", "100.5", "70%", ".", "70." + "0" * 7),
    "RecognitionMaxLabels": (*NO_COUNT, "0", "101"),
    "RecognitionLifetimeDays": (*NO_COUNT, "0", "100000"),
    "Encoder": ("", "clip", "Titan"),
    "FormLifetime": (*NO_COUNT, "0", "59", "3601", "9000"),
    "CallbackTimeout": ("", "0", "0.5", "21", "20.1", "-1", "soon", "5.0000", "05", "1e1"),
    "Architecture": ("", "arm", "x86"),
    "LogRetentionDays": ("", "0", "2", "366"),
    "AlarmEmail": (
        *("me", "me@example", "a@b.com, d@e.com", "a@b.com,d@e.com", "a@b.com;d@e.com", "a b@example.com", " "),
        *("@example.com", "me@", "me@@example.com", "me@example.com@example.com", "me@.com", "me@example..com"),
        *(".me@example.com", "me.@example.com", "m..e@example.com", "me@example.com.", "me@-a.com", "me@a-.com"),
        *("me@a_b.com", "me@example.c", "me@example.123", "me@[127.0.0.1]", "me@127.0.0.1", "me@exam ple.com"),
        *("Me <me@example.com>", "<me@example.com>", "mailto:me@example.com", '"me"@example.com', "me(a)@example.com"),
        *("me@example.com\n", "\nme@example.com", "me\\@example.com", "mé@example.com", "me@exämple.com"),
        *("me@example.com?subject=a", "me@example.com/", "https://me@example.com", "me@" + "a" * 64 + ".com"),
        "a" * 243 + "@example.com",
    ),
    "AccountConcurrency": ("", "9", "-1", "all"),
    "BytesOutAlarm": ("", "0", "0.5", "-1"),
    "MonthlyBudget": ("", "-1", "0.0", "00", "50$", "1e3", "49.901", " "),
    "BudgetOf": ("", "tag"),
    "Tracing": ("", "true", "active"),
}
IN_TEST_CDN = {"LinkBase", "DomainName", "CertificateArn", "WebAclArn", "ApiWebAclArn"}  # tests/cloud/test_cdn.py


def test_every_parameter_is_tried() -> None:
    assert set(WRONG) | IN_TEST_CDN == set(PARAMETERS)
    assert all(WRONG.values())


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
    assert str(each.get("MaxLength", "")) in sentence or name == "DomainName"  # which DNS bounds
    assert Deployed().refusals() == []


def test_what_must_be_whole_is_no_number_of_cloudformation() -> None:
    """A Number may be 1.5, and has no pattern: API Gateway, Lambda or our code would fail at it."""
    floats = {name for name, each in PARAMETERS.items() if each["Type"] == "Number" and "AllowedValues" not in each}
    rates = {name for name in PARAMETERS if name.endswith("ThrottleRate")}
    assert floats == rates | {"AccountConcurrency", "BytesOutAlarm"}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        (
            "AlarmEmail",
            ("me@example.com", "first.last+pets@mail.example.co.uk", "O'Hara_1@a-b.io", "a@xn--p1ai.xn--p1ai"),
        ),
        ("CallbackTimeout", ("1", "2.5", "19.999", "20")),
        ("Labels", ("*", "cat", " cat , dog,", "a" * 32, ",".join(["a" * 32] * 45))),
        ("LinkBase", ("/", "https://pets.example.com:8443/a/b%20c/", "https://" + "a" * 247)),
        ("RecognitionModel", ("/opt/model.onnx", "/opt/my models/net (1).onnx", "/" + "a" * 254)),
        ("RecognitionMinConfidence", ("0", "99.9", "100", "70.123456")),
    ],
)
def test_what_is_meant_is_taken(name: str, values: tuple[str, ...]) -> None:
    for value in values:
        assert Deployed(**{name: value}).refusals() == [], value


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
    "CloudFront writes no log into a bucket of this region": {
        "Cdn": "true",
        "CdnLogs": "true",
        "AWS::Region": "eu-south-2",
    },
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
        ("auto", "titan", "nova", "lite0", "none"), ("rekognition", "colours"), ("", "Cdn", "Cdn CdnLogs"), ("0", "50")
    ):
        yield {
            "Encoder": encoder,
            "EncoderLayer": LAYER,
            "Recogniser": recogniser,
            **dict.fromkeys(cdn.split(), "true"),
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


def test_cloudfronts_log_is_taken_only_where_cloudfront_writes_it() -> None:
    """Everywhere else its bucket would be made, and then the distribution refused."""
    taken = {region for region in regions() if Deployed(**with_a_log(region)).refusals() == []}
    assert taken == EVERYWHERE_ENABLED
    for region in set(regions()) - taken:
        assert any(each.startswith("CloudFront writes no log") for each in Deployed(**with_a_log(region)).refusals())


def with_a_log(region: str) -> dict[str, str]:
    return {"Cdn": "true", "CdnLogs": "true", "Recogniser": "colours", "AWS::Region": region}


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


# Regions that no account has to enable, https://docs.aws.amazon.com/global-infrastructure/latest/regions/. CloudFront
# names regions that it writes no log into, "Configure standard logging (legacy)": all of them are others.
EVERYWHERE_ENABLED = {
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
    *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
    *("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3"),
}

WHERE = {  # https://docs.aws.amazon.com/bedrock/latest/userguide/models-regions.html, and S3 Vectors beside it
    "titan": {
        *("us-east-1", "us-west-2", "ap-south-1", "ap-southeast-2", "ca-central-1"),
        *("eu-central-1", "eu-west-1", "eu-west-2", "eu-west-3"),
    },
    "nova": {"us-east-1"},
}
