"""The CloudFront Function in web/cdn/, run in Node.js with the events that CloudFront gives it."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.cloud import ROOT

SOURCE = ROOT / "web/cdn/accept.js"
# CloudFront gives a function `request.headers`, with names in lower case, and sends what it returns.
PROGRAM = """
const requests = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const events = requests.map(([uri, value]) => ({
  version: '1.0', context: { eventType: 'viewer-request' }, viewer: { ip: '192.0.2.1' },
  request: { method: 'GET', uri: uri, querystring: {}, cookies: {},
             headers: value === null ? { host: { value: 'pets.test' } } : { accept: { value: value } } },
}));
console.log(JSON.stringify(events.map((event) => handler(event))));
"""


def headers_after(accepts: Sequence[str | None]) -> list[dict[str, dict[str, str]]]:
    """Return the headers that the function leaves of a request with each of these Accept headers, None for none."""
    return [each["headers"] for each in _requests_after([("/images/cat/a.jpg", accept) for accept in accepts])]


def paths_after(paths: Sequence[str]) -> list[str]:
    """Return what the function makes of these paths."""
    return [each["uri"] for each in _requests_after([(path, None) for path in paths])]


def _requests_after(requests: Sequence[tuple[str, str | None]]) -> list[dict[str, Any]]:
    if not (node := shutil.which("node")):
        pytest.skip("THE FUNCTION OF CLOUDFRONT IS NOT TESTED: there is no Node.js (apt-get install nodejs)")
    program = SOURCE.read_text(encoding="utf-8") + PROGRAM
    done = subprocess.run([node, "-e", program], input=json.dumps(requests), capture_output=True, text=True, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found
