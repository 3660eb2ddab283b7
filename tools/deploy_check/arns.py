"""Parameters that are ARNs: each must be where its reader looks."""

from collections.abc import Iterator
from dataclasses import dataclass

import boto3

from tools.deploy_check.plan import Deploy

OF_CLOUDFRONT = "us-east-1"  # where CloudFront looks for certificates and web ACLs
OF_AWS = "aws"  # in the place of an account: a policy that AWS manages


@dataclass(frozen=True, slots=True)
class Reader:
    """What reads an ARN, where it has to be, and whether it may be another account's."""

    name: str
    region: str
    any_account: bool = False


def misplaced(deploy: Deploy) -> Iterator[str]:
    """Yield a sentence for each ARN that its reader would not find, or may not use."""
    yield from filter(None, (fault(deploy, parameter) for parameter in readers(deploy)))


def fault(deploy: Deploy, parameter: str) -> str:
    """Return a sentence if the reader of this ARN would not find it, or may not use it; otherwise an empty text."""
    arn, reader = deploy.parameters[parameter], readers(deploy)[parameter]
    if not arn:
        return ""
    partition = boto3.Session(region_name=deploy.region).get_partition_for_region(deploy.region)
    _, of_partition, _, region, account, *_ = f"{arn}:::::".split(":")
    if region != reader.region:
        return f"{parameter} is {arn}, but {reader.name} needs one in {reader.region}. Set one from there, or none."
    if of_partition != partition:
        return f"{parameter} is {arn}, but in {deploy.region} it begins with arn:{partition}: instead."
    if account not in (deploy.account, OF_AWS) and not reader.any_account:
        return f"{parameter} is {arn}, but {reader.name} needs one of account {deploy.account}. Set that, or none."
    return ""


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
