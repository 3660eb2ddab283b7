"""`make deploy-check`: refuse, before a deploy begins, what would fail it halfway.

CloudFormation compares no parameter with other stacks, with what a service has, or with what was built, and no part of
a text with a region or an account. So this asks AWS, and looks into the build folder.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from tools.deploy_check import architecture, arns, certificate, names, plan, secret

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

NO_REGION = """\
No region is named. Set AWS_DEFAULT_REGION, which sam reads, too (AWS_REGION it does not), or name a region in your
profile or in samconfig.toml."""


def refusals(
    deploy: plan.Deploy, cloudformation: "CloudFormationClient", variables: Mapping[str, str], folder: Path
) -> Iterator[str]:
    """Yield a sentence for each thing that would fail the deploy, or what it deploys."""
    yield from architecture.unlike(deploy, variables, folder)
    yield from names.of_another(deploy, cloudformation)
    yield from arns.misplaced(deploy)
    yield from certificate.unusable(deploy)
    yield from secret.never_changed(deploy, cloudformation)


def main(variables: Mapping[str, str], folder: Path = plan.TEMPLATE.parent) -> int:
    """Print what is refused. Return the exit code: 1 for a refusal, 2 if AWS cannot be asked."""
    stack, overrides = variables.get("STACK", ""), variables.get("PARAMETERS", "")
    try:
        config = plan.read_config(folder / "samconfig.toml", variables.get("CONFIG_ENV", ""))
        plan.given(overrides or plan.written(config))
    except ValueError as error:
        print(f"samconfig.toml or PARAMETERS cannot be used: {error}.", file=sys.stderr)
        return 2
    options = plan.options(config)
    try:
        if options.get("profile"):
            boto3.setup_default_session(profile_name=options["profile"])
        cloudformation = boto3.client("cloudformation", region_name=options.get("region"))
        account = boto3.client("sts", region_name=options.get("region")).get_caller_identity()["Account"]
        deploy = plan.planned(config, stack, overrides, account, cloudformation)
        found = list(refusals(deploy, cloudformation, variables, folder))
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
