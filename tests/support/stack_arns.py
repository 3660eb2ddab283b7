"""The ARNs of what a stack has, with the names that CloudFormation gives: stack, logical id and something random."""

import re
from collections.abc import Iterator
from typing import Any

from tests.support.transformed import resources

VALUES = {  # the longest that there are
    "AWS::Partition": "aws-us-gov",
    "AWS::Region": "ap-southeast-2",
    "AWS::AccountId": "123456789012",
    "AWS::StackName": "p" * 24,
    "StackName": "p" * 24,
    "Stage": "s" * 32,
    "Boundary": "arn:aws-us-gov:iam::123456789012:policy/" + "p" * 128,
}
STACK, PARTITION, REGION, ACCOUNT = (
    VALUES[name] for name in ("StackName", "AWS::Partition", "AWS::Region", "AWS::AccountId")
)
RANDOM = "1A2B3C4D5E6F"
API = "/restapis/a1b2c3d4e5"
DOMAIN = "/domainnames/pets.example.com"
SAM_BUCKET = f"arn:{PARTITION}:s3:::aws-sam-cli-managed-default-samclisourcebucket-a1b2c3d4e5f6"
PATHS = {  # of API Gateway: where things of a kind are made, and one of them
    "Account": ("/account", "/account"),
    "RestApi": ("/restapis", API),
    "Deployment": (f"{API}/deployments", f"{API}/deployments/f6e5d4"),
    "Stage": (f"{API}/stages", f"{API}/stages/Prod"),
    "DomainName": ("/domainnames", DOMAIN),
    "BasePathMapping": (f"{DOMAIN}/basepathmappings", f"{DOMAIN}/basepathmappings/(none)"),
}
NAMED = {  # by type: what IAM calls it, and its ARN
    "AWS::Lambda::Function": ("lambda:function", "lambda:{region}:{account}:function:{name}"),
    "AWS::Lambda::EventSourceMapping": (
        "lambda:eventSourceMapping",
        "lambda:{region}:{account}:event-source-mapping:0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f",
    ),
    "AWS::IAM::Role": ("iam:role", "iam::{account}:role/{name}"),
    "AWS::DynamoDB::Table": ("dynamodb:table", "dynamodb:{region}:{account}:table/{name}"),
    "AWS::S3::Bucket": ("s3:bucket", "s3:::{lower}"),
    "AWS::SQS::Queue": ("sqs:queue", "sqs:{region}:{account}:{name}"),
    "AWS::SNS::Topic": ("sns:topic", "sns:{region}:{account}:{name}"),
    "AWS::CloudWatch::Alarm": ("cloudwatch:alarm", "cloudwatch:{region}:{account}:alarm:{name}"),
    "AWS::CloudWatch::Dashboard": ("cloudwatch:dashboard", "cloudwatch::{account}:dashboard/{name}"),
    "AWS::Logs::LogGroup": ("logs:log-group", "logs:{region}:{account}:log-group:{name}"),
    "AWS::SecretsManager::Secret": (
        "secretsmanager:Secret",
        "secretsmanager:{region}:{account}:secret:{id}-{random}-a1b2c3",
    ),
    "AWS::S3Vectors::VectorBucket": ("s3vectors:VectorBucket", "s3vectors:{region}:{account}:bucket/{lower}"),
    "AWS::S3Vectors::Index": ("s3vectors:Index", "s3vectors:{region}:{account}:bucket/{lower}/index/titan-1024-1"),
    "AWS::Budgets::Budget": ("budgets:budget", "budgets::{account}:budget/{name}"),
    "AWS::CloudFront::Distribution": ("cloudfront:distribution", "cloudfront::{account}:distribution/E1A2B3C4D5E6F7"),
    "AWS::CloudFront::CachePolicy": ("cloudfront:cache-policy", "cloudfront::{account}:cache-policy/0a1b2c3d"),
    "AWS::CloudFront::OriginRequestPolicy": (
        "cloudfront:origin-request-policy",
        "cloudfront::{account}:origin-request-policy/0a1b2c3d",
    ),
    "AWS::CloudFront::Function": ("cloudfront:function", "cloudfront::{account}:function/accept-0a1b2c3d"),
}


def arn(text: str) -> str:
    """Return the whole ARN of what follows the partition."""
    return f"arn:{PARTITION}:{text}"


def own(name: str) -> Iterator[tuple[str, str]]:
    """Yield what IAM calls a resource of the template, or what it is a part of, and its ARN."""
    kind, properties = resources("Active")[name]["Type"], resources("Active")[name].get("Properties", {})
    if kind in NAMED:
        type_, pattern = NAMED[kind]
        given = filled(properties.get(kind.rpartition(":")[2] + "Name"))
        yield type_, arn(pattern.format(**_names(name, given if isinstance(given, str) else "")))
    elif kind == "AWS::SSM::Parameter":
        yield "ssm:parameter", arn(f"ssm:{REGION}:{ACCOUNT}:parameter{filled(properties['Name'])}")
    elif kind == "AWS::Lambda::LayerVersion":
        layer = arn(f"lambda:{REGION}:{ACCOUNT}:layer:{properties['LayerName']}")
        yield from (("lambda:layer", layer), ("lambda:layerVersion", f"{layer}:7"))
    elif kind == "AWS::WAFv2::WebACLAssociation":
        stage = arn(f"apigateway:{REGION}::{PATHS['Stage'][1]}")
        yield from (("wafv2:apigateway", stage), ("apigateway:Stage", stage))
        yield "wafv2:webacl", arn(f"wafv2:{REGION}:{ACCOUNT}:regional/webacl/pets/0a1b2c3d")
    elif kind in OF_ANOTHER:
        yield from own(_referred(properties[OF_ANOTHER[kind]]))
    else:
        assert kind.startswith("AWS::ApiGateway::"), kind


OF_ANOTHER = {  # what belongs to another resource, and the property that names it
    "AWS::Lambda::Permission": "FunctionName",
    "AWS::S3::BucketPolicy": "Bucket",
    "AWS::SQS::QueuePolicy": "Queues",
}


def filled(node: Any) -> Any:
    """Return a policy, or a part of one, as it is deployed, with the longest names."""
    if isinstance(node, list):
        return [filled(each) for each in node]
    if not isinstance(node, dict):
        return node
    if "Fn::Sub" in node:
        return re.sub(r"\$\{([\w:.]+)\}", lambda found: _value(found[1]), node["Fn::Sub"])
    if "Fn::GetAtt" in node:
        return _value(".".join(node["Fn::GetAtt"]))
    return _value(node["Ref"]) if "Ref" in node else {name: filled(each) for name, each in node.items()}


def _value(text: str) -> str:
    """Return the value of a name in a text: of a parameter, or of an attribute of a resource."""
    name, _, attribute = text.partition(".")
    if name in VALUES:
        return VALUES[name]
    if attribute == "Value":  # of an SSM parameter that has the name of a table
        return _names(name.removesuffix("Parameter"))["name"]
    assert attribute.endswith(("Arn", "Id")), text
    return next(found for _, found in own(name))


def _names(name: str, given: str = "") -> dict[str, str]:
    whole = given or f"{STACK}-{name}-{RANDOM}"
    return {
        "id": name,
        "name": whole,
        "lower": whole.lower(),
        "random": RANDOM,
        "region": REGION,
        "account": ACCOUNT,
    }


def _referred(node: Any) -> str:
    (name,) = re.findall(r"'(?:Ref|Fn::GetAtt)': \[?'(\w+)'", str(node))
    return str(name)
