"""`make deploy-check`: a deploy that would fail halfway is refused before it begins."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from tests.support.certificates import imported
from tests.support.cloud import ROOT, template
from tools.deploy_check import __main__ as deploy_check
from tools.deploy_check.arns import misplaced
from tools.deploy_check.names import parameter_names
from tools.deploy_check.plan import Deploy, given

FAR = "arn:aws:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"


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
        ("DomainName=a.example.com CertificateArn={near}", None),
        ("DomainName=a.example.com CertificateArn={near} Cdn=true", None),
        ("DomainName=a.example.com CertificateArn={far}", "the API in us-east-1 needs one in us-east-1"),
        ("DomainName=a.example.com CertificateArn={far} Cdn=true", "CloudFront (Cdn=true) needs one in us-east-1"),
    ],
)
def test_a_certificate_of_another_region_is_refused(
    parameters: str, sentence: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = parameters.format(near=imported("us-east-1", "a.example.com"), far=imported("eu-west-1", "a.example.com"))
    assert check(tmp_path, STACK="first", PARAMETERS=named) == (1 if sentence else 0)
    assert (sentence or "") in capsys.readouterr().err


@pytest.mark.usefixtures("_cloud")
def test_without_cloudfront_the_certificate_is_in_the_stacks_region(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    near, far = (imported(region, "a.example.com") for region in ("us-east-1", "eu-west-1"))
    both = "DomainName=a.example.com CertificateArn="
    assert check(tmp_path, PARAMETERS=both + far) == 0
    assert check(tmp_path, PARAMETERS=both + near) == 1
    assert check(tmp_path, PARAMETERS=both + near + " Cdn=true") == 0


def test_whoever_is_not_signed_in_is_told_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise NoCredentialsError

    monkeypatch.setattr(deploy_check.plan, "planned", refuse)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert check(tmp_path) == 2
    assert "Sign in, with rights to look." in capsys.readouterr().err


OF_DEPLOY, OF_ALL = (f"[default.{each}.parameters]\nregion = 'eu-west-1'\n" for each in ("deploy", "global"))
PROFILE = "[default]\nregion = eu-west-1\n"


@pytest.mark.usefixtures("_cloud")
@pytest.mark.parametrize(
    ("variables", "samconfig", "profile"),
    [
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "", ""),
        ({"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "us-east-1"}, "", ""),
        ({}, OF_DEPLOY, ""),
        ({}, OF_ALL, ""),
        ({"AWS_REGION": "us-east-1"}, OF_DEPLOY, ""),
        ({"AWS_DEFAULT_REGION": "us-east-1"}, OF_DEPLOY, ""),
        ({"AWS_DEFAULT_REGION": "us-east-1"}, OF_ALL + OF_DEPLOY, ""),
        ({"AWS_DEFAULT_REGION": "us-east-1"}, OF_ALL.replace("eu-west", "us-west") + OF_DEPLOY, ""),
        ({}, "", PROFILE),
        ({"AWS_REGION": "us-east-1"}, "", PROFILE),
        ({}, OF_DEPLOY, PROFILE.replace("eu-west", "us-west")),
    ],
)
def test_the_region_is_the_one_that_sam_deploys_to(
    variables: dict[str, str],
    samconfig: str,
    profile: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In us-east-1, the stack `first` has the stage, and in eu-west-1 none has it."""
    only_these(variables, profile, tmp_path, monkeypatch)
    (tmp_path / "samconfig.toml").write_text(samconfig)
    assert check(tmp_path) == 0
    assert "The stack petapi can have the stage production in eu-west-1." in capsys.readouterr().out


@pytest.mark.usefixtures("_cloud")
@pytest.mark.parametrize("variables", [{}, {"AWS_REGION": "eu-west-1"}], ids=str)
@pytest.mark.parametrize(
    "samconfig", ["", "[default.deploy.parameters]\nstack_name = 'petapi'\n", f"[ci]\n{OF_DEPLOY}"]
)
def test_without_a_region_it_says_which_variable_names_one(
    variables: dict[str, str],
    samconfig: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """AWS_REGION is not enough, because sam would deploy to us-east-1 all the same."""
    only_these(variables, "", tmp_path, monkeypatch)
    (tmp_path / "samconfig.toml").write_text(samconfig)
    environment = {"CONFIG_ENV": "ci"} if "[ci]" in samconfig else {}
    assert check(tmp_path, **environment) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Set AWS_DEFAULT_REGION" in said.err
    assert "samconfig.toml" in said.err


def only_these(variables: dict[str, str], profile: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let only these variables and this profile name a region."""
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (folder / "config").write_text(profile)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # which has read another profile


@pytest.mark.usefixtures("_cloud")
def test_what_sam_guided_writes_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a region, empty values and quoted ones, beside a number that is no environment."""
    (tmp_path / "samconfig.toml").write_text(
        "version = 0.1\n[default.deploy.parameters]\n"
        'stack_name = "third"\nresolve_s3 = true\ns3_prefix = "third"\nregion = "us-east-1"\n'
        'confirm_changeset = true\ncapabilities = "CAPABILITY_IAM"\ndisable_rollback = true\n'
        'parameter_overrides = "Stage=\\"third\\" Labels=\\"cat, dog\\" JwtIssuer=\\"\\" '
        f'DomainName=\\"a.example.com\\" CertificateArn=\\"{FAR}\\""\nimage_repositories = []\n'
        '[table.deploy.parameters]\nparameter_overrides = {Stage = "fifth", Labels = "cat, dog"}\n'
    )
    assert check(tmp_path) == 1
    assert "CertificateArn is" in capsys.readouterr().err
    assert check(tmp_path, PARAMETERS="Stage=third") == 0
    assert check(tmp_path, CONFIG_ENV="table", STACK="fifth") == 0
    assert "The stack fifth can have the stage fifth" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("config", "variables", "sentence"),
    [
        ("version = 0.1\n[default]\n[ci]\n", {"CONFIG_ENV": "cj"}, "it has no environment cj, only: default, ci"),
        ("version = 0.1\n", {"CONFIG_ENV": "version"}, "it has no environment version, only: none"),
        ("", {"CONFIG_ENV": "ci"}, "it has no environment ci"),
        ("[default\n", {}, "cannot be used: "),
        ("", {"PARAMETERS": "Labels='cat"}, "No closing quotation"),
        ('[default.deploy.parameters]\nparameter_overrides = "Labels=\'cat"\n', {}, "No closing quotation"),
    ],
)
def test_a_file_or_parameters_that_sam_could_not_use_either_are_named(
    config: str, variables: dict[str, str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "samconfig.toml").write_text(config)
    assert check(tmp_path, **variables) == 2
    assert sentence in capsys.readouterr().err


ARNS = {
    "CertificateArn": "arn:aws:acm:{}:{}:certificate/01234567-89ab-cdef-0123-456789abcdef",
    "WebAclArn": "arn:aws:wafv2:{}:{}:global/webacl/pets/01234567-89ab-cdef-0123-456789abcdef",
    "ApiWebAclArn": "arn:aws:wafv2:{}:{}:regional/webacl/pets/01234567-89ab-cdef-0123-456789abcdef",
    "EncoderLayer": "arn:aws:lambda:{}:{}:layer:lite0:1",
    "AlarmTopicArn": "arn:aws:sns:{}:{}:alarms",
    "PermissionsBoundary": "arn:aws:iam:{}:{}:policy/petapi",
}
HERE, OWN, OTHER = "eu-west-1", "123456789012", "210987654321"


def said_of(name: str, region: str, account: str, **others: str) -> list[str]:
    """Return what is said of one ARN of this region and account, of a deploy in eu-west-1."""
    defaults = {each: str(declared.get("Default", "")) for each, declared in template()["Parameters"].items()}
    parameters = {**defaults, name: ARNS[name].format(region, account), **others}
    return list(misplaced(Deploy("petapi", OWN, HERE, parameters)))


def test_each_parameter_that_is_an_arn_is_compared() -> None:
    named = {name for name, each in template()["Parameters"].items() if "arn:" in each.get("AllowedPattern", "")}
    assert named == set(ARNS)
    for name in named:
        place = {"WebAclArn": "us-east-1", "PermissionsBoundary": ""}.get(name, HERE)
        assert said_of(name, place, OWN) == []
        for wrong in {"us-east-1", HERE, "us-west-2"} - {place}:
            (sentence,) = said_of(name, wrong, OWN)
            assert sentence.startswith(f"{name} is arn:aws:")
        with_foreign = said_of(name, place, OTHER)
        assert len(with_foreign) == (0 if name in ("EncoderLayer", "AlarmTopicArn") else 1), name
    assert said_of("PermissionsBoundary", "", "aws") == []


def test_an_arn_of_another_partition_is_refused() -> None:
    (sentence,) = said_of("AlarmTopicArn", HERE, OWN, AlarmTopicArn=f"arn:aws-cn:sns:{HERE}:{OWN}:alarms")
    assert sentence.endswith("in eu-west-1 it begins with arn:aws: instead.")


@pytest.mark.usefixtures("_cloud")
def test_each_misplaced_arn_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = " ".join(f"{name}={ARNS[name].format('eu-west-3', OWN)}" for name in ("EncoderLayer", "ApiWebAclArn"))
    assert check(tmp_path, STACK="first", PARAMETERS=wrong) == 1
    first, second = sorted(capsys.readouterr().err.splitlines())
    assert "the API in us-east-1 needs one in us-east-1" in first
    assert "a function in us-east-1 needs one in us-east-1" in second


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


@pytest.mark.parametrize(
    ("variables", "environment", "is_guided"),
    [((), "", True), (("CONFIG_ENV=ci",), "ci", False), (("CONFIG_ENV=ci", "STACK=second"), "ci", False)],
)
def test_make_deploy_deploys_the_environment_that_it_checked(
    variables: tuple[str, ...], environment: str, is_guided: bool
) -> None:
    """Named on the command line of make or in the environment: the check reads the same variable."""
    command = ["make", "--dry-run", "--always-make", "deploy", *variables]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.replace("\\\n", " ")
    (line,) = re.findall(r"^\S*/sam deploy (.*)$", printed, re.MULTILINE)
    assert ("--guided" in line) == is_guided
    assert ('--config-env "$CONFIG_ENV"' in line) == bool(environment)
    assert ('--stack-name "$STACK"' in line) == ("STACK=second" in variables)
    exported = (ROOT / "Makefile").read_text().split("export DRY", 1)[1].splitlines()[0].split()
    assert {"STACK", "PARAMETERS", "CONFIG_ENV"} <= set(exported)
