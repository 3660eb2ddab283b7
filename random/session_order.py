"""The order of a session: each image once, drawn by weight from those that are left; pure.

An image of weight w waits for an exponentially distributed time of rate w.  The image with the shortest time comes
first.  This is weighted drawing without replacement (Efraimidis and Spirakis 2006).  It needs no memory, because the
randomness of an image's time is a keyed hash of its name.  The order is the same on every machine.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from hashlib import blake2b, sha256

# The specification of Decimal demands correctly rounded quotients and logarithms; the C library's `log` may differ in
# the last bit between machines.
CONTEXT = Context(prec=40, rounding=ROUND_HALF_EVEN)
BITS = 128


def names_in_order(weights: Mapping[str, int], session: str) -> list[str]:
    """Return the names of these images in the session's order.

    Adding or removing an image does not change the order of the others.
    """
    key = sha256(session.encode("utf-8", "surrogatepass")).digest()
    return sorted(weights, key=lambda name: (_time(name, key, weights[name]), name))


def _time(name: str, key: bytes, weight: int) -> Decimal:
    number = int.from_bytes(blake2b(name.encode(), key=key, digest_size=BITS // 8).digest())
    uniform = CONTEXT.divide(Decimal(2 * number + 1), Decimal(2 ** (BITS + 1)))  # above 0 and below 1
    return CONTEXT.divide(CONTEXT.ln(uniform), Decimal(-weight))
