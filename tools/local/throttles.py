"""The throttles of template.yaml, which the emulator mixes up: a bucket of tokens for each method of each path."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from shared import errors
from tools.template import Template

OTHER = "/{proxy+}"  # the path of a request that no other path matches
PARAMETER = re.compile(r"\{\w+(\+?)\}")


class Throttled(errors.ApiError):
    """The gateway response THROTTLED of template.yaml."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self) -> None:
        super().__init__("Too many requests just now; retry in a moment.", headers={"Retry-After": "1"})


@dataclass(frozen=True, slots=True)
class Limit:
    """Requests a second, and requests that may come at once."""

    rate: float
    burst: float


@dataclass(slots=True)
class _Tokens:
    """A bucket: `left` tokens at the time `at`, in seconds."""

    left: float
    at: float


class Throttles:
    """The throttles of one stage. They know no time; each call has it, in seconds."""

    def __init__(self, template: Template, parameters: Mapping[str, str]) -> None:
        self._paths = [(path, _expression(path)) for path in sorted(_paths(template), key=_generality)]
        self._limits = dict(_limits(template, parameters))
        self._tokens: dict[tuple[str, str], _Tokens] = {}

    def check(self, method: str, path: str, now: float) -> None:
        """Take a token of this method of this path. Raise Throttled if none is left."""
        route = (self._pattern(path), method)
        limit = self._limits.get(route) or self._limits["/*", "*"]
        tokens = self._tokens.setdefault(route, _Tokens(limit.burst, now))
        tokens.left = min(limit.burst, tokens.left + (now - tokens.at) * limit.rate)
        tokens.at = now
        if tokens.left < 1:
            raise Throttled
        tokens.left -= 1

    def _pattern(self, path: str) -> str:
        return next((pattern for pattern, expression in self._paths if expression.fullmatch(path)), OTHER)


def _paths(template: Template) -> set[str]:
    """Return the paths of all functions, as the template writes them."""
    events = (
        event
        for resource in template["Resources"].values()
        for event in resource.get("Properties", {}).get("Events", {}).values()
        if event["Type"] == "Api"
    )
    return {event["Properties"]["Path"] for event in events}


def _limits(template: Template, parameters: Mapping[str, str]) -> Iterator[tuple[tuple[str, str], Limit]]:
    """Yield path, method and limit of each of the API's method settings. `~1` stands for a slash (RFC 6901)."""
    for setting in template["Resources"]["Api"]["Properties"]["MethodSettings"]:
        path = setting["ResourcePath"].removeprefix("/~1").replace("~1", "/")
        rate, burst = (
            _number(setting[name], template, parameters) for name in ("ThrottlingRateLimit", "ThrottlingBurstLimit")
        )
        yield (path if path == "/*" else f"/{path}", setting["HttpMethod"]), Limit(rate, burst)


def _number(value: Any, template: Template, parameters: Mapping[str, str]) -> float:
    """Return a number, or the value of the parameter that it refers to."""
    if not isinstance(value, dict):
        return float(value)
    name = value["Ref"]
    return float(parameters.get(name, template["Parameters"][name].get("Default")))


def _generality(path: str) -> tuple[bool, bool]:
    """Sort paths as API Gateway chooses: without parameters first, greedy ones last."""
    return "+" in path, "{" in path


def _expression(path: str) -> re.Pattern[str]:
    """Return what matches a path's requests."""
    texts = [re.escape(text) for text in PARAMETER.split(path)[::2]]
    parameters = [".+" if greedy else "[^/]+" for greedy in PARAMETER.split(path)[1::2]]
    pieces = [piece for pair in zip(texts, [*parameters, ""], strict=True) for piece in pair]
    return re.compile("".join(pieces), re.DOTALL)
