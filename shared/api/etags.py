"""Entity tags: what If-Match and If-None-Match are compared with (RFC 9110, section 13.1)."""

import re
from hashlib import sha256

from shared.errors import PreconditionFailed
from shared.images import Image

ENTITY_TAG = re.compile(r'(W/)?("[^"]*")')


def etag_of(image: Image) -> str:
    """Return the strong validator of what a PATCH can change, for If-Match."""
    state = f"{image.version_id} {image.weight} {','.join(image.tags)} {image.filename}"
    return '"' + sha256(state.encode()).hexdigest()[:16] + '"'


def matches(header: str, etag: str, *, weak: bool) -> bool:
    """Return whether the value of If-Match or (`weak`) If-None-Match names this entity tag."""
    if header.strip() == "*":
        return True
    return any(tag == etag and (weak or not weakness) for weakness, tag in ENTITY_TAG.findall(header))


def require_match(image: Image, if_match: str) -> None:
    """Raise PreconditionFailed unless If-Match names the image's present state."""
    if not matches(if_match, etag_of(image), weak=False):
        raise PreconditionFailed(
            "The image has changed since you read it; get its info and ETag again, then retry.", field="If-Match"
        )
