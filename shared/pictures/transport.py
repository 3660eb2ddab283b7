"""Signs that a file was changed on its way: read as text, written as base64, or given other line ends."""

import re

_AS_TEXT = "was read as text on its way, which destroyed it: {}; send the bytes of the file as they are"

# What a file begins with, and what that says.  A JPEG begins with FF D8 FF, a PNG with 89 and PNG, a WebP with RIFF,
# its size in four bytes, and WEBP.
_SIGNS = (
    (
        re.compile(rb"\xef\xbf\xbd|RIFF(?!.{4}WEBP).{0,9}\xef\xbf\xbd.{0,9}WEBP", re.DOTALL),
        _AS_TEXT.format("it has EF BF BD, the sign for bytes that are no text"),
    ),
    (
        re.compile(rb"\xc3\xbf\xc3\x98\xc3\xbf|(\xc2\x89|\xe2\x80\xb0)PNG"),
        _AS_TEXT.format("it begins with the UTF-8 of characters that its bytes are in an older encoding"),
    ),
    (
        re.compile(rb'\s*"?(data:[^,\s]{0,100},)?(/9j/|iVBORw0KGgo|UklGR)'),
        "is in base64; decode it, and send the bytes of the file as they are",
    ),
    (
        re.compile(rb"\x89PNG(\n|\r\r\n|\r\n\x1a\r)"),
        "had its line ends changed on its way, which destroyed it; send the bytes of the file as they are",
    ),
)


def damage(data: bytes) -> str | None:
    """Return what was done to a picture on its way, and what to do next, as the predicate of a sentence."""
    return next((what for sign, what in _SIGNS if sign.match(data)), None)
