"""`make deploy-check`: a deploy that would fail halfway is refused before it begins."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from tests.support.cloud import ROOT, template
from tools import deploy_check
from tools.deploy_check import given, parameter_names

NEAR = "arn:aws:acm:us-east-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
FAR = NEAR.replace("us-east-1", "eu-west-1")


@pytest.fixture
def _cloud(moto_aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Provide an account whose stack `first` has the SSM parameters of the stage `production`."""
    ssm = boto3.client("ssm")
    for name in parameter_names("production"):
        ssm.delete_parameter(Name=name)  # those of all other tests, which are no stack's
    make_stack("first", "production")
    real: Any = boto3.client

    def client(name: str, **options: Any) -> Any:
        made = real(name, **options)
        if name == "cloudformation":
            made.describe_stack_resources = lambda PhysicalResourceId: owner(made, PhysicalResourceId)
        return made

    monkeypatch.setattr(boto3, "client", client)


def make_stack(name: str, stage: str, **parameters: str) -> None:
    """Make a stack with the SSM parameters that the template has for this stage."""
    declared = {each: {"Type": "String", "Default": value} for each, value in parameters.items()}
    resources = {
        f"Parameter{number}": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": n, "Value": "x"}}
        for number, n in enumerate(parameter_names(stage))
    }
    body = json.dumps({"Parameters": {"Stage": {"Type": "String"}, **declared}, "Resources": resources})
    given_ = [{"ParameterKey": "Stage", "ParameterValue": stage}]
    boto3.client("cloudformation").create_stack(StackName=name, TemplateBody=body, Parameters=given_)  # type: ignore[arg-type]


def owner(cloudformation: Any, parameter: str) -> Any:
    """Answer as CloudFormation does: moto does not look for the stack of a resource."""
    for stack in cloudformation.describe_stacks()["Stacks"]:
        found = cloudformation.list_stack_resources(StackName=stack["StackName"])["StackResourceSummaries"]
        if parameter in [each["PhysicalResourceId"] for each in found]:
            return {"StackResources": [{"StackName": stack["StackName"], "PhysicalResourceId": parameter}]}
    message = f"Stack for {parameter} does not exist"
    raise ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "DescribeStackResources")


def check(folder: Path, **variables: str) -> int:
    return deploy_check.main(variables, folder)


def test_the_names_are_those_of_the_template() -> None:
    made = [each for each in template()["Resources"].values() if each["Type"] == "AWS::SSM::Parameter"]
    assert parameter_names("a") == [each["Properties"]["Name"].replace("${Stage}", "a") for each in made]
    assert all(name.startswith("/pet-api/a/") for name in parameter_names("a"))


@pytest.mark.usefixtures("_cloud")
def test_a_second_stack_needs_a_stage_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tmp_path, STACK="second") == 1
    said = capsys.readouterr()
    assert said.out == ""
    (sentence,) = said.err.splitlines()
    assert "belongs to the stack first, so the stack second needs another Stage than production" in sentence
    assert "make deploy STACK=second PARAMETERS='Stage=" in sentence
    assert check(tmp_path, STACK="second", PARAMETERS="Stage=another") == 0
    assert "The stack second can have the stage another" in capsys.readouterr().out


@pytest.mark.usefixtures("_cloud")
def test_a_stack_keeps_its_stage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also one that is not the default, and that no file names."""
    assert check(tmp_path, STACK="first") == 0
    make_stack("second", "another")
    assert check(tmp_path, STACK="second") == 0
    assert "The stack second can have the stage another" in capsys.readouterr().out
    assert check(tmp_path, STACK="second", PARAMETERS="Stage=production") == 1


@pytest.mark.usefixtures("_cloud")
def test_a_parameter_that_somebody_made_by_hand_is_in_the_way_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    last = parameter_names("another")[-1]  # beyond the ten that SSM takes in one call
    boto3.client("ssm").put_parameter(Name=last, Value="x", Type="String")
    assert check(tmp_path, STACK="second", PARAMETERS="Stage=another") == 1
    assert f"{last} exists already and belongs to no stack" in capsys.readouterr().err


@pytest.mark.usefixtures("_cloud")
def test_the_stage_and_the_stack_may_stand_in_samconfig(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "samconfig.toml").write_text(
        '[default.global.parameters]\nstack_name = "second"\n'
        '[ci.deploy.parameters]\nstack_name = "third"\nregion = "us-east-1"\n'
        'parameter_overrides = "Stage=\\"third\\" Labels=\\"cat,dog\\""\n'
        '[list.deploy.parameters]\nparameter_overrides = ["Stage=fourth"]\n'
    )
    assert check(tmp_path) == 1
    assert "the stack second needs another Stage than production" in capsys.readouterr().err
    assert check(tmp_path, CONFIG_ENV="ci") == 0
    assert "The stack third can have the stage third in us-east-1" in capsys.readouterr().out
    assert check(tmp_path, CONFIG_ENV="list") == 0
    assert check(tmp_path, CONFIG_ENV="ci", PARAMETERS="Labels=cat") == 1  # overrides stand for all of the file's


@pytest.mark.usefixtures("_cloud")
@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ("", None),
        (f"DomainName=a.example.com CertificateArn={NEAR}", None),
        (f"DomainName=a.example.com CertificateArn={NEAR} Cdn=true", None),
        (f"DomainName=a.example.com CertificateArn={FAR}", "the API in us-east-1 needs a certificate in us-east-1"),
        (f"DomainName=a.example.com CertificateArn={FAR} Cdn=true", "CloudFront (Cdn=true) needs a certificate in us-"),
    ],
)
def test_a_certificate_of_another_region_is_refused(
    parameters: str, sentence: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(tmp_path, STACK="first", PARAMETERS=parameters) == (1 if sentence else 0)
    assert (sentence or "") in capsys.readouterr().err


@pytest.mark.usefixtures("_cloud")
def test_without_cloudfront_the_certificate_is_in_the_stacks_region(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    both = "DomainName=a.example.com CertificateArn="
    assert check(tmp_path, PARAMETERS=both + FAR) == 0
    assert check(tmp_path, PARAMETERS=both + NEAR) == 1
    assert check(tmp_path, PARAMETERS=both + NEAR + " Cdn=true") == 0


def test_whoever_is_not_signed_in_is_told_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise NoCredentialsError

    monkeypatch.setattr(deploy_check, "planned", refuse)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert check(tmp_path) == 2
    assert "Sign in, and name a region." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("Stage=a Labels=cat,dog", {"Stage": "a", "Labels": "cat,dog"}),
        ('Stage="a" Labels="cat, dog"', {"Stage": "a", "Labels": "cat, dog"}),
        ("LinkBase=https://a/b=c", {"LinkBase": "https://a/b=c"}),
        ("ParameterKey=Labels,ParameterValue=cat,dog", {"Labels": "cat,dog"}),
    ],
)
def test_overrides_are_read_as_the_sam_cli_reads_them(text: str, found: dict[str, str]) -> None:
    assert given(text) == found


def test_make_deploy_asks_before_it_builds() -> None:
    text = (ROOT / "Makefile").read_text()
    assert text.count("\ndeploy: deploy-check ") == 1
