"""What CloudFront keeps and passes on, by the transformed template, and the function that it runs for pictures."""

import random
from typing import Any

from shared.thumbnail import best_extension
from tests.support.accept_table import TABLE
from tests.support.cloud import ROOT
from tests.support.edge_function import SOURCE, headers_after
from tests.support.transformed import of_type, resources
from tools.template import read_template

CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # AWS's own policy
TYPES = {"webp": "image/webp", "jpg": "image/jpeg"}


def distribution() -> dict[str, Any]:
    (found,) = (each["DistributionConfig"] for each in of_type("AWS::CloudFront::Distribution").values())
    return dict(found)


def key_of(policy: str) -> dict[str, Any]:
    """Return what the cache key of this policy has."""
    config = of_type("AWS::CloudFront::CachePolicy")[policy]["CachePolicyConfig"]
    assert (config["MinTTL"], config["DefaultTTL"]) == (0, 0)  # so only an answer with a max-age is kept
    return dict(config["ParametersInCacheKeyAndForwardedToOrigin"])


def test_the_cdn_is_made_on_demand() -> None:
    for name, resource in resources().items():
        assert (resource.get("Condition") == "HasCdn") == name.startswith("Cdn")
    assert read_template(ROOT / "template.yaml")["Parameters"]["Cdn"]["Default"] == "false"


def test_only_pictures_and_files_of_the_pages_are_cached() -> None:
    cached = {each["PathPattern"]: each["CachePolicyId"] for each in distribution()["CacheBehaviors"]}
    assert list(cached)[:3] == ["/images/*/similar", "/images/*/mosaic", "/images/*"]  # the first that fits counts
    assert cached == {
        "/images/*/similar": CACHING_DISABLED,
        "/images/*/mosaic": CACHING_DISABLED,
        "/images/*": {"Ref": "CdnCachePolicy"},
        "/web/*": {"Ref": "CdnFileCachePolicy"},
    }
    assert distribution()["DefaultCacheBehavior"]["CachePolicyId"] == CACHING_DISABLED
    assert {each["ErrorCachingMinTTL"] for each in distribution()["CustomErrorResponses"]} == {0}


def test_the_key_of_a_picture_has_its_size_and_one_of_two_types() -> None:
    key = key_of("CdnCachePolicy")
    assert key["QueryStringsConfig"] == {"QueryStringBehavior": "whitelist", "QueryStrings": ["size"]}
    assert key["HeadersConfig"] == {"HeaderBehavior": "whitelist", "Headers": ["Accept"]}
    assert key["CookiesConfig"] == {"CookieBehavior": "none"}
    assert (key["EnableAcceptEncodingGzip"], key["EnableAcceptEncodingBrotli"]) == (False, False)


def test_the_key_of_a_file_has_its_encoding_only() -> None:
    key = key_of("CdnFileCachePolicy")
    assert key["QueryStringsConfig"] == {"QueryStringBehavior": "none"}
    assert key["HeadersConfig"] == {"HeaderBehavior": "none"}
    assert (key["EnableAcceptEncodingGzip"], key["EnableAcceptEncodingBrotli"]) == (True, True)


def test_the_origin_gets_every_header_but_the_host_and_the_one_that_overrides_the_method() -> None:
    (policy,) = (each["OriginRequestPolicyConfig"] for each in of_type("AWS::CloudFront::OriginRequestPolicy").values())
    assert policy["HeadersConfig"] == {"HeaderBehavior": "allExcept", "Headers": ["Host", "X-HTTP-Method-Override"]}
    assert policy["QueryStringsConfig"] == {"QueryStringBehavior": "all"}
    for behaviour in (distribution()["DefaultCacheBehavior"], *distribution()["CacheBehaviors"]):
        assert behaviour["OriginRequestPolicyId"] == {"Ref": "CdnOriginRequests"}
        assert behaviour["ViewerProtocolPolicy"] == "redirect-to-https"
        assert set(behaviour["AllowedMethods"]) >= {"GET", "HEAD", "POST", "PATCH", "DELETE"}


def test_the_origin_is_the_stage_by_tls() -> None:
    (origin,) = distribution()["Origins"]
    assert origin["OriginPath"] == "/Prod"
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"


# -- the function of pictures ------------------------------------------------------------------------------------


def test_the_function_is_that_of_its_file_and_runs_for_pictures_only() -> None:
    (function,) = of_type("AWS::CloudFront::Function").values()
    assert function["FunctionCode"] == SOURCE.read_text(encoding="utf-8")
    assert len(function["FunctionCode"].encode()) < 10_240  # bytes, CloudFront's limit
    assert function["FunctionConfig"]["Runtime"] == "cloudfront-js-2.0"
    assert function["AutoPublish"]
    runs = {each["PathPattern"]: each.get("FunctionAssociations") for each in distribution()["CacheBehaviors"]}
    (association,) = runs.pop("/images/*")
    assert association == {
        "EventType": "viewer-request",
        "FunctionARN": {"Fn::GetAtt": ["CdnAccept", "FunctionARN"]},
    }
    assert set(runs.values()) == {None}
    assert "FunctionAssociations" not in distribution()["DefaultCacheBehavior"]


def test_the_function_chooses_as_the_parser_does() -> None:
    assert accepts_after([*TABLE]) == [TYPES[row[4]] for row in TABLE.values()]
    assert headers_after([None]) == [{"host": {"value": "pets.test"}, "accept": {"value": "image/jpeg"}}]


PIECES = [
    "image/webp",
    "image/jpeg",
    "IMAGE/*",
    "*/*",
    "*",
    "image/png",
    " ",
    ";",
    ",",
    ",",
    ",",
    "__proto__",
    "toString",
]
PIECES += [";q=", "; q=0", ";q=1.000", ";Q=.5", "0.5", "2", ";v=1", ";q=0.1234", "=", ";q=0.3", ";q=0.7"]


def test_the_function_and_the_parser_agree_on_headers_that_nobody_wrote() -> None:
    rng = random.Random(1)
    accepts = ["".join(rng.choices(PIECES, k=rng.randrange(1, 12))) for _ in range(3000)]
    expected = [TYPES[best_extension(accept)] for accept in accepts]
    assert min(expected.count(each) for each in TYPES.values()) > 400
    assert accepts_after(accepts) == expected


def accepts_after(accepts: list[str]) -> list[str]:
    return [headers["accept"]["value"] for headers in headers_after(accepts)]
