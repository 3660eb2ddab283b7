"""The name that a client gives a file in Content-Disposition, in each of the ways that clients write it."""

import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

# Charsets of texts, no other codecs: some of Python's run for long, or warn.
_CHARSETS = (
    r"utf-?8|(us-)?ascii|iso-?8859-\d{1,2}|latin-?1|windows-125\d|cp\d{3,4}|gb2312|gbk|gb18030|big5(-hkscs)?"
    r"|shift[_-]jis|iso-2022-(jp|kr)|euc-(jp|kr)|koi8-[ru]"
)
# A parameter of the header: its name, and its value in quotes or up to a semicolon.
_PARAMETER = re.compile(rb';\s*([^\s;=]+)\s*=\s*("(?:\\.|[^"\\])*"|[^;]*)')
# charset'language'text, where a percent sign begins a byte in two hex digits (RFC 8187, section 3.2.1).
_EXTENDED = re.compile(rb"([^']*)'[^']*'((?:[^%]|%[0-9A-Fa-f]{2})*)")
# =?charset?encoding?text?= (RFC 2047, section 2), and several of them; white space between two means nothing.
_WORD = r"=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?="
_WORDS = re.compile(rf"{_WORD}(?:\s+{_WORD})*")


def sent_name(disposition: bytes, plain: bytes | None) -> str | None:
    """Return the file's name, empty if it is broken, or None if the header has none.

    `disposition` is the header, and `plain` its parameter `filename` without quotes.  `filename*` is preferred, and
    ignored if it cannot be decoded (RFC 6266, section 4.3).
    """
    extended = [_decoded_extended(value.strip(b'"')) for value in _values(disposition, b"filename*")]
    readable = [name for name in extended if name is not None]
    if readable:
        return readable[0]
    for value in _values(disposition, b"filename"):
        if not value.startswith(b'"'):  # of which the parser reads the first word only
            plain = value
    if plain is None:
        return "" if extended else None
    try:
        return _WORDS.sub(_decoded_words, plain.decode())
    except ValueError:  # or one of its kinds: bytes that are no text, or no base64
        return ""


def _values(disposition: bytes, wanted: bytes) -> Iterator[bytes]:
    """Yield the values of the parameters of this name, as written."""
    for name, value in _PARAMETER.findall(disposition):
        if name.lower() == wanted:
            yield value.strip()


def _decoded_extended(value: bytes) -> str | None:
    found = _EXTENDED.fullmatch(value)
    try:
        return _text(unquote_to_bytes(found[2]), found[1].decode()) if found else None
    except ValueError:
        return None


def _decoded_words(found: re.Match[str]) -> str:
    from email.errors import HeaderParseError  # imported here, because nearly no name has encoded words
    from email.header import decode_header

    try:
        pieces = decode_header(found[0])
    except HeaderParseError as error:
        raise ValueError from error
    return "".join(_text(piece, charset or "ascii") if isinstance(piece, bytes) else piece for piece, charset in pieces)


def _text(content: bytes, charset: str) -> str:
    """Decode bytes.  Raise ValueError for another charset than those of texts, and for bytes that it does not have."""
    if not re.fullmatch(_CHARSETS, charset, re.IGNORECASE):
        raise ValueError(charset)
    try:
        return content.decode(charset)
    except LookupError as error:
        raise ValueError(charset) from error
