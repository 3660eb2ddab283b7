"""What another reader, exiftool, finds in stored pictures that should not be there."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

EXIFTOOL = shutil.which("exiftool")
TIMEOUT = 1_800  # seconds for a folder

# Groups of tags, and tags of other groups, that a stored picture may have: the file, the coding of the pixels, and the
# parts that are kept.
GROUPS = {"System", "ExifTool", "Composite", "ICC_Profile", "ICC-header", "ICC-meas", "ICC-view", "ICC-chrm"}
TAGS = {
    "SourceFile": {""},
    "File": {"FileType", "FileTypeExtension", "MIMEType", "ExifByteOrder", "ImageWidth", "ImageHeight"}
    | {"BitsPerSample", "ColorComponents", "EncodingProcess", "YCbCrSubSampling"},
    "IFD0": {"Orientation"},
    "JFIF": {"JFIFVersion", "ResolutionUnit", "XResolution", "YResolution"},
    "Adobe": {"APP14Flags0", "APP14Flags1", "ColorTransform", "DCTEncodeVersion"},
    "PNG": {"ImageWidth", "ImageHeight", "BitDepth", "ColorType", "Compression", "Filter", "Interlace"}
    | {"Palette", "Transparency", "ProfileName", "BackgroundColor", "SignificantBits", "AnimationFrames"}
    | {"AnimationPlays", "Gamma", "SRGBRendering", "WhitePointX", "WhitePointY"}
    | {f"{colour}{axis}" for colour in ("Red", "Green", "Blue") for axis in "XY"},
    "PNG-cICP": {"ColorPrimaries", "TransferCharacteristics", "MatrixCoefficients", "VideoFullRangeFlag"},
    "PNG-pHYs": {"PixelUnits", "PixelsPerUnitX", "PixelsPerUnitY"},
    "RIFF": {"WebP_Flags", "ImageWidth", "ImageHeight", "VP8Version", "HorizontalScale", "VerticalScale"}
    | {"AlphaCompression", "AlphaFiltering", "AlphaPreprocessing", "AnimationLoopCount", "BackgroundColor", "Duration"},
}


def private_tags(folder: Path) -> Mapping[str, set[str]]:
    """Let exiftool read all files of the folder. Return the private tags of each, by the file's name."""
    command = [str(EXIFTOOL), "-json", "-G1", "-a", "-u", "-ee3", "-ext", "*", str(folder)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=TIMEOUT)  # noqa: S603 (ours)
    listed = json.loads(done.stdout or b"[]")
    return {Path(tags["SourceFile"]).name: set(filter(is_private, tags)) for tags in listed}


def is_private(tag: str) -> bool:
    """Return whether a stored picture should not have this tag, such as IFD0:Artist."""
    group, _, name = tag.partition(":")
    return group not in GROUPS and name not in TAGS.get(group, ())
