"""A petAPI at a URL: it takes files by the way that their size needs, and gives back what it stored."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

from shared.limits import BODY_MAX
from tools.corpus.sending import Answer, form, request

FORM_MAX = 1_000  # bytes of an upload's body beside the file
DIRECT_MAX = 300.0  # seconds for a file that goes straight to S3
BUSY = (429, 503)
ATTEMPTS = 3  # for one request: what is 503 each time is too slow, and not the machine
WAIT_MAX = 10.0  # seconds between two attempts
PAUSE = 0.2  # seconds between two looks at such an upload
SIDE = 256  # pixels of the thumbnails that are looked at


@dataclass(frozen=True, slots=True)
class Received:
    """How the service received a file: the status, and the id of the image or the sentence of the refusal."""

    status: int
    image_id: str = ""
    sentence: str = ""


class Service:
    """A petAPI at this URL.  `token` is for its writes, empty if anyone may write."""

    def __init__(self, url: str, token: str = "") -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._label = f"corpus-{uuid4().hex[:8]}"  # has no images yet
        self._images: set[str] = set()  # the ids of its images

    def upload(self, content: bytes, filename: str) -> Received:
        """Send a file by the way that its size needs."""
        if len(content) > BODY_MAX - FORM_MAX:
            received = self._upload_directly(content)
        else:
            body, headers = form({"label": self._label}, "img", content, filename)
            received = _received(self._send("POST", "/upload", body, headers))
        self._images |= {received.image_id} - {""}
        return received

    def picture(self, image_id: str) -> Answer:
        """Get the stored picture."""
        return self._send("GET", f"/images/{image_id}")

    def thumbnail(self, image_id: str) -> Answer:
        """Get a thumbnail as WebP."""
        return self._send("GET", f"/images/{image_id}?size={SIDE}", headers={"Accept": "image/webp"})

    def remove_all(self) -> None:
        """Delete the images that these uploads made."""
        while self._images:
            self._send("DELETE", f"/images/{self._images.pop()}")

    def _upload_directly(self, content: bytes) -> Received:
        document = json.dumps({"label": self._label}).encode()
        asked = self._send("POST", "/uploads", document, {"Content-Type": "application/json"})
        if asked.status != 201:
            return _received(asked)
        upload = asked.document
        body, headers = form(upload["upload_info"]["fields"], "file", content, "file")
        sent = request("POST", upload["upload_info"]["url"], body, headers)
        if sent.status >= 300:
            return Received(sent.status, sentence=f"S3 refused the form: {sent.body[:200].decode(errors='replace')}")
        return self._ended(upload["status_url"])

    def _ended(self, status_url: str) -> Received:
        """Wait until a direct upload has ended."""
        until = time.monotonic() + DIRECT_MAX
        while time.monotonic() < until:
            upload = request("GET", status_url, headers=self._headers).document
            if "image" in upload:
                return Received(201, upload["image"]["id"])
            if upload.get("state") == "failed":
                return Received(upload["error"]["status"], sentence=upload["error"]["detail"])
            time.sleep(PAUSE)
        return Received(504, sentence=f"A direct upload did not end within {DIRECT_MAX:.0f} seconds.")

    def _send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Send a request.  While the service is busy, repeat it after the time that it names, as clients should."""
        for _ in range(ATTEMPTS - 1):
            answer = request(method, self._url + path, body, {**self._headers, **(headers or {})})
            if answer.status not in BUSY:
                return answer
            time.sleep(min(float(answer.headers.get("retry-after", 1)), WAIT_MAX))
        return request(method, self._url + path, body, {**self._headers, **(headers or {})})


def _received(answer: Answer) -> Received:
    document = answer.document
    if answer.status in (200, 201):
        return Received(answer.status, document["id"])
    return Received(answer.status, sentence=answer.sentence)
