"""The kinds of JPEG that are taken, and the frame header that tells the kind (ITU-T T.81, B.2.2 and table B.1).

What is not taken was opened in Chromium 156: it shows an error, or it shows the picture only if it was built with a
decoder that most browsers do not have.
"""

from dataclasses import dataclass

from shared.errors import UnsupportedMediaType
from shared.pictures.stripping.strip_parts import Broken

FRAMES = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended sequential, progressive: all with Huffman codes
_PROGRESSIVE = 0xC2
_LOSSLESS, _HIERARCHICAL, _ARITHMETIC = "it is lossless", "it is hierarchical", "it is arithmetic-coded"

UNSHOWN_MARKERS = {
    0xC3: _LOSSLESS,
    0xC5: _HIERARCHICAL,
    0xC6: _HIERARCHICAL,
    0xC7: _HIERARCHICAL,
    0xC9: _ARITHMETIC,
    0xCA: _ARITHMETIC,
    0xCB: _LOSSLESS,
    0xCD: _HIERARCHICAL,
    0xCE: _HIERARCHICAL,
    0xCF: _HIERARCHICAL,
    0xDE: _HIERARCHICAL,  # DHP, which announces it
    0xF7: "it is JPEG-LS",  # ITU-T T.87
}
_BITS = 8
_COLOURS = frozenset({1, 3, 4})  # grey, YCbCr or RGB, CMYK or YCCK
_LONGEST_SIDE = 65_500  # pixels, of libjpeg; a header can hold 65,535
_FIXED = 6  # bytes: bits, height, width and number of colours; three bytes for each colour follow
_SAMPLING = frozenset(range(1, 5))


class Unshown(UnsupportedMediaType):
    """A JPEG that may be whole, but is of a kind that most browsers do not show."""

    def __init__(self, kind: str) -> None:
        super().__init__(
            f"img is a kind of JPEG that most browsers do not show ({kind}); "
            "save it again as a baseline or progressive JPEG and retry.",
            field="img",
        )


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame header of a kind that is taken. `width` and `height` are pixels."""

    width: int
    height: int
    colours: int
    is_progressive: bool

    def is_whole_after(self, scan: bytes) -> bool:
        """Tell whether this header of a first scan has all colours, so that decoders skip whatever follows it."""
        return not self.is_progressive and scan[:1] == bytes((self.colours,))


def read_frame(marker: int, header: bytes) -> Frame:
    """Read a frame header, without its marker and length. Raise Unshown, or Broken if no decoder can use it."""
    if len(header) < _FIXED or len(header) != _FIXED + 3 * header[5]:
        raise Broken("its frame header is too short or too long")
    height, width = int.from_bytes(header[1:3]), int.from_bytes(header[3:5])
    samplings = [divmod(each, 16) for each in header[_FIXED + 1 :: 3]]
    if not width or not samplings or not {side for sampling in samplings for side in sampling} <= _SAMPLING:
        raise Broken("its frame header has no width, no colours, or an unknown sampling")
    if kind := _unshown(header[0], height, width, samplings):
        raise Unshown(kind)
    return Frame(width, height, len(samplings), is_progressive=marker == _PROGRESSIVE)


def _unshown(bits: int, height: int, width: int, samplings: list[tuple[int, int]]) -> str | None:
    """Return what keeps browsers from showing such a frame, or None."""
    if bits != _BITS:
        return f"it has {bits} bits for each colour of a pixel"
    if len(samplings) not in _COLOURS:
        return f"it has {len(samplings)} colours"
    if not height:
        return "its height does not come before its pixels"
    if max(height, width) > _LONGEST_SIDE:
        return f"it is {width} x {height} pixels, and a side may have {_LONGEST_SIDE:,}"
    if any(max(sides) % side for sides in zip(*samplings, strict=True) for side in sides):
        return "its colours are sampled at two thirds or three quarters of its size"
    return None
