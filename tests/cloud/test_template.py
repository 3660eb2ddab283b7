"""What template.yaml promises about data: kept, private, versioned, never cleaned up by a rule."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import backoff
import ingest_files
from shared import deadline
from shared.labels import retries
from shared.uploads import upload
from tests.support.cloud import ROOT, TABLES, TABLES_OF_UPLOADS, is_guarded, routes, template

RESOURCES: dict[str, Any] = template()["Resources"]
WITHOUT_RIGHTS = ("WebFunction", "AuthorizeFunction")  # but to log


@pytest.mark.parametrize("name", ["Bucket", "ThumbnailBucket", "IncomingBucket", *TABLES])
def test_data_outlives_the_stack(name: str) -> None:
    assert RESOURCES[name]["DeletionPolicy"] == RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_the_bucket_is_private_encrypted_versioned_and_cleans_up_no_pictures() -> None:
    bucket = RESOURCES["Bucket"]["Properties"]
    block = bucket["PublicAccessBlockConfiguration"]
    assert block == dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert set(rule) == {"Id", "Status", "AbortIncompleteMultipartUpload"}  # versions go by delete and reconcile alone


def test_thumbnails_are_private_and_encrypted_and_go_by_themselves() -> None:
    thumbnails, pictures = RESOURCES["ThumbnailBucket"]["Properties"], RESOURCES["Bucket"]["Properties"]
    for name in ("PublicAccessBlockConfiguration", "BucketEncryption"):
        assert thumbnails[name] == pictures[name]
    assert "VersioningConfiguration" not in thumbnails  # or else what is removed would stay as an old version
    (rule,) = thumbnails["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 7)


def test_tables_cost_nothing_at_rest() -> None:
    assert {RESOURCES[name]["Properties"]["BillingMode"] for name in (*TABLES, *TABLES_OF_UPLOADS)} == {
        "PAY_PER_REQUEST"
    }


def test_functions_end_after_their_calls_do() -> None:
    timeout = template()["Globals"]["Function"]["Timeout"]
    assert timeout == deadline.TIMEOUT <= 29  # API Gateway waits for 29 seconds
    last_call = retries.SECONDS + deadline.LAST_ATTEMPT  # of an attempt that starts as late as it may
    assert last_call < timeout


def test_every_function_has_rights_of_its_own_and_none_may_list_the_bucket() -> None:
    for name, resource in RESOURCES.items():
        if resource["Type"] == "AWS::Serverless::Function" and name not in WITHOUT_RIGHTS:
            (policy,) = resource["Properties"]["Policies"]
            location = policy["Fn::Transform"]["Parameters"]["Location"]
            assert location == resource["Properties"]["CodeUri"] + "IAM__policy.json"
            statements = json.loads((ROOT / location).read_text())["Statement"]
            actions = [
                action
                for statement in statements
                for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
            ]
            assert not [action for action in actions if "*" in action or "List" in action or "Scan" in action]
            everything = [statement["Action"] for statement in statements if statement["Resource"] == "*"]
            assert everything in ([], ["rekognition:DetectLabels"])  # which knows no resources
    assert not [name for name in WITHOUT_RIGHTS if "Policies" in RESOURCES[name]["Properties"]]


def test_cfn_lint_has_nothing_to_say() -> None:
    command = [Path(sys.executable).with_name("cfn-lint"), ROOT / "template.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_what_the_gateway_answers_is_a_problem() -> None:
    for name, response in RESOURCES["Api"]["Properties"]["GatewayResponses"].items():
        headers = response["ResponseParameters"]["Headers"]
        assert headers["Content-Type"] == "'application/problem+json'"
        assert headers["Access-Control-Allow-Origin"] == "'*'"
        assert headers["Cache-Control"] == "'no-store'"
        problem = json.loads(response["ResponseTemplates"]["application/json"])
        assert set(problem) == {"type", "title", "status", "detail", "requestId"}
        assert problem["status"] == response["StatusCode"], name
        assert ("Retry-After" in headers) == (problem["status"] in (429, 503, 504))


def test_each_write_and_who_owns_what_asks_the_authorizer_and_nothing_else_does() -> None:
    guarded = {(path, method) for path, method, _ in routes() if is_guarded(method, path)}
    image = "/images/{label}/{name}"
    uploads = {("/upload", "POST"), ("/uploads", "POST")}
    assert guarded == uploads | {(image, "PATCH"), (image, "DELETE"), ("/mine", "GET"), ("/mine", "HEAD")}
    (authorizer,) = RESOURCES["Api"]["Properties"]["Auth"]["Authorizers"].values()
    assert authorizer["Identity"] == {"ReauthorizeEvery": 0}  # its answer is for one method and is kept nowhere
    parameters = template()["Parameters"]
    assert (parameters["JwtIssuer"]["Default"], parameters["PublicWrites"]["Default"]) == ("", "false")


@pytest.mark.parametrize(
    ("issuer", "taken"),
    [
        ("", True),
        ("https://example.auth0.com/", True),
        ("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x", True),
        ("http://127.0.0.1:8080/", True),
        ("http://example.com/", False),
        ("https://example.com/?x", False),
        ("file:///etc/passwd", False),
    ],
)
def test_issuers_are_asked_by_tls(issuer: str, taken: bool) -> None:
    pattern = template()["Parameters"]["JwtIssuer"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, issuer)) == taken


def test_pictures_have_a_throttle_of_their_own() -> None:
    everything, *pictures = RESOURCES["Api"]["Properties"]["MethodSettings"]
    assert (everything["ResourcePath"], everything["HttpMethod"]) == ("/*", "*")
    found = [(each["ResourcePath"].replace("~1", "/").removeprefix("/"), each["HttpMethod"]) for each in pictures]
    assert found == [("/images/{label}/{name}", "GET"), ("/images", "GET")]
    assert set(found) <= {(path, method) for path, method, _ in routes()}
    assert {each["ThrottlingRateLimit"] for each in pictures} == {"PictureThrottleRate"}
    defaults = {
        name: parameter["Default"] for name, parameter in template()["Parameters"].items() if "Default" in parameter
    }
    assert (defaults["ThrottleRate"], defaults["ThrottleBurst"]) == (20, 10)
    assert defaults["PictureThrottleRate"] > 20


def test_data_can_be_brought_back_to_a_moment_and_is_carried_by_tls_alone() -> None:
    for name in TABLES:
        assert RESOURCES[name]["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert RESOURCES[name]["Properties"]["DeletionProtectionEnabled"] == "DeletionProtection"
    for name in ("BucketPolicy", "ThumbnailBucketPolicy", "IncomingBucketPolicy"):
        (statement,) = RESOURCES[name]["Properties"]["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_logs_are_kept_as_long_as_asked_and_alarms_cover_errors_latency_and_throttles() -> None:
    groups = [r for r in RESOURCES.values() if r["Type"] == "AWS::Logs::LogGroup"]
    assert [group["Properties"]["RetentionInDays"] for group in groups] == ["LogRetentionDays"] * 2
    assert template()["Globals"]["Function"]["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": "FunctionsLog"}
    alarms = [r["Properties"] for r in RESOURCES.values() if r["Type"] == "AWS::CloudWatch::Alarm"]
    assert {alarm["MetricName"] for alarm in alarms} == {
        *("5XXError", "Latency", "Throttles", "ApproximateNumberOfMessagesVisible")
    }


def test_every_body_is_carried_as_bytes() -> None:
    assert RESOURCES["Api"]["Properties"]["BinaryMediaTypes"] == ["*/*"]


def test_messages_come_again_a_few_times_and_then_wait_for_people() -> None:
    # A sixth time, ingest/ only says that it gave up, which a function that was killed five times could not.
    for name, attempts in {"Incoming": ingest_files.ATTEMPTS + 1, "Callback": backoff.ATTEMPTS}.items():
        queue, dead = RESOURCES[f"{name}Queue"]["Properties"], RESOURCES[f"{name}DeadLetterQueue"]["Properties"]
        assert queue["RedrivePolicy"]["maxReceiveCount"] == attempts
        assert queue["RedrivePolicy"]["deadLetterTargetArn"] == f"{name}DeadLetterQueue.Arn"
        assert dead["MessageRetentionPeriod"] == 14 * 86_400
        alarm = RESOURCES[f"{name}DeadLetterAlarm"]["Properties"]
        assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": f"{name}DeadLetterQueue.QueueName"}]
    mappings = [each["Properties"] for each in RESOURCES.values() if each["Type"] == "AWS::Lambda::EventSourceMapping"]
    called = {each["FunctionName"]: each for each in mappings}
    assert called.keys() == {"IngestFunction", "NotifyFunction"}
    for name, mapping in called.items():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        queue = RESOURCES[mapping["EventSourceArn"].removesuffix(".Arn")]["Properties"]
        function = RESOURCES[name]["Properties"]
        assert queue["VisibilityTimeout"] == 6 * function["Timeout"]  # as Lambda wants it


def test_incoming_files_are_private_may_be_posted_by_any_page_and_go_by_themselves() -> None:
    incoming, pictures = RESOURCES["IncomingBucket"]["Properties"], RESOURCES["Bucket"]["Properties"]
    for name in ("PublicAccessBlockConfiguration", "BucketEncryption"):
        assert incoming[name] == pictures[name]
    (cors,) = incoming["CorsConfiguration"]["CorsRules"]
    assert cors["AllowedMethods"] == ["POST"]
    (cors,) = pictures["CorsConfiguration"]["CorsRules"]
    assert (cors["AllowedMethods"], cors["AllowedOrigins"]) == (["GET", "HEAD"], ["*"])
    (rule,) = incoming["LifecycleConfiguration"]["Rules"]
    dead = RESOURCES["IncomingDeadLetterQueue"]["Properties"]["MessageRetentionPeriod"]
    assert 86_400 * rule["ExpirationInDays"] > dead < upload.LIFETIME  # what is received later is still there
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 15)
