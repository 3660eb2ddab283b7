"""What draws with `size=` need: counted in random/ and browse/.

| step                               | DynamoDB                        | S3           |
|------------------------------------|---------------------------------|--------------|
| sized draw: its thumbnail is there | as a draw                       | GET          |
| sized draw, to be made: a redirect | as a draw, and the image's row  | GET          |
| sized first: it is made            | as a thumbnail                  | as that      |
| sized again: by a redirect         | as a thumbnail                  | as that      |

A thumbnail is kept for some days. If the draws of an image come at random times, the first one after its thumbnail has
gone makes it again, so of a label with many draws for each image few must be made.
"""

from dataclasses import replace
from decimal import Decimal

from costs.measured import OF_BASE64, Measured, Requests
from costs.stack import stack
from costs.use import DRAWN, MONTH, Assumed, Use

DRAW, LINK, FIRST, AGAIN = "sized draw", "sized draw, to be made", "sized first", "sized again"
STEPS = {DRAW: "RandomFunction", LINK: "RandomFunction", FIRST: "BrowseFunction", AGAIN: "BrowseFunction"}


def requests(use: Use, assumed: Assumed) -> Requests:
    """Return the requests of thumbnails that are drawn, by kind."""
    nothing = dict.fromkeys(STEPS, Decimal(0))
    if not use.sized or not use.draws:
        return nothing
    if use.mode in DRAWN:
        firsts = use.draws * made(use)
        return {**nothing, DRAW: use.draws - firsts, LINK: firsts, FIRST: firsts}
    fetched = use.draws * (1 - assumed.client_hit)
    return {**nothing, FIRST: fetched * made(use), AGAIN: fetched * (1 - made(use))}


def made(use: Use) -> Decimal:
    """Return the part of the draws whose thumbnail must be made."""
    kept = use.draws * stack().thumbnail_days / MONTH  # draws while a thumbnail is kept
    return use.images / (use.images + kept)


def with_steps(measured: Measured, use: Use) -> Measured:
    """Return the measured requests and those of draws with a size."""
    draw, first, again = (measured.operations[name] for name in ("draw image", "thumbnail first", "thumbnail again"))
    sent = use.sized / OF_BASE64
    link = replace(draw, read_units=draw.read_units + Decimal("0.5"), trips=draw.trips + 1, response_bytes=Decimal(0))
    steps = {
        DRAW: replace(draw, response_bytes=sent),
        LINK: link,
        FIRST: replace(first, response_bytes=sent),
        AGAIN: replace(again, response_bytes=sent),
    }
    return replace(measured, operations={**measured.operations, **steps})
