"""A direct upload: what was asked for, how far it has come, and its JSON form.

An upload goes through the states in the order of STATES, may leave some out, and ends in one of the last two.  A file
becomes an image and its upload `stored` at once or not at all, so one upload adds one image once, whatever comes twice.
What failed again and again, for no fault of the file, is given up: it shows as `failed`, and may still go on.
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
FORM_LIFETIME = 3_600  # seconds that a form may be used
ON_ITS_WAY = 3_600  # seconds that a file may be there already and wait, where receiving it failed at first
LIFETIME = 15 * 86_400  # seconds that an upload is known, one day more than a dead-letter queue keeps its message

Detections = Sequence[tuple[str, float]]  # names and confidences in percent


@dataclass(frozen=True, slots=True)
class Upload:
    """A direct upload; `created` in seconds of the epoch, weight in units; links begin with `base_url`.

    `image` is the id of its image from `stored` on, `version` that image's version; `detections` are there once
    it is recognised, and `problem`, as RFC 9457 has it, once it has failed or was given up.  `callback_sent` is the
    id of the callback that was put into the queue last.
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

    @property
    def form_expires(self) -> int:
        """When the form that it came with can no longer be used."""
        return self.created + FORM_LIFETIME

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do."""
        return self.state in ENDED

    @property
    def shown_state(self) -> str:
        """The state that clients see: what was given up has failed, until it is received after all."""
        return "failed" if self.given_up and not self.is_over else self.state

    @property
    def callback_id(self) -> str:
        """The id of the callback that is due: none at first, and another for what was given up and then received."""
        if self.shown_state not in ENDED:
            return ""
        return f"{self.id}-2" if self.given_up and self.is_over else self.id

    @property
    def key(self) -> str:
        """What the form stores the file under, in the bucket of incoming files."""
        return incoming_key(self.id)


def incoming_key(upload_id: str) -> str:
    """The key of an upload's file."""
    return f"incoming/{upload_id}"


def current_image(upload: Upload, store: Store) -> Image | None:
    """The upload's image as it is now; None if there is none, or none any more: another version is somebody else's."""
    label, _, name = upload.image.partition("/")
    image = store.image(label, name, consistent=True) if name else None
    return image if image and image.version_id == upload.version else None


def upload_json(upload: Upload, image: Image | None, now: float) -> dict[str, Any]:
    """The upload's JSON form, with its image if that is still there."""
    problem = upload.problem if upload.shown_state == "failed" else None
    if upload.state == "waiting" and not problem and now > upload.form_expires + ON_ITS_WAY:
        detail = f"No file came before {_time(upload.form_expires)}, when the form expired; ask for another."
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
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
