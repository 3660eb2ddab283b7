"""template.yaml after the transforms, as CloudFormation gets it."""

import json
import os
from functools import cache
from types import SimpleNamespace
from typing import Any
from unittest import mock

from boto3 import Session
from samtranslator.translator.arn_generator import ArnGenerator
from samtranslator.translator.transform import transform

from tests.support.cloud import ROOT
from tools.local.deploy import includes
from tools.template import read_template


@cache
def resources(tracing: str = "Disabled", region: str = "us-east-1") -> dict[str, Any]:
    """Return the resources after the transforms, as on AWS: includes first, then SAM, which knows the parameters.

    SAM names policies of AWS's own as the partition of the region has them.
    """
    template = json.loads(json.dumps(read_template(ROOT / "template.yaml")))
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        for name in {"CodeUri", "ContentUri"} & set(properties):
            properties[name] = "s3://bucket/key"
        if "Policies" in properties:
            locations = [parameters["Location"] for parameters in includes(properties["Policies"])]
            properties["Policies"] = [json.loads((ROOT / location).read_text()) for location in locations]
    managed = ("service-role/AWSLambdaBasicExecutionRole", "AWSXRayDaemonWriteAccess", "AWSXrayWriteOnlyAccess")
    partition = Session().get_partition_for_region(region)
    arns = {name.rpartition("/")[2]: f"arn:{partition}:iam::aws:policy/{name}" for name in managed}
    policies = SimpleNamespace(load=lambda: arns)
    with (
        mock.patch.dict(os.environ, AWS_DEFAULT_REGION=region),
        mock.patch.object(ArnGenerator, "BOTO_SESSION_REGION_NAME", region),  # or else it keeps the first one
    ):
        transformed: dict[str, Any] = transform(template, {"Tracing": tracing}, policies)["Resources"]
    return transformed


def of_type(kind: str) -> dict[str, Any]:
    """Return the properties of each resource of this type by its logical id."""
    found = {name: each["Properties"] for name, each in resources().items() if each["Type"] == kind}
    assert found, kind
    return found
