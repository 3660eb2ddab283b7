"""deployer.yaml: its policies are enough to deploy every part of template.yaml, and make nobody an administrator.

What CloudFormation does with a resource comes from the schemas of AWS that cfn-lint ships: their handlers name the
actions of IAM.
"""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import cfnlint
import pytest
from moto.iam.policy_validation import IAMPolicyDocumentValidator

from tests.support.cloud import ROOT
from tests.support.transformed import resources
from tools.template import read_template

SCHEMAS = Path(cfnlint.__file__).parent / "data/schemas"
DEPLOYER = read_template(ROOT / "deployer.yaml")["Resources"]
POLICIES = {name: each["Properties"] for name, each in DEPLOYER.items() if each["Type"] == "AWS::IAM::ManagedPolicy"}
DEPLOYS = [name for name in POLICIES if name != "Boundary"]
POLICY_MAX = 6_144  # characters, without white space
VALUES = {  # the longest that there are
    "AWS::Partition": "aws-us-gov",
    "AWS::Region": "ap-southeast-2",
    "AWS::AccountId": "123456789012",
    "StackName": "p" * 24,
    "Stage": "s" * 32,
    "Boundary": "arn:aws-us-gov:iam::123456789012:policy/" + "p" * 128,
}

# What handlers may do for properties that template.yaml does not have. The test names what is needless here.
NOT_NEEDED = {
    "Firewalls of other services": (
        *(
            "amplify:*",
            "apprunner:*",
            "appsync:*",
            "bedrock-agentcore:*",
            "cognito-idp:*",
            "ec2:*",
            "elasticloadbalancing:*",
        ),
        *("wafv2:GetPermissionPolicy", "wafv2:PutPermissionPolicy"),
    ),
    "A network, file systems, capacity, code signing and reserved concurrency of functions": (
        *("elasticfilesystem:*", "s3files:*", "lambda:AssociateRuntimeAlias", "lambda:PassCapacityProvider"),
        *("lambda:*CodeSigningConfig", "lambda:Put*Concurrency", "lambda:Delete*Concurrency", "lambda:PublishVersion"),
        *("lambda:PutFunctionRecursionConfig", "lambda:PutFunctionScalingConfig"),
    ),
    "Keys of the account: AWS's own encrypt": ("kms:*", "logs:AssociateKmsKey", "logs:DisassociateKmsKey"),
    "Tables that are imported, replicated, streamed to Kinesis or have policies": (
        *("kinesis:*", "dynamodb:*TableReplica", "dynamodb:DescribeImport", "dynamodb:ImportTable"),
        *("dynamodb:*Item", "dynamodb:Query", "dynamodb:Scan", "dynamodb:*ResourcePolicy"),
        *("dynamodb:EnableKinesis*", "dynamodb:DisableKinesis*", "dynamodb:UpdateKinesis*"),
        *("dynamodb:UpdateContributorInsights", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
    ),
    "Buckets with inventories, metrics, replicas, a website, locks or tables": (
        *("s3tables:*", "s3:*Metadata*", "s3:*Inventory*", "s3:*Metrics*", "s3:*Analytics*", "s3:*Replication*"),
        *("s3:*IntelligentTiering*", "s3:*Website*", "s3:*Accelerate*", "s3:*ObjectLock*", "s3:PutBucketLogging"),
        *("s3:*BucketAbac", "s3:DeleteObject", "s3:PutObjectAcl"),
    ),
    "Rules of buckets that are taken away": (
        *("s3:DeleteBucketCors", "s3:DeleteBucketEncryption", "s3:DeleteBucketLifecycle"),
    ),
    "Log groups with deliveries, data protection, indexes, tokens or policies": (
        *("firehose:*", "s3:REST.PUT.OBJECT", "logs:CreateLogDelivery", "logs:*IndexPolicy", "logs:*ResourcePolicy"),
        *("logs:PutDataProtectionPolicy", "logs:DeleteDataProtectionPolicy", "logs:PutLogGroupDeletionProtection"),
        "logs:PutBearerTokenAuthentication",
    ),
    "Distributions with tenants, private origins or a second version; and a name that IAM does not know": (
        *("cloudfront:*ConnectionGroup", "cloudfront:GetVpcOrigin", "cloudfront:UpdateDistributionWithStagingConfig"),
        "cloudfront:CreateDistributionWithTags",
    ),
    "A policy of the API": ("apigateway:UpdateRestApiPolicy",),
    "Topics with data protection": ("sns:PutDataProtectionPolicy",),
    "Secrets in several regions": ("secretsmanager:*Region*",),
    "A role that loses its boundary: the deployer must not do it": ("iam:DeleteRolePermissionsBoundary",),
}


def as_list(one_or_more: Any) -> list[Any]:
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]


def filled(node: Any) -> Any:
    """Return a policy as it is deployed, with the longest names."""
    if isinstance(node, list):
        return [filled(each) for each in node]
    if not isinstance(node, dict):
        return node
    if "Fn::Sub" in node:
        return re.sub(r"\$\{([\w:]+)\}", lambda found: VALUES[found[1]], node["Fn::Sub"])
    return VALUES[node["Ref"]] if "Ref" in node else {name: filled(each) for name, each in node.items()}


@cache
def statements(*names: str) -> list[dict[str, Any]]:
    return [each for name in names for each in filled(POLICIES[name]["PolicyDocument"])["Statement"]]


def allowed(action: str, *names: str) -> bool:
    """Return whether one of these policies has the action."""
    patterns = [pattern for each in statements(*names) for pattern in as_list(each["Action"])]
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


@cache
def handled(kind: str) -> frozenset[str]:
    """Return the actions with which CloudFormation makes, reads, changes and deletes resources of this type."""
    digest = json.loads((SCHEMAS / "providers/us-east-1.json").read_text())[kind]
    handlers = json.loads((SCHEMAS / f"resources/{digest}.json").read_text())["handlers"]
    return frozenset(
        action
        for verb in ("create", "read", "update", "delete")
        for action in handlers.get(verb, {}).get("permissions", ())
    )


def why_not_needed(action: str) -> str:
    """Return why the deployer does without this action, empty if nothing says so."""
    return next(
        (why for why, patterns in NOT_NEEDED.items() if any(fnmatchcase(action, pattern) for pattern in patterns)), ""
    )


KINDS = sorted({each["Type"] for each in resources("Active").values()})


@pytest.mark.parametrize("kind", KINDS)
def test_the_deployer_may_do_what_cloudformation_does_with_a_resource(kind: str) -> None:
    """Each resource of the template counts, whatever its condition."""
    actions = handled(kind)
    assert actions
    assert {action for action in actions if not allowed(action, *DEPLOYS) and not why_not_needed(action)} == set()


def test_what_is_said_not_to_be_needed_is_named_by_a_handler_and_not_allowed() -> None:
    named = frozenset[str]().union(*map(handled, KINDS))
    for pattern in (each for patterns in NOT_NEEDED.values() for each in patterns):
        of_it = {action for action in named if fnmatchcase(action, pattern)}
        assert of_it, f"{pattern}: no handler has it"
        assert any(not allowed(action, *DEPLOYS) for action in of_it), f"{pattern}: it is allowed"


@pytest.mark.parametrize(
    "action",
    [
        *("cloudformation:CreateChangeSet", "cloudformation:DescribeChangeSet", "cloudformation:ExecuteChangeSet"),
        *("cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents", "cloudformation:GetTemplateSummary"),
        *("cloudformation:ListStackResources", "cloudformation:DescribeStackResources", "ssm:GetParameters"),
        *("cloudformation:ContinueUpdateRollback", "cloudformation:RollbackStack", "cloudformation:CancelUpdateStack"),
        *("s3:PutObject", "s3:GetObject", "s3:ListBucket"),
        *("secretsmanager:GetSecretValue", "iam:CreateServiceLinkedRole", "s3:GetBucketAcl", "s3:PutBucketAcl"),
    ],
)
def test_the_deployer_may_do_what_sam_and_the_deploy_check_and_references_to_secrets_need(action: str) -> None:
    assert allowed(action, *DEPLOYS)


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_is_valid_and_short_enough(name: str) -> None:
    text = json.dumps(filled(POLICIES[name]["PolicyDocument"]), separators=(",", ":"))
    IAMPolicyDocumentValidator(text).validate()
    assert len(text) <= POLICY_MAX
    sids = [each["Sid"] for each in statements(name)]
    assert len(sids) == len(set(sids))


def test_everything_that_can_be_bounded_by_the_stacks_name_is() -> None:
    """These services let no name begin with the stack's: their resources have ids, or other names."""
    free = {"*"} | {
        resource
        for each in statements(*POLICIES)
        for resource in as_list(each["Resource"])
        if VALUES["StackName"] not in resource and f"pet-api/{VALUES['Stage']}/" not in resource
    }
    services = {resource.split(":")[2] if resource != "*" else "*" for resource in free}
    assert services == {
        *("*", "acm", "apigateway", "bedrock", "billing", "budgets", "cloudfront", "cloudwatch", "iam", "lambda", "s3"),
        *("s3vectors", "secretsmanager", "wafv2", "cloudformation"),
    }
    assert {resource for resource in free if ":iam:" in resource} == {
        "arn:aws-us-gov:iam::123456789012:role/aws-service-role/*"
    }
    assert {resource for resource in free if ":s3:" in resource} == {
        "arn:aws-us-gov:s3:::aws-sam-cli-managed-default-*",
        "arn:aws-us-gov:s3:::aws-sam-cli-managed-default-*/*",
    }


def of_action(action: str) -> Iterator[dict[str, Any]]:
    for each in statements(*DEPLOYS):
        if any(fnmatchcase(action, pattern) for pattern in as_list(each["Action"])):
            yield each


@pytest.mark.parametrize(
    "action", ["iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary"]
)
def test_a_role_is_made_and_gets_rights_in_the_boundary_only(action: str) -> None:
    found = list(of_action(action))
    assert found
    for each in found:
        assert each["Condition"]["StringEquals"] == {"iam:PermissionsBoundary": VALUES["Boundary"]}


def test_the_deployer_has_no_way_to_more_rights() -> None:
    """It changes no user, group, policy or boundary, and passes roles to functions and API Gateway only."""
    patterns = {pattern for each in statements(*DEPLOYS) for pattern in as_list(each["Action"])}
    assert not {pattern for pattern in patterns if pattern.startswith("*") or pattern.endswith(":*")}
    of_iam = {pattern for pattern in patterns if pattern.startswith("iam:")}
    assert not {
        each for each in of_iam if "*" in each or re.search("User|Group|PolicyVersion|CreatePolicy|AccessKey", each)
    }
    assert not {each for each in patterns if each.startswith("sts:")}
    assert not allowed("iam:DeleteRolePermissionsBoundary", *DEPLOYS)
    (passed,) = of_action("iam:PassRole")
    assert passed["Condition"]["StringEquals"]["iam:PassedToService"] == [
        "lambda.amazonaws.com",
        "apigateway.amazonaws.com",
    ]
    for each in statements(*DEPLOYS):
        if as_list(each["Action"])[0].startswith("iam:") and each["Sid"] != "RolesOfServices":
            assert each["Resource"] == f"arn:aws-us-gov:iam::123456789012:role/{VALUES['StackName']}-*"
    role = DEPLOYER["Deployer"]["Properties"]
    assert role["Path"] == "/deployer/"  # so the role is none of role/<stack>-*
    assert role["ManagedPolicyArns"] == [{"Ref": name} for name in DEPLOYS]


def test_the_tables_of_images_cannot_be_deleted_by_it() -> None:
    (statement,) = of_action("dynamodb:DeleteTable")
    kept = {name for name, each in resources().items() if each.get("DeletionPolicy") == "Retain" and "Table" in name}
    assert kept == {"ImageChunksTable", "ChunkInfoTable"}
    made = {name for name, each in resources().items() if each["Type"] == "AWS::DynamoDB::Table"}
    deleted = {resource.rpartition("/")[2].split("-")[1] for resource in statement["Resource"]}
    assert deleted == made - kept


def function_statements() -> Iterator[dict[str, Any]]:
    for each in resources("Active").values():
        if each["Type"] == "AWS::IAM::Role":
            for policy in as_list(each["Properties"].get("Policies", [])):
                yield from statements_in(policy)


def statements_in(node: Any) -> Iterator[dict[str, Any]]:
    """Yield the statements of a policy, those behind conditions included."""
    if isinstance(node, list):
        for each in node:
            yield from statements_in(each)
    elif isinstance(node, dict):
        if "Action" in node and node.get("Effect") == "Allow":
            yield node
        for each in node.values():
            yield from statements_in(each)


def test_the_boundary_has_all_that_functions_do_and_nothing_that_none_does() -> None:
    needed = {action for each in function_statements() for action in as_list(each["Action"])}
    assert {action for action in needed if not allowed(action, "Boundary")} == set()
    of_aws = re.compile("logs:|xray:|s3:ListBucket")  # policies of AWS's own, and a 404 in place of a 403
    patterns = {pattern for each in statements("Boundary") for pattern in as_list(each["Action"])}
    assert {pattern for pattern in patterns - needed if not of_aws.match(pattern)} == set()


def test_every_role_of_the_stack_gets_the_boundary_of_the_parameter() -> None:
    roles = {name: each["Properties"] for name, each in resources().items() if each["Type"] == "AWS::IAM::Role"}
    assert len(roles) == 14
    boundary = {"Fn::If": ["HasBoundary", {"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]}
    assert {name for name, each in roles.items() if each.get("PermissionsBoundary") != boundary} == set()


def test_managed_policies_that_roles_have_are_those_that_may_be_attached() -> None:
    (statement,) = of_action("iam:AttachRolePolicy")
    attachable = {arn.partition(":policy/")[2] for arn in statement["Condition"]["ArnEquals"]["iam:PolicyARN"]}
    used = re.findall(r":policy/([\w/-]+)", json.dumps(list(resources("Active").values())))
    assert set(used) == attachable
