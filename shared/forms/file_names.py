"""The name that a client gives a file in Content-Disposition, in each of the ways that clients write it."""

import re
from urllib.parse import unquote_to_bytes

# Charsets of texts, no other codecs: some of Python's run for long, or warn.
_CHARSETS = (
    r"utf-?8|(us-)?ascii|iso-?8859-\d{1,2}|latin-?1|windows-125\d|cp\d{3,4}|gb2312|gbk|gb18030|big5(-hkscs)?"
    r"|shift[_-]jis|iso-2022-(jp|kr)|euc-(jp|kr)|koi8-[ru]"
)
# A parameter of the header: its name, and its value in quotes or up to a semicolon.  Quotes that go on are up to a
# semicolon, too: some clients write a quotation mark in a name as it is.
_PARAMETER = re.compile(rb';\s*([^\s;=]+)\s*=\s*("(?:\\.|[^"\\])*"(?=\s*(?:;|\Z))|[^;]*)')
# charset'language'text, where a percent sign begins a byte in two hex digits (RFC 8187, section 3.2.1).
_EXTENDED = re.compile(rb"([^']*)'[^']*'((?:[^%]|%[0-9A-Fa-f]{2})*)")
# =?charset?encoding?text?= (RFC 2047, section 2), and several of them; white space between two means nothing.  There is
# white space around them, too (section 5), so that a file may be called =?utf-8?q?x?=.jpg.
_WORD = r"=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?="
_WORDS = re.compile(rf"(?<!\S){_WORD}(?:\s+{_WORD})*(?!\S)")


def sent_name(disposition: bytes) -> str | None:
    """Return the file's name in this header, empty if it is broken, or None if the header has none.

    `filename*` is preferred, and ignored if it cannot be decoded (RFC 6266, section 4.3), or if it is in pieces as
    mail has it.
    """
    parameters = [(name.lower(), value.strip()) for name, value in _PARAMETER.findall(disposition)]
    for name, value in parameters:
        if name == b"filename*" and (decoded := _decoded_extended(value.strip(b'"'))) is not None:
            return decoded
    plain = [value for name, value in parameters if name == b"filename"]
    if not plain:
        return "" if any(name.startswith(b"filename*") for name, _ in parameters) else None
    try:
        return _WORDS.sub(_decoded_words, _unquoted(plain[-1]).decode())
    except ValueError:  # or one of its kinds: bytes that are no text, or no base64
        return ""


def _unquoted(value: bytes) -> bytes:
    r"""Return a value without its quotes.

    Old clients write a quotation mark as \", and with it a backslash as \\.  Browsers write it as %22.  They write line
    ends as %0D and %0A, which stay: no file has a line end in its name, but it may have these characters.
    """
    if not (len(value) > 1 and value[:1] == value[-1:] == b'"'):
        return value
    text = value[1:-1]
    return re.sub(rb'\\(["\\])', rb"\1", text) if b'\\"' in text else text.replace(b"%22", b'"')


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
