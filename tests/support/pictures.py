"""Pictures for tests: made from a seed, then surrounded by what cameras, phones and attackers add to a file."""

import hashlib
import io
import random
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PIL import Image

from shared import images

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP_NAME = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_XMP_NAME = b"http://ns.adobe.com/xmp/extension/\0"
SECRET = b"52.5200N 13.4050E"  # a text that must not be stored; every piece of metadata made here has it

# -- whole pictures ---------------------------------------------------------------------------------------------


def raster(seed: int = 0, size: tuple[int, int] = (24, 16), mode: str = "RGB") -> Image.Image:
    """Make colours that differ from pixel to pixel, smooth enough for every format."""
    small = Image.frombytes(mode, (3, 3), random.Random(seed).randbytes(9 * len(mode)))
    return small.resize(size, Image.Resampling.BICUBIC)


def jpeg(seed: int = 0, size: tuple[int, int] = (24, 16), mode: str = "RGB", *, progressive: bool = False) -> bytes:
    return saved(raster(seed, size, mode), "JPEG", quality=90, progressive=progressive)


def png(seed: int = 0, size: tuple[int, int] = (24, 16), mode: str = "RGB") -> bytes:
    return saved(raster(seed, size, mode), "PNG")


def palette_png(seed: int = 0) -> bytes:
    """Make a PNG with PLTE and tRNS."""
    return saved(raster(seed).quantize(16), "PNG", transparency=3)


def webp(seed: int = 0, size: tuple[int, int] = (24, 16), mode: str = "RGB", *, lossless: bool = False) -> bytes:
    """Make a WebP in the simple format, or in the extended one if `mode` is RGBA and it is not lossless."""
    return saved(raster(seed, size, mode), "WEBP", lossless=lossless)


def animated_png(seed: int = 0, frames: int = 3, *, default_image: bool = False) -> bytes:
    return _animated(seed, frames, "PNG", default_image=default_image)


def animated_webp(seed: int = 0, frames: int = 3) -> bytes:
    return _animated(seed, frames, "WEBP")


def name_of(content: bytes, extension: str = "png") -> str:
    """Compute the name that petAPI gives a picture."""
    return images.name_of(hashlib.sha256(content).digest(), extension)


def gif(seed: int = 0) -> bytes:
    return saved(raster(seed), "GIF")


def svg() -> bytes:
    return b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def html() -> bytes:
    return b"<!DOCTYPE html><html><body><script>alert(1)</script></body></html>"


def tiny(seed: int) -> bytes:
    """Make a valid PNG of 2 x 1 pixels in a few microseconds, a different one for each seed up to 2**48."""
    return _TINY_START + chunk(b"IDAT", zlib.compress(b"\0" + seed.to_bytes(6), 0)) + _TINY_END


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def _animated(seed: int, frames: int, form: str, **options: object) -> bytes:
    first, *others = (raster(seed + number) for number in range(frames))
    return saved(first, form, save_all=True, append_images=others, duration=100, **options)


# -- pieces of metadata -----------------------------------------------------------------------------------------


Entry = tuple[int, int, "bytes | Sequence[Entry]"]  # tag, type, value: bytes, or a directory that it points to
ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 2, 3, 4, 5, 7
OFFSET = 0  # not a type of TIFF: the tag has the offset of a value that is not in the entry
_SIZES = {ASCII: 1, SHORT: 2, LONG: 4, RATIONAL: 8, UNDEFINED: 1}


def tiff(orientation: int | None = None, *, private: bool = False, order: str = "<", thumbnail: bytes = b"") -> bytes:
    """Make a TIFF block as in EXIF: an orientation and, if `private`, a maker, a GPS directory and a thumbnail."""
    main: list[Entry] = []
    if private:
        main.append((0x010F, ASCII, SECRET))  # Make
    if orientation is not None:
        main.append((0x0112, SHORT, struct.pack(order + "H", orientation)))
    if not private:
        return tiff_of(order, main)
    position = struct.pack(order + "6I", 52, 1, 31, 1, 12, 1)
    main.append((0x8825, LONG, [(1, ASCII, b"N\0"), (2, RATIONAL, position), (29, ASCII, SECRET)]))
    return tiff_of(order, main, thumbnail_entries(order, thumbnail))


def tiff_of(order: str, main: Sequence[Entry], following: Sequence[Entry] = ()) -> bytes:
    """Make a TIFF block of these directories."""
    return (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8) + _directory(order, 8, main, following)


def thumbnail_entries(order: str, thumbnail: bytes) -> list[Entry]:
    """Make the second directory of EXIF, which describes a thumbnail."""
    return [(0x0201, OFFSET, thumbnail), (0x0202, LONG, struct.pack(order + "I", len(thumbnail)))]


def _directory(order: str, at: int, entries: Sequence[Entry], following: Sequence[Entry] = ()) -> bytes:
    free = at + 2 + 12 * len(entries) + 4
    table, values = struct.pack(order + "H", len(entries)), b""
    for tag, kind, value in entries:
        here = free + len(values)
        if not isinstance(value, bytes):
            kind, count, value = LONG, 1, _directory(order, here, value)
        elif kind == OFFSET:
            kind, count = LONG, 1
        else:
            count = len(value) // _SIZES[kind]
        inline = len(value) == count * _SIZES[kind] <= 4
        table += struct.pack(order + "HHI", tag, kind, count)
        table += value.ljust(4, b"\0") if inline else struct.pack(order + "I", here)
        values += b"" if inline else value + bytes(len(value) % 2)
    end = free + len(values)
    rest = _directory(order, end, following) if following else b""
    return table + struct.pack(order + "I", end if rest else 0) + values + rest


def xmp() -> bytes:
    return b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><place>' + SECRET + b"</place></x:xmpmeta>"


def iptc() -> bytes:
    return b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(SECRET)) + SECRET


# -- JPEG -------------------------------------------------------------------------------------------------------


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def exif_segment(orientation: int | None = None, *, private: bool = False, order: str = "<") -> bytes:
    thumbnail = jpeg(9, (8, 8)) if private else b""
    return segment(0xE1, b"Exif\0\0" + tiff(orientation, private=private, order=order, thumbnail=thumbnail))


def jpeg_with(data: bytes, *segments: bytes) -> bytes:
    """Insert segments into a JPEG after its first one (JFIF, or Adobe in a CMYK file)."""
    (length,) = struct.unpack_from(">H", data, 4)
    return data[: 4 + length] + b"".join(segments) + data[4 + length :]


def private_segments(orientation: int | None = None) -> list[bytes]:
    """Make the segments that a phone and an editor write about a picture."""
    return [
        exif_segment(orientation, private=True),
        segment(0xE1, XMP_NAME + xmp()),
        segment(0xE1, EXTENDED_XMP_NAME + b"0" * 32 + struct.pack(">II", 40, 0) + SECRET),
        segment(0xED, iptc()),
        segment(0xE2, b"MPF\0II*\0\x08\0\0\0" + SECRET),
        segment(0xE0, b"JFXX\0\x13\x01\x01" + SECRET),
        segment(0xE0, b"AVI1" + SECRET),
        segment(0xFE, SECRET),
    ]


def icc_segment(profile: bytes = b"a colour profile") -> bytes:
    return segment(0xE2, b"ICC_PROFILE\0\x01\x01" + profile)


def trailers() -> dict[str, bytes]:
    """Make the bytes that phones or attackers put after the end of a picture."""
    return {
        "second picture": jpeg(7, (8, 8)),
        "zip": b"PK\x03\x04" + SECRET + b"PK\x05\x06" + bytes(18),
        "php": b"<?php system($_GET['c']); ?>" + SECRET,
        "gif": gif(1) + SECRET,
        "zero": b"\0",
    }


# -- PNG --------------------------------------------------------------------------------------------------------


def chunk(kind: bytes, payload: bytes) -> bytes:
    return len(payload).to_bytes(4) + kind + payload + zlib.crc32(kind + payload).to_bytes(4)


_TINY_START = PNG_SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 2, 0, 0, 0))
_TINY_END = chunk(b"IEND", b"")


def png_with(data: bytes, *chunks: bytes, before: bytes = b"IDAT") -> bytes:
    """Insert chunks into a PNG before the first chunk of the given kind."""
    at = data.index(before) - 4
    return data[:at] + b"".join(chunks) + data[at:]


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return kind and payload of each chunk."""
    found, at = [], 8
    while at < len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4])
        found.append((data[at + 4 : at + 8], data[at + 8 : end]))
        at = end + 4
    return found


def png_of(chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Make a PNG of these chunks."""
    return PNG_SIGNATURE + b"".join(chunk(kind, payload) for kind, payload in chunks)


def first_frames(data: bytes, count: int) -> bytes:
    """Return the animated PNG, which begins with a frame, with its first frames only, or as a still picture if 0."""
    kept, frames = [], 0
    for kind, payload in png_chunks(data):
        frames += kind == b"fcTL"
        if kind == b"acTL":
            payload = count.to_bytes(4) + payload[4:]
        if kind not in (b"acTL", b"fcTL", b"fdAT") or (count and frames <= count):
            kept.append((kind, payload))
    return png_of(kept)


def frames_of_one_pixel(count: int, pixels: bytes = zlib.compress(bytes(4))) -> list[bytes]:
    """Make the chunks of this many frames after a still RGB picture."""
    return [
        part
        for number in range(count)
        for part in (
            chunk(b"fcTL", (2 * number).to_bytes(4) + (1).to_bytes(4) * 2 + bytes(14)),
            chunk(b"fdAT", (2 * number + 1).to_bytes(4) + pixels),
        )
    ]


def private_chunks(orientation: int | None = None) -> list[bytes]:
    return [
        chunk(b"tEXt", b"Comment\0" + SECRET),
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(SECRET)),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp()),
        chunk(b"tIME", struct.pack(">HBBBBB", 2026, 1, 2, 3, 4, 5)),
        chunk(b"prVt", SECRET),
        chunk(b"eXIf", tiff(orientation, private=True, thumbnail=jpeg(9, (8, 8)))),
    ]


def giant_png(width: int = 30_000, height: int = 30_000) -> bytes:
    """Make a whole, black PNG of 2.6 MB that a decoder turns into gigabytes.

    One compressed megabyte of zeros is repeated, because compressing them all takes seconds.
    """
    length = height * (1 + width * 3)
    whole, rest = divmod(length, 2**20)
    middle = zlib.compressobj(9, wbits=-15)
    block = middle.compress(bytes(2**20)) + middle.flush(zlib.Z_FULL_FLUSH)
    last = zlib.compressobj(9, wbits=-15)
    end = last.compress(bytes(rest)) + last.flush()
    adler = (length % 65521 << 16 | 1).to_bytes(4)  # of zeros only
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = b"\x78\xda" + block * whole + end + adler
    return PNG_SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


# -- WebP -------------------------------------------------------------------------------------------------------


def riff(chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    body = b"WEBP" + b"".join(riff_chunk(kind, payload) for kind, payload in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def riff_chunk(kind: bytes, payload: bytes) -> bytes:
    return kind + struct.pack("<I", len(payload)) + payload + bytes(len(payload) % 2)


def webp_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 12
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at + 4)
        found.append((data[at : at + 4], data[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    return found


def extended_webp(data: bytes, *chunks: tuple[bytes, bytes], flags: int) -> bytes:
    """Convert a simple WebP to an extended one, with these chunks after the picture."""
    with Image.open(io.BytesIO(data)) as image:
        canvas = b"".join((side - 1).to_bytes(3, "little") for side in image.size)
    return riff([(b"VP8X", bytes((flags, 0, 0, 0)) + canvas), *webp_chunks(data), *chunks])


# -- the form ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class File:
    """A field that is sent as a file."""

    content: bytes
    name: str = "cat.jpg"
    content_type: str = "image/jpeg"


def multipart_body(
    fields: Iterable[tuple[str, str | bytes | File]], *, boundary: str = "d74496d66958873e"
) -> tuple[bytes, str]:
    """Write a form as curl does. Return the body and its content type."""
    parts = [b"--%s\r\n%s\r\n" % (boundary.encode(), _part(name, value)) for name, value in fields]
    body = b"".join(parts) + b"--%s--\r\n" % boundary.encode()
    return body, f"multipart/form-data; boundary={boundary}"


def _part(name: str, value: str | bytes | File) -> bytes:
    disposition = f'Content-Disposition: form-data; name="{name}"'
    if isinstance(value, File):
        head = f'{disposition}; filename="{value.name}"\r\nContent-Type: {value.content_type}\r\n\r\n'
        return head.encode() + value.content
    return f"{disposition}\r\n\r\n".encode() + (value if isinstance(value, bytes) else value.encode())
