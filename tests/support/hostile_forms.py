"""Forms that lie about their shape, each by name: those that are refused, and oddities that are right.

LABEL stands in them for the label of the test.
"""

from tests.support.pictures import tiny

IMG = tiny(1)
TYPE = "multipart/form-data; boundary=b"
LABEL = b'--b\r\nContent-Disposition: form-data; name="label"\r\n\r\nLABEL\r\n'
WEIGHT = b'--b\r\nContent-Disposition: form-data; name="weight"\r\n\r\n0.5\r\n'
FILE = b'--b\r\nContent-Disposition: form-data; name="img"; filename="a.png"\r\n\r\n' + IMG + b"\r\n"
END = b"--b--\r\n"
GOOD = LABEL + FILE + END


def part(disposition: bytes, content: bytes = b"x", *lines: bytes) -> bytes:
    head = b"\r\n".join((b"Content-Disposition: " + disposition, *lines))
    return b"--b\r\n" + head + b"\r\n\r\n" + content + b"\r\n"


def label(disposition: bytes, *lines: bytes) -> bytes:
    """Make a form whose label has this disposition."""
    return part(disposition, b"LABEL", *lines) + FILE + END


def img(disposition: bytes, *lines: bytes) -> bytes:
    """Make a form whose file has this disposition."""
    return LABEL + part(disposition, IMG, *lines) + END


NESTED = b'--c\r\nContent-Disposition: file; filename="a.png"\r\n\r\n' + IMG + b"\r\n--c--"

# name -> (body, content type, status, field at fault)
REFUSED: dict[str, tuple[bytes, str, int, str | None]] = {
    # the shape
    "nothing": (b"", TYPE, 400, None),
    "line ends of LF": (GOOD.replace(b"\r\n", b"\n"), TYPE, 400, None),
    "line ends of CR": (GOOD.replace(b"\r\n", b"\r"), TYPE, 400, None),
    "no closing boundary": (LABEL + FILE, TYPE, 400, None),
    "a closing boundary alone": (END, TYPE, 400, "label"),
    "a closing boundary of one dash": (LABEL + FILE + b"--b-\r\n", TYPE, 400, None),
    "a form after the form": (GOOD + GOOD, TYPE, 400, None),
    "PHP after the form": (GOOD + b"<?php ?>", TYPE, 400, None),
    "10^5 parts": (part(b'form-data; name="x"', b"") * 50_000 + END, TYPE, 400, "x"),
    "10^5 labels": (LABEL * 50_000 + FILE + END, TYPE, 400, "label"),
    "10^5 empty parts": (b"--b\r\n\r\n\r\n" * 100_000 + END, TYPE, 400, None),
    "a million boundaries": (b"--b\r\n" * 800_000, TYPE, 400, None),
    "a million dashes": (b"-" * 1_000_000, TYPE, 400, None),
    "a million line ends": (b"\r\n" * 1_000_000, TYPE, 400, None),
    "a boundary that is almost there, often": (LABEL + b"\r\n--" * 500_000, TYPE, 400, None),
    "NULs before the first boundary": (bytes(100) + GOOD, TYPE, 400, None),
    "2 kB before the first boundary": (b"x" * 2046 + b"\r\n" + GOOD, TYPE, 400, None),
    "4 MB before the first boundary": (b"\r\n" * 2_000_000 + GOOD, TYPE, 400, None),
    "4 MB between a mention of the boundary and the first one": (
        b"a --b" + b"x" * 4_000_000 + b"\r\n" + GOOD,
        TYPE,
        400,
        None,
    ),
    "text after white space after the form": (GOOD + b" \r\n\t.", TYPE, 400, None),
    "NULs after the form": (GOOD + bytes(10), TYPE, 400, None),
    "nested multipart": (
        LABEL
        + part(b'form-data; name="img"; filename="a"', NESTED, b"Content-Type: multipart/mixed; boundary=c")
        + END,
        TYPE,
        415,
        "img",
    ),
    "a form in a form of the same boundary": (
        LABEL + part(b'form-data; name="img"; filename="a"', GOOD),
        TYPE,
        400,
        "img",
    ),
    "a picture in base64": (
        LABEL
        + part(b'form-data; name="img"; filename="a"', b"iVBORw0KGgo=", b"Content-Transfer-Encoding: base64")
        + END,
        TYPE,
        415,
        "img",
    ),
    "a picture with a line that begins as the boundary": (
        LABEL + FILE.removesuffix(b"\r\n") + b"\r\n--bb\r\n" + END,
        TYPE,
        400,
        None,
    ),
    # headers of parts
    "a part without headers": (b"--b\r\n\r\nx\r\n" + GOOD, TYPE, 400, None),
    "a part header of 1 MB": (img(b'form-data; name="img"; filename="' + b"a" * 1_000_000 + b'"'), TYPE, 400, None),
    "10,000 headers in a part": (img(b'form-data; name="img"; filename="a"', *[b"X: y"] * 10_000), TYPE, 400, None),
    "a million quotes": (img(b'form-data; name="img"; filename="' + b'\\"' * 1_500 + b'"' * 500_000), TYPE, 400, None),
    "a header without a colon": (img(b'form-data; name="img"; filename="a"', b"X"), TYPE, 400, None),
    "a header that is folded": (img(b'form-data;\r\n name="img"; filename="a"'), TYPE, 400, None),
    "a part of another disposition": (label(b'attachment; name="label"'), TYPE, 400, None),
    "two dispositions": (
        label(b'form-data; name="label"', b'Content-Disposition: form-data; name="img"; filename="a"'),
        TYPE,
        400,
        "img",
    ),
    "a length below zero": (label(b'form-data; name="label"', b"Content-Length: -1"), TYPE, 400, None),
    "a length that is short": (label(b'form-data; name="label"', b"Content-Length: 1"), TYPE, 400, None),
    "a length that is no number": (label(b'form-data; name="label"', b"Content-Length: 0x5"), TYPE, 400, None),
    # names
    "no name": (label(b"form-data"), TYPE, 400, None),
    "an empty name": (label(b'form-data; name=""'), TYPE, 400, ""),
    "a name in capitals": (label(b'form-data; name="Label"'), TYPE, 400, "Label"),
    "NUL in a name": (label(b'form-data; name="label\0"'), TYPE, 400, "label\0"),
    "NUL in a name, percent-encoded": (label(b'form-data; name="label%00"'), TYPE, 400, "label%00"),
    "a space in a name": (label(b'form-data; name=" label"'), TYPE, 400, " label"),
    "brackets in a name": (label(b'form-data; name="label[]"'), TYPE, 400, "label[]"),
    "a prototype for a name": (label(b'form-data; name="__proto__"'), TYPE, 400, "__proto__"),
    "a name as RFC 2231 has it": (label(b"form-data; name*=utf-8''label"), TYPE, 400, None),
    "a name in pieces as RFC 2231 has it": (label(b'form-data; name*0="la"; name*1="bel"'), TYPE, 400, None),
    "a name in bytes that are no text": (label(b'form-data; name="\xff\xfe"'), TYPE, 400, None),
    "a name that looks like another": (
        label('form-data; name="l\N{CYRILLIC SMALL LETTER A}bel"'.encode()),
        TYPE,
        400,
        "l\N{CYRILLIC SMALL LETTER A}bel",
    ),
    "a name of 4 kB": (label(b'form-data; name="' + b"a" * 4000 + b'"'), TYPE, 400, "a" * 40),
    "two weights": (LABEL + WEIGHT * 2 + FILE + END, TYPE, 400, "weight"),
    "two files": (LABEL + FILE * 2 + END, TYPE, 400, "img"),
    "the charset field of RFC 7578": (part(b'form-data; name="_charset_"', b"utf-16") + GOOD, TYPE, 400, "_charset_"),
    "a label that is a file": (label(b'form-data; name="label"; filename="a"'), TYPE, 400, "label"),
    "a label that is a file as RFC 5987 has it": (
        label(b"form-data; name=\"label\"; filename*=utf-8''a"),
        TYPE,
        400,
        "label",
    ),
    "a file that is text": (img(b'form-data; name="img"'), TYPE, 400, "img"),
    # charsets
    "a label in UTF-16": (part(b'form-data; name="label"', "cat".encode("utf-16")) + FILE + END, TYPE, 400, "label"),
    "a label in Latin-1": (part(b'form-data; name="label"', b"k\xe4tzchen") + FILE + END, TYPE, 400, "label"),
    "a label in overlong UTF-8": (part(b'form-data; name="label"', b"\xc1\xa3at") + FILE + END, TYPE, 400, "label"),
    "a label in UTF-7": (
        part(b'form-data; name="label"', b"+AGMAYQB0-", b"Content-Type: text/plain; charset=utf-7") + FILE + END,
        TYPE,
        422,
        "label",
    ),
    "a label after a byte order mark": (
        part(b'form-data; name="label"', b"\xef\xbb\xbfLABEL") + FILE + END,
        TYPE,
        422,
        "label",
    ),
    "NUL after a label": (part(b'form-data; name="label"', b"LABEL\0") + FILE + END, TYPE, 422, "label"),
    "a label of 8 kB": (part(b'form-data; name="label"', b"a" * 8192) + FILE + END, TYPE, 422, "label"),
    "a label of 1 MB": (part(b'form-data; name="label"', b"a" * 1_000_000) + FILE + END, TYPE, 400, "label"),
    # the content type
    "no boundary": (GOOD, "multipart/form-data", 400, None),
    "an empty boundary": (GOOD, "multipart/form-data; boundary=", 400, None),
    "another boundary": (GOOD, "multipart/form-data; boundary=c", 400, None),
    "a boundary in capitals": (GOOD, "multipart/form-data; boundary=B", 400, None),
    "a boundary of 71 characters": (GOOD, "multipart/form-data; boundary=" + "b" * 71, 400, None),
    "a boundary of 5,000 characters": (GOOD, "multipart/form-data; boundary=" + "b" * 5000, 400, None),
    "a boundary that ends in a space": (GOOD, 'multipart/form-data; boundary="b "', 400, None),
    "a boundary that no mail may have": (GOOD, 'multipart/form-data; boundary="b;b"', 400, None),
    "a boundary that is no ASCII": (GOOD, "multipart/form-data; boundary=\xfc", 400, None),
    "a boundary of dashes": (GOOD, "multipart/form-data; boundary=--", 400, None),
    "a boundary with a space and no quotes": (GOOD.replace(b"--b", b"--b c"), TYPE + " c", 400, None),
    "a boundary in quotes that do not end": (GOOD, 'multipart/form-data; boundary="b', 400, None),
    "two boundaries": (GOOD, "multipart/form-data; boundary=b; boundary=c", 400, None),
    "a boundary as RFC 2231 has it": (GOOD, "multipart/form-data; boundary*=utf-8''b", 400, None),
    "two boundaries, the right one last": (GOOD, "multipart/form-data; boundary=c; Boundary=b", 400, None),
    "two content types in one": (GOOD, "multipart/form-data; boundary=b, text/plain", 400, None),
    "multipart/mixed": (GOOD, "multipart/mixed; boundary=b", 415, None),
    "a type that begins alike": (GOOD, "multipart/form-data-x; boundary=b", 415, None),
    "URL-encoded fields": (b"label=LABEL&img=x", "application/x-www-form-urlencoded", 415, None),
    "JSON": (b'{"label": "LABEL"}', "application/json", 415, None),
    "a bare picture": (IMG, "image/png", 415, None),
}

# name -> (body, content type); each stores the picture
TAKEN = {
    "no line end after the form": (GOOD.removesuffix(b"\r\n"), TYPE),
    "a line end before the form": (b"\r\n" + GOOD, TYPE),
    "a boundary of 70 characters": (
        GOOD.replace(b"--b", b"--" + b"b" * 70),
        "multipart/form-data; boundary=" + "b" * 70,
    ),
    "a boundary of all that is special in patterns": (
        GOOD.replace(b"--b", b"--(.*)+?[a]{2}|^$#%&~!'/:<>@_=,"),
        "multipart/form-data; boundary=(.*)+?[a]{2}|^$#%&~!'/:<>@_=,",
    ),
    "a boundary with spaces, in quotes": (GOOD.replace(b"--b", b"-- a b"), 'multipart/form-data; boundary=" a b"'),
    "a boundary in quoted pairs": (GOOD.replace(b"--b", b'--"\\;'), r'multipart/form-data; boundary="\"\\\;"'),
    "a boundary of dashes": (GOOD.replace(b"--b", b"----"), "multipart/form-data; boundary=--"),
    "white space after the form": (GOOD + b"\r\n \t\r\n" * 10, TYPE),
    "a file without a name but with the type of a picture": (
        img(b'form-data; name="img"', b"Content-Type: image/png"),
        TYPE,
    ),
    "a file without a name, of bytes": (img(b'form-data; name="img"', b"Content-Type: application/octet-stream"), TYPE),
    "a file name in bytes that are no text": (img(b'form-data; name="img"; filename="\xff\xe9"'), TYPE),
    "a file name in a broken encoded word": (img(b'form-data; name="img"; filename="=?utf-8?B?/?="'), TYPE),
    "a file name in a codec that is no charset": (img(b"form-data; name=\"img\"; filename*=zip''x"), TYPE),
    "a boundary in quotes": (GOOD, 'Multipart/Form-Data; Boundary="b"'),
    "parameters that mean nothing": (GOOD, "multipart/form-data; charset=utf-16; x=y; boundary=b"),
    "a name in quotes and one without": (label(b"form-data; name=label"), TYPE),
    "a disposition in capitals": (label(b'FORM-DATA; NAME="label"'), TYPE),
    "a path for a file name": (img(b'form-data; name="img"; filename="../../etc/passwd"'), TYPE),
    "a program for a file name": (img(b'form-data; name="img"; filename="a.php%00.png"'), TYPE),
    "a script for a file name": (
        img(b'form-data; name="img"; filename="<script>.svg"', b"Content-Type: image/svg+xml"),
        TYPE,
    ),
    "a file name as RFC 5987 has it": (img(b"form-data; name=\"img\"; filename*=utf-8''%00%ff"), TYPE),
    "a file name of 1,000 characters": (img(b'form-data; name="img"; filename="%s"' % (b"a" * 1000)), TYPE),
    "an empty file name": (img(b'form-data; name="img"; filename=""'), TYPE),
    "a content type that is another": (img(b'form-data; name="img"; filename="a"', b"Content-Type: text/html"), TYPE),
    "a line break around the label": (part(b'form-data; name="label"', b"\r\n LABEL\t\r\n") + FILE + END, TYPE),
    "text before the form": (b"preamble\r\n" + GOOD, TYPE),  # RFC 2046, section 5.1.1
    "NUL in a header that means nothing": (img(b'form-data; name="img"; filename="a"', b"X: \0y"), TYPE),
    "a part of the boundary after the picture": (LABEL + FILE.removesuffix(b"\r\n") + b"\r\n-b--\r\n" + END, TYPE),
}
