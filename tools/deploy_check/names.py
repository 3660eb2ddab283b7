"""The SSM parameters of a stage, which only one stack can have."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3

from tools.deploy_check.plan import TEMPLATE, Deploy
from tools.deploy_check.stacks import owner_of, resources_of
from tools.template import read_template

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

NAMES_MAX = 10  # that SSM takes in one call


def of_another(deploy: Deploy, cloudformation: "CloudFormationClient") -> Iterator[str]:
    """Yield a sentence if the stage's SSM parameters are not this stack's."""
    own = set(resources_of(cloudformation, deploy.stack).values())
    if foreign := sorted(_existing(deploy, parameter_names(deploy.parameters["Stage"])) - own):
        owner = owner_of(cloudformation, foreign[0])
        whose = f"belongs to the stack {owner}" if owner else "exists already and belongs to no stack"
        yield (
            f"The SSM parameter {foreign[0]} {whose}, so the stack {deploy.stack} needs another Stage than "
            f"{deploy.parameters['Stage']}: make deploy STACK={deploy.stack} PARAMETERS='Stage=<another>'"
        )


def parameter_names(stage: str) -> list[str]:
    """Return the names of all SSM parameters that the template makes for this stage."""
    resources = read_template(TEMPLATE)["Resources"].values()
    named = [each["Properties"]["Name"] for each in resources if each["Type"] == "AWS::SSM::Parameter"]
    return [name["Fn::Sub"].replace("${Stage}", stage) for name in named]


def _existing(deploy: Deploy, names: list[str]) -> set[str]:
    ssm = boto3.client("ssm", region_name=deploy.region)
    some = [names[first : first + NAMES_MAX] for first in range(0, len(names), NAMES_MAX)]
    return {found["Name"] for each in some for found in ssm.get_parameters(Names=each)["Parameters"]}
