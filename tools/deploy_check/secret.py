"""CloudFront's secret: while two values are taken, there must be one of before. A new secret has none."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError

from tools.deploy_check.plan import Deploy
from tools.deploy_check.stacks import resources_of

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

SECRET = "CdnSecret"  # noqa: S105 (the logical id)
BEFORE = "AWSPREVIOUS"


def never_changed(deploy: Deploy, cloudformation: "CloudFormationClient") -> Iterator[str]:
    """Yield a sentence if functions are to know the secret's value of before, and it has none."""
    if any(deploy.parameters[name] != "true" for name in ("Cdn", "CdnOnly", "CdnSecretRotation")):
        return
    secret = resources_of(cloudformation, deploy.stack).get(SECRET)
    if not secret or BEFORE not in _stages(deploy, secret):
        whose = "whose secret was never changed" if secret else "which has no secret yet"
        yield (
            f"CdnSecretRotation=true lets the stack {deploy.stack}, {whose}, look for the value of before. Deploy with "
            "CdnSecretRotation=false, and change the secret first."
        )


def _stages(deploy: Deploy, secret: str) -> set[str]:
    """Return the stages that versions of a secret have: none if it is gone."""
    manager = boto3.client("secretsmanager", region_name=deploy.region)
    try:
        versions = manager.describe_secret(SecretId=secret).get("VersionIdsToStages", {})
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return set()
        raise
    return {stage for stages in versions.values() for stage in stages}
