"""The twelve colour names that people use for all others: a colour has that of the nearest CSS colour in CIELAB."""

from functools import cache
from math import dist

from PIL import ImageColor

Lab = tuple[float, float, float]

# The groups of CSS's names at https://en.wikipedia.org/wiki/Web_colors#Extended_colors, with black separate from grey.
# Each group has as many as cover its light and dark, its strong and pale shades.
PALETTE = {
    "black": "black",
    "grey": "dimgray gray darkgray silver gainsboro slategray",
    "white": "whitesmoke white",
    "red": "darkred firebrick crimson red indianred",
    "orange": "orangered coral darkorange orange",
    "yellow": "gold yellow khaki lemonchiffon",
    "green": "darkgreen darkolivegreen forestgreen olivedrab lime yellowgreen lightgreen darkseagreen seagreen",
    "cyan": "teal lightseagreen turquoise cyan paleturquoise cadetblue",
    "blue": "midnightblue mediumblue royalblue steelblue deepskyblue lightskyblue lightsteelblue",
    "purple": "indigo purple darkslateblue blueviolet mediumpurple magenta plum",
    "pink": "deeppink hotpink palevioletred pink",
    "brown": "maroon saddlebrown sienna peru tan",
}
WHITE_POINT = (0.95047, 1.0, 1.08883)  # D65, that of sRGB


def name(colour: tuple[int, int, int]) -> str:
    """Return the name of an sRGB colour."""
    here = lab(colour)
    return min(_shades(), key=lambda shade: dist(here, shade[0]))[1]


def lab(colour: tuple[int, int, int]) -> Lab:
    """Convert an sRGB colour to CIELAB: L* from 0 to 100, a* and b* (IEC 61966-2-1, CIE 15).

    Equal distances in it look equally large to people.
    """
    red, green, blue = (_linear(channel / 255) for channel in colour)
    x = 0.4124564 * red + 0.3575761 * green + 0.1804375 * blue
    y = 0.2126729 * red + 0.7151522 * green + 0.0721750 * blue
    z = 0.0193339 * red + 0.1191920 * green + 0.9503041 * blue
    x, y, z = (_response(value / white) for value, white in zip((x, y, z), WHITE_POINT, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _response(value: float) -> float:
    return value ** (1 / 3) if value > 216 / 24389 else (24389 / 27 * value + 16) / 116


@cache
def _shades() -> list[tuple[Lab, str]]:
    """Return each shade of the palette with the name of its colour."""
    return [(lab(ImageColor.getrgb(css)[:3]), name) for name, shades in PALETTE.items() for css in shades.split()]
