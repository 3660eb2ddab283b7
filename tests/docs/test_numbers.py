"""The numbers in the documentation are those of the code and of the template."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support import documents
from tests.support.cloud import ROOT, template
from tests.support.documents import README
from tools.install import MEGABYTES

API = ROOT / "docs/reference/api.md"
AUDIT = ROOT / "docs/how-to/audit-and-measure.md"
AUTHORIZE = ROOT / "docs/how-to/authorize-writes.md"
DEPLOY = ROOT / "docs/how-to/deploy.md"
DIRECT_UPLOADS = ROOT / "docs/how-to/direct-uploads.md"
DRAWS = ROOT / "docs/explanation/draws.md"
MOSAICS = ROOT / "docs/how-to/mosaics.md"
IMPORT = ROOT / "docs/how-to/import-and-export.md"
OPERATE = ROOT / "docs/how-to/operate.md"
TRANSACTIONS = ROOT / "docs/explanation/transactions.md"

NUMERALS = (
    *("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
)

LIMITS = {
    "form of `POST /upload`": "shared.limits.BODY_MAX",
    "file of a direct upload": "shared.limits.FILE_MAX",
    "pixels of a JPEG or PNG, over all its frames": "shared.pictures.sizes.MAX_PIXELS",
    "pixels of a WebP, over all its frames": "shared.pictures.sizes.MAX_WEBP_PIXELS",
    "pixels of a PNG with 16 bits and transparency": "shared.pictures.sizes.MAX_DEEP_PIXELS",
    "pixels of a PNG that is interlaced, or has 16 bits of each colour": "shared.pictures.sizes.MAX_SLOW_PIXELS",
    "pixels of a PNG with transparency and a gamma or profile": "shared.pictures.sizes.MAX_SLOW_PIXELS",
    "side of a PNG": "shared.pictures.sizes.MAX_PNG_SIDE",
    "pixels of a PNG with 16 bits and a transparent colour": "shared.pictures.showing.png_pixels.COMPARED_MAX",
    "frames of an animation": "shared.pictures.sizes.MAX_FRAMES",
    "scans of a JPEG": "shared.pictures.stripping.strip_jpeg.MAX_SCANS",
    "scans of a JPEG, times its pixels": "shared.pictures.stripping.strip_jpeg.MAX_SCAN_PIXELS",
    "segments of a JPEG": "shared.pictures.stripping.jpeg_segments.MAX_SEGMENTS",
    "chunks of a WebP": "shared.pictures.stripping.webp_chunks.MAX_CHUNKS",
    "chunks of a PNG": "shared.pictures.stripping.png_chunks.MAX_CHUNKS",
    "colour profile of a picture, unpacked": "shared.pictures.icc.PROFILE_MAX",
    "tags of an image": "shared.images.TAGS_MAX",
    "characters of a file name": "shared.images.FILENAME_MAX",
    "images in a draw": "shared.labels.batch_get.KEYS_MAX",
    "images of a label with sessions": "session.IMAGES_MAX",
    "entries of a page": "shared.api.paging.LIMIT_MAX",
    "characters of a seed or session": "options.TEXT_MAX",
    "hits of a search": "search_options.K_MAX",
    "characters of a search's text": "searched_text.TEXT_MAX",
    "columns of a mosaic": "mosaic_options.COLUMNS_MAX",
    "cells of a mosaic": "mosaic_grid.CELLS_MAX",
    "tiles of a mosaic": "tile_sample.TILES_MAX",
    "tiles of a file": "mosaic_images.PACKED_MAX",
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


def default(parameter: str) -> Any:
    """Return the default of a template parameter."""
    return template()["Parameters"][parameter]["Default"]


def how_many(resource_type: str) -> str:
    """Return how many resources of this type the template has, in words."""
    return NUMERALS[sum(each["Type"].endswith(f"::{resource_type}") for each in template()["Resources"].values())]


def lifecycle_days(bucket: str) -> int:
    """Return the days after which this bucket's lifecycle rule removes objects."""
    (rule,) = template()["Resources"][bucket]["Properties"]["LifecycleConfiguration"]["Rules"]
    return int(rule["ExpirationInDays"])


def api_phrases() -> list[str]:
    return [
        f"at most {constant('shared.images.TAGS_MAX')}, written like labels",
        f"at most {constant('shared.images.FILENAME_MAX')} characters",
        f"any boundary of up to {constant('shared.forms.boundary.BOUNDARY_MAX')} visible characters",
        f"Without a weight, an image has {constant('shared.images.DEFAULT_WEIGHT') / 10**9}",
        f"A page has {constant('shared.api.paging.LIMIT')} entries",
        f"`limit=` asks for 1 to {constant('shared.api.paging.LIMIT_MAX')}",
        f"a page looks at {NUMERALS[constant('all_labels.LABELS_MAX')]} labels at most",
        "`?size={}`, `{}` or `{}`".format(*constant("shared.pictures.bucket.SIDES")),
        f"WebP (quality {constant('shared.pictures.scaling.ENCODINGS')['webp']['quality']})",
        f"more than {constant('shared.pictures.budget.CHECK_SECONDS')} seconds of computing",
        f"A small WebP has {constant('shared.pictures.budget.START_SECONDS')} seconds",
        f"{constant('shared.pictures.budget.PIXEL_SECONDS') * 10**6:g} more for each million pixels",
        f"{constant('shared.pictures.budget.BYTE_SECONDS') * 10**6:g} for each million bytes",
        f"thumbnail or a recognition may take {constant('shared.pictures.budget.USE_SECONDS')} seconds",
        f"or {constant('shared.pictures.budget.MEMORY') // 10**6} MB of memory",
        f"which the service remembers for {constant('thumbnails.FAILURE_KEPT') // 86_400} days",
        f"A picture of more than {constant('shared.limits.BODY_MAX') / 1e6} MB is a redirect",
        f"the address works for {NUMERALS[constant('shared.pictures.bucket.URL_LIFETIME') // 60]} minutes",
        f"at most {constant('session.IMAGES_MAX'):,} images",
        f"The gateway takes {default('ThrottleRate')} requests a second for each method,",
        f"{default('PictureThrottleRate')} for pictures, and {default('SearchThrottleRate')} for searches",
        f"a text of at most {constant('searched_text.TEXT_MAX')} characters",
        f"with `Retry-After: {constant('stored_vector.SECONDS')}`",
        f"its first {NUMERALS[constant('shared.vectors.words.TOKENS_MAX')]} words count",
        f"{constant('mosaic_options.COLUMNS_MIN')} to {constant('mosaic_options.COLUMNS_MAX')}; default "
        f"{constant('mosaic_options.COLUMNS')}",
        f"for all labels, at most {constant('tile_sample.LABELS_MAX')} of them",
        f"at least {constant('shared.tiles.TILES_MIN')} tiles and at most {constant('tile_sample.TILES_MAX'):,}",
        "drawn in {}, {} or {} pixels".format(*constant("mosaic_grid.SIDES")),
        f"at most {constant('mosaic_grid.PIXELS_MAX') // 10**6} million",
        f"A file has {constant('mosaic_images.PACKED_MAX'):,} tiles",
    ]


def direct_upload_phrases() -> list[str]:
    return [
        f"`POST /upload` ends at {constant('shared.limits.BODY_MAX') / 1e6} MB",
        f"files of up to {constant('shared.limits.FILE_MAX') // 10**6} MB",
        f"at most {constant('shared.images.TAGS_MAX')} tags",
        f"{constant('backoff.CALLBACKS').attempts} times in a day",
        f"within {NUMERALS[int(default('CallbackTimeout'))]} seconds",
        f"is tried {NUMERALS[constant('ingest_files.ATTEMPTS')]} times",
    ]


def deploy_phrases() -> list[str]:
    return [
        f"{how_many('Serverless::Function')} Lambda functions",
        f"{how_many('Parameter')} SSM parameters, {how_many('LogGroup')} log groups, and {how_many('Alarm')} [alarms]",
        f"(known for {constant('shared.uploads.upload.LIFETIME') // 86_400} days)",
        f"removed after {lifecycle_days('ThumbnailBucket')} days",
    ]


def operate_phrases() -> list[str]:
    retention = template()["Resources"]["IncomingDeadLetterQueue"]["Properties"]["MessageRetentionPeriod"]
    key_min, key_max = constant("signature.KEY_MIN"), constant("signature.KEY_MAX")
    return [
        {3600.0: "if it is older than an hour"}[constant("tools.reconcile.reconcile.MIN_AGE").total_seconds()],
        f"keep messages for {NUMERALS[retention // 604_800]} weeks",
        f"is kept for {lifecycle_days('IncomingBucket')} days",
        f"is tried {NUMERALS[constant('index_images.STUBBORN')]} times",
        f"the base64 of {key_min} to {key_max} bytes",
        f"use it within {NUMERALS[round(constant('callback_secret.LIFETIME') / 60)]} minutes",
        f"works for up to {NUMERALS[constant('shared.pictures.bucket.URL_LIFETIME') // 60]} minutes more",
    ]


PHRASES: dict[Path, list[str]] = {
    README: [
        f"up to {constant('shared.limits.BODY_MAX') / 1e6} MB",
        f"up to {constant('shared.limits.FILE_MAX') // 10**6} MB",
        f"about {round(MEGABYTES['run'] + MEGABYTES['models'], -2)} MB",
        f"chunks of at most {constant('shared.labels.chunks.CHUNK_MAX')} images",
        "`size={}`, `{}` or `{}`".format(*constant("shared.pictures.bucket.SIDES")),
    ],
    API: api_phrases(),
    AUDIT: [f"p is below {constant('petapi_client.audit.ALARM')}"],
    AUTHORIZE: [
        f"keeps them for {NUMERALS[round(constant('issuer.LIFETIME') / 60)]} minutes",
        {3600.0: "for an hour while the issuer is out of reach"}[
            constant("issuer.OUTAGE_MAX") - constant("issuer.LIFETIME")
        ],
        {60: "clocks may differ by a minute"}[constant("tokens.LEEWAY")],
    ],
    DEPLOY: deploy_phrases(),
    DIRECT_UPLOADS: direct_upload_phrases(),
    DRAWS: [
        f"A label has {constant('shared.labels.chunks.LANES')} **lanes**",
        f"from 1 to {constant('shared.images.UNITS') - 1:,}",
        f"(at most {constant('shared.labels.chunks.class_of')(constant('shared.images.UNITS') - 1)}, one a class)",
    ],
    MOSAICS: [
        f"at least {constant('shared.tiles.TILES_MIN')} other images",
        f"and {constant('tile_sample.TILES_MAX'):,} are the most that are used",
        f"within {NUMERALS[constant('matching.REACH')]} cells, unless every other one is worse by more than "
        f"{constant('matching.REPEAT'):.0f} (Delta-E)",
        f"unless they are worse by more than {2 * constant('matching.REPEAT'):.0f}",
        f"A file has at most {constant('mosaic_images.PACKED_MAX'):,} tiles",
    ],
    IMPORT: [
        f"Files of more than {constant('petapi_client.api.FORM_MAX') / 1e6} MB",
        f"at most {constant('petapi_client.weights_csv.TAGS_MAX')} tags",
        f"more than {constant('petapi_client.weights.DECIMALS')} decimals",
        f"gets {constant('petapi_client.plan.DEFAULT_WEIGHT')}, as in an upload",
        f"at most `--workers` pictures ({constant('petapi_client.options.WORKERS')})",
    ],
    OPERATE: operate_phrases(),
    TRANSACTIONS: [
        f"at most {constant('shared.labels.retries.ATTEMPTS')} attempts",
        f"starts none after {constant('shared.labels.retries.SECONDS'):.0f} seconds",
    ],
}


@pytest.mark.parametrize("page", PHRASES, ids=documents.name_of)
def test_phrases_have_the_numbers_of_the_code(page: Path) -> None:
    prose = documents.prose_of(page)
    assert [phrase for phrase in PHRASES[page] if phrase not in prose] == []


def test_an_idle_stack_costs_what_the_bill_says() -> None:
    (empty, *_) = documents.table(ROOT / "costs/README.md", "images")
    cents = round(float(empty[-1].strip("$")) * 100)
    assert f"{cents} cents a month at rest" in documents.prose_of(DEPLOY)


def test_the_least_sam_cli_is_named_and_no_newer_than_the_one_that_is_installed() -> None:
    """1.151.0 validates and builds the template. 1.150.1 has a cfn-lint without S3 Vectors in eu-west-1."""
    (locked,) = re.findall(r"^aws-sam-cli==(\d+)\.(\d+)", (ROOT / "requirements/sam.txt").read_text(), re.MULTILINE)
    for page in (README, ROOT / "docs/how-to/deploy.md"):
        named = re.findall(r"SAM CLI,? \(?(\d+)\.(\d+) or later", page.read_text())
        assert named == [("1", "151")], page
        assert tuple(map(int, locked)) >= (1, 151)
