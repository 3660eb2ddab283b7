"""What template.yaml promises about data: kept, private, versioned, never cleaned up by a rule."""

from typing import Any

import pytest

from cloud import TABLES, template
from shared import races

RESOURCES: dict[str, Any] = template()["Resources"]


@pytest.mark.parametrize("name", ["Bucket", *TABLES])
def test_data_outlives_the_stack(name: str) -> None:
    assert RESOURCES[name]["DeletionPolicy"] == RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_the_bucket_is_private_encrypted_versioned_and_has_no_lifecycle() -> None:
    bucket = RESOURCES["Bucket"]["Properties"]
    block = bucket["PublicAccessBlockConfiguration"]
    assert block == dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert "LifecycleConfiguration" not in bucket


def test_tables_cost_nothing_at_rest() -> None:
    assert {RESOURCES[name]["Properties"]["BillingMode"] for name in TABLES} == {"PAY_PER_REQUEST"}


def test_functions_end_after_their_calls_do() -> None:
    timeout = template()["Globals"]["Function"]["Timeout"]
    assert races.SECONDS + 9 < timeout <= 29  # one call takes 9 s at worst; API Gateway waits for 29


def test_every_function_has_rights_of_its_own_and_none_may_list_the_bucket() -> None:
    for name, resource in RESOURCES.items():
        if resource["Type"] == "AWS::Serverless::Function" and name != "WebFunction":
            (policy,) = resource["Properties"]["Policies"]
            actions = [
                action
                for statement in policy["Statement"]
                for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
            ]
            assert not [action for action in actions if "*" in action or "List" in action or "Scan" in action]


def test_every_body_is_carried_as_bytes() -> None:
    assert RESOURCES["Api"]["Properties"]["BinaryMediaTypes"] == ["*/*"]
