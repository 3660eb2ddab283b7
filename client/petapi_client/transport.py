"""HTTP: one session for all requests, which waits where the API says so, and keeps the token to the API's own host."""

import json
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import Retry

from petapi_client.problem import BadInput, Problem, Unreachable, problem_of

TIMEOUT = (10.0, 120.0)  # seconds to connect, and between two packets of an answer; the API has at most 29
BUSY = (429, 502, 503, 504)  # may pass
WAIT_MAX = 120.0  # seconds; the API says at most 60, and a clock that is wrong may say years
JITTER = 0.5  # seconds, so that workers that were refused together do not come again together
REDIRECTS = (301, 302, 303, 307, 308)
SAME_METHOD = (307, 308)  # of these, those that want the same request again; S3 sends them while a bucket is new
REDIRECTS_MAX = 3
BROKEN_MAX = 3  # answers that break off
POOL = 32  # connections
ERRNO = re.compile(r"\[Errno -?[0-9]+\]")
BLOCK = 1 << 16  # bytes
DOWNLOAD_MAX = 100_000_000  # bytes; the API takes files of at most 20 MB

Pause = Callable[[float], object]


class Patience(Retry):
    """The retries of a request.  All are safe: an upload that comes twice is stored once."""

    pause: Pause = staticmethod(time.sleep)

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:
        """Wait as long as Retry-After says, or else twice as long each time."""
        asked = _retry_after(response.headers.get("Retry-After", "")) if response else None
        seconds = min(self.get_backoff_time() if asked is None else asked, WAIT_MAX)
        if seconds:
            self.pause(seconds + random.uniform(0, JITTER))  # noqa: S311 (no secret)


def _retry_after(value: str) -> float | None:
    """Return the seconds that Retry-After says, as a number or as a date; None if it says neither."""
    if re.fullmatch(r"\s*[0-9]{1,18}\s*", value):
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


class Transport:
    """Requests to the petAPI at `url`, which may have a path, such as a stage."""

    def __init__(self, url: str, token: str | None, pause: Pause) -> None:
        self.url, self.pause, self._token = checked_url(url), pause, token
        if token and not is_private(self.url):
            raise BadInput(f"A token must not travel unencrypted; name the https address in place of {url}.")
        patience = type("Patience", (Patience,), {"pause": staticmethod(pause)})
        retry = patience(
            total=20,
            connect=2,
            read=5,
            other=2,
            status_forcelist=BUSY,
            allowed_methods=None,
            backoff_factor=0.5,
            backoff_max=30,
            raise_on_status=False,
        )
        self._session = requests.Session()
        self._session.trust_env = False  # what the environment says is looked up once for each host
        self._surroundings: dict[str, dict[str, Any]] = {}
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=POOL, max_retries=retry))

    def ask(self, method: str, path: str, *, write: bool = False, **options: Any) -> tuple[Any, requests.Response]:
        """Send a request to the API.  Return the JSON of the answer, None if it has none, and the answer.

        Raise Problem if it is a refusal.  `write` sends the token, too.
        """
        answer = self._send(method, self.url + path, write=write, **options)
        if answer.status_code in REDIRECTS:
            raise Unreachable(answer.status_code, f"{self.url} leads to {answer.headers.get('Location')}; name that.")
        return _document(answer), answer

    def download(self, path: str, query: Mapping[str, str | int] | None = None) -> Iterator[bytes]:
        """Yield a picture block by block.  It may be at another host, such as S3, which gets no token."""
        url = self.url + path
        for _ in range(REDIRECTS_MAX):
            with self._send("GET", url, params=query, stream=True) as answer:
                if answer.ok and answer.status_code not in REDIRECTS:
                    yield from _blocks(answer)
                    return
                if not answer.ok:
                    _document(answer)
                url, query = urljoin(url, answer.headers.get("Location", "")), None
        raise Unreachable(answer.status_code, f"{path} leads from one address to another; check the URL.")

    def post_form(self, url: str, body: bytes, content_type: str) -> None:
        """Post a form to another host, such as S3, which gets no token.  Raise Problem if it is refused."""
        for _ in range(REDIRECTS_MAX):
            answer = self._send("POST", url, data=body, headers={"Content-Type": content_type})
            if answer.status_code not in SAME_METHOD:
                break
            url = urljoin(url, answer.headers.get("Location", ""))
        if not answer.ok or answer.status_code in REDIRECTS:
            raise Problem(answer.status_code, f"{urlsplit(url).hostname} refused the file: {answer.text[:200]}")

    def _send(self, method: str, url: str, *, write: bool = False, **options: Any) -> requests.Response:
        """Send a request; again if the connection breaks within the answer, which urllib3's retries do not see."""
        headers = {"Accept": "application/json, */*;q=0.1", **options.pop("headers", {})}
        if write and self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        for left in reversed(range(BROKEN_MAX)):
            try:
                return self._session.request(
                    method,
                    url,
                    headers=headers,
                    timeout=TIMEOUT,
                    allow_redirects=False,
                    **self._surroundings_of(url),
                    **options,
                )
            except requests.exceptions.ChunkedEncodingError as error:
                if not left:
                    raise _unreachable(url, error) from error
            except (requests.RequestException, HTTPError, ValueError) as error:  # the last two: no host has such a name
                raise _unreachable(url, error) from error
        raise AssertionError

    def _surroundings_of(self, url: str) -> dict[str, Any]:
        """Return the proxies and certificates that the environment names for this host, but no credentials.

        This machine is asked directly: a proxy could read the token, and it would ask another machine.
        """
        host = urlsplit(url).netloc
        if host not in self._surroundings:
            named = requests.Session().merge_environment_settings(url, {}, None, None, None)
            proxies = {} if is_this_machine(url) else named["proxies"]
            self._surroundings[host] = {"proxies": proxies, "verify": named["verify"]}
        return self._surroundings[host]


def checked_url(url: str) -> str:
    """Return the URL without a slash at the end.  Raise BadInput if it cannot be that of a petAPI."""
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url or "@" in parts.netloc or parts.query or parts.fragment:
        raise BadInput(f"{url} is not the URL of a petAPI; name one, such as http://127.0.0.1:3000.")
    return url.rstrip("/")


def is_private(url: str) -> bool:
    """Return whether what is sent to this URL is unreadable on its way."""
    return urlsplit(url).scheme == "https" or is_this_machine(url)


def is_this_machine(url: str) -> bool:
    """Return whether the URL is one of this machine, so that nothing that is sent there leaves it."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _blocks(answer: requests.Response) -> Iterator[bytes]:
    length = 0
    try:
        for block in answer.iter_content(BLOCK):
            length += len(block)
            if length > DOWNLOAD_MAX:
                raise Unreachable(answer.status_code, f"{answer.url} has no end; check the URL.")
            yield block
    except requests.RequestException as error:
        raise _unreachable(answer.url, error) from error


def _unreachable(url: str, error: Exception) -> Unreachable:
    host = urlsplit(url).netloc
    return Unreachable(0, f"{host} cannot be reached ({_reason(error)}); start it, or check the URL.")


def _document(answer: requests.Response) -> Any:
    """Return the JSON of an answer with its numbers exact, or raise Problem."""
    status = answer.status_code
    if status == requests.codes.no_content:
        return None
    try:
        document = json.loads(answer.content, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise Unreachable(
            status, f"{answer.url} returned {status} without JSON; check that the URL is that of a petAPI."
        ) from error
    if answer.ok:
        return document
    raise problem_of(status, document, answer.reason)


def _reason(error: BaseException) -> str:
    """Return what the innermost error says, without the names of classes and addresses around it."""
    inner: Any = error
    while (deeper := getattr(inner, "reason", None) or (inner.args and inner.args[0])) and isinstance(
        deeper, BaseException
    ):
        inner = deeper
    return ERRNO.sub("", f"{inner}".rpartition(": ")[2]).strip() or type(inner).__name__
