"""GET /, /docs, /openapi.json and /web: the page, the contract and their files; 404 and 405 for all other paths."""

import json
import os
from collections.abc import Mapping

import page_files
from shared.api.endpoint import Request, Response, endpoint, other_function
from shared.api.parameters import OTHERS
from shared.api.revalidated import revalidated
from shared.errors import NotFound

# The browser runs only our own files, sends requests only to this host, and shows the page in no other site's frame.
# The exception is S3, which large files go to. It is at AWS_ENDPOINT_URL if that is set, as for all AWS clients.
S3 = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("INCOMING_ORIGINS", "")
POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self' {S3}; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
).replace(" ;", ";")
# Swagger UI has its icons in data: URLs.
DOCS_POLICY = POLICY.replace("blob:", "blob: data:")
SERVER = "http://127.0.0.1:3000"  # the server in web/openapi.json
HTML = "text/html; charset=utf-8"
SAMPLES = "samples"  # takes the place of a version in the addresses of the sample photographs
PRELOAD = '<link rel="modulepreload" href="web/{version}/%s">'


def get_page(request: Request) -> Response:
    """Return the page on which people upload, draw and browse images."""
    return _html(request, "page.html", POLICY)


def get_docs(request: Request) -> Response:
    """Return the page that shows the OpenAPI document to people."""
    return _html(request, "docs.html", DOCS_POLICY)


def get_contract(request: Request) -> Response:
    """Return the OpenAPI document, with this deployment as its server, also in the curl lines."""
    base = request.base_url.rstrip("/")
    document = {**json.loads(page_files.read("openapi.json").replace(SERVER, base)), "servers": [{"url": base}]}
    return revalidated(request, json.dumps(document) + "\n", {"Content-Type": "application/json"})


def get_page_file(request: Request) -> Response:
    """Return a file that the pages load, or a sample photograph.

    Caches may keep a file of the pages for a year, because its address changes with it.  The address of a sample has
    no version, so caches ask each time.
    """
    if request.path_parameters["version"] == SAMPLES:
        return _sample(request, request.path_parameters["name"])
    return _kept(request, page_files.files())


def get_library_file(request: Request) -> Response:
    """Return a file of the library that /docs loads. Caches may keep it for a year, too."""
    return _kept(request, page_files.LIBRARY)


def _kept(request: Request, files: Mapping[str, str]) -> Response:
    """Return one of these files (name -> path) under the present version."""
    version, name = request.path_parameters["version"], request.path_parameters["name"]
    if version != page_files.version() or name not in files:
        raise NotFound(f"There is no file {name} in version {version}; reload the page.")
    headers = {"Content-Type": page_files.content_type(name), "Cache-Control": "public, max-age=31536000, immutable"}
    return Response(200, page_files.read(files[name]), headers)


def _sample(request: Request, name: str) -> Response:
    content = page_files.sample(name)
    if content is None:
        raise NotFound(f"There is no sample photograph {name}; the folder web/samples has their names.")
    return revalidated(request, content, {"Content-Type": page_files.sample_type(name)})


def _html(request: Request, name: str, policy: str) -> Response:
    preloads = "\n  ".join(PRELOAD % module for module in page_files.modules())
    text = page_files.read(name).replace("{modulepreload}", preloads)
    text = text.replace("{version}", page_files.version()).replace("{base}", request.base_url)
    headers = {"Content-Type": HTML, "Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"}
    return revalidated(request, text, headers)


handler = endpoint(
    {
        "/": {"GET": get_page},
        "/docs": {"GET": get_docs},
        "/openapi.json": {"GET": get_contract},
        "/web/{version}/{name}": {"GET": get_page_file},
        "/web/{version}/library/{name}": {"GET": get_library_file},
        "/upload": {"POST": other_function},
        "/uploads": {"POST": other_function},
        "/random": {"GET": other_function},
        "/random.json": {"GET": other_function},
        "/images": {"GET": other_function},
        "/search": {"GET": other_function, "POST": other_function},
        "/mine": {"GET": other_function},
    },
    parameters={path: {OTHERS} for path in ("/", "/docs", "/web/{version}/{name}", "/web/{version}/library/{name}")},
)
