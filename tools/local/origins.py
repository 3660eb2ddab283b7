"""Which web pages may talk to `make run`: those of this machine. Pure.

Pages of other sites may link to it and show its pictures, which gives their scripts nothing to read. A browser names
the page in Origin, or describes the request in Sec-Fetch-* (Fetch Metadata). Other programs send neither.
"""

import re
from collections.abc import Mapping

from shared.errors import Forbidden

HOST = re.compile(r"(127\.0\.0\.1|localhost)(:[0-9]{1,5})?", re.IGNORECASE)
ORIGIN = re.compile(r"https?://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
OF_A_PAGE = re.compile(r"(https?://[^/?#]*)[/?#]?.*", re.IGNORECASE | re.DOTALL)
SHOWN = {("navigate", "document"), ("no-cors", "image")}  # Sec-Fetch-Mode and -Dest of a link and of an <img>


def check(method: str, headers: Mapping[str, str]) -> None:
    """Raise Forbidden for another name of this host, and for a page of another site that reads or writes."""
    if not HOST.fullmatch(headers.get("host", "localhost")):
        raise Forbidden("Use 127.0.0.1 or localhost as the host.")
    if is_foreign(headers) and not (method in ("GET", "HEAD") and _only_shows(headers)):
        raise Forbidden("Only web pages of this machine may read or write here.")


def is_foreign(headers: Mapping[str, str]) -> bool:
    """Return whether a page of another site sends the request.

    The other ports of this machine count as its own. A browser calls them cross-site if one page is at `localhost` and
    the other at `127.0.0.1`; then Origin or Referer shows where the page is.
    """
    if "origin" in headers:
        return not ORIGIN.fullmatch(headers["origin"])
    page = OF_A_PAGE.fullmatch(headers.get("referer", ""))
    return headers.get("sec-fetch-site") == "cross-site" and not (page and ORIGIN.fullmatch(page[1]))


def without_sharing(headers: dict[str, str | list[str]]) -> dict[str, str | list[str]]:
    """Return the response's headers without those that let a page of another site read it."""
    return {name: value for name, value in headers.items() if not name.lower().startswith("access-control-")}


def _only_shows(headers: Mapping[str, str]) -> bool:
    """Return whether the browser shows the response and its page cannot read it."""
    asked = headers.get("sec-fetch-mode", ""), headers.get("sec-fetch-dest", "")
    return "origin" not in headers and asked in SHOWN
