"""deployer.yaml: its statements, and what a deploy of template.yaml asks IAM for, action by action and ARN by ARN.

What CloudFormation does with a resource comes from the schemas of AWS that cfn-lint ships: their handlers name the
actions of IAM. On which types of resources an action acts comes from its copy of the service authorization reference.
"""

import json
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import cfnlint

from tests.support.cloud import ROOT
from tests.support.iam import Ask, allows
from tests.support.stack_arns import ACCOUNT, PATHS, REGION, SAM_BUCKET, STACK, VALUES, arn, filled, own
from tests.support.transformed import resources
from tools.template import read_template

DATA = Path(cfnlint.__file__).parent / "data"
REGIONS = ("us-east-1", "us-gov-west-1", "cn-north-1")  # one of each partition
VERBS = ("create", "read", "update", "delete")
DEPLOYER = read_template(ROOT / "deployer.yaml")["Resources"]
POLICIES = {name: each["Properties"] for name, each in DEPLOYER.items() if each["Type"] == "AWS::IAM::ManagedPolicy"}
DEPLOYS = tuple(name for name in POLICIES if name != "Boundary")
KINDS = sorted({each["Type"] for each in resources("Active").values()})
PASSED_TO = {"AWS::Lambda::Function": "lambda.amazonaws.com", "AWS::ApiGateway::Account": "apigateway.amazonaws.com"}
ROLES_OF_SERVICES = {"AWS::DynamoDB::Table": "dynamodb.application-autoscaling.amazonaws.com"}
WITHOUT_ROLE = {  # whose handlers pass roles for properties that template.yaml does not have
    *("AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::ApiGateway::RestApi"),
}
TAGGED = ("RestApi", "Stage", "DomainName")
OTHERS = (  # that the stack does not have
    ("s3:object", f"{SAM_BUCKET}/petapi/0a1b2c3d.template"),
    ("billing:billingview", arn(f"billing::{ACCOUNT}:billingview/primary")),
)

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
        *(
            "lambda:GetCodeSigningConfig",
            "lambda:PutFunctionCodeSigningConfig",
            "lambda:DeleteFunctionCodeSigningConfig",
            "lambda:Put*Concurrency",
            "lambda:Delete*Concurrency",
            "lambda:PublishVersion",
        ),
        *("lambda:PutFunctionRecursionConfig", "lambda:PutFunctionScalingConfig"),
    ),
    "Keys of the account: AWS's own encrypt": ("kms:*", "logs:AssociateKmsKey", "logs:DisassociateKmsKey"),
    "Tables that are imported, replicated, streamed to Kinesis or have policies": (
        *("kinesis:*", "dynamodb:*TableReplica", "dynamodb:DescribeImport", "dynamodb:ImportTable"),
        *("dynamodb:*Item", "dynamodb:Query", "dynamodb:Scan"),
        *("dynamodb:PutResourcePolicy", "dynamodb:DeleteResourcePolicy"),
        *("dynamodb:EnableKinesis*", "dynamodb:DisableKinesis*", "dynamodb:UpdateKinesis*"),
        *("dynamodb:UpdateContributorInsights", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
    ),
    "Buckets with inventories, metrics, replicas, a website, locks or tables": (
        *("s3tables:*", "s3:*Metadata*", "s3:*Inventory*", "s3:*Metrics*", "s3:*Analytics*", "s3:*Replication*"),
        *("s3:*IntelligentTiering*", "s3:*Website*", "s3:*Accelerate*", "s3:*ObjectLock*", "s3:PutBucketLogging"),
        *("s3:*BucketAbac", "s3:DeleteObject", "s3:PutObjectAcl"),
    ),
    "Who may use a role: an administrator changes that": ("iam:UpdateAssumeRolePolicy",),
    "Rules of buckets that are taken away": (
        *("s3:DeleteBucketCors", "s3:DeleteBucketEncryption", "s3:DeleteBucketLifecycle"),
    ),
    "Log groups with deliveries, data protection, indexes, tokens or policies": (
        *("firehose:*", "s3:REST.PUT.OBJECT", "logs:CreateLogDelivery", "logs:*IndexPolicy", "logs:*ResourcePolicy"),
        *("logs:PutDataProtectionPolicy", "logs:DeleteDataProtectionPolicy", "logs:PutLogGroupDeletionProtection"),
        "logs:PutBearerTokenAuthentication",
    ),
    "Distributions with tenants, private origins or a second version": (
        *("cloudfront:*ConnectionGroup", "cloudfront:GetVpcOrigin", "cloudfront:UpdateDistributionWithStagingConfig"),
    ),
    "Names that IAM does not know": ("cloudfront:CreateDistributionWithTags", "s3:DeleteBucketTagging"),
    "A policy of the API": ("apigateway:UpdateRestApiPolicy",),
    "Topics with data protection": ("sns:PutDataProtectionPolicy",),
    "Secrets in several regions": ("secretsmanager:*Region*",),
    "A role that loses its boundary: the deployer must not do it": ("iam:DeleteRolePermissionsBoundary",),
}


@cache
def statements(*names: str) -> list[dict[str, Any]]:
    """Return the statements of these policies as they are deployed."""
    return [each for name in names for each in filled(POLICIES[name]["PolicyDocument"])["Statement"]]


@cache
def handled(kind: str, verbs: tuple[str, ...] = VERBS) -> frozenset[str]:
    """Return the actions with which CloudFormation makes, reads, changes, tags and deletes resources of this type."""
    digest = _data("schemas/providers/us-east-1.json")[kind]
    schema = _data(f"schemas/resources/{digest}.json")
    parts = [*(schema["handlers"].get(verb, {}) for verb in verbs), schema.get("tagging", {})]
    return frozenset(action for part in parts for action in part.get("permissions", ()))


def why_not_needed(action: str) -> str:
    """Return why the deployer does without this action, empty if nothing says so."""
    return next(
        (why for why, patterns in NOT_NEEDED.items() if any(fnmatchcase(action, pattern) for pattern in patterns)), ""
    )


def missing(asks: Iterable[Ask], given: list[dict[str, Any]]) -> list[Ask]:
    """Return what the statements do not allow."""
    return [ask for ask in asks if not allows(given, ask)]


@cache
def needs(kind: str) -> tuple[Ask, ...]:
    """Return what CloudFormation asks for with the resources of a type; what is retained is never deleted."""
    found = []
    for name in (name for name, each in resources("Active").items() if each["Type"] == kind):
        is_kept = resources("Active")[name].get("DeletionPolicy") == "Retain"
        for action in sorted(handled(kind, VERBS[:-1] if is_kept else VERBS)):
            if not why_not_needed(action):
                found += _asks(action, kind, name)
    return tuple({str(ask): ask for ask in found}.values())


def _asks(action: str, kind: str, name: str) -> Iterator[Ask]:
    service, _, short = action.partition(":")
    properties = resources("Active")[name].get("Properties", {})
    if action == "iam:PassRole":
        yield from _passed(kind, properties)
    elif action == "iam:CreateServiceLinkedRole":
        yield role_of_service(ROLES_OF_SERVICES[kind])
    elif action == "iam:AttachRolePolicy":
        for policy in managed_policies(name):
            keys = {"iam:PermissionsBoundary": VALUES["Boundary"], "iam:PolicyARN": _here(policy)}
            yield from (Ask(action, found, keys) for _, found in own(name))
    elif service == "apigateway" and kind.startswith("AWS::ApiGateway::"):
        yield from (Ask(action, arn(f"apigateway:{REGION}::{path}")) for path in _paths(short, kind.split("::")[2]))
    else:
        yield from (Ask(action, found, _keys()) for found in acted_on(action, list(own(name))))


def acted_on(action: str, mine: list[tuple[str, str]]) -> list[str]:
    """Return the ARNs on which the action acts: those of the resource itself, or else of all that it could be."""
    types = types_of(action)
    if not types:
        return ["*"]
    found = [each for type_, each in mine if type_ in types] or [each for type_, each in everything() if type_ in types]
    assert found, f"{action} acts on {types}, and nothing says which of them there are"
    return found


@cache
def types_of(action: str) -> frozenset[str]:
    """Return the types of resources on which an action acts; none if IAM knows no resource of it."""
    service, _, short = action.partition(":")
    known = _data("AdditionalSpecs/Policies.json")[service]["Actions"]
    return frozenset(f"{service}:{each}" for each in known[short.lower()].get("Resources", ()))


@cache
def _data(path: str) -> Any:
    return json.loads((DATA / path).read_text())


@cache
def everything() -> tuple[tuple[str, str], ...]:
    """Return all that a stack has, by what IAM calls it, and what it needs besides."""
    return (*(pair for name in resources("Active") for pair in own(name)), *OTHERS)


def role_of_service(service: str) -> Ask:
    """Return what AWS asks for when a service needs a role of its own."""
    role = arn(f"iam::{ACCOUNT}:role/aws-service-role/{service}/AWSServiceRoleForIt")
    return Ask("iam:CreateServiceLinkedRole", role, {"iam:AWSServiceName": service})


def _passed(kind: str, properties: dict[str, Any]) -> Iterator[Ask]:
    roles = re.findall(r"'(\w+Role)', 'Arn'", str(properties))
    assert bool(roles) != (kind in WITHOUT_ROLE), kind
    for role in roles:
        ((_, found),) = own(role)
        yield Ask("iam:PassRole", found, {"iam:PassedToService": PASSED_TO[kind]})


def _paths(verb: str, short: str) -> list[str]:
    """Return where API Gateway does it: things are made in a collection, and tags have paths of their own."""
    collection, one = PATHS[short]
    tags = [f"/tags/arn%3Aaws%3Aapigateway%3A{REGION}%3A%3A{one}"] if short in TAGGED else []
    return {"POST": [collection], "GET": [one, *tags], "PUT": [one, *tags], "DELETE": [one, *tags]}.get(verb, [one])


def _keys() -> dict[str, str]:
    function = arn(f"lambda:{REGION}:{ACCOUNT}:function:{STACK}-IndexFunction-1A2B")
    return {"iam:PermissionsBoundary": VALUES["Boundary"], "lambda:FunctionArn": function}


def managed_policies(name: str) -> list[str]:
    """Return the ARNs of AWS's own policies that a role gets: SAM takes others in each partition."""
    roles = [resources("Active", region)[name].get("Properties", {}) for region in REGIONS]
    return sorted({policy for role in roles for policy in filled(role.get("ManagedPolicyArns", []))})


def _here(policy: str) -> str:
    """Return the ARN of a policy of AWS's own in the partition of the stack."""
    return arn(policy.split(":", 2)[2])


# -- what no handler names: the SAM CLI, `make deploy-check`, references to secrets, and what belongs to others --

_OF_CLOUDFORMATION = arn(f"cloudformation:{REGION}")
STACKS = [f"{_OF_CLOUDFORMATION}:{ACCOUNT}:stack/{name}/0a1b" for name in (STACK, "aws-sam-cli-managed-default")]
ON_STACKS = (
    *("CreateChangeSet", "DeleteChangeSet", "DeleteStack", "DescribeChangeSet", "DescribeStackEvents"),
    *("DescribeStackResource", "DescribeStacks", "ExecuteChangeSet", "GetTemplate", "ListStackResources"),
    *("TagResource", "UntagResource", "CancelUpdateStack", "ContinueUpdateRollback", "RollbackStack"),
)
OF_SAM = (
    *(Ask(f"cloudformation:{each}", stack) for each in ON_STACKS for stack in STACKS),
    Ask("cloudformation:CreateChangeSet", f"{_OF_CLOUDFORMATION}:aws:transform/Serverless-2016-10-31"),
    Ask("cloudformation:CreateChangeSet", f"{_OF_CLOUDFORMATION}:aws:transform/Include"),
    *(Ask(f"cloudformation:{each}") for each in ("DescribeStackResources", "GetTemplateSummary")),
    *(Ask(action, f"{SAM_BUCKET}/petapi/0a1b") for action in ("s3:PutObject", "s3:GetObject", "s3:GetObjectVersion")),
    *(
        Ask(action, SAM_BUCKET)
        for action in sorted(handled("AWS::S3::Bucket") | handled("AWS::S3::BucketPolicy"))
        if action.startswith("s3:") and not why_not_needed(action)
    ),
)
OF_OTHERS = (
    role_of_service("ops.apigateway.amazonaws.com"),
    Ask("lambda:GetLayerVersion", arn(f"lambda:{REGION}:999999999999:layer:lite0:1")),
    *(
        Ask("acm:DescribeCertificate", arn(f"acm:{region}:{ACCOUNT}:certificate/0a1b"))
        for region in ("us-east-1", REGION)
    ),
    Ask("sns:Subscribe", arn(f"sns:{REGION}:{ACCOUNT}:{STACK}-AlarmTopic-1A2B3C4D5E6F")),
    *(
        Ask("secretsmanager:GetSecretValue", arn(f"secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-1A2B-a1b2c3"))
        for name in ("CallbackSecret", "CdnSecret")
    ),
    *(Ask(f"s3:{verb}BucketAcl", arn(f"s3:::{STACK}-cdnlogbucket-1a2b")) for verb in ("Get", "Put")),
)
