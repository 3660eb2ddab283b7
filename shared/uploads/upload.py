"""A direct upload: what was asked for, how far it has come, and its JSON form.

An upload goes through the states in the order of STATES, may skip some, and ends in one of the last two. A file becomes
an image and its upload becomes `stored` in one transaction, so one upload adds one image once, even if messages come
twice. An upload that failed again and again through no fault of its file is given up: it shows as `failed`, and may
still go on when operators have its message delivered again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.api.image_json import image_json
from shared.images import Image
from shared.labels.store import Store

STATES = ("waiting", "received", "stored", "recognised", "failed")
ENDED = ("recognised", "failed")
BEFORE_IMAGE = ("waiting", "received")
FORM_LIFETIME = 900  # seconds that a form may be used, unless the stack's FormLifetime says otherwise
FORM_LIFETIME_BEFORE = 3_600  # the same of uploads that do not know it, which began when all forms had an hour
INGEST_ALLOWANCE = 3_600  # seconds after the form's end: a file may have come in time and be ingested late
LIFETIME = 15 * 86_400  # seconds that an upload is kept, one day more than a dead-letter queue keeps its message

Detections = Sequence[tuple[str, float]]  # names and confidences in percent


@dataclass(frozen=True, slots=True)
class Upload:
    """A direct upload; `created` in seconds of the epoch, weight in units; links begin with `base_url`.

    Its form may be used for `form_lifetime` seconds. `image` is the id of its image, and `version` that image's
    version, both from `stored` on. `detections` are there once it is recognised, and `problem` (RFC 9457) once it has
    failed or was given up. `callback_sent` is the id of the callback that was put into the queue last. `request` is the
    id of the request that it began with, for the log.
    """

    id: str
    created: int
    base_url: str
    label: str
    weight: int
    tags: tuple[str, ...] = ()
    owner: str = ""
    filename: str = ""
    callback_url: str = ""
    insecure_callback: bool = False
    tag_from_labels: bool = False
    state: str = "waiting"
    image: str = ""
    version: str = ""
    detections: Detections = ()
    problem: Mapping[str, Any] | None = None
    given_up: bool = False
    callback_sent: str = ""
    request: str = ""
    form_lifetime: int = FORM_LIFETIME

    @property
    def form_expires(self) -> int:
        """The time from which its form can no longer be used."""
        return self.created + self.form_lifetime

    @property
    def has_ended(self) -> bool:
        """Whether nothing is left to do."""
        return self.state in ENDED

    @property
    def shown_state(self) -> str:
        """The state that clients see. An upload that is given up shows as failed until it has ended after all."""
        return "failed" if self.given_up and not self.has_ended else self.state

    def is_overdue(self, now: float) -> bool:
        """Return whether its file should have been ingested by now, if one came before the form's end."""
        return self.shown_state == "waiting" and now > self.form_expires + INGEST_ALLOWANCE

    @property
    def callback_id(self) -> str:
        """The id of the callback that is due, empty before the upload has ended.

        An upload that was given up and has ended later sends a second callback, with an id of its own.
        """
        if self.shown_state not in ENDED:
            return ""
        return f"{self.id}-2" if self.given_up and self.has_ended else self.id

    @property
    def key(self) -> str:
        """The key of its file in the bucket of incoming files."""
        return incoming_key(self.id)


def incoming_key(upload_id: str) -> str:
    """Return the key that an upload's form stores its file under."""
    return f"incoming/{upload_id}"


def current_image(upload: Upload, store: Store) -> Image | None:
    """Read the upload's image as it is now.

    Return None if there is none yet, if it was deleted, or if its id is a new image now, which has another version.
    """
    label, _, name = upload.image.partition("/")
    image = store.image(label, name, consistent=True) if name else None
    return image if image and image.version_id == upload.version else None


def upload_json(upload: Upload, image: Image | None, *, is_gone: bool = False) -> dict[str, Any]:
    """Return the upload's JSON form, with its image if that still exists. `is_gone`: no file came, and none can."""
    problem = upload.problem if upload.shown_state == "failed" else None
    if is_gone:
        detail = f"No file came before the form expired at {_time(upload.form_expires)}; ask for another form."
        problem = {"type": "about:blank", "title": "Gone", "status": 410, "detail": detail}
    shown: dict[str, Any] = {
        "id": upload.id,
        "state": upload.shown_state,
        "label": upload.label,
        "created": _time(upload.created),
        "expires": _time(upload.form_expires),
        "status_url": f"{upload.base_url}uploads/{upload.id}",
    }
    if image:
        shown["image"] = image_json(image, upload.base_url)
    if upload.state == "recognised":
        shown["labels"] = [{"name": name, "confidence": confidence} for name, confidence in upload.detections]
    return {**shown, "error": problem} if problem else shown


def _time(seconds: int) -> str:
    """Write a time of the epoch as RFC 3339 has it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
