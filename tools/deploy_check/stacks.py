"""What CloudFormation says of the stack as it is, and of those that have what it would make."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient


def parameters_of(cloudformation: "CloudFormationClient", stack: str) -> dict[str, str]:
    """Return the parameters of the stack as it is: none if there is none yet."""
    try:
        (described,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if _is_missing(error):
            return {}
        raise
    return {each["ParameterKey"]: each["ParameterValue"] for each in described.get("Parameters", [])}


def resources_of(cloudformation: "CloudFormationClient", stack: str) -> dict[str, str]:
    """Return the physical id of each resource that the stack has, by its logical id; none if there is no stack."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    try:
        found = [each for page in pages for each in page["StackResourceSummaries"]]
    except ClientError as error:
        if _is_missing(error):
            return {}
        raise
    there = [each for each in found if each["ResourceStatus"] != "DELETE_COMPLETE"]
    return {each["LogicalResourceId"]: each.get("PhysicalResourceId", "") for each in there}


def owner_of(cloudformation: "CloudFormationClient", resource: str) -> str:
    """Return the stack that has the resource with this physical id; an empty text if none has."""
    try:
        resources = cloudformation.describe_stack_resources(PhysicalResourceId=resource)["StackResources"]
    except ClientError as error:
        if _is_missing(error):
            return ""
        raise
    return next((each.get("StackName", "") for each in resources), "")


def _is_missing(error: ClientError) -> bool:
    """Return whether CloudFormation says that there is no such stack."""
    answer = error.response["Error"]
    return answer["Code"] == "ValidationError" and "does not exist" in answer["Message"]
