"""`make reconcile`: repair what disagrees in bucket, tables and index, once, with the environment's AWS credentials.

The exit code is 1 if something was not repaired, and 2 if nothing was done.
"""

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from shared import aws, images
from shared.errors import Unavailable
from shared.pictures.bucket import Bucket, ThumbnailBucket
from shared.settings import Settings, read_settings
from shared.writes import OPEN
from tools.reconcile.indexed import index_reconciliation
from tools.reconcile.inventory import Inventory
from tools.reconcile.reconcile import ALL, MIN_AGE, Reconciliation


class Refused(Exception):
    """A variable that cannot be used; the message says what to do."""


def main(environment: Mapping[str, str]) -> int:
    """Do what the variables say, print a line for each finding, then the counts, and return the exit code."""
    try:
        settings = _settings()
        dry_run, rebuild, key = _variables(environment, settings)
        rate = _rate(environment)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 2
    store, bucket = Inventory(aws.dynamodb(), settings), Bucket(aws.s3(), settings.bucket)
    reconciliation = Reconciliation(store, bucket, datetime.now(UTC) - MIN_AGE, dry_run=dry_run)
    if key:
        report = reconciliation.run_key(key, ThumbnailBucket(aws.s3(), settings.thumbnail_bucket))
    else:
        report = reconciliation.run(rebuild=rebuild)
    wants_labels = environment.get("RECOGNISE_ALL") == "true"
    index = index_reconciliation(settings, store, dry_run=dry_run, rate=rate, wants_labels=wants_labels)
    print(index.run_key(key) if key else index.run())
    print(f"{'Nothing was changed. Without DRY=1 it would be: ' if dry_run else ''}{report}")
    return int(not report.is_clean or not index.report.is_clean)


def _settings() -> Settings:
    try:
        return read_settings()
    except Unavailable as error:  # the log has the reason
        raise Refused(
            "The names of tables and buckets cannot be read from SSM. Set AWS credentials, a region, and PET_API_STAGE "
            "if the stage is not production. For `make run`, call: env $(cat .local/aws.env) make reconcile"
        ) from error


def _rate(environment: Mapping[str, str]) -> float:
    """Return RATE, the images a second that go to the queue of index/; 0 means all at once."""
    text = environment.get("RATE") or "0"
    if not (text.isascii() and text.replace(".", "", 1).isdigit()):
        raise Refused(f"RATE is {text!r}. It is a number of images a second, such as RATE=10.")
    return float(text)


def _variables(environment: Mapping[str, str], settings: Settings) -> tuple[bool, str, str]:
    """Return DRY, REBUILD and KEY."""
    if environment.get("OPTIONS"):
        raise Refused("OPTIONS does nothing any more. Use DRY=1 instead of OPTIONS=--dry-run.")
    dry, rebuild, key = (environment.get(name, "") for name in ("DRY", "REBUILD", "KEY"))
    if dry not in ("", "0", "1"):
        raise Refused(f"DRY is {dry!r}. Use DRY=1 or DRY=0.")
    if rebuild and key:
        raise Refused("REBUILD and KEY are two different tasks. Leave one of them out.")
    if rebuild not in ("", ALL) and not images.LABEL.fullmatch(rebuild):
        raise Refused(f"REBUILD is {rebuild!r}. Name a label, or * for all of them.")
    if key and not images.is_image_path(*key.partition("/")[::2]):
        raise Refused(f"KEY is {key!r}. Name an image by its label and name, such as KEY=cat/{'0' * 32}.jpg.")
    if rebuild and dry != "1" and settings.writes == OPEN:
        raise Refused("Writes are open, and a rebuild must be the only writer. Close them: deploy with Writes=closed.")
    return dry == "1", rebuild, key


if __name__ == "__main__":
    sys.exit(main(os.environ))
