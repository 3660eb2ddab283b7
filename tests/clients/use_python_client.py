"""`python use_python_client.py URL PICTURE`: use a client that openapi-python-client generated, against this petAPI.

`make clients` generates it as the package `pet_api_client`, checks the types of this file against it, and runs it.
TOKEN is a token of this petAPI.
"""

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from pet_api_client import AuthenticatedClient, Client
from pet_api_client.api.draw import draw_random, draw_random_json
from pet_api_client.api.images import delete_image, get_image, get_picture, list_images, list_my_images, update_image
from pet_api_client.api.labels import get_label, list_labels
from pet_api_client.api.upload import create_direct_upload, get_upload, upload_image
from pet_api_client.models import (
    DirectUpload,
    Distribution,
    DrawnImage,
    DrawnImages,
    DrawRandomFormat,
    Image,
    ImageChange,
    ImagePage,
    ImageWithProbability,
    LabelPage,
    Problem,
    Upload,
    UploadForm,
    UploadWithForm,
)
from pet_api_client.types import UNSET, File, Unset

LABEL = "python"


def main(url: str, picture: Path) -> None:
    """Upload, draw, list, change and delete; and get a refusal of each kind."""
    client = Client(base_url=url, raise_on_unexpected_status=True)
    owner = AuthenticatedClient(base_url=url, token=os.environ["TOKEN"], raise_on_unexpected_status=True)
    nobody = AuthenticatedClient(base_url=url, token=f"not {LABEL}", raise_on_unexpected_status=True)
    content = picture.read_bytes()
    image = uploads(owner, content)
    draws(client, image)
    lists(client, image)
    lists_its_own(owner, image)
    changes(owner, image, content)
    follows_a_direct_upload(owner)
    gets_refusals(owner, content, image)
    is_not_known(nobody, content)
    deletes(owner, image)


def form(content: bytes, weight: float) -> UploadForm:
    """Return an upload form with a picture."""
    file = File(payload=io.BytesIO(content), file_name="picture.png", mime_type="image/png")
    return UploadForm(label=LABEL, img=file, weight=weight, tags="fluffy,orange")


def uploads(owner: AuthenticatedClient, content: bytes) -> ImageWithProbability:
    """Upload a picture, and again: nothing changes."""
    first = upload_image.sync_detailed(client=owner, body=form(content, 0.75))
    again = upload_image.sync_detailed(client=owner, body=form(content, 0.75))
    image = first.parsed
    assert isinstance(image, ImageWithProbability)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.parsed == image
    assert (image.label, image.weight, image.tags, image.filename) == (LABEL, 0.75, ["fluffy", "orange"], "picture.png")
    assert (image.probability, image.bytes_) == (1.0, len(content))
    return image


def draws(client: Client, image: ImageWithProbability) -> None:
    """Draw one image and several as JSON. Draw a picture by its bytes, because the type of /random is that of JSON."""
    one = draw_random_json.sync(client=client, label=LABEL)
    assert isinstance(one, DrawnImage)
    assert (one.id, one.probability, one.total_weight) == (image.id, 1.0, 0.75)
    several = draw_random_json.sync(client=client, label=LABEL, count=3, seed="today")
    assert isinstance(several, DrawnImages)
    assert [each.id for each in several.images] == [image.id] * 3
    same = draw_random.sync(client=client, label=LABEL, format_=DrawRandomFormat.JSON)
    assert same == one


def lists(client: Client, image: ImageWithProbability) -> None:
    """Page through the label's images, and find the label among all labels."""
    assert [each.id for each in pages(client)] == [image.id]
    labels = list_labels.sync(client=client, limit=100)
    assert isinstance(labels, LabelPage)
    assert [each.total_weight for each in labels.labels if each.label == LABEL] == [0.75]
    distribution = get_label.sync(client=client, label=LABEL)
    assert isinstance(distribution, Distribution)
    assert [(each.id, each.probability) for each in distribution.images] == [(image.id, 1.0)]


def pages(client: Client) -> Iterator[Image]:
    """Yield the images of all pages."""
    cursor: str | Unset = UNSET
    while True:
        page = list_images.sync(client=client, label=LABEL, limit=1, cursor=cursor)
        assert isinstance(page, ImagePage)
        yield from page.images
        if isinstance(page.cursor, Unset):
            return
        cursor = page.cursor


def lists_its_own(owner: AuthenticatedClient, image: ImageWithProbability) -> None:
    """List the images of the token's subject."""
    page = list_my_images.sync(client=owner, label=LABEL)
    assert isinstance(page, ImagePage)
    assert [each.id for each in page.images] == [image.id]


def changes(owner: AuthenticatedClient, image: ImageWithProbability, content: bytes) -> None:
    """Get the picture and the image, and change the weight if nobody else has."""
    name = image.id.partition("/")[2]
    picture = get_picture.sync(LABEL, name, client=owner)
    assert isinstance(picture, File)
    assert picture.payload.read() == content
    state = get_image.sync_detailed(LABEL, name, client=owner)
    change = ImageChange(weight=0.25)
    changed = update_image.sync(LABEL, name, client=owner, body=change, if_match=state.headers["etag"])
    assert isinstance(changed, ImageWithProbability)
    assert (changed.weight, changed.tags) == (0.25, image.tags)
    late = update_image.sync(LABEL, name, client=owner, body=change, if_match=state.headers["etag"])
    assert isinstance(late, Problem)
    assert late.status == 412


def follows_a_direct_upload(owner: AuthenticatedClient) -> None:
    """Get a form for a large file, and the state of the upload."""
    begun = create_direct_upload.sync(client=owner, body=DirectUpload(label=LABEL, weight=0.5, tags=["large"]))
    assert isinstance(begun, UploadWithForm)
    assert begun.upload_info.fields.additional_properties["key"]
    upload = get_upload.sync(begun.id, client=owner)
    assert isinstance(upload, Upload)
    assert (upload.state, upload.label) == ("waiting", LABEL)


def gets_refusals(owner: AuthenticatedClient, content: bytes, image: ImageWithProbability) -> None:
    """Get a 404, a 409 with the image that is there, and refusals that name the field."""
    unknown = draw_random_json.sync(client=owner, label="nothing")
    assert isinstance(unknown, Problem)
    assert unknown.status == 404
    other = upload_image.sync(client=owner, body=form(content, 0.5))
    assert isinstance(other, Problem)
    assert isinstance(other.existing, Image)
    assert (other.status, other.existing.id) == (409, image.id)
    for refused, status, field in (
        (upload_image.sync(client=owner, body=form(content, 1.5)), 422, "weight"),
        (upload_image.sync(client=owner, body=form(b"no picture", 0.5)), 415, "img"),
        (draw_random_json.sync(client=owner, label=LABEL, count=101), 422, "count"),
    ):
        assert isinstance(refused, Problem)
        assert refused.errors
        assert (refused.status, refused.errors[0].field) == (status, field), refused


def is_not_known(nobody: AuthenticatedClient, content: bytes) -> None:
    """Upload with a token that is none: 401."""
    refused = upload_image.sync(client=nobody, body=form(content, 0.5))
    assert isinstance(refused, Problem)
    assert refused.status == 401


def deletes(owner: AuthenticatedClient, image: ImageWithProbability) -> None:
    """Delete the image, and get a 404 for it."""
    name = image.id.partition("/")[2]
    assert delete_image.sync_detailed(LABEL, name, client=owner).status_code == 204
    gone = get_image.sync(LABEL, name, client=owner)
    assert isinstance(gone, Problem)
    assert gone.status == 404


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
