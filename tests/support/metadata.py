"""All that phones, cameras and editors write about a picture, in each form that it takes in a file.

Each form carries a text of its own, `marker(name)`, in whatever coding the form has for text.  `found` looks for such
texts in a file: as they are, as UTF-16, in hexadecimal, and in whatever part of the file zlib can unpack.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256

from PIL import ImageCms

from tests.support import pictures
from tests.support.pictures import ASCII, LONG, SHORT, UNDEFINED, chunk, riff_chunk, segment

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
STREAM = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")  # how zlib streams begin


def marker(name: str) -> bytes:
    """Return the text that only the form of this name contains."""
    return b"private:" + sha256(name.encode()).hexdigest()[:16].encode()


def found(data: bytes, text: bytes) -> bool:
    """Return whether the text is in these bytes or in a compressed part of them."""
    wide = text.decode()
    codings = (text, wide.encode("utf-16-le"), wide.encode("utf-16-be"), text.hex().encode())
    return any(coding in part for part in (data, *unpacked(data)) for coding in codings)


def unpacked(data: bytes) -> list[bytes]:
    """Decompress the bytes from each place where a zlib stream may begin."""
    starts = [at for at in range(len(data)) if data[at : at + 2] in STREAM]
    parts = []
    for at in starts:
        stream = zlib.decompressobj()
        try:
            parts.append(stream.decompress(data[at:], 2**20))
        except zlib.error:
            continue
    return parts


# -- EXIF, which all three formats have -------------------------------------------------------------------------


def exif(text: bytes, order: str = "<", orientation: int | None = None) -> bytes:
    """Make the TIFF block of a phone: every directory, with the text in each kind of tag that holds text."""
    wide = (text.decode() + "\0").encode("utf-16-le")
    position = struct.pack(order + "6I", 52, 1, 31, 1, 12, 1)
    turned = [] if orientation is None else [(0x0112, SHORT, struct.pack(order + "H", orientation))]
    interoperability: list[pictures.Entry] = [(0x0001, ASCII, b"R98\0"), (0x1000, ASCII, text + b"\0")]
    details: list[pictures.Entry] = [
        (0x9003, ASCII, b"2026:01:02 03:04:05\0"),
        (0x927C, UNDEFINED, b"Apple iOS\0\0\x01MM" + struct.pack(">HHHI", 1, 8, 2, len(text)) + bytes(8) + text),
        (0x9286, UNDEFINED, b"ASCII\0\0\0" + text),  # UserComment
        (0xA005, LONG, interoperability),
        (0xA420, ASCII, text + b"\0"),  # ImageUniqueID
        (0xA430, ASCII, text + b"\0"),  # CameraOwnerName
        (0xA431, ASCII, text + b"\0"),  # BodySerialNumber
    ]
    place: list[pictures.Entry] = [
        (0x0001, ASCII, b"N\0"),
        (0x0002, pictures.RATIONAL, position),
        (0x001B, UNDEFINED, b"ASCII\0\0\0" + text),  # GPSProcessingMethod
        (0x001C, UNDEFINED, b"ASCII\0\0\0" + text),  # GPSAreaInformation
    ]
    main: list[pictures.Entry] = [
        (0x010E, ASCII, text + b"\0"),  # ImageDescription
        (0x010F, ASCII, b"Apple\0"),
        *turned,
        (0x013B, ASCII, text + b"\0"),  # Artist
        (0x8769, LONG, details),
        (0x8825, LONG, place),
        (0x9C9C, UNDEFINED, wide),  # XPComment
    ]
    thumbnail = pictures.jpeg_with(pictures.jpeg(9, (8, 8)), segment(0xFE, text))
    return pictures.tiff_of(order, main, pictures.thumbnail_entries(order, thumbnail))


def one_tag(tag: int, text: bytes, *, inside: int | None = None) -> bytes:
    """Make a TIFF block with only this tag, in the main directory or in the one that `inside` points to."""
    entries: list[pictures.Entry] = [(tag, ASCII, text + b"\0")]
    return pictures.tiff_of(">", entries if inside is None else [(inside, LONG, entries)])


def xmp(text: bytes) -> bytes:
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="' + text + b'"/></rdf:RDF>'
        b"</x:xmpmeta>"
    )


def jumbf(text: bytes) -> bytes:
    """Make a C2PA manifest store: a superbox of a description and a JSON box."""
    description = b"c2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71\x03c2pa\0"
    inner = box(b"jumd", description) + box(b"json", b'{"claim": "' + text + b'"}')
    return box(b"jumb", inner)


def box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload) + 8) + kind + payload


def iptc(text: bytes) -> bytes:
    return b"\x1c\x02\x78" + struct.pack(">H", len(text)) + text  # Caption-Abstract


def resources(*numbered: tuple[int, bytes]) -> bytes:
    """Make Photoshop's image resources."""
    blocks = [
        b"8BIM" + struct.pack(">HHI", number, 0, len(data)) + data + bytes(len(data) % 2) for number, data in numbered
    ]
    return b"Photoshop 3.0\0" + b"".join(blocks)


# -- JPEG: name -> segments of this text ------------------------------------------------------------------------


def exif_segment(block: bytes) -> list[bytes]:
    return [segment(0xE1, b"Exif\0\0" + block)]


def extended_xmp(text: bytes) -> list[bytes]:
    """Make three segments, each with the text."""
    whole = xmp(text) * 3
    size = len(whole) // 3
    guid = b"0123456789ABCDEF" * 2
    parts = [struct.pack(">II", len(whole), at) + whole[at : at + size] for at in range(0, len(whole), size)]
    return [segment(0xE1, pictures.EXTENDED_XMP_NAME + guid + part) for part in parts]


def split_jumbf(text: bytes) -> list[bytes]:
    whole = jumbf(text * 40)
    head, parts = whole[:8], (whole[8:300], whole[300:])
    return [segment(0xEB, b"JP\0\x01" + struct.pack(">I", n) + head + part) for n, part in enumerate(parts, 1)]


def jfxx(text: bytes) -> list[bytes]:
    thumbnail = pictures.jpeg_with(pictures.jpeg(9, (8, 8)), segment(0xFE, text))
    return [segment(0xE0, b"JFXX\0\x10" + thumbnail)]


def multi_picture(text: bytes) -> list[bytes]:
    """Make the index of MPF; the second picture is a trailer."""
    entry = struct.pack(">IIIHH", 0x030000, 1000, 0, 0, 0)
    index: list[pictures.Entry] = [
        (0xB000, UNDEFINED, b"0100"),
        (0xB001, LONG, struct.pack(">I", 2)),
        (0xB002, UNDEFINED, entry * 2),
        (0xB003, ASCII, text + b"\0"),
    ]
    return [segment(0xE2, b"MPF\0" + pictures.tiff_of(">", index))]


def named_segment(number: int, name: bytes) -> Callable[[bytes], list[bytes]]:
    """Make the APPn segment of a vendor."""
    return lambda text: [segment(0xE0 + number, name + text)]


JPEG_SEGMENTS: dict[str, Callable[[bytes], list[bytes]]] = {
    "exif of a phone": lambda text: exif_segment(exif(text)),
    "exif of a phone, big endian": lambda text: exif_segment(exif(text, ">")),
    "exif camera": lambda text: exif_segment(one_tag(0x0110, text)),
    "exif copyright": lambda text: exif_segment(one_tag(0x8298, text)),
    "exif lens": lambda text: exif_segment(one_tag(0xA434, text, inside=0x8769)),
    "exif maker note": lambda text: exif_segment(one_tag(0x927C, text, inside=0x8769)),
    "exif gps date": lambda text: exif_segment(one_tag(0x001D, text, inside=0x8825)),
    "exif interoperability": lambda text: exif_segment(one_tag(0x1000, text, inside=0xA005)),
    "exif that is no tiff": lambda text: exif_segment(text),
    "exif twice": lambda text: exif_segment(one_tag(0x0110, text)) * 2,
    "xmp": lambda text: [segment(0xE1, pictures.XMP_NAME + xmp(text))],
    "extended xmp": extended_xmp,
    "iptc": lambda text: [segment(0xED, resources((0x0404, iptc(text))))],
    "photoshop": lambda text: [segment(0xED, resources((0x040C, text), (0x0424, xmp(text)), (0x03ED, text)))],
    "jumbf": split_jumbf,
    "comment": lambda text: [segment(0xFE, text)],
    "wide comment": lambda text: [segment(0xFE, text.decode().encode("utf-16-be"))],
    "jfxx": jfxx,
    "multi-picture index": multi_picture,
    "gain map metadata": named_segment(2, b"urn:iso:std:iso:ts:21496:-1\0"),
    "apple gain map": named_segment(10, b"AROT\0\0"),
    "flashpix": named_segment(2, b"FPXR\0\0\0\0"),
    "thermal picture": named_segment(1, b"FLIR\0\x01\0\0"),
    "drone": named_segment(1, b"PARROT\0"),
    "avi": named_segment(0, b"AVI1"),
    "canon ciff": named_segment(0, b"II\x1a\0\0\0HEAPJPGM"),
    "kodak meta": named_segment(3, b"Meta\0\0"),
    "scalado": named_segment(4, b"SCALADO\0"),
    "ricoh": named_segment(5, b"RMETA\0"),
    "samsung id": named_segment(5, b"ssuniqueid\0"),
    "gopro": named_segment(6, b"GoPro\0"),
    "eppim": named_segment(6, b"EPPIM\0"),
    "pentax": named_segment(7, b"PENTAX \0"),
    "qualcomm": named_segment(7, b"\x1aQualcomm Camera Attributes"),
    "spiff": named_segment(8, b"SPIFF\0"),
    "media jukebox": named_segment(9, b"Media Jukebox\0"),
    "unicode comment": lambda text: [segment(0xEA, b"UNICODE\0" + text.decode().encode("utf-16-be"))],
    "hdr ratio picture": named_segment(11, b"HDR_RI ver=11\0"),
    "ducky": lambda text: [segment(0xEC, b"Ducky\0\x02" + struct.pack(">HI", len(text) + 4, len(text)) + text)],
    "picture info": named_segment(12, b"[picture info]\r\n"),
    "adobe colour management": named_segment(13, b"Adobe_CM\0"),
    "other vendor in app14": named_segment(14, b"vendor"),
    "graphic converter": named_segment(15, b"Q 90\0"),
}


# -- what follows a picture's end, in any format ----------------------------------------------------------------


def samsung(text: bytes) -> bytes:
    data = struct.pack("<HHI", 0, 0x0A01, 14) + b"Image_UTC_Data" + text
    head = b"SEFH" + struct.pack("<IIHHII", 103, 1, 0, 0x0A01, len(data), len(data))
    return data + head + struct.pack("<I", len(head)) + b"SEFT"


def motion_photo(text: bytes) -> bytes:
    return (
        box(b"ftyp", b"mp42\0\0\0\0isommp42") + box(b"moov", box(b"udta", box(b"\xa9xyz", text))) + box(b"mdat", text)
    )


TRAILERS: dict[str, Callable[[bytes], bytes]] = {
    "second picture": lambda text: pictures.jpeg_with(pictures.jpeg(7, (8, 8)), *exif_segment(exif(text))),
    "gain map": lambda text: pictures.jpeg_with(
        pictures.jpeg(8, (8, 8), "L"), segment(0xE1, pictures.XMP_NAME + xmp(text))
    ),
    "motion photo": motion_photo,
    "samsung trailer": samsung,
    "what a crop left of the old file": lambda text: chunk(b"IDAT", zlib.compress(text * 9)) + chunk(b"IEND", b""),
    "photoshop trailer": lambda text: resources((0x0404, iptc(text))),
    "plain text": lambda text: b"\n" + text,
}


# -- PNG: name -> chunks of this text ---------------------------------------------------------------------------


def raw_profile(kind: bytes, data: bytes) -> bytes:
    """Write another format's metadata as ImageMagick does: in hexadecimal, then compressed."""
    return (
        b"Raw profile type "
        + kind
        + b"\0\0"
        + zlib.compress(b"\n%s\n%8d\n%s\n" % (kind, len(data), data.hex().encode()))
    )


PNG_CHUNKS: dict[str, Callable[[bytes], bytes]] = {
    "eXIf": lambda text: chunk(b"eXIf", exif(text)),
    "eXIf, big endian": lambda text: chunk(b"eXIf", exif(text, ">")),
    "old eXIf": lambda text: chunk(b"zxIf", b"\0" + zlib.compress(exif(text))),
    "text": lambda text: chunk(b"tEXt", b"Author\0" + text),
    "packed text": lambda text: chunk(b"zTXt", b"Comment\0\0" + zlib.compress(text)),
    "international text": lambda text: chunk(b"iTXt", b"Title\0\0\0de\0Titel\0" + text),
    "packed international text": lambda text: chunk(b"iTXt", b"Title\0\1\0\0\0" + zlib.compress(text)),
    "xmp in png": lambda text: chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(text)),
    "raw exif": lambda text: chunk(b"zTXt", raw_profile(b"exif", b"Exif\0\0" + exif(text))),
    "raw iptc": lambda text: chunk(b"zTXt", raw_profile(b"iptc", resources((0x0404, iptc(text))))),
    "time and name": lambda text: chunk(b"tIME", struct.pack(">HBBBBB", 2026, 1, 2, 3, 4, 5) + text),
    "c2pa in png": lambda text: chunk(b"caBX", jumbf(text)),
    "suggested palette": lambda text: chunk(b"sPLT", text + b"\0\x08" + bytes(6)),
    "signature": lambda text: chunk(b"dSIG", text),
    "apple": lambda text: chunk(b"iDOT", text),
    "android": lambda text: chunk(b"npTc", text),
    "fireworks": lambda text: chunk(b"mkBS", b"\xfa\xce\xfa\xce" + zlib.compress(text)),
    "gif comment": lambda text: chunk(b"gIFx", b"XMP DataXMP" + text),
    "scale": lambda text: chunk(b"sCAL", b"\1" + text),
    "private chunk": lambda text: chunk(b"prVt", text),
}


# -- WebP: name -> chunks of this text --------------------------------------------------------------------------

WEBP_CHUNKS: dict[str, Callable[[bytes], bytes]] = {
    "exif in webp": lambda text: riff_chunk(b"EXIF", exif(text)),
    "exif in webp, big endian": lambda text: riff_chunk(b"EXIF", exif(text, ">")),
    "exif in webp, named as in jpeg": lambda text: riff_chunk(b"EXIF", b"Exif\0\0" + exif(text)),
    "xmp in webp": lambda text: riff_chunk(b"XMP ", xmp(text)),
    "wrongly named xmp in webp": lambda text: riff_chunk(b"XMP\0", xmp(text)),
    "c2pa in webp": lambda text: riff_chunk(b"C2PA", jumbf(text)),
    "information list": lambda text: riff_chunk(b"LIST", b"INFO" + riff_chunk(b"ICMT", text)),
    "fill": lambda text: riff_chunk(b"JUNK", text),
    "unknown chunk": lambda text: riff_chunk(b"prVt", text + b"!"),
}


# -- all of it: name -> bytes that can stand at any of a file's places --------------------------------------------

FORMS: dict[str, dict[str, bytes]] = {
    "jpg": {name: b"".join(make(marker(name))) for name, make in JPEG_SEGMENTS.items()},
    "png": {name: make(marker(name)) for name, make in PNG_CHUNKS.items()},
    "webp": {name: make(marker(name)) for name, make in WEBP_CHUNKS.items()},
}
AFTER_THE_END = {name: make(marker(name)) for name, make in TRAILERS.items()}


def places(data: bytes) -> list[int]:
    """Return the places for a further piece in this file, the usual one first."""
    if data.startswith(pictures.PNG_SIGNATURE):
        return [at for at, kind in _png_chunks(data) if kind != b"IHDR"]
    return _between_segments(data) if data.startswith(b"\xff\xd8") else _between_riff_chunks(data)


def spliced(data: bytes, pieces: Iterable[tuple[int, bytes]]) -> bytes:
    """Insert each piece at its place in the file."""
    for at, piece in sorted(pieces, reverse=True):
        data = data[:at] + piece + data[at:]
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:] if data.startswith(b"RIFF") else data


def in_each_frame(data: bytes, piece: bytes) -> bytes:
    """Insert the piece into each frame of an animated WebP."""
    chunks = pictures.webp_chunks(data)
    return pictures.riff((kind, payload + piece if kind == b"ANMF" else payload) for kind, payload in chunks)


def _png_chunks(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = len(pictures.PNG_SIGNATURE)
    while at < len(data):
        yield at, data[at + 4 : at + 8]
        at += 12 + int.from_bytes(data[at : at + 4])


def _between_segments(data: bytes) -> list[int]:
    """Return the place after the first segment, which names the format, and those of all markers outside scans."""
    at, places = 2, []
    while data[at + 1] != 0xD9:
        scan = data[at + 1] == 0xDA
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
        end = re.compile(rb"\xff[^\0\xd0-\xd7]").search(data, at) if scan else None
        at = end.start() if end else at
        places.append(at)
    return places


def _between_riff_chunks(data: bytes) -> list[int]:
    """Return the place behind the picture, then those between the chunks after the first one.

    Between a picture's transparency and its colours is none: browsers do not show a file with a chunk there.
    """
    at, places = 12, [len(data)]
    while at < len(data):
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
        places += [] if kind == b"ALPH" else [at]
    return places
