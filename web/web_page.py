"""GET /: the page, its files, the contract and its documentation; 404 and 405 for what no other function serves."""

import json
import os
from hashlib import sha256

import page_files
from shared.api import etags
from shared.api.endpoint import Request, Response, endpoint, other_function
from shared.errors import NotFound

# Nothing but our own files runs, no host but ours is asked, and no other page can frame this one.
# But large files go to S3, which is AWS_ENDPOINT_URL where there is one, as for all AWS clients.
S3 = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("INCOMING_ORIGINS", "")
POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self' {S3}; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
).replace(" ;", ";")
# Swagger UI has its icons in data: URLs.
DOCS_POLICY = POLICY.replace("blob:", "blob: data:")
SERVER = "http://127.0.0.1:3000"  # of the contract as it is written
HTML = "text/html; charset=utf-8"


def page(request: Request) -> Response:
    """The page to upload, draw and look through images."""
    return _html(request, "page.html", POLICY)


def docs(request: Request) -> Response:
    """The contract for people."""
    return _html(request, "docs.html", DOCS_POLICY)


def contract(request: Request) -> Response:
    """The contract as JSON, for the server that was asked, which its curl lines name, too."""
    base = request.base_url.rstrip("/")
    document = {**json.loads(page_files.read("openapi.json").replace(SERVER, base)), "servers": [{"url": base}]}
    return _revalidated(request, json.dumps(document) + "\n", {"Content-Type": "application/json"})


def file(request: Request) -> Response:
    """What the pages are made of. It is another one under each version, so caches may keep it."""
    version, name = request.path_parameters["version"], request.path_parameters["name"]
    if version != page_files.version() or name not in page_files.FILES:
        raise NotFound(f"There is no file {name} of version {version}; load the page again.")
    headers = {"Content-Type": page_files.content_type(name), "Cache-Control": "public, max-age=31536000, immutable"}
    return Response(200, page_files.read(page_files.FILES[name]), headers)


def _html(request: Request, name: str, policy: str) -> Response:
    text = page_files.read(name).replace("{version}", page_files.version()).replace("{base}", request.base_url)
    headers = {"Content-Type": HTML, "Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"}
    return _revalidated(request, text, headers)


def _revalidated(request: Request, text: str, headers: dict[str, str]) -> Response:
    """The text, which caches may keep if they ask each time; 304 if the caller has it already."""
    etag = f'"{sha256(text.encode()).hexdigest()[:32]}"'
    headers = {**headers, "Cache-Control": "no-cache", "ETag": etag}
    if etags.matches(request.headers.get("if-none-match", ""), etag, weak=True):
        return Response(304, headers=headers)
    return Response(200, text, headers)


handler = endpoint(
    {
        "/": {"GET": page},
        "/docs": {"GET": docs},
        "/openapi.json": {"GET": contract},
        "/web/{version}/{name}": {"GET": file},
        "/upload": {"POST": other_function},
        "/uploads": {"POST": other_function},
        "/images": {"GET": other_function},
        "/mine": {"GET": other_function},
    }
)
