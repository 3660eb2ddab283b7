"""The numbers in the documentation are those of the code and of the template."""

import importlib
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support import documents
from tests.support.cloud import ROOT, template

API = ROOT / "docs/reference/api.md"
AUDIT = ROOT / "docs/how-to/audit-and-measure.md"
AUTHORIZE = ROOT / "docs/how-to/authorize-writes.md"
DEPLOY = ROOT / "docs/how-to/deploy.md"
DIRECT_UPLOADS = ROOT / "docs/how-to/direct-uploads.md"
DRAWS = ROOT / "docs/explanation/draws.md"
TRANSACTIONS = ROOT / "docs/explanation/transactions.md"

NUMERALS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")

LIMITS = {
    "form of `POST /upload`": "shared.limits.BODY_MAX",
    "file of a direct upload": "shared.limits.FILE_MAX",
    "pixels of a picture, over all its frames": "shared.pictures.check.MAX_PIXELS",
    "frames of an animation": "shared.pictures.check.MAX_FRAMES",
    "scans of a JPEG": "shared.pictures.strip_jpeg.MAX_SCANS",
    "tags of an image": "shared.images.TAGS_MAX",
    "characters of a file name": "shared.images.FILENAME_MAX",
    "images in a draw": "shared.labels.batch_get.KEYS_MAX",
    "images of a label with sessions": "session.IMAGES_MAX",
    "entries of a page": "shared.api.paging.LIMIT_MAX",
    "characters of a seed or session": "options.TEXT_MAX",
    "lifetime of a form": "shared.uploads.upload.FORM_LIFETIME",
    "time that an upload is known": "shared.uploads.upload.LIFETIME",
    "time of a request": "shared.deadline.TIMEOUT",
}


def constant(name: str) -> Any:
    """Return the value of `module.NAME`."""
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_is_that_of_the_code(limit: str) -> None:
    value = {row[0]: row[1] for row in documents.table(API, "Limit")}[limit]
    factor = 86_400 if "days" in value else 1
    assert int(re.sub(r"[^0-9]", "", value)) * factor == constant(LIMITS[limit])


def test_every_limit_of_the_table_is_compared() -> None:
    assert [row[0] for row in documents.table(API, "Limit")] == list(LIMITS)


def phrases() -> list[tuple[Path, str]]:
    """Return phrases with numbers, written with the values of the code and the template."""
    default = {name: each.get("Default") for name, each in template()["Parameters"].items()}
    kinds = Counter(each["Type"].rpartition("::")[2] for each in template()["Resources"].values())
    tags, sides = constant("shared.images.TAGS_MAX"), constant("shared.pictures.bucket.SIDES")
    seconds = constant("shared.labels.retries.SECONDS")
    return [
        (API, f"at most {tags}, written like labels"),
        (API, f"at most {constant('shared.images.FILENAME_MAX')} printable characters"),
        (API, f"Without a weight, an image has {constant('shared.images.DEFAULT_WEIGHT') / 10**9}"),
        (API, f"A page has {constant('shared.api.paging.LIMIT')} entries"),
        (API, f"`limit=` asks for 1 to {constant('shared.api.paging.LIMIT_MAX')}"),
        (API, "`?size={}`, `{}` or `{}`".format(*sides)),
        (API, f"WebP (quality {constant('shared.pictures.scaling.OPTIONS')['webp']['quality']})"),
        (API, f"at most {constant('session.IMAGES_MAX'):,} images"),
        (API, f"The gateway takes {default['ThrottleRate']} requests a second for each method,"),
        (API, f"and {default['PictureThrottleRate']} for pictures"),
        (DRAWS, f"A label has {constant('shared.labels.chunks.LANES')} **lanes**"),
        (TRANSACTIONS, f"at most {constant('shared.labels.retries.ATTEMPTS')} times"),
        (TRANSACTIONS, f"and for at most {seconds:.0f} seconds"),
        (DEPLOY, f"{NUMERALS[kinds['Function']]} Lambda functions"),
        (DEPLOY, f"{NUMERALS[kinds['Parameter']]} SSM parameters"),
        (DEPLOY, f"{NUMERALS[kinds['LogGroup']]} log groups, and {NUMERALS[kinds['Alarm']]} [alarms]"),
        (DIRECT_UPLOADS, f"at most {tags} tags"),
        (DIRECT_UPLOADS, f"{constant('backoff.ATTEMPTS')} times in a day"),
        (DIRECT_UPLOADS, f"within {NUMERALS[default['CallbackTimeout']]} seconds"),
        (DIRECT_UPLOADS, f"is tried {NUMERALS[constant('ingest_files.ATTEMPTS')]} times"),
        (AUTHORIZE, f"keeps them for {NUMERALS[round(constant('issuer.LIFETIME') / 60)]} minutes"),
        (AUDIT, f"p is below {constant('tools.audit.audit.ALARM')}"),
    ]


def test_phrases_have_the_numbers_of_the_code() -> None:
    for page, phrase in phrases():
        assert phrase in documents.prose_of(page), (page.name, phrase)


def test_an_idle_stack_costs_what_the_bill_says() -> None:
    (empty, *_) = documents.table(ROOT / "costs/README.md", "images")
    cents = round(float(empty[-1].strip("$")) * 100)
    assert f"{cents} cents a month at rest" in documents.prose_of(DEPLOY)
