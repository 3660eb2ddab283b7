"""The pixels of a PNG as a browser shows them: colours in sRGB, and all ways of being transparent.

This module imports Pillow.  Import it only where a picture is decoded, so that other responses start without it.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from io import BytesIO

from PIL import Image, ImageChops, PngImagePlugin

from shared.pictures.showing import png_colours, to_srgb
from shared.pictures.showing.averages import Box, Tiles
from shared.pictures.showing.png_still import GREY, GREY_ALPHA, PALETTE, RGB, Still
from shared.pictures.showing.to_srgb import Conversion
from shared.pictures.sizes import TooLarge

Tile = Callable[[Box], Image.Image]
# Pixels of which all 16 bits are compared with the colour that is transparent: they are decoded twice for that.
COMPARED_MAX = 12_582_912  # 4,096 x 3,072
LOW_BYTES = "RGB;16L"  # what Pillow calls 16 bits whose first byte is the low one: of PNG, it reads the low bytes


def tiles(still: Still) -> tuple[Tiles, Conversion | None]:
    """Return the picture on its canvas, and the conversion that is still to be done, once it is small.

    Its samples count by their first eight bits, as in Chromium.  All 16 count for the colour that is transparent.
    """
    conversion = png_colours.conversion(still.before, still.colour_type)
    key = _transparency(still)
    if still.colour_type in (GREY, GREY_ALPHA, PALETTE):
        tile, later = _of_table(still, key, conversion), None
    else:
        at_once, later = to_srgb.steps(conversion, still.canvas[0] * still.canvas[1])
        tile = _of_colours(still, key, at_once)
    is_opaque = key is None and still.colour_type in (GREY, RGB, PALETTE) and still.fills_its_canvas
    whole = tile if still.fills_its_canvas else _on_canvas(still, tile)
    return Tiles(still.canvas, "RGB" if is_opaque else "RGBA", whole), later


def _transparency(still: Still) -> bytes | None:
    """Return the opacities of the palette, or the colour that is transparent, or None."""
    found = still.before.get(b"tRNS")
    if still.colour_type == PALETTE:
        return found
    return found if found and len(found) == {GREY: 2, RGB: 6}.get(still.colour_type) else None


def _opened(still: Still) -> PngImagePlugin.PngImageFile:
    return PngImagePlugin.PngImageFile(BytesIO(still.content))


def _on_canvas(still: Still, tile: Tile) -> Tile:
    """Return tiles of the canvas, which is transparent around the picture."""

    def on_canvas(box: Box) -> Image.Image:
        canvas = Image.new("RGBA", (box[2] - box[0], box[3] - box[1]))
        (left, top), (width, height) = still.at, still.size
        inner = (max(box[0], left), max(box[1], top), min(box[2], left + width), min(box[3], top + height))
        if inner[0] < inner[2] and inner[1] < inner[3]:
            part = tile((inner[0] - left, inner[1] - top, inner[2] - left, inner[3] - top))
            canvas.paste(part, (inner[0] - box[0], inner[1] - box[1]))
        return canvas

    return on_canvas


# -- one channel of colour --------------------------------------------------------------------------------------


def _of_table(still: Still, key: bytes | None, conversion: Conversion | None) -> Tile:
    """Return tiles of a picture with one channel of colour: each of its 256 values is looked up."""
    picture, table = _opened(still), _table(still, key, conversion)
    has_key_of_16_bits = key is not None and still.depth == 16

    def tile(box: Box) -> Image.Image:
        part = picture.crop(box)
        values, alpha = part, None
        if has_key_of_16_bits:
            low, values = Image.frombytes("LA", part.size, part.tobytes()).split()
            alpha = _other_than([values, low], key or b"")
        elif still.depth == 16 and still.colour_type == GREY:
            values = Image.frombytes("LA", part.size, part.tobytes()).getchannel("A")
        elif still.colour_type == GREY_ALPHA:
            values, alpha = part.getchannel(0), part.getchannel("A")
        elif part.mode == "1":
            values = part.convert("L")
        values.putpalette(table, "RGBA")
        coloured = values.convert("RGB" if key is None or alpha else "RGBA")
        if alpha:
            coloured.putalpha(alpha)
        return coloured

    return tile


def _table(still: Still, key: bytes | None, conversion: Conversion | None) -> bytes:
    """Return red, green, blue and opacity of the values 0 to 255. Those beyond a palette look like its last."""
    if still.colour_type == PALETTE:
        palette = still.before[b"PLTE"]
        palette += palette[-3:] * (256 - len(palette) // 3)
        last = len(still.before[b"PLTE"]) // 3 - 1
        colours = Image.frombytes("RGB", (256, 1), palette)
        opacities = (key or b"")[: last + 1].ljust(last + 1, b"\xff")
        opacities += opacities[-1:] * (255 - last)
    else:
        colours = Image.frombytes("L", (256, 1), bytes(range(256)))
        opacities = bytes(_opacity(value, still.depth, key) for value in range(256))
    converted = conversion.apply(colours.convert(conversion.mode)) if conversion else colours.convert("RGB")
    converted.putalpha(Image.frombytes("L", (256, 1), opacities))
    return converted.tobytes()


def _opacity(value: int, depth: int, key: bytes | None) -> int:
    """Return the opacity of a grey of eight bits. Of the key, browsers compare the last byte."""
    is_key = key is not None and depth <= 8 and value == key[-1] * 255 // (2**depth - 1)
    return 0 if is_key else 255


# -- three channels ---------------------------------------------------------------------------------------------


def _of_colours(still: Still, key: bytes | None, conversion: Conversion | None) -> Tile:
    """Return tiles of a picture of RGB with or without alpha."""
    picture = _opened(still)
    low = _opened(still) if key and still.depth == 16 else None
    if low and low.width * low.height > COMPARED_MAX:
        raise TooLarge(f"it has a transparent colour of 16 bits and more than {COMPARED_MAX:,} pixels")
    if low:
        low.tile = [part._replace(args=LOW_BYTES) for part in low.tile]

    def tile(box: Box) -> Image.Image:
        part = picture.crop(box)
        alpha = part.getchannel("A") if part.mode == "RGBA" else None
        if key and low:
            bands = [band for pair in zip(part.split(), low.crop(box).split(), strict=True) for band in pair]
            alpha = _other_than(bands, key)
        elif key:
            alpha = _other_than(part.split(), key[1::2])
        if conversion:
            part = conversion.apply(part.convert("RGB"))
        if alpha and part.mode == "RGB":
            part.putalpha(alpha)
        return part

    return tile


def _other_than(bands: Sequence[Image.Image], key: bytes) -> Image.Image:
    """Return the opacity: 0 where all these bands have their byte of the key, 255 elsewhere."""
    differ = [
        band.point([0 if value == wanted else 255 for value in range(256)])
        for band, wanted in zip(bands, key, strict=True)
    ]
    return reduce(ImageChops.lighter, differ)
