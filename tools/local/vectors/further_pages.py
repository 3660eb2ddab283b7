"""The further pages of queries. A token is forgotten when enough others came, or at a restart: AWS's expire, too."""

import json
import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tools.local.vectors.refused import Invalid

if TYPE_CHECKING:
    from tools.local.vectors.loaded_index import Hit

REMEMBERED = 100  # tokens


class FurtherPages:
    """What is left of queries, by token. A page may be asked for again, as clients do after a lost response."""

    def __init__(self) -> None:
        self._left: OrderedDict[str, tuple[str, Sequence[Hit]]] = OrderedDict()

    def keep(self, request: Mapping[str, Any], left: Sequence["Hit"]) -> str:
        """Return a token for what is left of the query `request`."""
        token = secrets.token_urlsafe(16)
        self._left[token] = (_query(request), left)
        if len(self._left) > REMEMBERED:
            self._left.popitem(last=False)
        return token

    def left(self, request: Mapping[str, Any]) -> Sequence["Hit"]:
        """Return what is left of the query of which `request` names a token. Raise Invalid for another query."""
        query, left = self._left.get(str(request["nextToken"]), ("", ()))
        if query != _query(request):
            raise Invalid("nextToken is not of this query, or has expired. Query again without it.", "nextToken")
        return left


def _query(request: Mapping[str, Any]) -> str:
    """Return what tells apart queries: all members but the token."""
    members = {name: value for name, value in request.items() if name != "nextToken"}
    return sha256(json.dumps(members, sort_keys=True).encode()).hexdigest()
