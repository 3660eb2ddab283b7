"""`make deploy-check`: refuse, before a deploy begins, what would fail it halfway.

CloudFormation compares no parameter with other stacks, and no part of a text with a region. So this asks AWS whether
the SSM parameters of the stage are another stack's, and compares the region of the certificate with the one that needs
it.
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
from botocore.exceptions import BotoCoreError, ClientError

from tools.template import read_template

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_ssm import SSMClient

ROOT = Path(__file__).resolve().parent.parent
NAMES_MAX = 10  # that SSM takes in one call
OF_CLOUDFRONT = "us-east-1"  # where CloudFront looks for certificates


@dataclass(frozen=True, slots=True)
class Deploy:
    """The stack, its region, and the parameters that it will have."""

    stack: str
    region: str
    parameters: Mapping[str, str]


def refusals(deploy: Deploy, cloudformation: "CloudFormationClient", ssm: "SSMClient") -> Iterator[str]:
    """Yield a sentence for each thing that would fail the deploy."""
    names = parameter_names(deploy.parameters["Stage"])
    own = _own(cloudformation, deploy.stack)
    if foreign := sorted(_existing(ssm, names) - own):
        yield _of_another(deploy, foreign[0], _owner(cloudformation, foreign[0]))
    yield from _certificate(deploy)


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


def planned(config: Mapping[str, Any], stack: str, overrides: str, cloudformation: "CloudFormationClient") -> Deploy:
    """Find out the deploy as `sam deploy` does.

    Overrides stand for all of samconfig.toml's. What neither names stays as the present stack has it.
    """
    of_deploy = {**_section(config, "global"), **_section(config, "deploy")}
    name = stack or of_deploy.get("stack_name", "petapi")
    written = of_deploy.get("parameter_overrides", "")
    written = written if isinstance(written, str) else " ".join(map(shlex.quote, written))
    declared = read_template(ROOT / "template.yaml")["Parameters"]
    defaults = {each: str(declared[each].get("Default", "")) for each in declared}
    chosen = given(overrides) if overrides else given(written)
    return Deploy(name, cloudformation.meta.region_name, {**defaults, **_present(cloudformation, name), **chosen})


def _section(config: Mapping[str, Any], command: str) -> dict[str, Any]:
    return dict(config.get(command, {}).get("parameters", {}))


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


def _certificate(deploy: Deploy) -> Iterator[str]:
    """Yield a sentence if CloudFront, or API Gateway without it, would not find the certificate."""
    arn, cdn = deploy.parameters["CertificateArn"], deploy.parameters["Cdn"] == "true"
    wanted = OF_CLOUDFRONT if cdn else deploy.region
    if arn and arn.split(":")[3:4] != [wanted]:
        who = "CloudFront (Cdn=true)" if cdn else f"the API in {wanted}"
        yield f"CertificateArn is {arn}, but {who} needs a certificate in {wanted}. Get one there, and set it."


def main(variables: Mapping[str, str], folder: Path = ROOT) -> int:
    """Print what is refused. Return the exit code: 1 for a refusal, 2 if AWS cannot be asked."""
    environment = variables.get("CONFIG_ENV") or "default"
    file = folder / "samconfig.toml"
    config = tomllib.loads(file.read_text(encoding="utf-8")).get(environment, {}) if file.exists() else {}
    region = {**_section(config, "global"), **_section(config, "deploy")}.get("region")
    try:
        cloudformation = boto3.client("cloudformation", region_name=region)
        ssm = boto3.client("ssm", region_name=region)
        deploy = planned(config, variables.get("STACK", ""), variables.get("PARAMETERS", ""), cloudformation)
        found = list(refusals(deploy, cloudformation, ssm))
    except (BotoCoreError, ClientError) as error:
        print(f"AWS cannot be asked what is there ({error}). Sign in, and name a region.", file=sys.stderr)
        return 2
    for sentence in found:
        print(sentence, file=sys.stderr)
    if not found:
        print(f"The stack {deploy.stack} can have the stage {deploy.parameters['Stage']} in {deploy.region}.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(os.environ))
