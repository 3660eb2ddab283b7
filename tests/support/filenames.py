"""File names for tests: those that are allowed, and a form whose file has a name."""

from hypothesis import strategies as st

from shared.images import FILENAME_MAX

OVERRIDES = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}
CONTROLS = {*range(0x20), *range(0x7F, 0xA0)}


_REFUSED = OVERRIDES | CONTROLS | set(range(0xD800, 0xE000)) | set(map(ord, "/\\"))
ALLOWED = "".join(chr(code) for code in range(0x110000) if code not in _REFUSED)


def is_allowed(text: str) -> bool:
    """Return whether a file name may have these characters, said in other words than shared/images.py does."""
    return _REFUSED.isdisjoint(map(ord, text))


_ODD = "\u202f\u00a0\u3000\u200d\u200c\u200e\u200f\u00ad\u2028\ufeff\U0001f469\U0010ffff\"';%=?*,<>&#+.~ \u0301é"


def names(min_size: int = 0) -> st.SearchStrategy[str]:
    """Draw allowed file names, many of them with characters that formats treat in a special way."""
    characters = st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="/\\" + "".join(map(chr, OVERRIDES)))
    return st.text(st.sampled_from(_ODD) | characters, min_size=min_size, max_size=FILENAME_MAX)


def part_of_form(disposition: bytes, *lines: bytes) -> tuple[bytes, str]:
    """Make a form whose file has this Content-Disposition and these other headers. Return body and content type."""
    head = b"\r\n".join((b"Content-Disposition: " + disposition, *lines))
    label = b'--b\r\nContent-Disposition: form-data; name="label"\r\n\r\ncat\r\n'
    return label + b"--b\r\n" + head + b"\r\n\r\nIMG\r\n--b--\r\n", "multipart/form-data; boundary=b"
