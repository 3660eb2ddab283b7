"""Rules for what CloudFormation gets: template.yaml after the SAM transform."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.cloud import ROOT, functions
from tests.support.iam import as_list
from tests.support.transformed import of_type, resources
from tools.template import read_template

ON_EDGE = {f"AWS::CloudFront::{short}" for short in ("CachePolicy", "Function", "OriginRequestPolicy", "Distribution")}
SAM_PARTS = {"Transform", "Globals"}
REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")
REMADE = {"UploadsTable", "RecognitionsTable", "TilesTable"}  # known for fifteen days, or made again


def test_every_function_has_a_role_and_json_logs() -> None:
    functions = of_type("AWS::Lambda::Function")
    assert len(functions) == 13
    roles = [json.dumps(function["Role"]) for function in functions.values()]
    assert len(set(roles)) == 13
    for function in functions.values():
        assert function["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": {"Ref": "FunctionsLog"}}
        assert function["Runtime"] == "python3.13"
        assert function["Layers"]


def test_functions_are_called_without_an_alias_so_that_a_changed_parameter_reaches_them() -> None:
    kinds = {resource["Type"] for resource in resources().values()}
    assert not kinds & {"AWS::Lambda::Alias", "AWS::Lambda::Version"}
    assert not [name for name, function in of_type("AWS::Lambda::Function").items() if "SnapStart" in function]


def test_each_parameter_that_a_function_reads_changes_it() -> None:
    """SAM hashes `{"Ref": ..}` of an alias's function and not its value: without an alias the value itself counts."""
    template = read_template(ROOT / "template.yaml")
    read = {
        name: [f for f, each in of_type("AWS::Lambda::Function").items() if refers(each, name)]
        for name in template["Parameters"]
    }
    assert {"LinkBase", "ConsistentReads", "ImageMaxAge", "Stage"} <= {
        name for name, by in read.items() if len(by) == 13
    }
    assert sorted(read["Recogniser"]) == ["IndexFunction", "IngestFunction"]
    assert sorted(read["CallbackHttp"]) == ["NotifyFunction", "PresignFunction"]


def refers(value: Any, parameter: str) -> bool:
    """Return whether a property, as CloudFormation gets it, changes with this parameter."""
    if isinstance(value, dict):
        return value == {"Ref": parameter} or any(refers(each, parameter) for each in value.values())
    if isinstance(value, list):
        return any(refers(each, parameter) for each in value)
    return isinstance(value, str) and f"${{{parameter}}}" in value


def test_the_layer_has_libraries_only() -> None:
    (layer,) = of_type("AWS::Lambda::LayerVersion").values()
    template = read_template(ROOT / "template.yaml")["Resources"]["LibrariesLayer"]
    assert template["Properties"]["ContentUri"] == "requirements/"
    assert layer["CompatibleRuntimes"] == ["python3.13"]


def test_no_role_has_an_action_or_a_resource_of_everything() -> None:
    for name, role in of_type("AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            for written in policy["PolicyDocument"]["Statement"]:
                statement = written["Fn::If"][1] if "Fn::If" in written else written
                assert set(statement) <= {"Sid", "Effect", "Action", "Resource", "Condition"}  # no Not…
                actions = as_list(statement["Action"])
                assert not [action for action in actions if "*" in action], name
                assert "*" not in as_list(statement["Resource"]) or actions == ["rekognition:DetectLabels"], name
                assert statement["Effect"] == "Allow"


def test_functions_are_called_by_this_api_alone() -> None:
    for permission in of_type("AWS::Lambda::Permission").values():
        assert permission["Principal"] == "apigateway.amazonaws.com"
        source, names = permission["SourceArn"]["Fn::Sub"]
        assert ":execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/" in source
        assert names["__ApiId__"] == {"Ref": "Api"}


def test_there_is_one_stage_with_throttles_and_an_access_log() -> None:
    (stage,) = of_type("AWS::ApiGateway::Stage").values()
    (deployment,) = of_type("AWS::ApiGateway::Deployment").values()
    assert "StageName" not in deployment  # SAM's own second stage would have neither
    everything, *others = stage["MethodSettings"]
    assert everything["ThrottlingRateLimit"] == {"Ref": "ThrottleRate"}
    assert everything["ThrottlingBurstLimit"] == {"Ref": "ThrottleBurst"}
    counts = {"DrawThrottleRate": 6, "PictureThrottleRate": 3, "SearchThrottleRate": 7}
    assert Counter(each["ThrottlingRateLimit"]["Ref"] for each in others) == counts
    assert "$context.requestId" in stage["AccessLogSetting"]["Format"]
    json.loads(stage["AccessLogSetting"]["Format"])
    assert {setting["ResourcePath"] for setting in stage["MethodSettings"]} == {
        "/*",
        "/~1images~1{label}~1{name}",
        "/~1random",
        "/~1random.json",
        "/~1random~1{label}",
        "/~1images",
        "/~1web~1{version}~1{name}",
        "/~1search",
        "/~1images~1{label}~1{name}~1mosaic",
        "/~1labels~1{label}~1tiles",
    }
    assert stage["AccessLogSetting"]["DestinationArn"] == {"Fn::GetAtt": ["AccessLog", "Arn"]}


def test_the_gateways_own_answers_are_defined_for_every_status_of_the_contract() -> None:
    (api,) = of_type("AWS::ApiGateway::RestApi").values()
    responses = api["Body"]["x-amazon-apigateway-gateway-responses"]
    statuses = {int(response["statusCode"]) for response in responses.values()}
    assert statuses == {400, 401, 403, 404, 413, 429, 503, 504}
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} <= set(responses)
    assert api["Body"]["x-amazon-apigateway-binary-media-types"] == ["*/*"]


@pytest.mark.parametrize("kind", ["AWS::DynamoDB::Table", "AWS::S3::Bucket"])
def test_nothing_that_holds_data_is_deleted_with_the_stack(kind: str) -> None:
    for name, resource in resources().items():
        if resource["Type"] == kind and name not in REMADE:
            assert resource["DeletionPolicy"] in ("Retain", "RetainExceptOnCreate")
            assert resource["UpdateReplacePolicy"] == "Retain"


def test_the_gateway_may_log_before_the_api_is_made_and_after_the_stack_is_gone() -> None:
    (api,) = [each for each in resources().values() if each["Type"] == "AWS::ApiGateway::RestApi"]
    assert api["DependsOn"] == "GatewayAccount"
    assert {resources()[name]["DeletionPolicy"] for name in ("GatewayAccount", "GatewayLogRole")} == {"Retain"}


def test_alarms_watch_the_api_by_the_name_that_it_has() -> None:
    (rest_api,) = of_type("AWS::ApiGateway::RestApi").values()
    assert rest_api["Name"] == {"Ref": "AWS::StackName"}
    api = [{"Name": "ApiName", "Value": {"Ref": "AWS::StackName"}}, {"Name": "Stage", "Value": "Prod"}]
    alarms = of_type("AWS::CloudWatch::Alarm")
    assert alarms["ServerErrorAlarm"]["Dimensions"] == alarms["LatencyAlarm"]["Dimensions"] == api


@pytest.mark.parametrize("tracing", ["Disabled", "PassThrough", "Active"])
def test_functions_are_traced_on_demand_and_may_write_traces_only_then(tracing: str) -> None:
    of_all = {name: each["Properties"] for name, each in resources(tracing).items() if "Properties" in each}
    is_on = tracing != "Disabled"
    for name in functions():
        assert of_all[name].get("TracingConfig") == ({"Mode": {"Ref": "Tracing"}} if is_on else None)
        assert ("xray" in json.dumps(of_all[f"{name}Role"]["ManagedPolicyArns"]).lower()) == is_on


def test_tables_are_protected_and_objects_are_carried_by_tls_alone() -> None:
    for name, table in of_type("AWS::DynamoDB::Table").items():
        assert name in REMADE or table["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}
    buckets, policies = of_type("AWS::S3::Bucket"), of_type("AWS::S3::BucketPolicy")
    assert {policy["Bucket"]["Ref"] for policy in policies.values()} == set(buckets)
    for policy in policies.values():
        (statement,), bucket = policy["PolicyDocument"]["Statement"], policy["Bucket"]["Ref"]
        assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert statement["Resource"] == [{"Fn::GetAtt": [bucket, "Arn"]}, {"Fn::Sub": f"${{{bucket}.Arn}}/*"}]


def test_no_resource_has_a_name_of_its_own_that_would_collide() -> None:
    """Properties that name their resource begin with the end of its type. Layers have versions, the index a bucket."""
    inside = {"AWS::Lambda::LayerVersion", "AWS::S3Vectors::Index", "AWS::ApiGateway::Stage"}
    others = {"AWS::ApiGateway::RestApi", "AWS::SSM::Parameter", *ON_EDGE}  # by the stack, its Stage or its id
    kinds = {resource["Type"] for resource in resources().values()} - inside - others
    assert {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Lambda::Function", "AWS::SQS::Queue"} <= kinds
    for name, resource in resources().items():
        if resource["Type"] in kinds:
            short = resource["Type"].rpartition(":")[2]
            assert not {"Name", f"{short}Name"} & set(resource.get("Properties", {})), name


@pytest.mark.parametrize("table", ["ChunkInfoTable", "ImageChunksTable"])
def test_a_restored_table_is_named_to_ssm_fallbacks_policies_and_outputs_by_one_parameter(table: str) -> None:
    parameter = resources()[f"{table}Parameter"]["Properties"]
    assert parameter["Value"] == {"Fn::If": [f"Own{table}", {"Ref": table}, {"Ref": f"{table}Name"}]}
    name = {"Fn::GetAtt": [f"{table}Parameter", "Value"]}
    template = read_template(ROOT / "template.yaml")
    assert template["Outputs"][f"{table}Name"]["Value"] == name
    variable = {"ChunkInfoTable": "fb_chunkInfoTableName", "ImageChunksTable": "fb_chunkImageTableName"}[table]
    variables = [function["Environment"]["Variables"] for function in of_type("AWS::Lambda::Function").values()]
    assert {json.dumps(each[variable]) for each in variables if variable in each} == {json.dumps(name)}
    roles = json.dumps(of_type("AWS::IAM::Role"))
    roles = roles.replace('{"Fn::GetAtt": ["ImageChunksTable", "StreamArn"]}', "")  # only the stack's own has a stream
    assert f"table/${{{table}Parameter.Value}}" in roles
    assert f"${{{table}." not in roles
    assert f'"{table}"' not in roles


def test_cfn_lint_has_nothing_to_say_about_it_in_three_regions(slow_tier: None, tmp_path: Path) -> None:
    written = {name: part for name, part in read_template(ROOT / "template.yaml").items() if name not in SAM_PARTS}
    path = tmp_path / "transformed.json"
    path.write_text(json.dumps({**written, "Resources": resources()}))
    command = [Path(sys.executable).with_name("cfn-lint"), "-r", *REGIONS, "--", ROOT / "template.yaml", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
