"""Who may write: what the authorizer found out of the caller, and whether an image is the caller's to change.

The authorizer says whose token it is and which scopes it has (authorize/); what these allow is decided here, in the
functions' own words, the same in every host.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.api.etags import require_match
from shared.errors import Forbidden, Unavailable
from shared.images import Image

WRITE = "images:write"
DELETE = "images:delete"
ADMIN = "images:admin"  # also the images of others


@dataclass(frozen=True, slots=True)
class Caller:
    """The subject of a token, empty for everyone without one, and its scopes."""

    subject: str
    scopes: frozenset[str]

    def may_change(self, image: Image) -> bool:
        """Whether the image is the caller's, or the caller an administrator."""
        return image.owner == self.subject or ADMIN in self.scopes


def caller(authorizer: Mapping[str, str], scope: str) -> Caller:
    """The caller, who has this scope; Forbidden otherwise, also where no authorizer has looked.

    Unavailable while the issuer of tokens is out of reach.
    """
    found = Caller(authorizer.get("subject", ""), frozenset(authorizer.get("scope", "").split()))
    if scope in found.scopes:
        return found
    if "outage" in authorizer:
        raise Unavailable("The issuer of tokens cannot be reached just now; retry in a moment.")
    if found.subject:
        raise Forbidden(f"The token does not have the scope {scope}; ask its issuer for one that has.")
    raise Forbidden("Nobody may write here: the operator has named no issuer of tokens, nor opened writes to everyone.")


def permit(caller: Caller, if_match: str) -> Callable[[Image], None]:
    """The check of a change: Forbidden or PreconditionFailed unless the image may be changed."""

    def check(image: Image) -> None:
        if not caller.may_change(image):
            raise Forbidden(f"The image {image.id} is somebody else's; only its owner may change or delete it.")
        require_match(image, if_match)

    return check
