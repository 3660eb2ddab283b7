"""`make audit`: draw from a running petAPI and say whether it draws as it says; 1 if not, 2 if it cannot be told."""

import argparse
import sys

from tools.audit.audit import audit
from tools.audit.service import AuditImpossible, Service


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.audit", description=__doc__)
    parser.add_argument("label", help="whose images are drawn")
    parser.add_argument("draws", type=int, help="how many")
    parser.add_argument("url", help="where the petAPI is, such as http://127.0.0.1:3000")
    arguments = parser.parse_args()
    if arguments.draws < 1:
        parser.error("N must be a whole number above 0, such as 20000")
    try:
        found = audit(Service(arguments.url), arguments.label, arguments.draws)
    except AuditImpossible as error:
        print(error, file=sys.stderr)
        return 2
    print(found)
    return 0 if found.passed else 1


if __name__ == "__main__":
    sys.exit(main())
