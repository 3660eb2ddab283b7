"""What a stranger can make an operator pay: requests without a token, as many as throttles and a firewall pass."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from costs.bill import at_rest, bill
from costs.prices import prices
from costs.stack import stack
from costs.use import DAY, MONTH, Use

SECONDS = MONTH * DAY
RATE = Decimal(1000)  # requests a second that a client sends for a month
IN_FIVE_MINUTES = Decimal(1000)  # requests of an address that the rule of the web ACL lets pass
ALLOWED = IN_FIVE_MINUTES / 300  # a second
LOW = Decimal(20)  # the throttle that pictures could have
STILL = Use(images=Decimal(1000), draws=Decimal(0), uploads=Decimal(0), mode="cdn-image")
PLAN = "pro"


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
    flood = replace(STILL, pictures=RATE * SECONDS)
    ruled = replace(STILL, pictures=passed, blocked=blocked, waf="on")
    planned = replace(ruled, plan=PLAN)
    refused = replace(api, refused=stack().throttles * SECONDS)
    yield Attack("the default throttles", throttled, None)
    yield Attack(f"`PictureThrottleRate={LOW}`", every_route(api, LOW), None)
    yield Attack("`ApiWebAclArn`", replace(api, pictures=passed, blocked=blocked, waf="on"), None)
    yield Attack("`Cdn=true`", throttled, flood)
    yield Attack("`Cdn=true CdnOnly=true`", refused, flood)
    yield Attack("`Cdn=true CdnOnly=true WebAclArn`", refused, ruled)
    yield Attack(f"the same with the plan {PLAN}", refused, planned)
    yield Attack("the same and `ApiWebAclArn`", replace(api, blocked=RATE * SECONDS, waf="on"), planned)


def every_route(use: Use, pictures: Decimal) -> Use:
    """Return the month of a client that takes all that the routes of reads give; pictures and lists have this rate."""
    rates = stack()
    return replace(
        use,
        pictures=pictures * SECONDS,
        lists=pictures * SECONDS,
        draws=2 * rates.throttle * SECONDS,  # /random and /random/{label}
        infos=rates.other_throttle * SECONDS,
        similars=rates.other_throttle * SECONDS,
        searches=2 * rates.search_throttle * SECONDS,  # GET and HEAD
        picture_searches=rates.search_throttle * SECONDS,
        mosaics=rates.search_throttle * SECONDS,
        tile_files=rates.search_throttle * SECONDS,
    )


def written(use: Use) -> Decimal:
    """Return the dollars that the month costs more than one without requests, firewall and plan."""
    return bill(use).net - bill(replace(at_rest(use), mode="image", waf="off", plan="none")).net


def of_bytes() -> Decimal:
    """Return the dollars for the bytes of pictures that the default throttle lets one client take."""
    return bill(replace(STILL, mode="image", pictures=stack().picture_throttle * SECONDS)).services()["Transfer"]


def break_even() -> Decimal:
    """Return the requests a second from which on a web ACL costs more than the refusals that it saves."""
    refusals = written(replace(STILL, mode="image", refused=stack().throttles * SECONDS))
    of_million = prices(STILL.region)["waf-requests"].gross(Decimal(10**6))
    return refusals / of_million * 10**6 / SECONDS
