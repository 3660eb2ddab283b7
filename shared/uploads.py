"""Direct uploads: what was asked for, and how far it has come.

| pattern                     | request                                                   | units   |
|-----------------------------|-----------------------------------------------------------|---------|
| ask for an upload           | PutItem, if there is none                                 | 1 write |
| an upload by its id         | GetItem                                                   | 0.5 or 1 read |
| go on from one state        | UpdateItem, if it is in one of the states before          | 1 write |
| `stored`, with a new image  | the same in the image's transaction                       | 2 write |

An upload goes through the states in the order of STATES, may leave some out, and ends in one of the last two.  A file
becomes an image and its upload `stored` at once or not at all, so one upload adds one image once, whatever comes twice.
What failed again and again, for no fault of the file, is given up: it is told as `failed`, and may still go on.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared import images
from shared.images import Image
from shared.store import Store
from shared.transactions import Write

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STATES = ("waiting", "received", "stored", "recognised", "failed")
ENDED = ("recognised", "failed")
BEFORE_IMAGE = ("waiting", "received")
FORM_LIFETIME = 3_600  # seconds that a form may be used
ON_ITS_WAY = 3_600  # seconds that a file may be there already and wait, where receiving it failed at first
LIFETIME = 15 * 86_400  # seconds that an upload is known, one day more than a dead-letter queue keeps its message

Labels = Sequence[tuple[str, float]]  # names and confidences in percent
Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Upload:
    """A direct upload; `created` in seconds of the epoch, weight in units; links begin with `base_url`.

    `image` is the id of its image from `stored` on, `version` that image's version; `labels` are there once it is
    recognised, and `problem`, as RFC 9457 has it, once it has failed or was given up.  `told` is the id of the callback
    that is on its way.
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
    labels: Labels = ()
    problem: Mapping[str, Any] | None = None
    given_up: bool = False
    told: str = ""

    @property
    def form_expires(self) -> int:
        """When the form that it came with can no longer be used."""
        return self.created + FORM_LIFETIME

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do."""
        return self.state in ENDED

    @property
    def told_state(self) -> str:
        """The state as people are told: what was given up has failed, until it is received after all."""
        return "failed" if self.given_up and not self.is_over else self.state

    @property
    def callback_id(self) -> str:
        """The id of the callback that is due: none at first, and another for what was given up and then received."""
        if self.told_state not in ENDED:
            return ""
        return f"{self.id}-2" if self.given_up and self.is_over else self.id

    @property
    def key(self) -> str:
        """What the form stores the file under, in the bucket of incoming files."""
        return key_of(self.id)


def key_of(upload_id: str) -> str:
    """The key of an upload's file."""
    return f"incoming/{upload_id}"


def image_of(upload: Upload, store: Store) -> Image | None:
    """The upload's image as it is now; None if there is none, or none any more: another version is somebody else's."""
    label, _, name = upload.image.partition("/")
    image = store.image(label, name, consistent=True) if name else None
    return image if image and image.version_id == upload.version else None


def as_dict(upload: Upload, image: Image | None, now: float) -> dict[str, Any]:
    """The upload's JSON form, with its image if that is still there."""
    problem = upload.problem if upload.told_state == "failed" else None
    if upload.state == "waiting" and not problem and now > upload.form_expires + ON_ITS_WAY:
        detail = f"No file came before {_time(upload.form_expires)}, when the form expired; ask for another."
        problem = {"type": "about:blank", "title": "Gone", "status": 410, "detail": detail}
    shown: dict[str, Any] = {
        "id": upload.id,
        "state": upload.told_state,
        "label": upload.label,
        "created": _time(upload.created),
        "expires": _time(upload.form_expires),
        "status_url": f"{upload.base_url}uploads/{upload.id}",
    }
    if image:
        shown["image"] = images.as_dict(image, upload.base_url)
    if upload.state == "recognised":
        shown["labels"] = [{"name": name, "confidence": confidence} for name, confidence in upload.labels]
    return {**shown, "error": problem} if problem else shown


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


class Uploads:
    """The uploads in this table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def add(self, upload: Upload) -> None:
        """Keep a new upload; no other may have its id."""
        self._client.put_item(TableName=self._table, Item=_item(upload), ConditionExpression="attribute_not_exists(id)")

    def get(self, upload_id: str, *, consistent: bool = False) -> Upload | None:
        """The upload of this id; None if there is none, or none any more."""
        answer = self._client.get_item(TableName=self._table, Key={"id": {"S": upload_id}}, ConsistentRead=consistent)
        return _upload(answer["Item"]) if "Item" in answer else None

    def received(self, upload: Upload) -> bool:
        """The file has come; False, here and below, if the upload has gone on meanwhile, or is gone."""
        return self._done(self._step(upload, {"state": {"S": "received"}}, before=("waiting",)))

    def storing(self, upload: Upload, image: Image) -> Write:
        """It becomes this image: a write for the transaction that adds it."""
        values = {"state": {"S": "stored"}, "image": {"S": image.id}, "version": {"S": image.version_id}}
        return {"Update": self._step(upload, values, before=BEFORE_IMAGE)}

    def stored(self, upload: Upload, image: Image) -> bool:
        """It is this image, which was there already."""
        return self._done(self.storing(upload, image)["Update"])

    def recognised(self, upload: Upload, labels: Labels) -> bool:
        """It is known what the image shows."""
        values = {"state": {"S": "recognised"}, "labels": {"S": json.dumps(labels)}}
        return self._done(self._step(upload, values, before=("stored",)))

    def failed(self, upload: Upload, problem: Mapping[str, Any]) -> bool:
        """It becomes no image, or, if it is one as read, cannot be recognised."""
        values = {"state": {"S": "failed"}, "problem": {"S": json.dumps(problem)}}
        return self._done(self._step(upload, values, before=("stored",) if upload.image else BEFORE_IMAGE))

    def give_up(self, upload: Upload, problem: Mapping[str, Any]) -> bool:
        """It is not received for now."""
        values = {"problem": {"S": json.dumps(problem)}, "givenUp": {"BOOL": True}}
        return self._done(self._step(upload, values, before=(*BEFORE_IMAGE, "stored")))

    def tell(self, upload: Upload) -> bool:
        """Its callback is on its way."""
        return self._done(self._step(upload, {"told": {"S": upload.callback_id}}, before=STATES))

    def _step(self, upload: Upload, values: Item, *, before: Sequence[str]) -> dict[str, Any]:
        """The update that gives the upload these values if it is in one of the states before."""
        old = {f":before{number}": {"S": state} for number, state in enumerate(before)}
        return {
            "TableName": self._table,
            "Key": {"id": {"S": upload.id}},
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in values),
            "ConditionExpression": f"#state IN ({', '.join(old)})",
            "ExpressionAttributeNames": {f"#{name}": name for name in ("state", *values)},
            "ExpressionAttributeValues": {**{f":{name}": value for name, value in values.items()}, **old},
        }

    def _done(self, update: dict[str, Any]) -> bool:
        try:
            self._client.update_item(**update)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True


def _item(upload: Upload) -> Item:
    texts = {
        "id": upload.id,
        "baseUrl": upload.base_url,
        "label": upload.label,
        "state": upload.state,
        "tags": ",".join(upload.tags),
        "owner": upload.owner,
        "filename": upload.filename,
        "callbackUrl": upload.callback_url,
    }
    numbers = {"created": upload.created, "expires": upload.created + LIFETIME, "weight": upload.weight}
    flags = {"insecureCallback": upload.insecure_callback, "tagFromLabels": upload.tag_from_labels}
    return {
        **{name: {"S": text} for name, text in texts.items()},
        **{name: {"N": str(number)} for name, number in numbers.items()},
        **{name: {"BOOL": flag} for name, flag in flags.items()},
    }


def _upload(item: Item) -> Upload:
    return Upload(
        id=item["id"]["S"],
        created=int(item["created"]["N"]),
        base_url=item["baseUrl"]["S"],
        label=item["label"]["S"],
        weight=int(item["weight"]["N"]),
        tags=tuple(filter(None, item["tags"]["S"].split(","))),
        owner=item["owner"]["S"],
        filename=item["filename"]["S"],
        callback_url=item["callbackUrl"]["S"],
        insecure_callback=item["insecureCallback"]["BOOL"],
        tag_from_labels=item["tagFromLabels"]["BOOL"],
        state=item["state"]["S"],
        image=item["image"]["S"] if "image" in item else "",
        version=item["version"]["S"] if "version" in item else "",
        labels=[(name, share) for name, share in json.loads(item["labels"]["S"])] if "labels" in item else (),
        problem=json.loads(item["problem"]["S"]) if "problem" in item else None,
        given_up="givenUp" in item,
        told=item["told"]["S"] if "told" in item else "",
    )
