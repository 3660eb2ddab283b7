"""template.yaml as tests read it: the routes, and the tables and bucket made from it, so that nothing can drift."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import boto3

from tools.template import read_template

ROOT = Path(__file__).resolve().parent.parent.parent
TABLES = ("ImageChunksTable", "ChunkInfoTable")
TABLES_OF_UPLOADS = ("UploadsTable", "RecognitionsTable")
OTHER_TABLES = (*TABLES_OF_UPLOADS, "TilesTable")  # whose content can be made again, or is for some days


@cache
def template() -> dict[str, Any]:
    """Return template.yaml, in which `!Ref x` is just x, and `!GetAtt x.y` is "x.y"."""
    document: dict[str, Any] = _plain(read_template(ROOT / "template.yaml"))
    return document


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    name, inner = next(iter(value.items()), ("", []))
    if name == "Fn::GetAtt":
        return ".".join(inner)
    if len(value) == 1 and (name == "Ref" or (name.startswith("Fn::") and name != "Fn::Transform")):
        return _plain(inner)
    return {key: _plain(each) for key, each in value.items()}


@cache
def functions() -> dict[str, dict[str, Any]]:
    """Return each function of the template by its logical id."""
    return {name: r for name, r in template()["Resources"].items() if r["Type"] == "AWS::Serverless::Function"}


@cache
def routes() -> list[tuple[str, str, str]]:
    """Return (path pattern, method, handler module), the most special first, as API Gateway chooses."""
    found = [
        (event["Properties"]["Path"], event["Properties"]["Method"], resource["Properties"]["Handler"].split(".")[0])
        for resource in functions().values()
        for event in resource["Properties"].get("Events", {}).values()
        if event["Type"] == "Api"
    ]
    return sorted(found, key=lambda route: (route[0].count("+"), route[1] == "ANY"))


@cache
def consumers() -> dict[str, str]:
    """Return for each queue, and each table with a stream, the module of the handler that is called with it."""
    resources = template()["Resources"]
    return {
        resource["Properties"]["EventSourceArn"].partition(".")[0]: function["Properties"]["Handler"].split(".")[0]
        for resource in resources.values()
        if resource["Type"] == "AWS::Lambda::EventSourceMapping"
        for function in [resources[resource["Properties"]["FunctionName"]]]
    }


def is_guarded(method: str, resource: str) -> bool:
    """Return whether the authorizer is asked before the function."""
    return any(
        "Auth" in properties
        for function in functions().values()
        for event in function["Properties"].get("Events", {}).values()
        if event["Type"] == "Api" and (properties := event["Properties"])["Path"] == resource
        if properties["Method"] in ("ANY", method)
    )


def gateway_response(name: str) -> tuple[int, dict[str, str], str]:
    """Return status, headers and body of what API Gateway answers by itself."""
    response = template()["Resources"]["Api"]["Properties"]["GatewayResponses"][name]
    headers = {
        header: value.strip("'").replace("context.requestId", "a-request")
        for header, value in response["ResponseParameters"]["Headers"].items()
    }
    body = response["ResponseTemplates"]["application/json"].replace("$context.requestId", "a-request")
    return response["StatusCode"], headers, body


def route(method: str, path: str) -> tuple[str, dict[str, str], str]:
    """Return (resource, path parameters, handler module) of a request."""
    for pattern, methods, module in routes():
        found = re.fullmatch(_expression(pattern), path, re.DOTALL)
        if found and methods in ("ANY", method):
            return pattern, found.groupdict(), module
    raise LookupError(path)


def _expression(pattern: str) -> str:
    return re.sub(r"\{(\w+)(\+?)\}", lambda m: f"(?P<{m[1]}>{'.+' if m[2] else '[^/]+'})", pattern)


def table(name: str) -> dict[str, Any]:
    """Return the arguments of CreateTable for the template's table."""
    properties = template()["Resources"][name]["Properties"]
    wanted = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    return {key: properties[key] for key in wanted if key in properties}


def create(labels: str = "*") -> None:
    """Make tables, bucket and parameters in the AWS that boto3 talks to."""
    resources = template()["Resources"]
    dynamodb, s3, ssm = boto3.client("dynamodb"), boto3.client("s3"), boto3.client("ssm")
    for name in (*TABLES, *OTHER_TABLES):
        dynamodb.create_table(TableName=name, **table(name))
    s3.create_bucket(Bucket="pictures")
    s3.create_bucket(Bucket="thumbnails")
    s3.put_bucket_versioning(
        Bucket="pictures", VersioningConfiguration=resources["Bucket"]["Properties"]["VersioningConfiguration"]
    )
    s3.create_bucket(Bucket="incoming")
    sqs = boto3.client("sqs")
    values = {
        "Bucket": "pictures",
        "ThumbnailBucket": "thumbnails",
        "IncomingBucket": "incoming",
        "Labels": labels,
        "Writes": "open",
    }
    values |= {name: name for name in (*TABLES, *OTHER_TABLES)}
    values |= {"CallbackQueue": sqs.create_queue(QueueName="callbacks")["QueueUrl"]}
    values |= {"IndexQueue": sqs.create_queue(QueueName="index")["QueueUrl"], "none": "none"}
    for resource in resources.values():
        if resource["Type"] == "AWS::SSM::Parameter":
            name = resource["Properties"]["Name"].replace("${Stage}", "production")
            value = resource["Properties"]["Value"]
            own = value[1] if isinstance(value, list) else value  # of `!If [OwnTable, Table, Name]` the table
            own = value[2] if own == "VectorIndex.IndexArn" else own  # there is no encoder
            ssm.put_parameter(Name=name, Value=values[own], Type="String")


FUNCTIONS = tuple(function["Properties"]["CodeUri"].strip("/") for function in functions().values())
