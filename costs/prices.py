"""AWS's prices, from prices.json: what a quantity costs, tier by tier, and how much of it is free."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("prices.json")
REGIONS = ("us-east-1", "eu-central-1")
# The code of each service in AWS's price list. CloudFront's plans are in none: its page has them.
PRICE_LISTS = {
    "API Gateway": "AmazonApiGateway",
    "Lambda": "AWSLambda",
    "DynamoDB": "AmazonDynamoDB",
    "S3": "AmazonS3",
    "S3 Vectors": "AmazonS3",
    "Transfer": "AWSDataTransfer",
    "CloudFront": "AmazonCloudFront",
    "WAF": "awswaf",
    "CloudWatch": "AmazonCloudWatch",
    "X-Ray": "AWSXRay",
    "Secrets Manager": "AWSSecretsManager",
    "SQS": "AWSQueueService",
    "Rekognition": "AmazonRekognition",
    "Bedrock": "AmazonBedrock",
    "SSM": "AWSSystemsManager",
}
UNCHECKED = "to be checked"  # what the basis of a figure says that was not compared with AWS's page or price list
GB, TB = Decimal(10**9), Decimal(10**12)  # bytes; where AWS means 2^30 or 2^40 this is 7% or 10% too much at most


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one thing in one region: dollars for `per` units, by tiers of [up to, dollars]."""

    name: str
    service: str
    item: str
    unit: str
    per: int
    free: Decimal
    tiers: tuple[tuple[Decimal | None, Decimal], ...]
    source: str
    read: str
    basis: str
    allows: Mapping[str, int]  # quantities of other prices that a plan carries; empty for what is no plan
    includes: tuple[str, ...]  # other prices that a plan carries in any quantity

    def gross(self, quantity: Decimal) -> Decimal:
        """Return the dollars of a quantity without the free tier."""
        total, start = Decimal(0), Decimal(0)
        for up_to, dollars in self.tiers:
            end = quantity if up_to is None else min(quantity, up_to)
            total += max(end - start, Decimal(0)) * dollars / self.per
            start = max(start, end)
        return total

    def waived(self, quantity: Decimal) -> Decimal:
        """Return the dollars of the part of a quantity that is always free."""
        return self.gross(min(quantity, self.free))


@cache
def document() -> dict[str, Any]:
    """Read prices.json, with amounts as decimals."""
    read: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return read


@cache
def prices(region: str) -> dict[str, Price]:
    """Return all prices of a region by name, in the order of the bill."""
    return {entry["name"]: _price(entry, region) for entry in document()["prices"]}


def _price(entry: dict[str, Any], region: str) -> Price:
    tiers = tuple(
        (None if up_to is None else Decimal(up_to), Decimal(amount)) for up_to, amount in entry["tiers"][region]
    )
    plan = {"allows": entry.get("allows", {}), "includes": tuple(entry.get("includes", ()))}
    free, basis = Decimal(entry["free"]), entry["basis"][region]
    return Price(**{**entry, **plan, "free": free, "tiers": tiers, "basis": basis})
