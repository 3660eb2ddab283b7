"""Alarms, dashboard and budget: they name only what the code or AWS writes, and count shares in place of failures."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from shared import metrics
from tests.support import aws_commands, documents
from tests.support.cloud import ROOT, functions
from tests.support.deployed import Deployed
from tests.support.metric_math import comes
from tools.template import read_template

# What AWS writes: namespace -> metrics and the dimensions of each, from AWS's documentation of each service.
OF_AWS: dict[str, tuple[set[str], tuple[str, ...]]] = {
    "AWS/ApiGateway": ({"Count", "4XXError", "5XXError", "Latency", "IntegrationLatency"}, ("ApiName", "Stage")),
    "AWS/Lambda": ({"Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions"}, ("FunctionName",)),
    "AWS/SQS": ({"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"}, ("QueueName",)),
    "AWS/DynamoDB": ({"ReadThrottleEvents", "WriteThrottleEvents"}, ("TableName",)),
    "AWS/CloudFront": ({"BytesDownloaded"}, ("DistributionId", "Region")),
}
TEMPLATE = read_template(ROOT / "template.yaml")
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
ALARMS = {name: each for name, each in RESOURCES.items() if each["Type"] == "AWS::CloudWatch::Alarm"}

OPERATE = ROOT / "docs/how-to/operate.md"
TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"

Metric = tuple[str, str, dict[str, Any]]  # namespace, name, dimensions


def of_alarm(properties: dict[str, Any]) -> Iterator[Metric]:
    """Yield the metrics that an alarm watches."""
    stats = [query["MetricStat"]["Metric"] for query in properties.get("Metrics", ()) if "MetricStat" in query]
    for each in stats or [properties]:
        yield each["Namespace"], each["MetricName"], {d["Name"]: d["Value"] for d in each.get("Dimensions", ())}


def widgets(*, has_cdn: bool = True) -> list[dict[str, Any]]:
    """Return the widgets, in which `${x}` stands as it does in the template."""
    text, texts = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    condition, of_cdn, nothing = texts["CdnWidget"]["Fn::If"]
    assert (condition, set(texts)) == ("HasCdn", {"CdnWidget"})
    body = json.loads(text.replace("${CdnWidget}", of_cdn["Fn::Sub"] if has_cdn else nothing))
    return list(body["widgets"])


def dashboard() -> list[dict[str, Any]]:
    """Return the widgets' properties."""
    return [widget["properties"] for widget in widgets()]


def of_widget(properties: dict[str, Any]) -> Iterator[Metric]:
    """Yield the metrics of a widget. `...` repeats the one before, with other options only."""
    for row in properties["metrics"]:
        if row[0] == "...":
            assert not [each for each in row[1:] if isinstance(each, str)]
        elif isinstance(row[0], str):
            namespace, name, *dimensions = [each for each in row if isinstance(each, str)]
            yield namespace, name, dict(zip(dimensions[::2], dimensions[1::2], strict=True))


def check(metric: Metric) -> None:
    namespace, name, dimensions = metric
    if namespace == metrics.NAMESPACE:
        assert name in metrics.UNITS
        assert list(dimensions) == [metrics.STACK, *([metrics.BY[name]] if name in metrics.BY else [])]
        return
    names, expected = OF_AWS[namespace]
    assert name in names
    of_the_account = (namespace, name, dimensions) == ("AWS/Lambda", "ConcurrentExecutions", {})
    assert of_the_account or tuple(sorted(dimensions)) == expected
    for value in dimensions.values():
        if value not in ("Prod", "Global"):  # stage, and region of CloudFront; others have names of CloudFormation's
            (referred,) = re.findall(r"\$\{(\w+)", value) if isinstance(value, str) else [_referred(value)]
            assert referred in RESOURCES or referred == "AWS"


def _referred(value: dict[str, Any]) -> str:
    (inner,) = value.values()
    name = inner if isinstance(inner, str) else inner[0]
    return "AWS" if name.startswith("AWS::") else name


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_watches_what_is_written_and_tells_whoever_is_there(name: str) -> None:
    properties = ALARMS[name]["Properties"]
    for metric in of_alarm(properties):
        check(metric)
    told = [each["Fn::If"][:2] for each in properties["AlarmActions"]]
    assert told == [["HasAlarmTopic", {"Ref": "AlarmTopicArn"}], ["HasAlarmEmail", {"Ref": "AlarmTopic"}]]
    assert properties["TreatMissingData"] == "notBreaching"  # no requests are no failure


@pytest.mark.parametrize("name", ALARMS)
def test_cloudwatch_takes_the_alarm(name: str) -> None:
    """Botocore knows the members of PutMetricAlarm, and which are required."""
    given = {key: value for key, value in ALARMS[name]["Properties"].items() if key != "AlarmActions"}
    plain = json.loads(re.sub(r'\{"(?:Ref|Fn::Sub)": "[^"]*"\}|\{"Fn::GetAtt": \[[^]]*\]\}', '"x"', json.dumps(given)))
    client = boto3.client("cloudwatch", region_name="us-east-1")
    shape = client.meta.service_model.operation_model("PutMetricAlarm").input_shape
    from botocore.validate import ParamValidator

    report = ParamValidator().validate({"AlarmName": name, **plain}, shape)
    assert not report.has_errors(), report.generate_report()


def test_every_expression_uses_all_metrics_of_its_alarm_and_no_other() -> None:
    for name, alarm in ALARMS.items():
        queries = alarm["Properties"].get("Metrics", ())
        ids = {query["Id"] for query in queries if "MetricStat" in query}
        for query in queries:
            if "Expression" in query:
                text = query["Expression"]
                text = text["Fn::Sub"] if isinstance(text, dict) else text
                used = set(re.findall(r"\b[a-z][a-z_]*\b", re.sub(r"\$\{\w+\}", "", text)))
                assert used == ids, name
            else:
                assert query["ReturnData"] is False


def test_failures_count_as_shares() -> None:
    """One failure in five quiet minutes wakes nobody, and a failure in a hundred of a busy hour does."""
    server = ALARMS["ServerErrorAlarm"]["Properties"]
    assert (server["MetricName"], server["Statistic"], server["Threshold"]) == ("5XXError", "Average", 0.01)
    shares = ["ServerErrorAlarm", *(name for name in ALARMS if re.search("Throttle|Error|Concurrency", name))]
    for name in shares:
        properties = ALARMS[name]["Properties"]
        assert properties["DatapointsToAlarm"] > 1, name
    for function in ("Ingest", "Notify", "Index"):
        found = list(of_alarm(ALARMS[f"{function}ErrorAlarm"]["Properties"]))
        assert [metric[1] for metric in found] == ["Failed", "Errors", "Invocations"]
        assert found[0][2] == {"Stack": {"Ref": "AWS::StackName"}, "Function": function.lower()}
        assert [metric[2] for metric in found[1:]] == [{"FunctionName": {"Ref": f"{function}Function"}}] * 2


@pytest.mark.parametrize("name", ["UploadThrottleAlarm", "RandomThrottleAlarm"])
def test_calls_that_lambda_refuses_are_an_alarm_also_if_it_refuses_all(name: str) -> None:
    """Lambda counts no call then, and no refusal while nobody calls."""
    alarm = ALARMS[name]["Properties"]
    assert comes(alarm, [{"throttles": 1}] * 2)
    assert comes(alarm, [{"throttles": 5, "calls": 200}] * 2)
    assert not comes(alarm, [{"throttles": 1, "calls": 200}] * 9)
    assert not comes(alarm, [{"throttles": 9}, {"throttles": 0, "calls": 9}, {}, {"throttles": 9}])
    assert not comes(alarm, [{"throttles": 0, "calls": 200}, {}] * 9)


def test_refused_requests_of_any_table_are_an_alarm() -> None:
    alarm = ALARMS["TableThrottleAlarm"]["Properties"]
    for metric in ("images_read", "images_write", "chunks_read", "chunks_write"):
        assert comes(alarm, [{metric: 31}] * 2)
        assert not comes(alarm, [{metric: 30}] * 9)


def test_a_full_account_is_an_alarm() -> None:
    alarm = ALARMS["ConcurrencyAlarm"]["Properties"]
    assert comes(alarm, [{"calls": 9}] * 3, AccountConcurrency="10")
    assert not comes(alarm, [{"calls": 8}] * 9, AccountConcurrency="10")


@pytest.mark.parametrize("name", ["BytesAlarm", "CdnBytesAlarm"])
def test_more_gigabytes_than_an_hour_may_have_are_an_alarm(name: str) -> None:
    alarm = ALARMS[name]["Properties"]
    assert comes(alarm, [{"bytes": 2.1e9}], BytesOutAlarm="2")
    assert not comes(alarm, [{"bytes": 1.9e9}, {}] * 9, BytesOutAlarm="2")


def test_each_error_that_an_alarm_of_errors_adds_up_counts_alone() -> None:
    for function in ("Ingest", "Notify", "Index"):
        alarm = ALARMS[f"{function}ErrorAlarm"]["Properties"]
        assert comes(alarm, [{"calls": 20, "errors": 2}] * 2), "a call without time or memory writes no line"
        assert comes(alarm, [{"calls": 20, "errors": 0, "failed": 2}] * 2)
        assert comes(alarm, [{"calls": 1, "errors": 0}, {"failed": 1}, {"calls": 1, "failed": 1}]), (
            "the call began before"
        )
        assert not comes(alarm, [{"calls": 20, "errors": 2}, {}, {}, {"calls": 20, "failed": 2}])
        assert not comes(alarm, [{"calls": 200, "errors": 1, "failed": 1}, {}] * 9)


def test_bytes_of_cloudfront_are_watched_where_it_writes_them() -> None:
    """An alarm watches metrics of its own region, and CloudFront's are in us-east-1."""

    def has_alarm(**parameters: str) -> bool:
        return "CdnBytesAlarm" in Deployed(**parameters).resources()

    here, email, topic = {"AWS::Region": "us-east-1"}, {"AlarmEmail": "me@example.com"}, {"AlarmTopicArn": TOPIC}
    assert has_alarm(Cdn="true", **here, **email)
    assert has_alarm(Cdn="true", **here, **topic)
    assert not has_alarm(Cdn="true", **here)
    assert not has_alarm(Cdn="true", **email)
    assert not has_alarm(**here, **email)
    (metric,) = of_alarm(ALARMS["CdnBytesAlarm"]["Properties"])
    assert metric[2] == {"DistributionId": {"Ref": "CdnDistribution"}, "Region": "Global"}
    (widget,) = [each["properties"] for each in widgets() if "CloudFront" in json.dumps(each)]
    assert widget["region"] == "us-east-1"
    assert len(widgets(has_cdn=False)) == len(widgets()) - 1
    assert "CloudFront" not in json.dumps(widgets(has_cdn=False))


def test_the_command_that_makes_the_alarm_elsewhere_makes_the_same(tmp_path: Path) -> None:
    blocks = [block for block in documents.blocks(OPERATE) if "put-metric-alarm" in block.text]
    (call,) = [call.arguments for call in aws_commands.calls(blocks, tmp_path) if "put-metric-alarm" in call.arguments]
    alarm = ALARMS["CdnBytesAlarm"]["Properties"]
    stat = next(query["MetricStat"] for query in alarm["Metrics"] if "MetricStat" in query)
    limit = int(TEMPLATE["Parameters"]["BytesOutAlarm"]["Default"]) * 10**9
    expected = {
        "region": "us-east-1",
        "namespace": stat["Metric"]["Namespace"],
        "metric-name": stat["Metric"]["MetricName"],
        "statistic": stat["Stat"],
        "period": str(stat["Period"]),
        "threshold": str(limit * alarm["Threshold"]),
        "evaluation-periods": str(alarm["EvaluationPeriods"]),
        "comparison-operator": alarm["ComparisonOperator"],
        "treat-missing-data": alarm["TreatMissingData"],
    }
    assert {name: call[call.index(f"--{name}") + 1] for name in expected} == expected
    first = call.index("--dimensions") + 1
    assert call[first : first + 2] == (f"Name=DistributionId,Value={aws_commands.AN_ID}", "Name=Region,Value=Global")


def test_each_queue_has_an_alarm_for_old_messages_and_for_dead_letters() -> None:
    queues = {name for name, each in RESOURCES.items() if each["Type"] == "AWS::SQS::Queue"}
    watched = {
        (metric[1], metric[2]["QueueName"]["Fn::GetAtt"][0])
        for alarm in ALARMS.values()
        for metric in of_alarm(alarm["Properties"])
        if metric[0] == "AWS/SQS"
    }
    dead = {("ApproximateNumberOfMessagesVisible", name) for name in queues if "DeadLetter" in name}
    alive = {("ApproximateAgeOfOldestMessage", name) for name in queues if "DeadLetter" not in name}
    assert watched == dead | alive


def test_throttles_of_the_tables_in_use_are_counted_after_a_restore_too() -> None:
    found = list(of_alarm(ALARMS["TableThrottleAlarm"]["Properties"]))
    tables = {metric[2]["TableName"]["Fn::GetAtt"][0] for metric in found}
    assert tables == {"ImageChunksTableParameter", "ChunkInfoTableParameter"}
    assert len(found) == 4


def test_alarms_that_cost_are_made_only_if_they_notify_somebody() -> None:
    """An account has ten free; CloudWatch counts an alarm for each metric that it watches."""
    always = [each["Properties"] for each in ALARMS.values() if "Condition" not in each]
    assert sum(len(list(of_alarm(each))) for each in always) <= 10
    conditions = {name: each["Condition"] for name, each in ALARMS.items() if "Condition" in each}
    assert conditions.pop("CdnBytesAlarm") == "CdnBytesNotify"
    assert set(conditions.values()) == {"AlarmsNotify"}
    paid = sum(len(list(of_alarm(each["Properties"]))) for each in ALARMS.values()) - 10
    assert f"together they cost ${paid * 0.1:.2f} a month" in OPERATE.read_text()


def test_the_dashboard_names_only_what_the_code_or_aws_writes() -> None:
    shown = dashboard()
    found = [metric for widget in shown for metric in of_widget(widget)]
    assert len(found) > 40
    for metric in found:
        check(metric)
    written = {metric[1] for metric in found if metric[0] == metrics.NAMESPACE}
    searches = re.findall(r"SEARCH\('\{(\w+),(\w+),(\w+)\} MetricName=\"(\w+)\"", json.dumps(shown).replace('\\"', '"'))
    for namespace, stack, dimension, name in searches:
        assert (namespace, stack, dimension) == (metrics.NAMESPACE, metrics.STACK, metrics.BY[name])
        written.add(name)
    assert written == set(metrics.UNITS)
    errors = {metric[2]["FunctionName"] for metric in found if metric[1] == "Errors"}
    assert errors == {f"${{{name}}}" for name in functions()}


def test_widgets_do_not_overlap() -> None:
    cells = [
        (widget["x"] + x, widget["y"] + y)
        for widget in widgets()
        for x in range(widget["width"])
        for y in range(widget["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_a_budget_needs_an_address_and_a_region_that_has_budgets() -> None:
    """The rules refuse before anything is made."""
    budget = RESOURCES["Budget"]
    assert budget["Condition"] == "HasBudget"
    subscribers = [each["Subscribers"] for each in budget["Properties"]["NotificationsWithSubscribers"]]
    assert subscribers == [[{"SubscriptionType": "EMAIL", "Address": {"Ref": "AlarmEmail"}}]] * 2
    zero = {"Fn::Not": [{"Fn::Equals": [{"Ref": "MonthlyBudget"}, "0"]}]}
    rules = [rule for rule in TEMPLATE["Rules"].values() if rule["RuleCondition"] == zero]
    assert [rule["Assertions"][0]["AssertDescription"].split()[0] for rule in rules] == [
        "MonthlyBudget",
        "CloudFormation",
    ]
    assert TEMPLATE["Parameters"]["MonthlyBudget"]["Default"] == "0"


@pytest.mark.parametrize(
    ("parameter", "value", "taken"),
    [
        ("AlarmEmail", "", True),
        ("AlarmEmail", "me@example.com", True),
        ("AlarmEmail", "me", False),
        ("AlarmEmail", "me@example.com, you@example.com", False),
        ("AlarmTopicArn", "", True),
        ("AlarmTopicArn", "arn:aws:sns:eu-west-1:123456789012:alarms", True),
        ("AlarmTopicArn", "arn:aws-us-gov:sns:us-gov-west-1:123456789012:alarms", True),
        ("AlarmTopicArn", "alarms", False),
        ("AlarmTopicArn", "arn:aws:sqs:eu-west-1:123456789012:alarms", False),
    ],
)
def test_an_address_that_cannot_be_notified_is_refused(parameter: str, value: str, taken: bool) -> None:
    pattern = TEMPLATE["Parameters"][parameter]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, value)) == taken


def test_metrics_of_methods_and_traces_are_made_on_demand() -> None:
    api = RESOURCES["Api"]["Properties"]
    switch = {"Fn::If": ["HasMethodMetrics", True, False]}
    assert all(setting["MetricsEnabled"] == switch for setting in api["MethodSettings"])
    assert api["TracingEnabled"] == {"Fn::If": ["IsTraced", True, False]}
    assert TEMPLATE["Globals"]["Function"]["Tracing"] == {"Ref": "Tracing"}
    assert (TEMPLATE["Parameters"]["Tracing"]["Default"], TEMPLATE["Parameters"]["MethodMetrics"]["Default"]) == (
        *("Disabled", "false"),
    )
