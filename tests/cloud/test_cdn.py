"""What CloudFront keeps and passes on, by the transformed template, and the function that it runs for pictures."""

import random
from typing import Any

import pytest

from shared.api import arrival
from shared.thumbnail import best_extension
from tests.support.accept_table import TABLE
from tests.support.caching_proxy import canonical
from tests.support.deployed import Deployed
from tests.support.edge_function import SOURCE, headers_after, paths_after
from tests.support.transformed import of_type, resources

CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # AWS's own policy
METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}
KEPT = (400, 403, 404, 405, 414, 500, 502, 503, 504)  # errors that CloudFront would keep for ten seconds
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
    """Without it there is no such resource, and each function has its variables of before."""
    assert not [name for name in Deployed().resources() if name.startswith("Cdn")]
    all_of_it = {"Cdn": "true", "CdnLogs": "true", "AlarmEmail": "me@example.com", "AWS::Region": "us-east-1"}
    assert {name for name in resources() if name.startswith("Cdn")} == {
        name for name in Deployed(**all_of_it).resources() if name.startswith("Cdn")
    }
    assert variables(Deployed())["ORIGIN_SECRETS"] == variables(Deployed(Cdn="true"))["ORIGIN_SECRETS"] == ""


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
    assert distribution()["CustomErrorResponses"] == [{"ErrorCode": code, "ErrorCachingMinTTL": 0} for code in KEPT]


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
        assert set(behaviour["AllowedMethods"]) == METHODS  # OPTIONS, because other sites' pages ask before they write


def test_the_origin_is_the_stage_by_tls() -> None:
    (origin,) = distribution()["Origins"]
    assert origin["OriginPath"] == "/Prod"
    assert origin["DomainName"] == {"Fn::Sub": "${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}"}
    behaviours = (distribution()["DefaultCacheBehavior"], *distribution()["CacheBehaviors"])
    assert {each["TargetOriginId"] for each in behaviours} == {origin["Id"]}
    assert distribution()["Enabled"] is True
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"


def variables(deployed: Deployed) -> dict[str, Any]:
    """Return the variables that all functions have, which are the same for each."""
    made = deployed.resources()
    names = [name for name, each in resources().items() if each["Type"] == "AWS::Lambda::Function"]
    found = [made[name]["Environment"]["Variables"] for name in names]
    shared = {name: value for name, value in found[0].items() if all(each.get(name) == value for each in found)}
    assert {"LINK_BASE", "ORIGIN_SECRETS"} <= set(shared)
    return shared


# -- a domain ----------------------------------------------------------------------------------------------------

NAME = "pets.example.com"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
NEAR = CERTIFICATE.replace("us-east-1", "eu-west-1")
ACL = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/pets/01234567-89ab-cdef-0123-456789abcdef"
API_ACL = "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/pets/01234567-89ab-cdef-0123-456789abcdef"
DOMAIN = {"DomainName": NAME, "CertificateArn": CERTIFICATE}


def test_the_api_has_no_cloudfront_of_its_own() -> None:
    (api,) = of_type("AWS::ApiGateway::RestApi").values()
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


@pytest.mark.parametrize("cdn", ["true", "false"])
def test_with_a_domain_links_are_right_after_the_first_deploy(cdn: str) -> None:
    deployed = Deployed(**DOMAIN, Cdn=cdn)
    assert deployed.refusals() == []
    assert variables(deployed)["LINK_BASE"] == f"https://{NAME}/"
    outputs = deployed.outputs()
    assert outputs["ApiUrl"] == outputs["PageUrl"] == f"https://{NAME}/"
    target = ["CdnDistribution", "DomainName"] if cdn == "true" else ["ApiDomain", "RegionalDomainName"]
    assert outputs["DomainTarget"] == {"Fn::GetAtt": target}


def test_a_link_base_counts_more_than_the_domain() -> None:
    assert variables(Deployed(**DOMAIN, LinkBase="https://other.example.com/"))["LINK_BASE"] == (
        "https://other.example.com/"
    )


def test_the_domain_is_that_of_cloudfront_or_of_the_api() -> None:
    behind = Deployed(**DOMAIN, Cdn="true").resources()
    assert "ApiDomain" not in behind
    config = behind["CdnDistribution"]["DistributionConfig"]
    assert config["Aliases"] == [NAME]
    assert config["ViewerCertificate"] == {
        "AcmCertificateArn": CERTIFICATE,
        "SslSupportMethod": "sni-only",
        "MinimumProtocolVersion": "TLSv1.2_2021",
    }
    direct = Deployed(DomainName=NAME, CertificateArn=NEAR).resources()
    assert direct["ApiDomain"] == {
        "DomainName": NAME,
        "RegionalCertificateArn": NEAR,
        "EndpointConfiguration": {"Types": ["REGIONAL"]},
        "SecurityPolicy": "TLS_1_2",
    }
    assert direct["ApiDomainMapping"]["Stage"] == {"Ref": "ApiProdStage"}
    assert "BasePath" not in direct["ApiDomainMapping"]  # or links would need it
    bare = Deployed(Cdn="true").resources()
    assert "ApiDomain" not in bare
    assert not {"Aliases", "ViewerCertificate", "WebACLId", "Logging"} & set(
        bare["CdnDistribution"]["DistributionConfig"]
    )


def test_the_address_ends_in_a_slash_whatever_is_in_front() -> None:
    api, cdn = "https://${Api}.execute-api.eu-west-1.amazonaws.com/Prod/", "https://${CdnDistribution.DomainName}/"
    only = {"Cdn": "true", "CdnOnly": "true", "LinkBase": "https://d111111abcdef8.cloudfront.net/"}
    for parameters, url in (({}, api), ({"Cdn": "true"}, api), (only, cdn), ({**only, **DOMAIN}, f"https://{NAME}/")):
        outputs = Deployed(**parameters).outputs()
        assert outputs["ApiUrl"] == outputs["PageUrl"] == url


# -- who may pass ------------------------------------------------------------------------------------------------


def test_firewalls_guard_cloudfront_and_the_api() -> None:
    made = Deployed(Cdn="true", WebAclArn=ACL, ApiWebAclArn=API_ACL).resources()
    assert made["CdnDistribution"]["DistributionConfig"]["WebACLId"] == ACL
    assert made["ApiWebAcl"] == {
        "ResourceArn": "arn:aws:apigateway:eu-west-1::/restapis/${Api}/stages/${ApiProdStage}",
        "WebACLArn": API_ACL,
    }
    assert "ApiWebAcl" not in Deployed(Cdn="true").resources()


CURRENT = "{{resolve:secretsmanager:${CdnSecret}}}"
NEW = "{{resolve:secretsmanager:${CdnSecret}:SecretString::AWSCURRENT}}"
OLD = "{{resolve:secretsmanager:${CdnSecret}:SecretString::AWSPREVIOUS}}"


@pytest.mark.parametrize(("rotation", "sent", "taken"), [("false", CURRENT, [CURRENT]), ("true", NEW, [NEW, OLD])])
def test_the_api_takes_what_cloudfront_sends_and_what_it_sent_before(
    rotation: str, sent: str, taken: list[str]
) -> None:
    deployed = Deployed(**DOMAIN, Cdn="true", CdnOnly="true", CdnSecretRotation=rotation)
    (origin,) = deployed.resources()["CdnDistribution"]["DistributionConfig"]["Origins"]
    (header,) = origin["OriginCustomHeaders"]
    assert (header["HeaderName"].lower(), header["HeaderValue"]) == (arrival.ORIGIN_SECRET, sent)
    assert variables(deployed)["ORIGIN_SECRETS"].split() == taken
    secret = deployed.resources()["CdnSecret"]["GenerateSecretString"]
    assert secret["PasswordLength"] >= 32
    assert secret["ExcludePunctuation"]  # a space would part it in two


def test_cloudfront_sends_the_secret_before_the_api_wants_it() -> None:
    """Its places learn of a deploy minutes after the functions: without this, CdnOnly=true would begin with 403s."""
    (origin,) = Deployed(Cdn="true").resources()["CdnDistribution"]["DistributionConfig"]["Origins"]
    assert origin["OriginCustomHeaders"][0]["HeaderValue"] == CURRENT


def test_cloudfronts_log_has_a_bucket_that_takes_it_and_forgets() -> None:
    made = Deployed(Cdn="true", CdnLogs="true", LogRetentionDays="7").resources()
    log = made["CdnDistribution"]["DistributionConfig"]["Logging"]
    assert log == {"Bucket": {"Fn::GetAtt": ["CdnLogBucket", "DomainName"]}, "IncludeCookies": False}
    bucket = made["CdnLogBucket"]
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", "7")
    assert (
        bucket["PublicAccessBlockConfiguration"]
        == of_type("AWS::S3::Bucket")["Bucket"]["PublicAccessBlockConfiguration"]
    )


# -- what is refused ---------------------------------------------------------------------------------------------

REFUSED = {
    "DomainName is a host name": [
        {**DOMAIN, "DomainName": name}
        for name in (
            *("https://pets.example.com", "pets.example.com/", "pets", "Pets.example.com", "*.example.com", "a b.com"),
            *("-a.example.com", "a..example.com", "pets.example.com.", "pets.example.com:443", "x" * 64 + ".com"),
        )
    ],
    "CertificateArn is the ARN of a certificate": [
        {**DOMAIN, "CertificateArn": arn}
        for arn in ("certificate", ACL, CERTIFICATE[:-1], CERTIFICATE + "0", CERTIFICATE.replace("acm", "iam"), " ")
    ],
    "DomainName needs CertificateArn": [{"DomainName": NAME}, {"DomainName": NAME, "Cdn": "true"}],
    "CertificateArn needs DomainName": [{"CertificateArn": CERTIFICATE}],
    "WebAclArn is a web ACL with the scope CLOUDFRONT": [
        {"Cdn": "true", "WebAclArn": arn} for arn in (API_ACL, ACL.replace("us-east-1", "eu-west-1"), "pets", ACL + "0")
    ],
    "WebAclArn guards CloudFront": [{"WebAclArn": ACL}],
    "ApiWebAclArn is a web ACL with the scope REGIONAL": [
        {"ApiWebAclArn": arn} for arn in (ACL, "pets", API_ACL + "0")
    ],
    "CdnOnly=true needs Cdn=true": [{"CdnOnly": "true", **DOMAIN}],
    "CdnOnly=true needs DomainName": [{"CdnOnly": "true", "Cdn": "true"}],
    "LinkBase=/ leads links to the host that the API sees": [
        {"Cdn": "true", "LinkBase": "/", **others} for others in ({}, DOMAIN, {"CdnOnly": "true"})
    ],
    "CdnSecretRotation=true needs Cdn=true": [{"CdnSecretRotation": "true"}],
    "CdnLogs=true needs Cdn=true": [{"CdnLogs": "true"}],
    "LinkBase is empty, /, or a URL": [
        {"LinkBase": base}
        for base in (
            "pets.example.com",
            "ftp://a/",
            "https://a/?b",
            "https://a/#b",
            "https://",
            "/a b",
            "/v1/",
            "//",
            "/x",
        )
    ],
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_a_wrong_parameter_is_refused_with_one_sentence_before_anything_is_made(sentence: str) -> None:
    for parameters in REFUSED[sentence]:
        (refusal,) = Deployed(**parameters).refusals()
        assert refusal.startswith(sentence), parameters
        assert refusal.endswith("."), parameters


def test_what_fits_together_is_taken() -> None:
    for parameters in (
        {},
        {"Cdn": "true"},
        {"Cdn": "true", "CdnOnly": "true", "CdnLogs": "true", "CdnSecretRotation": "true", "WebAclArn": ACL, **DOMAIN},
        {"Cdn": "true", "CdnOnly": "true", "LinkBase": "https://d111111abcdef8.cloudfront.net/"},
        {"DomainName": "a.b-c.xn--p1ai", "CertificateArn": NEAR, "ApiWebAclArn": API_ACL},
        {
            "CertificateArn": CERTIFICATE.replace("aws:acm:us-east-1", "aws-us-gov:acm:us-gov-west-1"),
            "DomainName": NAME,
        },
        *({"LinkBase": base} for base in ("/", "https://a/v1/", "http://127.0.0.1:3000/", "https://pets.example.com")),
    ):
        assert Deployed(**parameters).refusals() == [], parameters


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


def test_the_function_writes_each_address_in_one_way() -> None:
    codes = [f"/images/{form(code)}" for code in range(256) for form in ("%{:02x}".format, "%{:02X}".format)]
    plain = "/images/cat/0123.jpg"
    odd = [
        "/images/%",
        "/images/%6",
        "/images/%6g",
        "/images/%%61",
        "/images/%2561",
        "/images/%2e%2e/%2Fx",
        plain,
        "/é",
    ]
    found = paths_after(codes + odd)
    assert found == [canonical(path) for path in codes + odd]
    assert found[2 * ord("a")] == "/images/a"
    assert {found[2 * ord(each)] for each in "/?#.%"} == {f"/images/%{ord(each):02x}" for each in "/?#.%"}
    assert paths_after(found) == found


def accepts_after(accepts: list[str]) -> list[str]:
    return [headers["accept"]["value"] for headers in headers_after(accepts)]
