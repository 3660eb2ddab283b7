"""What a stranger can make an operator pay: requests without a token, as many as throttles and a firewall let pass."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from costs.bill import at_rest, bill
from costs.prices import prices
from costs.stack import stack
from costs.use import DAY, HITS, MONTH, Use

SECONDS = MONTH * DAY
RATE = Decimal(1000)  # requests a second that a client sends for a month
IN_FIVE_MINUTES = Decimal(1000)  # requests of an address that the rule of the web ACL lets pass
ALLOWED = IN_FIVE_MINUTES / 300  # a second
LOW = Decimal(20)  # the throttle that pictures could have
STILL = Use(images=Decimal(1000), draws=Decimal(0), uploads=Decimal(0), hits=HITS, mode="cdn-image")
PLAN = "pro"

# The dearest request of each method and path, which each has a throttle. Of the method ANY, it is a GET. What is not
# here is refused, with 405 or because it has no token.
KINDS = {
    ("GET", "/random"): "draws",  # with the picture: 20 draws in JSON cost less
    ("GET", "/random/{label}"): "draws",
    ("GET", "/random.json"): "many_draws",
    **{("HEAD", path): "many_heads" for path in ("/random", "/random/{label}", "/random.json")},
    ("GET", "/images/{label}/{name}"): "pictures",
    ("HEAD", "/images/{label}/{name}"): "heads",
    ("ANY", "/images/{label}/{name}/info"): "infos",
    ("ANY", "/images/{label}/{name}/similar"): "similars",
    ("GET", "/images/{label}/{name}/mosaic"): "mosaics",
    ("HEAD", "/images/{label}/{name}/mosaic"): "mosaic_heads",
    ("GET", "/images"): "lists",
    ("HEAD", "/images"): "list_heads",
    ("ANY", "/labels"): "label_lists",
    ("ANY", "/labels/{label}"): "label_pages",
    ("GET", "/labels/{label}/tiles"): "tile_files",
    ("HEAD", "/labels/{label}/tiles"): "mosaic_heads",
    ("GET", "/search"): "searches",
    ("HEAD", "/search"): "searches",
    ("POST", "/search"): "picture_searches",
    ("ANY", "/uploads/{id}"): "infos",  # whoever has no id of an upload gets 404 after one read
    ("ANY", "/status"): "refused",  # reads nothing, and says no more than a refusal
    ("ANY", "/"): "pages",
    ("ANY", "/docs"): "pages",  # shorter
    ("ANY", "/openapi.json"): "contracts",
    ("GET", "/web/{version}/{name}"): "pictures",  # a sample has half the bytes of a picture, and no read of S3
    ("ANY", "/web/{version}/library/{name}"): "page_files",
    ("ANY", "/{proxy+}"): "refused",
}


@dataclass(frozen=True, slots=True)
class Attack:
    """What bounds it, and the month that it makes at the API's own address and at CloudFront."""

    bounds: str
    at_api: Use | None
    at_edge: Use | None


def attacks() -> Iterator[Attack]:
    """Yield what each set of bounds leaves to a client."""
    api, pictures = replace(STILL, mode="image"), stack().picture_throttle
    passed, blocked = ALLOWED * SECONDS, (RATE - ALLOWED) * SECONDS
    throttled = every_route(api, pictures)
    flood = replace(STILL, page_files=RATE * SECONDS)  # which are larger than a picture
    ruled = replace(STILL, page_files=passed, blocked=blocked, waf="on")
    planned = replace(STILL, draws=passed, blocked=blocked, waf="on", plan=PLAN)  # which pays for no call of the API
    refused = replace(api, refused=sum(stack().limits.values(), Decimal(0)) * SECONDS)
    yield Attack("the default throttles", throttled, None)
    yield Attack(f"`PictureThrottleRate={LOW}`", every_route(api, LOW), None)
    yield Attack("`ApiWebAclArn`", replace(api, page_files=passed, blocked=blocked, waf="on"), None)
    yield Attack("`Cdn=true`", throttled, flood)
    yield Attack("`Cdn=true CdnOnly=true`", refused, flood)
    yield Attack("`Cdn=true CdnOnly=true WebAclArn`", refused, ruled)
    yield Attack(f"the same with the plan {PLAN}", refused, planned)
    yield Attack("the same and `ApiWebAclArn`", replace(api, blocked=RATE * SECONDS, waf="on"), planned)


def every_route(use: Use, pictures: Decimal) -> Use:
    """Return the month of clients that take all that the routes give; pictures and lists have this rate."""
    rates: dict[str, Decimal] = defaultdict(Decimal)
    for route, rate in stack().limits.items():
        kind = KINDS[route] if route[0] == "ANY" else KINDS.get(route, "refused")
        rates[kind] += pictures if kind in ("pictures", "lists") else rate
    return replace(use, **{kind: rate * SECONDS for kind, rate in rates.items()})  # type: ignore[arg-type]


def written(use: Use) -> Decimal:
    """Return the dollars that the month costs more than one without requests, firewall and plan."""
    return bill(use).net - bill(replace(at_rest(use), mode="image", waf="off", plan="none")).net


def of_bytes() -> Decimal:
    """Return the dollars for the bytes of pictures that the default throttle lets one client take."""
    return bill(replace(STILL, mode="image", pictures=stack().picture_throttle * SECONDS)).services()["Transfer"]


def break_even() -> Decimal:
    """Return the requests a second from which on a web ACL costs more than the refusals that it saves."""
    refusals = written(replace(STILL, mode="image", refused=sum(stack().limits.values(), Decimal(0)) * SECONDS))
    of_million = prices(STILL.region)["waf-requests"].gross(Decimal(10**6))
    return refusals / of_million * 10**6 / SECONDS
