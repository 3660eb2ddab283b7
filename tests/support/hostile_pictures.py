"""Pictures that lie, overflow, hide or never end, each by name: those that are refused, and those that are cleaned."""

import io
import itertools
import struct
import zipfile
import zlib

from tests.support import pictures
from tests.support.pictures import PNG_SIGNATURE, chunk, jpeg_with, png_with, riff, segment, webp_chunks

SOF, DHT, DQT, SOS = 0xC0, 0xC4, 0xDB, 0xDA
JPEG, PNG, WEBP = pictures.jpeg(2, (64, 64)), pictures.png(1), pictures.webp(1)
PROGRESSIVE, LOSSLESS = pictures.jpeg(3, progressive=True), pictures.webp(2, lossless=True)
JPEG_SCAN = JPEG[JPEG.index(b"\xff\xda") : -2]
APNG, ANIMATION = pictures.animated_png(1), pictures.animated_webp(1)


# -- what attackers carry along -----------------------------------------------------------------------------------


def archive(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr(zipfile.ZipInfo(name), b"payload")
    return file.getvalue()


EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
PAYLOADS = {
    "ZIP": archive("a.txt"),
    "JAR": archive("META-INF/MANIFEST.MF"),
    "PHP": b"<?php system($_GET['c']); ?>",
    "HTML": pictures.html(),
    "SVG": pictures.svg(),
    "PDF": b"%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n%%EOF",
    "EXE": b"MZ" + bytes(58) + b"\x80\0\0\0" + bytes(64) + b"PE\0\0",
    "ELF": b"\x7fELF\x02\x01\x01" + bytes(57),
    "EICAR": EICAR,
    "JavaScript": b"*/=1;alert(document.domain)/*",
    "shell": b"\n#!/bin/sh\nrm -rf /\n",
    "a picture": pictures.jpeg(9, (8, 8)),
}

BOMB = zlib.compress(bytes(50_000_000), 9)  # 50 kB


def png_ends_with(*chunks: bytes) -> bytes:
    return png_with(PNG, *chunks, before=b"IEND")


def webp_ends_with(*chunks: tuple[bytes, bytes]) -> bytes:
    return riff([*webp_chunks(WEBP), *chunks])


def carriers(payload: bytes) -> dict[str, tuple[bytes, bytes]]:
    """Return place of the payload -> (sent file, stored file)."""
    return {
        "after a JPEG": (JPEG + payload, JPEG),
        "after a PNG": (PNG + payload, PNG),
        "after a WebP": (WEBP + payload, WEBP),
        "in a JPEG's comment": (jpeg_with(JPEG, segment(0xFE, payload)), JPEG),
        "in a JPEG's EXIF": (jpeg_with(JPEG, segment(0xE1, b"Exif\0\0" + payload)), JPEG),
        "before a JPEG's end": (JPEG[:-2] + segment(0xEF, payload) + JPEG[-2:], JPEG),
        "in a PNG's text": (png_with(PNG, chunk(b"tEXt", b"Comment\0" + payload)), PNG),
        "in a PNG's own chunk": (png_ends_with(chunk(b"prVt", payload)), PNG),
        "in a WebP's XMP": (webp_ends_with((b"XMP ", payload)), WEBP),
        "in a WebP's own chunk": (webp_ends_with((b"PRVT", payload)), WEBP),
    }


# name -> (sent file, stored file)
CLEANED = {
    f"{name} {where}": pair for name, payload in PAYLOADS.items() for where, pair in carriers(payload).items()
} | {
    "a text that unpacks to 50 MB": (png_with(PNG, chunk(b"zTXt", b"Comment\0\0" + BOMB)), PNG),
    "an international text that unpacks to 50 MB": (png_with(PNG, chunk(b"iTXt", b"A\0\x01\0\0\0" + BOMB)), PNG),
    "10,000 comments": (jpeg_with(JPEG, *[segment(0xFE, b"x")] * 10_000), JPEG),
    "10,000 texts": (png_with(PNG, *[chunk(b"tEXt", b"A\0x")] * 10_000), PNG),
    "10,000 empty chunks": (webp_ends_with(*[(b"PRVT", b"")] * 10_000), WEBP),
    "EXIF that points at itself": (
        jpeg_with(JPEG, segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\x08\0\0\0")),
        JPEG,
    ),
    "a number of lines and more": (JPEG[:-2] + segment(0xDC, b"\0\x40" + EICAR) + JPEG[-2:], JPEG),
    "a comment of length 0": (JPEG[:2] + b"\xff\xfe\0\0" + JPEG[2:], JPEG),
    "a comment of length 1": (JPEG[:2] + b"\xff\xfe\0\x01" + JPEG[2:], JPEG),
    "bytes between two segments": (JPEG[:20] + b"MZ" + JPEG[20:], JPEG),
    "a marker without a segment": (jpeg_with(JPEG, b"\xff\x01"), JPEG),
    "999 scans behind the one with all colours": (JPEG[:-2] + JPEG_SCAN * 999 + JPEG[-2:], JPEG),
    "10,000 empty tables": (jpeg_with(JPEG, *[segment(DHT, b"")] * 10_000), JPEG),
    "a comment in 60 kB of fill bytes": (JPEG[:2] + b"\xff" * 60_000 + segment(0xFE, b"x") + JPEG[2:], JPEG),
    "a thumbnail that is a bomb": (jpeg_with(JPEG, segment(0xE1, b"Exif\0\0" + BOMB[:60_000])), JPEG),
    "a chunk without a name": (png_with(PNG, chunk(b"\0\0\0\0", b"x")), PNG),
    "padding that is not zero": (riff([*webp_chunks(WEBP), (b"PRVT", b"odd")])[:-1] + b"x", WEBP),
    "a picture in a picture's chunk": (webp_ends_with((b"RIFF", WEBP)), WEBP),
}


# -- JPEG -----------------------------------------------------------------------------------------------------------


def changed_segment(data: bytes, marker: int, at: int, new: bytes) -> bytes:
    """Replace bytes at this place of the payload of the JPEG's first such segment."""
    start = data.index(bytes((0xFF, marker))) + 4 + at
    return data[:start] + new + data[start + len(new) :]


def without_segments(data: bytes, marker: int) -> bytes:
    while (start := data.find(bytes((0xFF, marker)))) >= 0:
        data = data[:start] + data[start + 2 + int.from_bytes(data[start + 2 : start + 4]) :]
    return data


JPEGS = {
    "a start marker": b"\xff\xd8",
    "two markers": b"\xff\xd8\xff\xd9",
    "four markers": b"\xff\xd8\xff\xd8\xff\xd9\xff\xd9",
    "a signature and zeros": b"\xff\xd8\xff" + bytes(5000),
    "a signature and fill bytes": b"\xff\xd8" + b"\xff" * 100_000,
    "half a JPEG": JPEG[: len(JPEG) // 2],
    "a JPEG without its last byte": JPEG[:-1],
    "a JPEG without an end marker": JPEG[:-2],
    "a JPEG of two pictures, the second cut": JPEG[:-2] + JPEG[2 : len(JPEG) // 2],
    "a segment longer than the file": JPEG[:2] + b"\xff\xfe\xff\xff" + JPEG[2:],
    "a reserved marker": jpeg_with(JPEG, segment(0xF0, b"x")),
    "no width": changed_segment(JPEG, SOF, 3, b"\0\0"),
    "no height": changed_segment(JPEG, SOF, 1, b"\0\0"),
    "no components": changed_segment(JPEG, SOF, 5, b"\0"),
    "255 components": changed_segment(JPEG, SOF, 5, b"\xff"),
    "no sampling": changed_segment(JPEG, SOF, 7, b"\0"),
    "sampling of 15 x 15": changed_segment(JPEG, SOF, 7, b"\xff"),
    "13 bits a sample": changed_segment(JPEG, SOF, 0, b"\x0d"),
    "an unknown quantization table": changed_segment(JPEG, SOF, 8, b"\x09"),
    "two components of one name": changed_segment(JPEG, SOF, 9, b"\x01"),
    "a frame header twice": jpeg_with(JPEG, JPEG[JPEG.index(b"\xff\xc0") : JPEG.index(b"\xff\xc4")]),
    "a frame header of one byte": jpeg_with(without_segments(JPEG, SOF), segment(SOF, b"\x08")),
    "65,535 x 65,535": changed_segment(JPEG, SOF, 1, b"\xff" * 4),
    "a lossless frame": JPEG.replace(b"\xff\xc0", b"\xff\xc3", 1),
    "a hierarchical frame": JPEG.replace(b"\xff\xc0", b"\xff\xc5", 1),
    "no frame header": without_segments(JPEG, SOF),
    "no quantization tables": without_segments(JPEG, DQT),
    "Huffman codes by the thousand": changed_segment(JPEG, DHT, 1, b"\xff" * 16),
    "Huffman codes that do not fit": changed_segment(JPEG, DHT, 1, b"\x05" + bytes(15)),
    "a Huffman table number 15": changed_segment(JPEG, DHT, 0, b"\x0f"),
    "a scan of an unknown component": changed_segment(JPEG, SOS, 1, b"\x63"),
    "a scan of 200 components": changed_segment(JPEG, SOS, 0, b"\xc8"),
    "a segment without a length": JPEG[:2] + b"\xff\xdb\0\0" + JPEG[2:],
    "an arithmetic-coded frame": JPEG.replace(b"\xff\xc0", b"\xff\xc9", 1),
    "12 bits a sample": changed_segment(JPEG, SOF, 0, b"\x0c"),
    "no scan": JPEG[: JPEG.index(b"\xff\xda")] + b"\xff\xd9",
}

# -- PNG ------------------------------------------------------------------------------------------------------------


def png_header(
    width: int = 24, height: int = 16, depth: int = 8, colour: int = 2, compression: int = 0, interlace: int = 0
) -> bytes:
    """Replace the header of the PNG, with a correct checksum."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, compression, 0, interlace)
    return PNG_SIGNATURE + chunk(b"IHDR", header) + PNG[33:]


def lengths(data: bytes, kind: bytes, length: int) -> bytes:
    """Write another length into the PNG's first chunk of this kind."""
    at = data.index(kind) - 4
    return data[:at] + length.to_bytes(4) + data[at + 4 :]


def changed_chunk(data: bytes, kind: bytes, at: int, new: bytes, *, number: int = 0) -> bytes:
    """Replace bytes at this place of the payload of such a chunk of the PNG, with a correct checksum."""
    start = 0
    for _ in range(number + 1):
        start = data.index(kind, start + 1)
    length = int.from_bytes(data[start - 4 : start])
    payload = data[start + 4 : start + 4 + length]
    return data[: start - 4] + chunk(kind, payload[:at] + new + payload[at + len(new) :]) + data[start + 8 + length :]


def with_pixels(data: bytes) -> bytes:
    return PNG[:33] + chunk(b"IDAT", data) + chunk(b"IEND", b"")


PNGS = {
    "a signature": PNG_SIGNATURE,
    "a signature and an end": PNG_SIGNATURE + chunk(b"IEND", b""),
    "half a PNG": PNG[: len(PNG) // 2],
    "a PNG without its end": PNG[:-12],
    "a PNG without its last byte": PNG[:-1],
    "a wrong checksum": PNG[:40] + bytes([PNG[40] ^ 1]) + PNG[41:],
    "a header of no width": png_header(width=0),
    "a header of no height": png_header(height=0),
    "a header of one bit too many": png_header(depth=9),
    "a header of an unknown colour": png_header(colour=5),
    "a header of an unknown compression": png_header(compression=7),
    "a header of an unknown interlacing": png_header(interlace=2),
    "a palette that is missing": png_header(colour=3),
    "a header that comes second": png_with(PNG, chunk(b"gAMA", bytes(4)), before=b"IHDR"),
    "two headers": png_with(PNG, PNG[8:33]),
    "no header": PNG_SIGNATURE + PNG[33:],
    "a header of 12 bytes": PNG_SIGNATURE + chunk(b"IHDR", PNG[16:28]) + PNG[33:],
    "a chunk of 4 GB": lengths(PNG, b"IDAT", 2**32 - 1),
    "a chunk of 2 GB": lengths(PNG, b"IDAT", 2**31),
    "a chunk one byte longer than the file": lengths(PNG, b"IEND", 1),
    "a palette of no colours": png_with(PNG, chunk(b"PLTE", b"")),
    "a palette of less than a colour": png_with(PNG, chunk(b"PLTE", bytes(2))),
    "a palette after its pixels": pictures.png_of(
        sorted(pictures.png_chunks(pictures.palette_png()), key=lambda each: (each[0] == b"IEND", each[0] == b"PLTE"))
    ),
    "an unknown critical chunk": png_with(PNG, chunk(b"EVIL", b"x")),
    "no pixels": PNG[:33] + chunk(b"IEND", b""),
    "pixels after the end": PNG[:33] + chunk(b"IEND", b"") + PNG[33:],
    "pixels that are no zlib": with_pixels(b"no zlib stream"),
    "pixels that are cut": with_pixels(zlib.compress(bytes(100))),
    "pixels with an unknown filter": with_pixels(zlib.compress((b"\x09" + bytes(72)) * 16)),
    "pixels with a dictionary": with_pixels(b"\x78\xbb" + bytes(20)),
    "pixels of no bytes": with_pixels(b""),
    "a palette of 257 colours": png_with(pictures.palette_png(), chunk(b"PLTE", bytes(771)), before=b"PLTE"),
    "two palettes that no pixel uses": png_with(PNG, chunk(b"PLTE", bytes(3)), chunk(b"PLTE", bytes(3))),
    "an animation without its frames": png_with(PNG, chunk(b"acTL", (1).to_bytes(4) + bytes(4))),
    "an animation whose first frame is smaller": changed_chunk(APNG, b"fcTL", 4, (23).to_bytes(4)),
    "an animation that begins at 1": changed_chunk(APNG, b"fcTL", 0, (1).to_bytes(4)),
    "two palettes": png_with(pictures.palette_png(), chunk(b"PLTE", bytes(3))),
}

TEXT = chunk(b"tEXt", b"A\0b")
PROFILES = [chunk(b"iCCP", name + b"\0\0" + zlib.compress(b"x")) for name in (b"a", b"b")]
FIRST, FIRST_TWO = pictures.first_frames(APNG, 1), pictures.first_frames(APNG, 2)
CLEANED |= {
    "a wrong checksum in a text": (png_with(PNG, TEXT[:-1] + bytes([TEXT[-1] ^ 1])), PNG),
    "two colour profiles": (png_with(PNG, *PROFILES), png_with(PNG, PROFILES[0])),
    "a colour profile that unpacks to 50 MB": (png_with(PNG, chunk(b"iCCP", b"a\0\0" + BOMB)), PNG),
    "an animation of no frames": (png_with(PNG, chunk(b"acTL", bytes(8))), PNG),
    "an animation announced at its end": (png_ends_with(chunk(b"acTL", (1).to_bytes(4) + bytes(4))), PNG),
    "an animation of one frame less": (changed_chunk(APNG, b"acTL", 0, (2).to_bytes(4)), FIRST_TWO),
    "an animation of one frame more": (changed_chunk(APNG, b"acTL", 0, (4).to_bytes(4)), APNG),
    "an animation of 4 billion frames": (
        changed_chunk(APNG, b"acTL", 0, b"\xff" * 4),
        pictures.first_frames(APNG, 0),
    ),
    "an animation whose frames go back": (changed_chunk(APNG, b"fcTL", 0, (9).to_bytes(4), number=1), FIRST),
    "an animation whose pixels go back": (changed_chunk(APNG, b"fdAT", 0, bytes(4)), FIRST),
    "a frame beyond the picture": (changed_chunk(APNG, b"fcTL", 12, (2**31 - 1).to_bytes(4), number=1), FIRST),
    "a frame larger than the picture": (changed_chunk(APNG, b"fcTL", 4, (25).to_bytes(4), number=2), FIRST_TWO),
    "a frame of 4 bytes": (png_with(APNG, chunk(b"fcTL", bytes(4)), before=b"IEND"), APNG),
    "frame pixels of 2 bytes": (png_with(APNG, chunk(b"fdAT", bytes(2)), before=b"IEND"), FIRST_TWO),
}

# -- WebP -----------------------------------------------------------------------------------------------------------


def size_of_riff(data: bytes, size: int) -> bytes:
    return data[:4] + size.to_bytes(4, "little") + data[8:]


def canvas(width: int, height: int, flags: int = 0) -> tuple[bytes, bytes]:
    return b"VP8X", bytes((flags, 0, 0, 0)) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


def frame(picture: bytes, *, x: int = 0, y: int = 0, width: int = 24, height: int = 16) -> tuple[bytes, bytes]:
    header = b"".join(number.to_bytes(3, "little") for number in (x // 2, y // 2, width - 1, height - 1, 100))
    return b"ANMF", header + b"\0" + riff(webp_chunks(picture))[12:]


ANIM = (b"ANIM", bytes(6))
((_, VP8),) = webp_chunks(WEBP)
((_, VP8L),) = webp_chunks(LOSSLESS)
WEBPS = {
    "a RIFF of nothing": b"RIFF\x04\0\0\0WEBP",
    "a RIFF of size 0": size_of_riff(WEBP, 0),
    "a RIFF of 4 GB": size_of_riff(WEBP, 2**32 - 1),
    "a RIFF one byte longer than the file": size_of_riff(WEBP, len(WEBP) - 7),
    "a RIFF that ends in its picture": size_of_riff(WEBP, len(WEBP) // 2),
    "half a WebP": WEBP[: len(WEBP) // 2],
    "a WebP without its last byte": WEBP[:-1],
    "a chunk over its neighbour": webp_ends_with((b"PRVT", b"ab")).replace(b"PRVT\x02", b"PRVT\x03"),
    "a chunk of 4 GB in a RIFF": WEBP[:16] + b"\xff" * 4 + WEBP[20:],
    "padding of a picture that is not zero": riff([(b"VP8 ", b"odd"), *webp_chunks(WEBP)]).replace(b"odd\0", b"oddx"),
    "a flag of the header that no WebP has": riff([canvas(24, 16, 0x40), *webp_chunks(WEBP)]),
    "a chunk before the picture": riff([(b"PRVT", b"x"), *webp_chunks(WEBP)]),
    "two pictures under one header": riff([canvas(24, 16), *webp_chunks(WEBP) * 2]),
    "an animation and a still picture": riff([canvas(24, 16, 0x02), ANIM, frame(WEBP), *webp_chunks(WEBP)]),
    "RIFF in RIFF": riff([(b"RIFF", WEBP[8:])]),
    "a wave file": b"RIFF\x24\0\0\0WAVEfmt " + bytes(28),
    "a wave in a WebP": riff([(b"fmt ", bytes(16)), (b"data", bytes(4))]),
    "a frame that is no key frame": riff([(b"VP8 ", bytes([VP8[0] | 1]) + VP8[1:])]),
    "no start code": riff([(b"VP8 ", VP8[:3] + b"\0\0\0" + VP8[6:])]),
    "no width at all": riff([(b"VP8 ", VP8[:6] + b"\0\0" + VP8[8:])]),
    "a picture of no bytes": riff([(b"VP8 ", b"")]),
    "a lossless picture of no bytes": riff([(b"VP8L", b"")]),
    "a lossless picture without its signature": riff([(b"VP8L", b"\0" + VP8L[1:])]),
    "a lossless picture of an unknown version": riff([(b"VP8L", VP8L[:4] + bytes([VP8L[4] | 0x20]) + VP8L[5:])]),
    "a canvas of another size": riff([canvas(25, 16), *webp_chunks(WEBP)]),
    "a canvas alone": riff([canvas(24, 16)]),
    "a canvas of 9 bytes": riff([(b"VP8X", bytes(9)), *webp_chunks(WEBP)]),
    "a canvas that comes second": riff([(b"ALPH", b"\0"), canvas(24, 16)]),
    "transparency alone": riff([canvas(24, 16, 0x10), (b"ALPH", b"\0" + bytes(384))]),
    "transparency that is cut": riff([canvas(24, 16, 0x10), (b"ALPH", b"\0\0"), *webp_chunks(WEBP)]),
    "an animation without frames": riff([canvas(24, 16, 0x02), ANIM]),
    "an animation without ANIM": riff([canvas(24, 16, 0x02), frame(WEBP), frame(LOSSLESS)]),
    "a frame beyond the canvas": riff([canvas(24, 16, 0x02), ANIM, frame(WEBP), frame(LOSSLESS, x=10)]),
    "a frame of no picture": riff([canvas(24, 16, 0x02), ANIM, frame(WEBP), frame(b"RIFF\x04\0\0\0WEBP")]),
    "a frame of 3 bytes": riff([canvas(24, 16, 0x02), ANIM, (b"ANMF", bytes(3))]),
    "a frame in a frame": riff([canvas(24, 16, 0x02), ANIM, (b"ANMF", frame(WEBP)[1][:16] + riff([frame(WEBP)])[12:])]),
}
ANIMATED = riff([canvas(24, 16, 0x02), ANIM, frame(WEBP), frame(LOSSLESS)])
CLEANED["EICAR after the background of an animation"] = (
    riff([canvas(24, 16, 0x02), (b"ANIM", bytes(6) + EICAR), frame(WEBP), frame(LOSSLESS)]),
    ANIMATED,
)

# -- other things, alone or under the signature of a picture --------------------------------------------------------

SIGNATURES = {"JPEG": b"\xff\xd8\xff\xe0", "PNG": PNG_SIGNATURE, "WebP": b"RIFF\x40\0\0\0WEBPVP8 "}
OTHERS = {
    "an empty file": b"",
    "a zero byte": b"\0",
    "a megabyte of zeros": bytes(1_000_000),
    "a text": b"meow",
    "a GIF": pictures.gif(),
    "a GIF that is a JAR": pictures.gif() + archive("META-INF/MANIFEST.MF"),
    "a bitmap": pictures.saved(pictures.raster(), "BMP"),
    "a TIFF": pictures.saved(pictures.raster(), "TIFF"),
    "an icon": pictures.saved(pictures.raster(), "ICO"),
    "a bitmap of any pixels": pictures.saved(pictures.raster(), "PPM"),
    "a HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "an AVIF": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf",
    "a JPEG XL": b"\0\0\0\x0cJXL \r\n\x87\n",
    "a PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n(%pipe%id) (r) file\n",
    "an ImageMagick script": b"push graphic-context\nfill 'url(https://x.test/|id)'\n",
    "a byte order mark before a PNG": b"\xef\xbb\xbf" + PNG,
    "a PNG in base64": b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB",
    "a PNG whose line ends were changed": PNG.replace(b"\r\n", b"\n"),
    "a MNG": b"\x8aMNG\r\n\x1a\n" + PNG[8:],
}
RIDERS = {name: payload for name, payload in PAYLOADS.items() if name != "a picture"}
WHOLE = {"JPEG": JPEG, "PNG": PNG, "WebP": WEBP}
for (name, payload), kind in zip(RIDERS.items(), itertools.cycle(WHOLE)):
    OTHERS[f"{name} before a {kind}"] = payload + WHOLE[kind]
    OTHERS[f"{name} under the signature of a {kind}"] = SIGNATURES[kind] + payload


# -- what is too large ----------------------------------------------------------------------------------------------

with_many_frames = png_with(
    png_with(pictures.tiny(1), chunk(b"acTL", (1001).to_bytes(4) + bytes(4))),
    *pictures.frames_of_one_pixel(1001),
    before=b"IEND",
)
TOO_LARGE = {
    "a PNG of 30,000 x 30,000 zeros": pictures.giant_png(),
    "a PNG of 50,000 x 50,000": png_header(50_000, 50_000),
    "a PNG of 4 billion columns": png_header(2**32 - 1, 2**32 - 1),
    "a PNG of 67,108,865 columns": png_header(67_108_865, 1),
    "a JPEG of 65,500 x 65,500": changed_segment(JPEG, SOF, 1, b"\xff\xdc" * 2),
    "a JPEG of 300 scans": PROGRESSIVE[:-2]
    + PROGRESSIVE[PROGRESSIVE.rindex(b"\xff\xda") : -2] * 290
    + PROGRESSIVE[-2:],
    "a JPEG of a million empty tables": jpeg_with(JPEG, segment(DHT, b"") * 1_000_000),
    "a JPEG of 700,000 restart intervals": jpeg_with(JPEG, segment(0xDD, b"\0\1") * 700_000),
    "a WebP of 16,384 x 16,384": riff([canvas(16_384, 16_384), *webp_chunks(WEBP)]),
    "a WebP of 16 million columns": riff([canvas(2**24, 2**24), *webp_chunks(WEBP)]),
    "a lossy WebP of 16,383 x 16,383": riff([(b"VP8 ", VP8[:6] + b"\xff\x3f\xff\x3f" + VP8[10:])]),
    "a lossless WebP of 16,384 x 16,384": riff([(b"VP8L", VP8L[:1] + b"\xff\xff\xff\x0f" + VP8L[5:])]),
    "an animated PNG of 1,001 frames": with_many_frames,
    "a WebP of 20,001 chunks": webp_ends_with(*[(b"PRVT", b"")] * 20_000),
    "a PNG of more than 100,000 chunks": png_with(PNG, chunk(b"abCd", b"") * 100_000),
    "an animated WebP of 1,001 frames": riff([canvas(24, 16, 0x02), ANIM, *[frame(WEBP)] * 1001]),
    "an animation of 100 frames of 4096 x 4096": riff([canvas(4096, 4096, 0x02), ANIM, *[frame(WEBP)] * 100]),
}

# group -> (name -> sent file, status)
REFUSED = {
    "JPEG": (JPEGS, 415),
    "PNG": (PNGS, 415),
    "WebP": (WEBPS, 415),
    "others": (OTHERS, 415),
    "too large": (TOO_LARGE, 422),
}
