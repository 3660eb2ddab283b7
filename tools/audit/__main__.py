"""`make audit`: check that a running petAPI draws with the probabilities that it states.

The exit code is 0 if it does, 1 if it does not, 2 if the audit was not possible.
"""

import argparse
import sys

from tools.audit.audit import audit
from tools.audit.service import AuditImpossible, Service


def main() -> int:
    """Run the audit and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.audit", description=__doc__)
    parser.add_argument("label", help="the label to draw from")
    parser.add_argument("draws", type=int, help="the number of draws")
    parser.add_argument("url", help="the URL of the petAPI, such as http://127.0.0.1:3000")
    arguments = parser.parse_args()
    if not arguments.label:
        print("Name a label that has images: make audit LABEL=boat", file=sys.stderr)
        return 2
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
