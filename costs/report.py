"""Write costs/README.md: what petAPI costs by scale and at rest, and what to change first. All figures are computed."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from costs import mosaics_report, options_report, prices_report, search, search_report, work_report
from costs.bill import PlanNotApplicable, at_rest, bill
from costs.measured import measured
from costs.model import VCPU_MB
from costs.prices import document, prices
from costs.rows import rows
from costs.sensitivity import OTHER_SHARE, plot, swings
from costs.stack import stack
from costs.tables import dollars, number, table
from costs.use import DAY, MODES, MONTH, PLANS, Assumed, Use, assumptions

TEXT = Path(__file__).with_name("report.md")
README = Path(__file__).with_name("README.md")
PLOT = Path(__file__).with_name("sensitivity.svg")
SCALES = tuple(Decimal(10) ** power for power in range(3, 10))  # draws a month
STORED = (Decimal(0), Decimal(10) ** 4, Decimal(10) ** 6, Decimal(10) ** 8)  # images at rest
PLOTTED = Decimal(10) ** 8  # draws a month: large enough that nothing is free
PLOTTED_MODES = ("image", "cdn")
DIRECT = tuple(Decimal(10) ** power for power in range(3, 7))  # direct uploads a month
OF_DIRECT = "Rekognition"  # the service that nothing else needs
DRAWS_OF_IMAGE, DRAWS_OF_UPLOAD, DRAWS_OF_DELETE = Decimal(100), Decimal(1000), Decimal(10_000)
IMAGES_LEAST = Decimal(1000)
SIZED = Decimal(100_000)  # bytes of a photograph as WebP, of at most 1,024 pixels
PARTITION = Decimal(3000)  # read units a second of a partition, DynamoDB's limit
OPTIONS_FROM = Decimal(10**6)  # draws; below, options cost next to nothing
CENT = Decimal("0.01")  # what moves less is left out


def write() -> None:
    """Write the README and its plot."""
    README.write_text(report(), encoding="utf-8")
    plot([(mode, month(PLOTTED, mode)) for mode in PLOTTED_MODES], PLOT)


def month(draws: Decimal, mode: str = "image") -> Use:
    """Return the month that represents a number of draws."""
    images = max(draws / DRAWS_OF_IMAGE, IMAGES_LEAST)
    return Use(draws=draws, mode=mode, images=images, uploads=draws / DRAWS_OF_UPLOAD, deletes=draws / DRAWS_OF_DELETE)


def report() -> str:
    """Return the text of the README."""
    use, built = month(PLOTTED), stack()
    alarm = prices(use.region)["alarms"]
    return TEXT.read_text(encoding="utf-8").format(
        region=use.region,
        bytes=number(use.bytes),
        draws_of_image=number(DRAWS_OF_IMAGE),
        draws_of_upload=number(DRAWS_OF_UPLOAD),
        draws_of_delete=number(DRAWS_OF_DELETE),
        images_least=number(IMAGES_LEAST),
        cache_hit=f"{Assumed().cache_hit:.0%}",
        totals=_totals(),
        services="\n\n".join(f"Mode {mode}:\n\n{_services(mode)}" for mode in MODES),
        throttle=number(built.throttle),
        throttled=number(built.throttle * DAY * MONTH),
        most=number(SCALES[-1]),
        most_rate=number(SCALES[-1] / (DAY * MONTH)),
        partition=number(PARTITION),
        of_label=number(PARTITION / measured().operations["draw image"].read_units),
        changes=_changes(),
        alarms=built.alarms,
        free_alarms=alarm.free,
        polled_queues=built.polled_queues,
        polls=number(_polls(use)),
        secret=dollars(prices(use.region)["secrets"].gross(Decimal(1))),
        alarm=dollars(alarm.gross(Decimal(1))),
        rest=_rest(),
        plotted=number(PLOTTED),
        direct=_direct(),
        recognised=f"{_recognised():.0%}",
        swings=_swings(),
        moved=_moved("image"),
        moved_cdn=_moved("cdn"),
        vcpu=VCPU_MB,
        memory=built.memory["DeleteFunction"],
        draw_memory=built.memory["RandomFunction"],
        picture_memory=built.memory["UploadFunction"],
        **work_report.texts(use),
        row_bytes=number(rows().image + rows().entries),
        entries_bytes=number(rows().entries),
        tag_bytes=number(rows().tag),
        log_days=built.log_days,
        thumbnail_days=built.thumbnail_days,
        recognition_days=built.recognition_days,
        sized=number(SIZED),
        ten_million=_cheapest(month(PLOTTED / 10, "cdn-image")),
        hundred_million=_cheapest(month(PLOTTED, "cdn-image")),
        reasons=number(Assumed().reasons),
        traced=f"{Assumed().traced_rest:.0%}",
        **options_report.texts([month(draws) for draws in SCALES if draws >= OPTIONS_FROM]),
        **search_report.texts(use),
        search_throttle=number(built.search_throttle),
        most_searches=number(built.search_throttle * DAY * MONTH),
        **mosaics_report.texts(use),
        vector_bytes=number(search.vector_bytes()),
        assumed=table(
            ("option", "value", "unit", "what"), [(_option(name), *rest) for name, *rest in assumptions()], 4
        ),
        rules="\n".join(
            f"- {each['rule']} ([AWS]({each['source']}), {each['read']})" for each in document()["free_tier"]
        ),
        **prices_report.texts(),
    )


def cheapest(use: Use) -> Use:
    """Return the month with the cheapest plan, or without one."""
    return min(filter(_fits, (replace(use, plan=plan) for plan in PLANS)), key=lambda each: bill(each).net)


def _fits(use: Use) -> bool:
    try:
        bill(use)
    except PlanNotApplicable:
        return False
    return True


def _totals() -> str:
    rows = []
    for draws in SCALES:
        edge = month(draws, "cdn-image")
        best = map(_cheapest, (month(draws, "cdn"), edge, replace(edge, sized=SIZED)))
        rows.append((number(draws), *(dollars(bill(month(draws, mode)).net) for mode in MODES), *best))
    return table(("draws a month", *MODES, "cdn, plan", "cdn-image, plan", "cdn-image, plan, size="), rows)


def _cheapest(use: Use) -> str:
    best = cheapest(use)
    return dollars(bill(best).net) + ("" if best.plan == "none" else f" ({best.plan})")


def _services(mode: str) -> str:
    bills = {draws: bill(month(draws, mode)) for draws in SCALES}
    names = [name for name in bills[PLOTTED].services() if name != OF_DIRECT]
    rows = []
    for draws, each in bills.items():
        services = each.services()
        rows.append((number(draws), *map(dollars, (*(services[name] for name in names), each.net))))
    return table(("draws a month", *names, "to pay"), rows)


def added(**more: Decimal) -> dict[str, Decimal]:
    """Return the dollars by service that so many more requests add to the plotted month."""
    before, use = bill(month(PLOTTED)).services(), month(PLOTTED)
    after = bill(replace(use, **{name: getattr(use, name) + count for name, count in more.items()})).services()
    return {name: after[name] - before[name] for name in before}


def _direct() -> str:
    names = [name for name, amount in added(direct_uploads=DIRECT[-1]).items() if amount]
    rows = []
    for count in DIRECT:
        more = added(direct_uploads=count)
        totals = (sum(each.values(), Decimal(0)) for each in (more, added(uploads=count)))
        rows.append((number(count), *map(dollars, (*(more[name] for name in names), *totals))))
    return table(("direct uploads a month", *names, "together", "as `POST /upload`"), rows)


def _recognised() -> Decimal:
    """Return recognition's part of the dollars of a direct upload."""
    more = added(direct_uploads=DIRECT[0])
    return more[OF_DIRECT] / sum(more.values())


def _changes() -> str:
    rows = []
    for draws in SCALES:
        whole = bill(month(draws))
        line = max(whole.lines, key=lambda each: each.net)
        best = sorted(_savings(month(draws)), reverse=True)[:3]
        saved = "; ".join(f"{change}: {dollars(amount)}" for amount, change in best if amount >= CENT)
        rows.append((number(draws), f"{line.net / whole.net:.0%} {line.price.service}, {line.price.item}", saved))
    return table(("draws a month", "largest line", "saves most"), rows, left=3)


def _savings(use: Use) -> Iterator[tuple[Decimal, str]]:
    """Return what each change takes off the bill."""
    total, least = bill(use).net, stack().memory["DeleteFunction"]
    for mode, draws in (("cdn", " and draws with `format=redirect`"), ("cdn-image", "")):
        best = cheapest(replace(use, mode=mode))
        plan = "" if best.plan == "none" else f" with the plan {best.plan}"
        yield total - bill(best).net, f"`Cdn=true`{draws}{plan}"
    yield total - bill(replace(use, sized=SIZED)).net, f"draws with `size=1024`, of {number(SIZED)} bytes"
    yield total - bill(replace(use, api="http")).net, "an HTTP API"
    yield total - bill(replace(use, architecture="arm64")).net, "`Architecture=arm64`"
    yield total - bill(replace(use, memory=least)).net, f"`MemorySize: {least}` for all functions"
    yield total - bill(replace(use, bytes=use.bytes / 2)).net, "pictures of half the bytes"


def _polls(use: Use) -> Decimal:
    (line,) = [line for line in bill(at_rest(use)).lines if line.price.name == "sqs-requests"]
    return line.quantity


def _rest() -> str:
    names = (
        *("dynamodb-storage", "dynamodb-recovery", "s3-storage", "vectors-storage"),
        *("alarms", "secrets", "sqs-requests"),
    )
    rows = []
    for images in STORED:
        whole = bill(at_rest(replace(month(PLOTTED), images=images)))
        lines = {line.price.name: line.net for line in whole.lines}
        rows.append((number(images), *map(dollars, (*(lines[name] for name in names), whole.net))))
    return table(
        ("images", "tables", "point-in-time recovery", "pictures", "vectors", "alarms", "secret", "queues", "to pay"),
        rows,
    )


def _swings() -> str:
    found = [{swing.name: swing for swing in swings(month(PLOTTED, mode))} for mode in PLOTTED_MODES]
    rows = [
        (_option(name), *(dollars(end) for each in found for end in (each[name].halved, each[name].doubled)))
        for name in found[0]
        if any(each[name].width >= CENT for each in found)
    ]
    return table(
        ("input", *(f"{mode}, {end}" for mode in PLOTTED_MODES for end in ("halved", "doubled"))), rows, left=1
    )


def _moved(mode: str) -> str:
    """Return the widest swing of an assumption, as a share of the total."""
    assumed = {name for name, *_ in assumptions()}
    use = month(PLOTTED, mode)
    widest = max(swing.width for swing in swings(use) if swing.name.removeprefix(OTHER_SHARE) in assumed)
    return f"{widest / bill(use).net:.1%}"


def _option(name: str) -> str:
    """Return the name of an input on the command line."""
    option = name.removeprefix(OTHER_SHARE).replace("_", "-")
    return f"{OTHER_SHARE if name.startswith(OTHER_SHARE) else ''}`--{option}`"
