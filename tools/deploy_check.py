"""`make deploy-check`: refuse, before a deploy begins, what would fail it halfway.

CloudFormation compares no parameter with other stacks, and no part of a text with a region or an account. So this asks
AWS whether the SSM parameters of the stage are another stack's, and compares each ARN with where its reader looks.
"""

import os
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from tools.template import read_template

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_ssm import SSMClient

ROOT = Path(__file__).resolve().parent.parent
NAMES_MAX = 10  # that SSM takes in one call
OF_CLOUDFRONT = "us-east-1"  # where CloudFront looks for certificates and web ACLs
OF_AWS = "aws"  # in the place of an account: a policy that AWS manages
NO_REGION = """\
No region is named. Set AWS_DEFAULT_REGION, which sam reads, too (AWS_REGION it does not), or name a region in your
profile or in samconfig.toml."""


@dataclass(frozen=True, slots=True)
class Deploy:
    """The stack, its account and region, and the parameters that it will have."""

    stack: str
    account: str
    region: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reader:
    """What reads an ARN, where it has to be, and whether it may be another account's."""

    name: str
    region: str
    any_account: bool = False


def refusals(deploy: Deploy, cloudformation: "CloudFormationClient", ssm: "SSMClient") -> Iterator[str]:
    """Yield a sentence for each thing that would fail the deploy."""
    names = parameter_names(deploy.parameters["Stage"])
    own = _own(cloudformation, deploy.stack)
    if foreign := sorted(_existing(ssm, names) - own):
        yield _of_another(deploy, foreign[0], _owner(cloudformation, foreign[0]))
    yield from misplaced(deploy)


def misplaced(deploy: Deploy) -> Iterator[str]:
    """Yield a sentence for each ARN that its reader would not find, or may not use."""
    partition = boto3.Session(region_name=deploy.region).get_partition_for_region(deploy.region)
    for parameter, reader in readers(deploy).items():
        arn = deploy.parameters[parameter]
        if not arn:
            continue
        _, of_partition, _, region, account, *_ = f"{arn}:::::".split(":")
        if region != reader.region:
            yield f"{parameter} is {arn}, but {reader.name} needs one in {reader.region}. Set one from there, or none."
        elif of_partition != partition:
            yield f"{parameter} is {arn}, but in {deploy.region} it begins with arn:{partition}: instead."
        elif account not in (deploy.account, OF_AWS) and not reader.any_account:
            yield f"{parameter} is {arn}, but {reader.name} needs one of account {deploy.account}. Set that, or none."


def readers(deploy: Deploy) -> dict[str, Reader]:
    """Return what reads each parameter that is an ARN."""
    behind = Reader("CloudFront (Cdn=true)", OF_CLOUDFRONT)
    api = Reader(f"the API in {deploy.region}", deploy.region)
    return {
        "CertificateArn": behind if deploy.parameters["Cdn"] == "true" else api,
        "WebAclArn": behind,
        "ApiWebAclArn": api,
        "EncoderLayer": Reader(f"a function in {deploy.region}", deploy.region, any_account=True),
        "AlarmTopicArn": Reader(f"an alarm in {deploy.region}", deploy.region, any_account=True),
        "PermissionsBoundary": Reader("a role", ""),  # IAM has no regions
    }


def parameter_names(stage: str) -> list[str]:
    """Return the names of all SSM parameters that the template makes for this stage."""
    resources = read_template(ROOT / "template.yaml")["Resources"].values()
    named = [each["Properties"]["Name"] for each in resources if each["Type"] == "AWS::SSM::Parameter"]
    return [name["Fn::Sub"].replace("${Stage}", stage) for name in named]


def given(text: str) -> dict[str, str]:
    """Parse parameter overrides as the SAM CLI does: `Name=value`, or `ParameterKey=Name,ParameterValue=value`."""
    found = {}
    for word in shlex.split(text):
        long_form = re.fullmatch(r"ParameterKey=([^,]*),ParameterValue=(.*)", word, re.DOTALL)
        name, value = long_form.groups() if long_form else word.partition("=")[::2]
        found[name] = value
    return found


def planned(
    config: Mapping[str, Any], stack: str, overrides: str, account: str, cloudformation: "CloudFormationClient"
) -> Deploy:
    """Find out the deploy as `sam deploy` does.

    Overrides stand for all of samconfig.toml's. What neither names stays as the present stack has it.
    """
    of_deploy = _options(config)
    name = stack or of_deploy.get("stack_name", "petapi")
    written = of_deploy.get("parameter_overrides", "")
    if isinstance(written, Mapping):
        written = [f"{each}={value}" for each, value in written.items()]
    written = written if isinstance(written, str) else " ".join(map(shlex.quote, written))
    declared = read_template(ROOT / "template.yaml")["Parameters"]
    defaults = {each: str(declared[each].get("Default", "")) for each in declared}
    chosen = given(overrides) if overrides else given(written)
    return Deploy(
        name, account, cloudformation.meta.region_name, {**defaults, **_present(cloudformation, name), **chosen}
    )


def _options(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what samconfig.toml has for `sam deploy`: its own options count more than those of all commands."""
    sections = (config.get(command, {}).get("parameters", {}) for command in ("global", "deploy"))
    return {name: value for section in sections for name, value in section.items()}


def _present(cloudformation: "CloudFormationClient", stack: str) -> dict[str, str]:
    """Return the parameters of the stack as it is: none if there is none yet."""
    try:
        (described,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if _is_missing(error):
            return {}
        raise
    return {each["ParameterKey"]: each["ParameterValue"] for each in described.get("Parameters", [])}


def _own(cloudformation: "CloudFormationClient", stack: str) -> set[str]:
    """Return the names of the SSM parameters that the stack has already."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    try:
        found = [each for page in pages for each in page["StackResourceSummaries"]]
    except ClientError as error:
        if _is_missing(error):
            return set()
        raise
    return {each.get("PhysicalResourceId", "") for each in found}


def _existing(ssm: "SSMClient", names: list[str]) -> set[str]:
    some = [names[first : first + NAMES_MAX] for first in range(0, len(names), NAMES_MAX)]
    return {found["Name"] for each in some for found in ssm.get_parameters(Names=each)["Parameters"]}


def _owner(cloudformation: "CloudFormationClient", parameter: str) -> str:
    """Return the stack that has this SSM parameter; an empty text if none has."""
    try:
        resources = cloudformation.describe_stack_resources(PhysicalResourceId=parameter)["StackResources"]
    except ClientError as error:
        if _is_missing(error):
            return ""
        raise
    return next((each.get("StackName", "") for each in resources), "")


def _is_missing(error: ClientError) -> bool:
    """Return whether CloudFormation says that there is no such stack."""
    answer = error.response["Error"]
    return answer["Code"] == "ValidationError" and "does not exist" in answer["Message"]


def _of_another(deploy: Deploy, parameter: str, owner: str) -> str:
    whose = f"belongs to the stack {owner}" if owner else "exists already and belongs to no stack"
    return (
        f"The SSM parameter {parameter} {whose}, so the stack {deploy.stack} needs another Stage than "
        f"{deploy.parameters['Stage']}: make deploy STACK={deploy.stack} PARAMETERS='Stage=<another>'"
    )


def read_config(file: Path, environment: str) -> Mapping[str, Any]:
    """Return an environment of samconfig.toml. Raise ValueError if the file cannot be read, or lacks one that is named.

    Without a name it is `default`, which may be missing, as the file may.
    """
    written = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    config = written.get(environment or "default", None if environment else {})
    if not isinstance(config, Mapping):
        known = ", ".join(name for name, each in written.items() if isinstance(each, Mapping))
        raise ValueError(f"it has no environment {environment}, only: {known or 'none'}")
    return config


def main(variables: Mapping[str, str], folder: Path = ROOT) -> int:
    """Print what is refused. Return the exit code: 1 for a refusal, 2 if AWS cannot be asked."""
    try:
        config = read_config(folder / "samconfig.toml", variables.get("CONFIG_ENV", ""))
        given(variables.get("PARAMETERS", ""))
    except ValueError as error:
        print(f"samconfig.toml or PARAMETERS cannot be used: {error}.", file=sys.stderr)
        return 2
    options = _options(config)
    try:
        if options.get("profile"):
            boto3.setup_default_session(profile_name=options["profile"])
        cloudformation = boto3.client("cloudformation", region_name=options.get("region"))
        ssm = boto3.client("ssm", region_name=options.get("region"))
        account = boto3.client("sts", region_name=options.get("region")).get_caller_identity()["Account"]
        stack, parameters = variables.get("STACK", ""), variables.get("PARAMETERS", "")
        deploy = planned(config, stack, parameters, account, cloudformation)
        found = list(refusals(deploy, cloudformation, ssm))
    except NoRegionError:
        print(NO_REGION, file=sys.stderr)
        return 2
    except (BotoCoreError, ClientError) as error:
        print(f"AWS cannot be asked what is there ({error}). Sign in, with rights to look.", file=sys.stderr)
        return 2
    for sentence in found:
        print(sentence, file=sys.stderr)
    if not found:
        print(f"The stack {deploy.stack} can have the stage {deploy.parameters['Stage']} in {deploy.region}.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(os.environ))
