"""The types of pictures: every place that lists them lists the same ones."""

import re
from typing import Any, get_args

from petapi_client import folder, values
from shared import images
from shared.pictures import check
from shared.pictures.showing import shown
from shared.pictures.stripping import strip
from shared.recognition import pixels
from tests.support.answers import CONTRACT, followed
from tests.support.cloud import ROOT

EXTENSIONS = set(images.CONTENT_TYPES)
MEDIA_TYPES = set(images.CONTENT_TYPES.values())


def test_each_type_is_recognised_cleaned_and_decoded() -> None:
    assert set(get_args(strip.Kind)) == set(strip._SIGNATURES) == EXTENSIONS
    assert set(check._MEDIA_TYPES) == EXTENSIONS
    for extension, media_types in check._MEDIA_TYPES.items():
        assert images.CONTENT_TYPES[extension] in media_types


def test_each_type_is_decoded_and_recognised() -> None:
    assert {form.lower().replace("jpeg", "jpg") for form in shown.FORMATS} == EXTENSIONS
    assert set(pixels.TYPES) == MEDIA_TYPES


def test_each_type_can_be_in_a_name() -> None:
    listed = [extensions for pattern in (images.NAME.pattern, *patterns(CONTRACT)) for extensions in named_in(pattern)]
    assert len(listed) > 1
    assert all(extensions == EXTENSIONS for extensions in listed)


def test_the_contract_and_the_page_name_each_type() -> None:
    assert media_types_of_responses() == {*MEDIA_TYPES, "image/svg+xml"}  # the page has an SVG as its icon
    form = CONTRACT["paths"]["/upload"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert set(form["encoding"]["img"]["contentType"].split(", ")) == MEDIA_TYPES
    assert set(CONTRACT["components"]["schemas"]["Image"]["properties"]["contentType"]["enum"]) == MEDIA_TYPES
    offered = re.search(r'<input type="file" id="files" accept="(.*?)"', (ROOT / "web/page.html").read_text())
    assert offered
    assert set(offered[1].split(",")) == MEDIA_TYPES


def test_the_client_knows_and_sends_each_type() -> None:
    assert named_in(values.IMAGE_ID.pattern) == [EXTENSIONS]
    others = {".jpeg", ".jpe", ".jfif"}  # names of JPEG files
    assert set(folder.EXTENSIONS) - others == {f".{extension}" for extension in EXTENSIONS}


def media_types_of_responses() -> set[str]:
    """Return the media types of pictures that the contract's responses have."""
    operations = [each for path in CONTRACT["paths"].values() for each in path.values() if "responses" in each]
    contents = [followed(answer).get("content", {}) for each in operations for answer in each["responses"].values()]
    return {media_type for content in contents for media_type in content if media_type.startswith("image/")}


def named_in(pattern: str) -> list[set[str]]:
    """Return the extensions that a pattern allows after a point, wherever it has such a list."""
    return [set(found.split("|")) for found in re.findall(r"\\\.\(([a-z|]+)\)", pattern)]


def patterns(schema: Any) -> list[str]:
    """Return all patterns in a part of the contract."""
    if isinstance(schema, list):
        return [pattern for each in schema for pattern in patterns(each)]
    if not isinstance(schema, dict):
        return []
    inner = [pattern for each in schema.values() for pattern in patterns(each)]
    return [schema["pattern"], *inner] if isinstance(schema.get("pattern"), str) else inner
