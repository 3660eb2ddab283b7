"""What template.yaml decides about costs: memory of functions, alarms, queues, lifetimes and more."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from tools.template import read_template

Route = tuple[str, str]  # method, which may be ANY, and path
FILE = Path(__file__).resolve().parent.parent / "template.yaml"


@dataclass(frozen=True, slots=True)
class Stack:
    """The figures of the template, with its parameters' defaults."""

    memory: Mapping[str, Decimal]  # MB, by the function's name
    alarms: int  # metrics that the alarms watch: AWS counts an alarm once for each
    parameters: int
    secrets: int  # that every stack has
    polled_queues: int  # those that Lambda polls, even if no messages come
    log_days: Decimal
    thumbnail_days: Decimal
    recognition_days: Decimal
    throttle: Decimal  # draws a second
    search_throttle: Decimal
    picture_throttle: Decimal
    limits: Mapping[Route, Decimal]  # requests a second that API Gateway lets pass, for each method of each path


@cache
def stack() -> Stack:
    """Read the figures from the template, as it is deployed by default."""
    template = read_template(FILE)
    resources, parameters = template["Resources"], template["Parameters"]
    common = template["Globals"]["Function"]["MemorySize"]
    functions = {name: each["Properties"] for name, each in resources.items() if _is(each, "Serverless::Function")}
    (rule,) = resources["ThumbnailBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    return Stack(
        memory={name: Decimal(properties.get("MemorySize", common)) for name, properties in functions.items()},
        alarms=sum(_watched(each) for each in resources.values()),
        secrets=sum(_is(each, "SecretsManager::Secret") and "Condition" not in each for each in resources.values()),
        polled_queues=sum(_is_queue_mapping(each) for each in resources.values()),
        parameters=sum(_is(each, "SSM::Parameter") for each in resources.values()),
        log_days=Decimal(parameters["LogRetentionDays"]["Default"]),
        thumbnail_days=Decimal(rule["ExpirationInDays"]),
        recognition_days=Decimal(parameters["RecognitionLifetimeDays"]["Default"]),
        throttle=Decimal(parameters["DrawThrottleRate"]["Default"]),
        search_throttle=Decimal(parameters["SearchThrottleRate"]["Default"]),
        picture_throttle=Decimal(parameters["PictureThrottleRate"]["Default"]),
        limits=_limits(resources["Api"]["Properties"]["MethodSettings"], functions, parameters),
    )


def _limits(
    settings: list[dict[str, Any]], functions: dict[str, Any], parameters: dict[str, Any]
) -> dict[Route, Decimal]:
    """Return the rate of each method: one that no setting names has that of `/*`, for itself."""
    rates = {
        (each["HttpMethod"], each["ResourcePath"].replace("~1", "/").removeprefix("/")): Decimal(
            parameters[each["ThrottlingRateLimit"]["Ref"]]["Default"]
        )
        for each in settings
    }
    events = [event["Properties"] for each in functions.values() for event in each.get("Events", {}).values()]
    return {(at := (each["Method"], each["Path"])): rates.get(at, rates["*", "*"]) for each in events}


def _watched(resource: dict[str, Any]) -> int:
    """Return how many metrics an alarm watches. Those with a condition are made on demand."""
    if not _is(resource, "CloudWatch::Alarm") or "Condition" in resource:
        return 0
    return sum("MetricStat" in query for query in resource["Properties"].get("Metrics", ())) or 1


def _is_queue_mapping(resource: dict[str, Any]) -> bool:
    """Return whether Lambda polls a queue for it. To read a stream of DynamoDB costs nothing."""
    return _is(resource, "Lambda::EventSourceMapping") and "StartingPosition" not in resource["Properties"]


def _is(resource: dict[str, Any], kind: str) -> bool:
    return bool(resource["Type"] == f"AWS::{kind}")
