"""What stands before the API: CloudFront with its function and its log, and a web ACL of AWS WAF."""

from decimal import Decimal

from costs import reads, sized
from costs.measured import Requests
from costs.use import Assumed, Use

PICTURES = ("download", "thumbnail first", "thumbnail again", sized.FIRST, sized.AGAIN)  # at /images/*
DRAWS = ("draw image", "draw redirect", sized.DRAW, sized.LINK)  # which are never cached
CDN = ("cdn", "cdn-image")  # modes


def is_used(use: Use) -> bool:
    """Return whether callers ask CloudFront."""
    return use.mode in CDN


def serves(name: str, use: Use) -> bool:
    """Return whether callers ask CloudFront for this kind of request."""
    return is_used(use) and name in (*PICTURES, *DRAWS, reads.FILE)


def missed(name: str, assumed: Assumed) -> Decimal:
    """Return the part of CloudFront's requests that reaches the API: draws, thumbnails to make, what is not cached."""
    if name == reads.FILE:
        return Decimal(0)
    return Decimal(1) if name in (*DRAWS, sized.FIRST) else 1 - assumed.cache_hit


def quantities(at_edge: Requests) -> dict[str, Decimal]:
    """Return the requests, and the calls of the function that reduces Accept for those of pictures."""
    pictures = (count for name, count in at_edge.items() if name in PICTURES)
    return {
        "cloudfront-requests": sum(at_edge.values(), Decimal(0)),
        "cloudfront-functions": sum(pictures, Decimal(0)),
    }


def firewall(use: Use, assumed: Assumed, passing: Requests) -> dict[str, Decimal]:
    """Return what AWS WAF charges: what it lets pass and what it blocks cost the same."""
    if use.waf == "off":
        return {}
    inspected = sum(passing.values(), Decimal(0)) + use.blocked
    return {"waf-acls": Decimal(1), "waf-rules": assumed.waf_rules, "waf-requests": inspected}
