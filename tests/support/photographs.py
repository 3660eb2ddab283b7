"""The two photographs of tests/images: as a camera wrote them, and as petAPI stores them."""

from shared.pictures.check import check_picture
from tests.support.cloud import ROOT

PHOTOGRAPHS = [(ROOT / "tests/images" / name).read_bytes() for name in ("chelsea.png", "rocket.jpg")]
CHELSEA, ROCKET = (check_picture(photograph).content for photograph in PHOTOGRAPHS)  # without their metadata
