"""The order of a session: each image once, drawn by weight from what is left; pure, and the same on every machine.

An image of weight w waits for a time that is exponentially distributed with rate w; who waits shortest comes first.
That is weighted drawing without replacement (Efraimidis and Spirakis 2006), and needs no memory: the randomness of
an image's time is a keyed hash of its name.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from hashlib import blake2b, sha256

# Decimal rounds quotients and logarithms correctly, by its specification; the C library's `log` differs in the last bit
# from machine to machine.
CONTEXT = Context(prec=40, rounding=ROUND_HALF_EVEN)
BITS = 128


def names_in_order(weights: Mapping[str, int], session: str) -> list[str]:
    """The names of these images in the session's order.

    Images that come or go leave the order of the others as it is.
    """
    key = sha256(session.encode("utf-8", "surrogatepass")).digest()
    return sorted(weights, key=lambda name: (_time(name, key, weights[name]), name))


def _time(name: str, key: bytes, weight: int) -> Decimal:
    number = int.from_bytes(blake2b(name.encode(), key=key, digest_size=BITS // 8).digest())
    uniform = CONTEXT.divide(Decimal(2 * number + 1), Decimal(2 ** (BITS + 1)))  # above 0 and below 1
    return CONTEXT.divide(CONTEXT.ln(uniform), Decimal(-weight))
