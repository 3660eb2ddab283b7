"""What an operator expects of a month, and what is assumed because only AWS can show it."""
# ruff: noqa: RUF009 (these calls make fields)

from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any

from costs.prices import REGIONS
from shared.limits import BODY_MAX

MODES = ("image", "redirect", "cdn", "cdn-image")
DRAWN = ("image", "cdn-image")  # modes in which the draw itself returns the picture
APIS = ("rest", "http")
ARCHITECTURES = ("x86_64", "arm64")
PLANS = (
    *("none", "pro", "business", "premium"),
    *("premium-75", "premium-125", "premium-200", "premium-350", "premium-600"),  # TB
)
SWITCH = ("off", "on")
ENCODERS = ("titan", "nova", "none")

MONTH = Decimal("30.4")  # days
DAY = Decimal(86_400)  # seconds
MOST = Decimal(10**12)  # images or requests: 400,000 a second; more is a slip of the keyboard
UPLOAD_BYTES = Decimal(BODY_MAX)  # a form's limit, and what an answer of Lambda can carry
TIMEOUT = Decimal(900_000)  # ms; Lambda's limit
TIMES = Decimal(100)  # what a factor may be at most
TAGS = Decimal(5)  # an image's limit
HITS = Decimal(100)  # a search's limit
ROW_BYTES = Decimal(1024)  # a larger row takes more than the one write unit that is counted
MEMORY_MB = (Decimal(128), Decimal(10_240))  # Lambda's limits
ONE = Decimal(1)


def _number(default: str, unit: str, why: str, most: Decimal = MOST, least: Decimal = Decimal(0)) -> Any:
    return field(default=Decimal(default), metadata={"unit": unit, "why": why, "least": least, "most": most})


def _choice(choices: tuple[str, ...], why: str) -> Any:
    return field(default=choices[0], metadata={"choices": choices, "why": why})


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A month of the service."""

    images: Decimal = _number("1e5", "images", "stored, on the month's average")
    draws: Decimal = _number("1e6", "requests", "of a random image")
    uploads: Decimal = _number("1e3", "requests", "of new images")
    direct_uploads: Decimal = _number("0", "requests", "for forms; as many new images arrive straight in S3")
    new_pictures: Decimal = _number("1", "of the direct uploads", "whose picture was not recognised before", ONE)
    deletes: Decimal = _number("0", "requests", "that delete an image")
    patches: Decimal = _number("0", "requests", "that change a weight")
    infos: Decimal = _number("0", "requests", "of an image's info")
    lists: Decimal = _number("0", "requests", "of a page of 100 images")
    label_pages: Decimal = _number("0", "requests", "of a label with a page of 100 images")
    label_lists: Decimal = _number("0", "requests", "of a page of 100 labels, or of all if there are fewer")
    searches: Decimal = _number("0", "requests", "that search by a text")
    picture_searches: Decimal = _number("0", "requests", "that search by a picture which they send")
    similars: Decimal = _number("0", "requests", "for images like a stored one")
    hits: Decimal = _number("10", "images", "that a search returns", HITS)
    mosaics: Decimal = _number("0", "requests", "for a mosaic of 2,000 tiles")
    tile_files: Decimal = _number("0", "requests", "for a file of 1,000 tiles")
    pictures: Decimal = _number("0", "requests", "of a picture by its address, beside those of draws")
    json_draws: Decimal = _number("0", "requests", "of a random image in JSON, without its picture")
    many_draws: Decimal = _number("0", "requests", "of 20 random images in JSON, each without its picture")
    heads: Decimal = _number("0", "requests", "that are HEAD of a draw or a picture")
    many_heads: Decimal = _number("0", "requests", "that are HEAD of 20 draws in JSON")
    list_heads: Decimal = _number("0", "requests", "that are HEAD of a page of 100 images")
    mosaic_heads: Decimal = _number("0", "requests", "that are HEAD of a mosaic or a file of tiles")
    page_files: Decimal = _number("0", "requests", "of the largest file that the pages load")
    pages: Decimal = _number("0", "requests", "of the page")
    contracts: Decimal = _number("0", "requests", "of openapi.json")
    refused: Decimal = _number("0", "requests", "that the API refuses, because they did not come through CloudFront")
    blocked: Decimal = _number("0", "requests", "that the web ACL blocks (needs --waf on)")
    thumbnails: Decimal = _number("0", "for each draw", "thumbnails requested", TIMES)
    bytes: Decimal = _number("300e3", "bytes", "of a picture", UPLOAD_BYTES)
    sized: Decimal = _number("0", "bytes", "of the thumbnail that a draw with size= returns; 0: no size", UPLOAD_BYTES)
    tags: Decimal = _number("0", "for each image", "tags", TAGS)
    labels: Decimal = _number("2", "labels", "that have images")
    memory: Decimal = _number("0", "MB", "of every function; 0: as template.yaml says", MEMORY_MB[1], MEMORY_MB[0])
    mode: str = _choice(
        MODES, "a draw returns the picture, redirects to it, redirects to CloudFront, or returns it through there"
    )
    api: str = _choice(APIS, "kind of API; the template has rest, http is a what-if")
    encoder: str = _choice(ENCODERS, "what makes the vectors for search; none: there is no search")
    plan: str = _choice(PLANS, "flat-rate plan of CloudFront (modes cdn and cdn-image), instead of paying by use")
    waf: str = _choice(SWITCH, "a web ACL of AWS WAF, for CloudFront in modes cdn and cdn-image, else for the API")
    cdn_logs: str = _choice(SWITCH, "CloudFront's log, in S3 (modes cdn and cdn-image)")
    tracing: str = _choice(SWITCH, "traces of X-Ray")
    region: str = _choice(REGIONS, "region")
    architecture: str = _choice(ARCHITECTURES, "what the functions run on")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumed:
    """What was not measured, each with its reason."""

    cache_hit: Decimal = _number(
        "0.9", "of the pictures", "that CloudFront has in its cache, of those that are no draws", ONE
    )
    client_hit: Decimal = _number(
        "0", "of the pictures", "that the client has in its cache (modes redirect and cdn)", ONE
    )
    thumbnail_first: Decimal = _number("0.1", "of the thumbnails", "that must be made", ONE)
    dynamodb_ms: Decimal = _number(
        "6", "ms", "of waiting for DynamoDB: a few for a read, ten for a transaction", TIMEOUT
    )
    s3_ms: Decimal = _number("40", "ms", "of waiting for S3, with the transfer of the bytes", TIMEOUT)
    draw_waits: Decimal = _number("1", "times", "the waits of a draw that `make latency` models; they overlap", TIMES)
    cpu: Decimal = _number("1", "times", "the measured CPU time, on a whole vCPU of Lambda", TIMES)
    cold: Decimal = _number("0.01", "of the invocations", "that start cold", ONE)
    cold_ms: Decimal = _number("500", "ms", "of a cold start, billed since August 2025", TIMEOUT)
    authorizer_ms: Decimal = _number("5", "ms", "of the authorizer, for each write", TIMEOUT)
    follows: Decimal = _number("3", "for each direct upload", "requests for its state", TIMES)
    callbacks: Decimal = _number("1", "of the direct uploads", "that have a callback_url", ONE)
    receive_cpu: Decimal = _number(
        "2", "times", "the CPU time of an upload, to receive a file: recognition decodes it again", TIMES
    )
    rekognition_ms: Decimal = _number("1000", "ms", "of Rekognition, for a picture", TIMEOUT)
    vectors_ms: Decimal = _number("200", "ms", "of waiting for S3 Vectors", TIMEOUT)
    model_ms: Decimal = _number("500", "ms", "of waiting for the model that makes a vector", TIMEOUT)
    tokens: Decimal = _number("5", "tokens", "of a text that is searched for", UPLOAD_BYTES)
    callback_ms: Decimal = _number("200", "ms", "of a callback, with its connection", TIMEOUT)
    row_bytes: Decimal = _number("1000", "bytes", "of the row of an upload or of a recognition", ROW_BYTES)
    header_bytes: Decimal = _number("1000", "bytes", "of the headers of a response, with TLS", UPLOAD_BYTES)
    access_log_bytes: Decimal = _number("300", "bytes", "of the log line of API Gateway for a request", UPLOAD_BYTES)
    platform_log_bytes: Decimal = _number("600", "bytes", "of the log lines of Lambda for an invocation", UPLOAD_BYTES)
    cdn_log_bytes: Decimal = _number(
        "100", "bytes", "of the line of CloudFront for a request, compressed", UPLOAD_BYTES
    )
    waf_rules: Decimal = _number("1", "rules", "of the web ACL: one that counts the requests of each address", TIMES)
    reasons: Decimal = _number("8", "metrics", "of refusals: classes that occur in an hour", TIMES)
    traced_first: Decimal = _number("1", "a second", "requests that are traced by X-Ray's default rule", TIMES)
    traced_rest: Decimal = _number("0.05", "of the requests", "beyond those, that are traced by the same rule", ONE)
    log_ratio: Decimal = _number("0.15", "of the bytes", "of logs that are stored, because AWS compresses them", ONE)


def is_number(each: Any) -> bool:
    """Return whether a field is a quantity, not a choice."""
    return "choices" not in each.metadata


def assumptions() -> list[tuple[str, ...]]:
    """Return (name, value, unit, reason) of each assumption."""
    return [(each.name, str(each.default), each.metadata["unit"], each.metadata["why"]) for each in fields(Assumed)]
