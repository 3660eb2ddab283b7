"""Write access: what the authorizer found out about the caller, and whether the caller may change an image.

The authorizer says whose token it is and which scopes it has (authorize/). The functions decide here what the scopes
allow, so the rules and the error messages are the same in every host.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from shared.api.etags import require_match
from shared.errors import Forbidden, Unavailable
from shared.images import Image

WRITE = "images:write"
DELETE = "images:delete"
ADMIN = "images:admin"  # also the images of others


class Caller(NamedTuple):
    """The subject of a token, empty without one, and its scopes."""

    subject: str
    scopes: frozenset[str]

    def may_change(self, image: Image) -> bool:
        """Return whether the caller owns the image or is an administrator."""
        return image.owner == self.subject or ADMIN in self.scopes


def caller(authorizer: Mapping[str, str], scope: str) -> Caller:
    """Return the caller if it has this scope.

    Raise Forbidden if it does not have it, or if no authorizer was called. Raise Unavailable while the issuer of tokens
    is out of reach.
    """
    found = Caller(authorizer.get("subject", ""), frozenset(authorizer.get("scope", "").split(" ")))
    if scope in found.scopes:
        return found
    if "outage" in authorizer:
        raise Unavailable("The token issuer cannot be reached now; retry in a moment.")
    if found.subject:
        raise Forbidden(f"The token does not have the scope {scope}; ask its issuer for a token that has it.")
    raise Forbidden("Writes are disabled: this deployment has neither a token issuer (JwtIssuer) nor PublicWrites.")


def permit(caller: Caller, if_match: str) -> Callable[[Image], None]:
    """Return a check that raises Forbidden or PreconditionFailed unless the caller may change the image now."""

    def check(image: Image) -> None:
        if not caller.may_change(image):
            raise Forbidden(f"The image {image.id} belongs to another caller; only its owner may change or delete it.")
        require_match(image, if_match)

    return check
