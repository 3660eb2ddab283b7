"""deployer.yaml: its policies are enough to deploy every part of template.yaml, and make nobody an administrator."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest
from moto.iam.policy_validation import IAMPolicyDocumentValidator

from tests.support import deployer
from tests.support.deployer import DEPLOYER, DEPLOYS, KINDS, NOT_NEEDED, POLICIES, handled, missing, needs, statements
from tests.support.iam import Ask, allows, as_list, is_like
from tests.support.stack_arns import ACCOUNT, REGION, STACK, VALUES, arn, filled
from tests.support.transformed import resources

POLICY_MAX = 6_144  # characters, without white space


def is_named(action: str, *names: str) -> bool:
    """Return whether one of these policies has the action, on whatever resource."""
    return any(is_like(action, pattern) for each in statements(*names) for pattern in as_list(each["Action"]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_deployer_may_do_what_cloudformation_does_with_a_resource(kind: str) -> None:
    """Each resource of the template counts, whatever its condition, with its ARN."""
    asks = needs(kind)
    assert asks
    assert missing(asks, statements(*DEPLOYS)) == []


@pytest.mark.parametrize("ask", [*deployer.OF_SAM, *deployer.OF_OTHERS], ids=lambda ask: f"{ask.action} {ask.resource}")
def test_the_deployer_may_do_what_sam_and_the_deploy_check_and_references_to_secrets_need(ask: Ask) -> None:
    assert allows(statements(*DEPLOYS), ask)


@cache
def all_needs() -> list[Ask]:
    return [*(ask for kind in KINDS for ask in needs(kind)), *deployer.OF_SAM, *deployer.OF_OTHERS]


@cache
def needs_of(number: int) -> list[Ask]:
    """Return what this statement is needed for, and perhaps others, too."""
    return [ask for ask in all_needs() if allows([statements(*DEPLOYS)[number]], ask)]


def is_missed(number: int, **changed: Any) -> bool:
    """Return whether a deploy would lack something if this statement had other members."""
    others = [each for each in statements(*DEPLOYS) if each is not statements(*DEPLOYS)[number]]
    return missing(needs_of(number), [*others, {**statements(*DEPLOYS)[number], **changed}]) != []


def as_another(resource: str) -> str:
    """Return a resource of the same service that is nothing of the stack."""
    return ":".join([*resource.split(":")[:5], "another"]) if resource != "*" else arn("none:::another")


RESOURCES = [
    (number, resource) for number, each in enumerate(statements(*DEPLOYS)) for resource in as_list(each["Resource"])
]


@pytest.mark.parametrize(("number", "resource"), RESOURCES, ids=str)
def test_a_right_on_another_resource_would_be_missed(number: int, resource: str) -> None:
    """So each resource of each statement is one that a deploy needs."""
    kept = [each for each in as_list(statements(*DEPLOYS)[number]["Resource"]) if each != resource]
    assert is_missed(number, Resource=[*kept, as_another(resource)])


ACTIONS = [(number, action) for number, each in enumerate(statements(*DEPLOYS)) for action in as_list(each["Action"])]


@pytest.mark.parametrize(("number", "action"), ACTIONS, ids=str)
def test_a_right_that_is_taken_away_would_be_missed(number: int, action: str) -> None:
    assert is_missed(
        number, Action=[each for each in as_list(statements(*DEPLOYS)[number]["Action"]) if each != action]
    )


CONDITIONS = [
    (number, operator, key)
    for number, each in enumerate(statements(*DEPLOYS))
    for operator, keys in each.get("Condition", {}).items()
    for key in keys
]


@pytest.mark.parametrize(("number", "operator", "key"), CONDITIONS, ids=str)
def test_another_value_in_a_condition_would_be_missed(number: int, operator: str, key: str) -> None:
    condition = statements(*DEPLOYS)[number]["Condition"]
    for value in as_list(condition[operator][key]):
        others = [each for each in as_list(condition[operator][key]) if each != value]
        assert is_missed(number, Condition={**condition, operator: {**condition[operator], key: others}}), value


def test_what_is_said_not_to_be_needed_is_named_by_a_handler_and_not_allowed() -> None:
    named = frozenset[str]().union(*map(handled, KINDS))
    for pattern in (each for patterns in NOT_NEEDED.values() for each in patterns):
        of_it = {action for action in named if fnmatchcase(action, pattern)}
        assert of_it, f"{pattern}: no handler has it"
        assert any(not is_named(action, *DEPLOYS) for action in of_it), f"{pattern}: it is allowed"


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


OF_ANOTHER_STACK = {
    "a function": Ask("lambda:UpdateFunctionCode", arn(f"lambda:{REGION}:{ACCOUNT}:function:other-UploadFunction")),
    "a function of a longer name": Ask(
        "lambda:UpdateFunctionCode", arn(f"lambda:{REGION}:{ACCOUNT}:function:second-{STACK}-UploadFunction")
    ),
    "a table": Ask("dynamodb:UpdateTable", arn(f"dynamodb:{REGION}:{ACCOUNT}:table/other-ImageChunksTable")),
    "a bucket": Ask("s3:PutBucketPolicy", arn("s3:::other-bucket")),
    "an SSM parameter": Ask("ssm:PutParameter", arn(f"ssm:{REGION}:{ACCOUNT}:parameter/pet-api/other/labels")),
    "a secret": Ask("secretsmanager:GetSecretValue", arn(f"secretsmanager:{REGION}:{ACCOUNT}:secret:Other-a1b2c3")),
    "a stack": Ask("cloudformation:CreateChangeSet", arn(f"cloudformation:{REGION}:{ACCOUNT}:stack/other/0a1b")),
    "its own stack": Ask(
        "cloudformation:ExecuteChangeSet", arn(f"cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}-deployer/0a1b")
    ),
    "pictures": Ask("s3:GetObject", arn(f"s3:::{STACK}-bucket-1a2b3c4d5e6f/cat/0.jpg")),
}


@pytest.mark.parametrize("ask", OF_ANOTHER_STACK.values(), ids=OF_ANOTHER_STACK)
def test_the_deployer_may_not_touch_what_is_not_its_own(ask: Ask) -> None:
    assert is_named(ask.action, *DEPLOYS)
    assert not allows(statements(*DEPLOYS), ask)


def of_action(action: str) -> Iterator[dict[str, Any]]:
    for each in statements(*DEPLOYS):
        if any(fnmatchcase(action, pattern) for pattern in as_list(each["Action"])):
            yield each


ROLE = arn(f"iam::{ACCOUNT}:role/{STACK}-UploadFunctionRole-1A2B")
BOUNDED = {"iam:PermissionsBoundary": VALUES["Boundary"]}
BASIC = arn("iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")


@pytest.mark.parametrize(
    ("ask", "is_allowed"),
    [
        (Ask("iam:CreateRole", ROLE, BOUNDED), True),
        (Ask("iam:CreateRole", ROLE), False),
        (Ask("iam:CreateRole", ROLE, {"iam:PermissionsBoundary": arn("iam::aws:policy/AdministratorAccess")}), False),
        (Ask("iam:CreateRole", arn(f"iam::{ACCOUNT}:role/other"), BOUNDED), False),
        (Ask("iam:PutRolePolicy", arn(f"iam::{ACCOUNT}:role/deployer/{STACK}-Deployer"), BOUNDED), False),
        (Ask("iam:AttachRolePolicy", ROLE, {**BOUNDED, "iam:PolicyARN": BASIC}), True),
        (Ask("iam:AttachRolePolicy", ROLE, {"iam:PolicyARN": BASIC}), False),
        (
            Ask("iam:AttachRolePolicy", ROLE, {**BOUNDED, "iam:PolicyARN": arn("iam::aws:policy/PowerUserAccess")}),
            False,
        ),
        (Ask("iam:PassRole", ROLE, {"iam:PassedToService": "lambda.amazonaws.com"}), True),
        (Ask("iam:PassRole", ROLE, {"iam:PassedToService": "ec2.amazonaws.com"}), False),
        (
            Ask("iam:PassRole", arn(f"iam::{ACCOUNT}:role/other"), {"iam:PassedToService": "lambda.amazonaws.com"}),
            False,
        ),
    ],
    ids=str,
)
def test_a_role_is_made_and_used_within_its_bounds(ask: Ask, is_allowed: bool) -> None:
    assert allows(statements(*DEPLOYS), ask) == is_allowed


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
    assert not is_named("iam:DeleteRolePermissionsBoundary", *DEPLOYS)
    assert not is_named("iam:UpdateAssumeRolePolicy", *DEPLOYS), "of a role without the boundary, too"
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


def asks_of_functions() -> list[Ask]:
    """Return what the functions' policies allow, with an object or a parameter in place of a wildcard."""
    return [
        Ask(action, resource if resource == "*" else resource.replace("*", "x"))
        for each in function_statements()
        for action in as_list(each["Action"])
        for resource in as_list(filled(each["Resource"]))
    ]


def test_the_boundary_has_all_that_functions_do_and_nothing_that_none_does() -> None:
    asks = asks_of_functions()
    assert len(asks) > 50
    assert missing(asks, statements("Boundary")) == []
    needed = {ask.action for ask in asks}
    of_aws = re.compile("logs:|xray:|s3:ListBucket")  # policies of AWS's own, and a 404 in place of a 403
    patterns = {pattern for each in statements("Boundary") for pattern in as_list(each["Action"])}
    assert {pattern for pattern in patterns - needed if not of_aws.match(pattern)} == set()


@pytest.mark.parametrize("number", range(len(statements("Boundary"))))
def test_a_boundary_around_other_resources_would_be_missed(number: int) -> None:
    changed = deepcopy(statements("Boundary"))
    changed[number]["Resource"] = [as_another(each) for each in as_list(changed[number]["Resource"])]
    assert missing(asks_of_functions(), changed) != []


def test_every_role_of_the_stack_gets_the_boundary_of_the_parameter() -> None:
    roles = {name: each["Properties"] for name, each in resources().items() if each["Type"] == "AWS::IAM::Role"}
    assert len(roles) == 14
    boundary = {"Fn::If": ["HasBoundary", {"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]}
    assert {name for name, each in roles.items() if each.get("PermissionsBoundary") != boundary} == set()


def test_managed_policies_that_roles_have_are_those_that_may_be_attached() -> None:
    """Whatever the partition: SAM attaches a newer policy for traces outside `aws`."""
    (statement,) = of_action("iam:AttachRolePolicy")
    attachable = {arn.partition(":policy/")[2] for arn in statement["Condition"]["ArnEquals"]["iam:PolicyARN"]}
    roles = [name for name, each in resources().items() if each["Type"] == "AWS::IAM::Role"]
    used = {policy.partition(":policy/")[2] for name in roles for policy in deployer.managed_policies(name)}
    assert used == attachable
    assert {"AWSXrayWriteOnlyAccess", "AWSXRayDaemonWriteAccess"} <= used
