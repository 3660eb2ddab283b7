"""A cache in front of petAPI that does as CloudFront does, by the behaviours and policies of the transformed template.

It has no expiry. Where it may cache, equal requests at the same moment wait for one answer.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from shared.thumbnail import best_extension
from tests.support.deployed import Deployed
from tests.support.hosts import Host
from tests.support.local_service import Answer

CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # AWS's own policy
ENCODINGS = {"EnableAcceptEncodingBrotli": "br", "EnableAcceptEncodingGzip": "gzip"}
NOT_KEPT = re.compile(r"no-store|no-cache|private|max-age=0\b")
TYPES = {"webp": "image/webp", "jpg": "image/jpeg"}

Key = tuple[Hashable, ...]


def reduced(accept: str) -> str:
    """Return what the function in web/cdn/ makes of an Accept header: tests/cloud/test_cdn.py compares them."""
    return TYPES[best_extension(accept)]


def canonical(path: str) -> str:
    """Return what the function makes of a path: characters that need no escape have none. It leaves dots."""
    return re.sub("%[2-7][0-9A-Fa-f]", lambda code: _plain(unquote(code[0]), code[0]), path)


def _plain(character: str, code: str) -> str:
    return character if re.fullmatch("[A-Za-z0-9_~-]", character) else code


@dataclass
class CachingProxy:
    """CloudFront in front of `origin`. `forwarded` are the requests that went there: method, path and headers."""

    origin: Host
    reduce: Callable[[str], str] = reduced
    forwards: Callable[[str], bool] | None = None  # of a header's name, in place of the origin request policy
    believes_no_store: bool = True
    deployed: Deployed = field(default_factory=lambda: Deployed(Cdn="true"))

    def __post_init__(self) -> None:
        self.entries: dict[Key, Answer] = {}
        self.forwarded: list[tuple[str, str, dict[str, str]]] = []
        self._waiting: dict[Key, Lock] = defaultdict(Lock)
        self._resources = self.deployed.resources()
        self._config = self._resources["CdnDistribution"]["DistributionConfig"]

    def request(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Answer as CloudFront does."""
        behaviour = self.behaviour(path)
        if method not in behaviour["AllowedMethods"] or (method == "GET" and body):
            return Answer(403, {}, b"")
        given = {name.lower(): value for name, value in (headers or {}).items()}
        if "FunctionAssociations" in behaviour:
            given["accept"] = self.reduce(given.get("accept", ""))
            path = canonical(path)
        if behaviour["CachePolicyId"] == CACHING_DISABLED or method not in ("GET", "HEAD"):
            return self._forward(method, path, body, given, behaviour)
        key = self._key(path, given, behaviour)
        with self._waiting[key]:
            return self._cached(method, path, given, behaviour, key)

    def behaviour(self, path: str) -> dict[str, Any]:
        """Return the first cache behaviour whose pattern fits, or the default."""
        place = urlsplit(path).path
        fitting = (each for each in self._config["CacheBehaviors"] if fnmatchcase(place, each["PathPattern"]))
        return dict(next(fitting, self._config["DefaultCacheBehavior"]))

    def _cached(
        self, method: str, path: str, headers: Mapping[str, str], behaviour: Mapping[str, Any], key: Key
    ) -> Answer:
        """Return the entry for this key, HEAD's from that of GET, too; if there is none, the origin's answer."""
        for kept in {"GET", method}:
            if entry := self.entries.get((kept, *key)):
                return replace(entry, body=b"") if method == "HEAD" else entry
        answer = self._forward(method, path, b"", headers, behaviour)
        control = answer.headers.get("cache-control", "")
        may_be_kept = answer.status == 200 and "max-age" in control and not NOT_KEPT.search(control)
        if may_be_kept or not self.believes_no_store:
            self.entries[(method, *key)] = answer
        return answer

    def _key(self, path: str, headers: Mapping[str, str], behaviour: Mapping[str, Any]) -> Key:
        policy = self._resources[behaviour["CachePolicyId"]["Ref"]]["CachePolicyConfig"]
        keyed = policy["ParametersInCacheKeyAndForwardedToOrigin"]
        target = urlsplit(path)
        wanted = keyed["QueryStringsConfig"].get("QueryStrings", ())
        query = tuple(each for each in parse_qsl(target.query, keep_blank_values=True) if each[0] in wanted)
        names = [name.lower() for name in keyed["HeadersConfig"].get("Headers", ())]
        takes = headers.get("accept-encoding", "")
        encodings = tuple(each for switch, each in ENCODINGS.items() if keyed[switch] and each in takes)
        return (target.path, query, tuple((name, headers.get(name)) for name in names), encodings)

    def _forward(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], behaviour: Mapping[str, Any]
    ) -> Answer:
        policy = self._resources[behaviour["OriginRequestPolicyId"]["Ref"]]["OriginRequestPolicyConfig"]
        config = policy["HeadersConfig"]
        assert config["HeaderBehavior"] == "allExcept"
        dropped = {name.lower() for name in config["Headers"]}
        passes = self.forwards or (lambda name: name not in dropped)
        (origin,) = self._config["Origins"]
        own = {each["HeaderName"].lower(): each["HeaderValue"] for each in origin["OriginCustomHeaders"]}
        sent = {name: value for name, value in headers.items() if passes(name)} | own
        self.forwarded.append((method, path, sent))
        return self.origin.request(method, path, body, sent)
