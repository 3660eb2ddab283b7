"""What template.yaml promises about data: kept, private, versioned, never cleaned up by a rule."""

import json
import random
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import boto3
import pytest

import backoff
import ingest_files
import retrying
from shared import deadline, images
from shared.labels import retries
from shared.pictures import budget
from shared.uploads import upload
from shared.vectors import bedrock, encoder, entry
from tests.support.cloud import OTHER_TABLES, ROOT, TABLES, is_guarded, routes, template
from tests.support.iam import as_list
from tools.template import read_template

RESOURCES: dict[str, Any] = template()["Resources"]
WITHOUT_RIGHTS = ("WebFunction", "AuthorizeFunction")  # but to log


@pytest.mark.parametrize("name", ["Bucket", "ThumbnailBucket", "IncomingBucket", *TABLES])
def test_data_outlives_the_stack(name: str) -> None:
    """But a first deploy that fails leaves no bucket: it is empty, and the next deploy makes another."""
    on_delete = "RetainExceptOnCreate" if name.endswith("Bucket") else "Retain"
    assert (RESOURCES[name]["DeletionPolicy"], RESOURCES[name]["UpdateReplacePolicy"]) == (on_delete, "Retain")


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
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 90)


def test_tables_cost_nothing_at_rest() -> None:
    assert {RESOURCES[name]["Properties"]["BillingMode"] for name in (*TABLES, *OTHER_TABLES)} == {"PAY_PER_REQUEST"}


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
            written = json.loads((ROOT / location).read_text())["Statement"]
            statements = [each["Fn::If"][1] if "Fn::If" in each else each for each in written]
            actions = [action for statement in statements for action in as_list(statement["Action"])]
            listing = {"dynamodb:ListStreams"}  # which Lambda needs to follow a stream
            broad = [action for action in actions if "*" in action or "List" in action or "Scan" in action]
            assert set(broad) <= (listing if name == "IndexFunction" else set())
            everything = [statement["Action"] for statement in statements if "*" in as_list(statement["Resource"])]
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


@pytest.mark.parametrize(
    "name",
    [
        *("DEFAULT_5XX", "INTEGRATION_FAILURE", "API_CONFIGURATION_ERROR"),
        *("AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR"),
    ],
)
def test_a_throttled_function_or_authorizer_is_503_and_not_500(name: str) -> None:
    response = RESOURCES["Api"]["Properties"]["GatewayResponses"][name]
    assert response["StatusCode"] == 503
    assert response["ResponseParameters"]["Headers"]["Retry-After"] == "'1'"


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


def test_draws_pictures_and_searches_have_throttles_of_their_own() -> None:
    everything, *others = RESOURCES["Api"]["Properties"]["MethodSettings"]
    assert (everything["ResourcePath"], everything["HttpMethod"]) == ("/*", "*")
    found = {
        (each["ResourcePath"].replace("~1", "/").removeprefix("/"), each["HttpMethod"]): each["ThrottlingRateLimit"]
        for each in others
    }
    # Each method of a search that asks a model, HEAD as GET does, and never ANY, which a setting of GET would not find.
    searches = {("/search", method): "SearchThrottleRate" for method in ("GET", "HEAD", "POST")}
    # A page of many modules, which no browser asks for twice, at once in several browsers.
    pictures = {
        (path, "GET"): "PictureThrottleRate" for path in ("/images/{label}/{name}", "/images", "/web/{version}/{name}")
    }
    # HEAD of these reads and computes what GET does, too.
    mosaics = {
        (path, method): "SearchThrottleRate"
        for path in ("/images/{label}/{name}/mosaic", "/labels/{label}/tiles")
        for method in ("GET", "HEAD")
    }
    draws = {
        (path, method): "DrawThrottleRate"
        for path in ("/random", "/random.json", "/random/{label}")
        for method in ("GET", "HEAD")
    }
    assert found == draws | pictures | searches | mosaics
    for each in RESOURCES["Api"]["Properties"]["MethodSettings"]:
        assert each["ThrottlingBurstLimit"] == each["ThrottlingRateLimit"].replace("Rate", "Burst")
    assert set(found) <= {(path, method) for path, method, _ in routes()}
    defaults = {
        name: int(parameter["Default"]) for name, parameter in template()["Parameters"].items() if "Throttle" in name
    }
    assert (defaults["ThrottleRate"], defaults["ThrottleBurst"]) == (20, 10)
    assert (defaults["DrawThrottleRate"], defaults["DrawThrottleBurst"]) == (20, 10)
    assert (defaults["SearchThrottleRate"], defaults["SearchThrottleBurst"]) == (2, 5)
    assert defaults["PictureThrottleRate"] > 20


@pytest.mark.parametrize("function", ["SearchFunction", "MosaicFunction"])
def test_a_search_or_mosaic_ends_before_the_gateway_gives_up(function: str) -> None:
    timeout = RESOURCES[function]["Properties"]["Timeout"]
    assert template()["Globals"]["Function"]["Timeout"] < timeout == 25 < 29


def test_a_mosaic_has_a_whole_processor_and_writes_nothing() -> None:
    assert RESOURCES["MosaicFunction"]["Properties"]["MemorySize"] == 1769
    actions = set(re.findall(r'"([a-z0-9]+:[A-Za-z]+)"', (ROOT / "mosaic/IAM__policy.json").read_text()))
    assert actions == {"ssm:GetParameters", "s3:GetObjectVersion", "dynamodb:BatchGetItem", "dynamodb:Query"}


def test_the_function_that_searches_writes_nothing_and_reads_no_pictures() -> None:
    text = (ROOT / "search/IAM__policy.json").read_text()
    actions = set(re.findall(r'"([a-z0-9]+:[A-Za-z]+)"', text))
    assert actions == {
        *("ssm:GetParameters", "dynamodb:GetItem", "dynamodb:BatchGetItem"),
        *("s3vectors:QueryVectors", "s3vectors:GetVectors", "bedrock:InvokeModel"),
    }


def test_data_can_be_brought_back_to_a_moment_and_is_carried_by_tls_alone() -> None:
    for name in TABLES:
        assert RESOURCES[name]["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert RESOURCES[name]["Properties"]["DeletionProtectionEnabled"] == "DeletionProtection"
    for name in ("BucketPolicy", "ThumbnailBucketPolicy", "IncomingBucketPolicy"):
        (statement,) = RESOURCES[name]["Properties"]["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_logs_are_kept_as_long_as_asked() -> None:
    groups = [r for r in RESOURCES.values() if r["Type"] == "AWS::Logs::LogGroup"]
    assert [group["Properties"]["RetentionInDays"] for group in groups] == ["LogRetentionDays"] * 2
    assert template()["Globals"]["Function"]["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": "FunctionsLog"}


def test_every_body_is_carried_as_bytes() -> None:
    assert RESOURCES["Api"]["Properties"]["BinaryMediaTypes"] == ["*/*"]


def test_messages_come_again_a_few_times_and_then_wait_for_people() -> None:
    # A sixth time, ingest/ only says that it gave up, which a function that was killed five times could not.
    for name, attempts in {
        "Incoming": ingest_files.ATTEMPTS + 1,
        "Callback": backoff.CALLBACKS.attempts,
        "Index": retrying.IMAGES.attempts,
    }.items():
        queue, dead = RESOURCES[f"{name}Queue"]["Properties"], RESOURCES[f"{name}DeadLetterQueue"]["Properties"]
        assert queue["RedrivePolicy"]["maxReceiveCount"] == attempts
        assert queue["RedrivePolicy"]["deadLetterTargetArn"] == f"{name}DeadLetterQueue.Arn"
        assert dead["MessageRetentionPeriod"] == 14 * 86_400
        alarm = RESOURCES[f"{name}DeadLetterAlarm"]["Properties"]
        assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": f"{name}DeadLetterQueue.QueueName"}]
    mappings = [each["Properties"] for each in RESOURCES.values() if each["Type"] == "AWS::Lambda::EventSourceMapping"]
    assert {each["FunctionName"] for each in mappings} == {"IngestFunction", "NotifyFunction", "IndexFunction"}
    assert all(mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"] for mapping in mappings)
    called = {each["FunctionName"]: each for each in mappings if "StartingPosition" not in each}
    assert len(called) == 3
    for name, mapping in called.items():
        queue = RESOURCES[mapping["EventSourceArn"].removesuffix(".Arn")]["Properties"]
        function = RESOURCES[name]["Properties"]
        assert queue["VisibilityTimeout"] == 6 * function["Timeout"]  # as Lambda wants it


def test_only_functions_whose_package_decodes_pictures_have_memory_for_them() -> None:
    """The others mostly wait and have 512 MB; draws have 768, so that a redirect takes no longer than with more."""
    common = template()["Globals"]["Function"]["MemorySize"]
    functions = {
        name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == "AWS::Serverless::Function"
    }
    memory = {name: each.get("MemorySize", common) for name, each in functions.items()}
    locks = {name: ROOT / f"requirements/{each['CodeUri'].strip('/')}.txt" for name, each in functions.items()}
    with_pillow = {name for name, lock in locks.items() if lock.exists() and "\npillow==" in f"\n{lock.read_text()}"}
    assert {name: memory[name] for name in with_pillow} == {
        **dict.fromkeys(
            ("UploadFunction", "BrowseFunction", "SearchFunction", "IngestFunction", "IndexFunction"), 1280
        ),
        "MosaicFunction": 1769,  # one whole processor: it computes
    }
    without = {"Delete", "Edit", "Presign", "Notify", "Web", "Authorize"}
    assert {name: size for name, size in memory.items() if name not in with_pillow} == {
        **{f"{name}Function": 512 for name in without},
        "RandomFunction": 768,
    }
    assert budget.MEMORY < 0.8 * 1280 * 2**20  # a child that decodes leaves the rest for Python and the response


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
    pattern = template()["Parameters"]["FormLifetime"]["AllowedPattern"]
    last_form = max(second for second in range(10_000) if re.fullmatch(pattern, str(second)))
    assert last_form == 3600
    assert 86_400 * rule["ExpirationInDays"] > dead  # what is received later is still there
    assert last_form + upload.INGEST_ALLOWANCE + dead < upload.LIFETIME
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 15)


def test_the_stream_of_images_is_followed_from_its_beginning_and_stops_for_no_record() -> None:
    assert RESOURCES["ImageChunksTable"]["Properties"]["StreamSpecification"] == {
        "StreamViewType": "NEW_AND_OLD_IMAGES"
    }
    (mapping,) = [r["Properties"] for r in RESOURCES.values() if "StartingPosition" in r.get("Properties", {})]
    assert (mapping["EventSourceArn"], mapping["StartingPosition"]) == ("ImageChunksTable.StreamArn", "TRIM_HORIZON")
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (25, 1)
    assert (mapping["BisectBatchOnFunctionError"], mapping["MaximumRetryAttempts"]) == (True, 5)
    assert 0 < mapping["MaximumRecordAgeInSeconds"] < 86_400  # the stream has a record for a day
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": "IndexDeadLetterQueue.Arn"}}
    patterns = [json.loads(each["Pattern"]) for each in mapping["FilterCriteria"]["Filters"]]
    exists = {"bytes": {"N": [{"exists": True}]}}
    assert patterns == [{"dynamodb": {"NewImage": exists}}, {"dynamodb": {"OldImage": exists}}]


def test_queues_leave_four_of_a_new_accounts_ten_calls_to_requests() -> None:
    """Slow receivers of callbacks, a flood of files and a reconciliation together do not stop draws."""
    parameters = template()["Parameters"]
    mappings = [r["Properties"] for r in RESOURCES.values() if r["Type"] == "AWS::Lambda::EventSourceMapping"]
    queues = [mapping for mapping in mappings if "StartingPosition" not in mapping]
    bounds = [mapping["ScalingConfig"]["MaximumConcurrency"] for mapping in queues]
    assert sorted(bounds) == ["CallbackConcurrency", "IndexConcurrency", "IngestConcurrency"]
    assert 10 - sum(int(parameters[name]["Default"]) for name in bounds) == 4


def test_what_is_wrong_is_refused_before_anything_is_made() -> None:
    written = read_template(ROOT / "template.yaml")
    rule = written["Rules"]["RekognitionIsInTheseRegions"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "Recogniser"}, "rekognition"]}
    regions, region = rule["Assertions"][0]["Assert"]["Fn::Contains"]
    assert region == {"Ref": "AWS::Region"}
    known = boto3.Session()
    available = known.get_available_regions("rekognition")
    assert set(regions) == {*available, "us-gov-west-1"}
    assert len(set(known.get_available_regions("lambda")) - set(regions)) == 16
    assert "Recogniser=colours" in rule["Assertions"][0]["AssertDescription"]


@pytest.mark.parametrize(
    ("labels", "taken"),
    [
        *[("cat", True), ("cat,dog", True), ("cat, dog ", True), ("*", True), ("my-cat-2", True), ("cat,*", True)],
        *[
            ("", False),
            (" ", False),
            (",", False),
            ("cat,", True),
            (" Cat , DOG ", True),
            ("2cats", False),
            ("cat dog", False),
        ],
        ("a" * 33, False),
    ],
)
def test_labels_that_no_upload_could_name_are_refused(labels: str, taken: bool) -> None:
    pattern = template()["Parameters"]["Labels"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, labels)) == taken
    names = [name.strip().lower() for name in labels.split(",") if name.strip()]  # as shared/settings.py reads them
    assert taken == bool(names and all(name == "*" or images.LABEL.fullmatch(name) for name in names))


def test_a_deploy_by_a_machine_asks_nobody() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    people, machine = config["default"]["deploy"]["parameters"], config["ci"]["deploy"]["parameters"]
    assert {**people, "confirm_changeset": False} == machine
    assert people["confirm_changeset"] is True
    assert config["ci"]["global"] == config["default"]["global"]


def test_a_reconciliation_of_the_index_leaves_concurrency_to_others() -> None:
    schedule = [retrying.IMAGES.delay(attempt, Middle()) for attempt in range(1, retrying.IMAGES.attempts)]
    assert 22 * 3600 < sum(schedule) < 24 * 3600  # as index/retrying.py says
    retention = RESOURCES["IndexQueue"]["Properties"]["MessageRetentionPeriod"]
    visibility = RESOURCES["IndexQueue"]["Properties"]["VisibilityTimeout"]
    assert retention > sum(schedule) + visibility * retrying.IMAGES.attempts


class Middle(random.Random):
    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


def test_the_index_of_vectors_is_that_of_the_encoder() -> None:
    """All properties of an index are fixed when it is made, so another encoder needs another name."""
    resources = read_template(ROOT / "template.yaml")["Resources"]
    index = resources["VectorIndex"]
    assert index["Condition"] == resources["VectorBucket"]["Condition"] == "HasEncoder"
    properties = index["Properties"]
    names = set(re.findall(r"[a-z0-9]+-[0-9]+-[0-9]+", json.dumps(properties["IndexName"])))
    client = boto3.client("bedrock-runtime", region_name="us-east-1")
    assert names == {*map(encoder.index_name, [bedrock.Titan(client), bedrock.Nova(client)]), "lite0-1792-1"}
    assert properties["Dimension"] == {"Fn::If": ["UsesLite0", 1792, bedrock.NUMBERS]}
    assert properties["MetadataConfiguration"] == {"NonFilterableMetadataKeys": list(entry.HIDDEN)}


def test_an_encoder_is_refused_where_it_cannot_work() -> None:
    written = read_template(ROOT / "template.yaml")
    of_encoders = [
        written["Rules"][name] for name in ("TitanIsInTheseRegions", "NovaIsInOneRegion", "ModelsNeedALayer")
    ]
    assertions = [assertion for rule in of_encoders for assertion in rule["Assertions"]]
    assert [each["AssertDescription"].partition(" ")[0] for each in assertions] == [
        *("Encoder=titan", "Encoder=nova", "Encoder=lite0,")
    ]
    regions, region = assertions[0]["Assert"]["Fn::Contains"]
    assert region == {"Ref": "AWS::Region"}
    assert [each["Fn::Equals"][1] for each in written["Conditions"]["TitanIsHere"]["Fn::Or"]] == regions
    assert all(region in assertions[0]["AssertDescription"] for region in regions)
