"""`make token`: print a token for `make run TOKENS=1`, of SUBJECT (me) and with the scopes in SCOPE."""

import os
import sys

from tools.local import local_issuer
from tools.local.choices import data_path
from tools.local.data_folder import TOKEN_ISSUER
from tools.local.refusals import Refusal

SCOPE = "images:write images:delete"


def main() -> int:
    """Print the token and nothing else on standard output. Return the exit code."""
    try:
        issuer = local_issuer.find(data_path(os.environ) / TOKEN_ISSUER)
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(issuer.token(os.environ.get("SUBJECT") or "me", os.environ.get("SCOPE") or SCOPE))
    return 0


if __name__ == "__main__":
    sys.exit(main())
