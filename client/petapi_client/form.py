"""A form with a file, as multipart/form-data."""

from collections.abc import Mapping
from urllib.parse import quote

from urllib3.fields import RequestField
from urllib3.filepost import encode_multipart_formdata

UNKNOWN_TYPE = "application/octet-stream"


def form(texts: Mapping[str, str], field: str, file: bytes, filename: str) -> tuple[bytes, str]:
    """Make the body and its content type.  The file comes last, as S3 wants it.

    The file's name travels percent-encoded (`filename*`, RFC 8187), so that each name arrives as it is.
    """
    part = RequestField(field, file)
    named = f"; filename*=UTF-8''{quote(filename, safe='')}" if filename else ""
    part.headers["Content-Disposition"] = f'form-data; name="{field}"{named}'
    part.headers["Content-Type"] = UNKNOWN_TYPE
    fields = [RequestField.from_tuples(name, text) for name, text in texts.items()]
    return encode_multipart_formdata([*fields, part])
