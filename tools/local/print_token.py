"""`make token`: print a token for `make run TOKENS=1`, of SUBJECT (me) and with the scopes in SCOPE."""

import os
import sys

from shared.api import access
from tools.local import local_issuer
from tools.local.choices import data_path
from tools.local.data_folder import TOKEN_ISSUER
from tools.local.refusals import Refusal

SCOPES = (access.WRITE, access.DELETE, access.ADMIN)
DEFAULT_SCOPE = f"{access.WRITE} {access.DELETE}"


def main() -> int:
    """Print the token and nothing else on standard output. Return the exit code."""
    try:
        scope = read_scope(os.environ.get("SCOPE") or DEFAULT_SCOPE)
        issuer = local_issuer.find(data_path(os.environ) / TOKEN_ISSUER)
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(issuer.token(os.environ.get("SUBJECT") or "me", scope))
    return 0


def read_scope(text: str) -> str:
    """Check the scopes, which spaces separate. Raise Refusal for one that petAPI does not know."""
    for scope in text.split():
        if scope not in SCOPES:
            raise Refusal(f"SCOPE has the unknown scope {scope!r}. Use some of: {' '.join(SCOPES)}")
    return text


if __name__ == "__main__":
    sys.exit(main())
