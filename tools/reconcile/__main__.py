"""`make reconcile`: compare the bucket with the tables once, with the AWS credentials of the environment."""

import argparse
from datetime import UTC, datetime

from shared import aws
from shared.pictures.bucket import Bucket
from shared.settings import read_settings
from tools.reconcile.inventory import Inventory
from tools.reconcile.reconcile import MIN_AGE, Reconciliation


def main() -> None:
    """Repair what is wrong.  Print a line for each repair, then the counts."""
    parser = argparse.ArgumentParser(prog="python -m tools.reconcile", description=__doc__)
    parser.add_argument("--dry-run", action="store_true", help="print what would be repaired, and change nothing")
    arguments = parser.parse_args()
    settings = read_settings()
    store, bucket = Inventory(aws.dynamodb(), settings), Bucket(aws.s3(), settings.bucket)
    until = datetime.now(UTC) - MIN_AGE
    print(Reconciliation(store, bucket, until, dry_run=arguments.dry_run).run())


if __name__ == "__main__":
    main()
