"""A stored picture has only pixels, orientation and colour profile, whatever a phone wrote into the file."""

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from shared.pictures.check import check_picture
from tests.support import metadata, pictures
from tests.support.hosts import Api, json_of
from tests.support.local_service import LocalService
from tests.support.metadata import AFTER_THE_END, FORMS, PROFILE, found, in_each_frame, marker, places, spliced
from tests.support.photographs import CHELSEA, ROCKET
from tests.support.pictures import segment
from tests.support.pixels import pixels
from tools.corpus.private import EXIFTOOL, private_tags

pytestmark = pytest.mark.also_in_make_run(why="the service gives out what S3 kept", slow=True)

HALVES = [PROFILE[:300], PROFILE[300:]]
IN_TWO_SEGMENTS = [segment(0xE2, b"ICC_PROFILE\0" + bytes((n, 2)) + half) for n, half in enumerate(HALVES, 1)]

# Pictures as they are stored, with everything that may stay.
CARRIERS = {
    "jpg": {
        "with a profile": pictures.jpeg_with(pictures.jpeg(), *IN_TWO_SEGMENTS),
        "progressive": pictures.jpeg(1, progressive=True),
        "of four inks": pictures.jpeg(2, mode="CMYK"),
        "photograph": ROCKET,
    },
    "png": {
        "with a profile": pictures.saved(pictures.raster(3), "PNG", icc_profile=PROFILE),
        "of a palette": pictures.palette_png(4),
        "photograph": CHELSEA,
    },
    "webp": {
        "with a profile": pictures.saved(pictures.raster(5), "WEBP", icc_profile=PROFILE),
        "without loss": pictures.webp(6, lossless=True),
        "with alpha": pictures.webp(7, mode="RGBA"),
        "animated": pictures.animated_webp(8),
    },
}
CASES = [(kind, name, form) for kind in CARRIERS for name in CARRIERS[kind] for form in FORMS[kind]]
ENDINGS = [(kind, name, form) for kind in CARRIERS for name in CARRIERS[kind] for form in AFTER_THE_END]


def stored_alone(data: bytes, carrier: bytes, *forms: str) -> None:
    """Assert that the stored file is the carrier, without the forms of metadata in this file."""
    assert [form for form in forms if not found(data, marker(form))] == []
    stored = check_picture(data).content
    assert [form for form in forms if found(stored, marker(form))] == []
    assert stored == carrier


@pytest.mark.parametrize(("kind", "name", "form"), CASES)
def test_no_form_of_metadata_is_stored(kind: str, name: str, form: str) -> None:
    carrier = CARRIERS[kind][name]
    data = spliced(carrier, [(places(carrier)[0], FORMS[kind][form])])
    stored_alone(data, carrier, form)
    if form != "multi-picture index":  # without the second picture, the file is broken for Pillow
        assert pixels(data) == pixels(carrier) is not None


@pytest.mark.parametrize(("kind", "name", "form"), ENDINGS)
def test_nothing_behind_the_picture_is_stored(kind: str, name: str, form: str) -> None:
    carrier = CARRIERS[kind][name]
    stored_alone(carrier + AFTER_THE_END[form], carrier, form)


@pytest.mark.parametrize("form", FORMS["webp"])
def test_no_metadata_of_a_frame_is_stored(form: str) -> None:
    carrier = CARRIERS["webp"]["animated"]
    stored_alone(in_each_frame(carrier, FORMS["webp"][form]), carrier, form)


@pytest.mark.parametrize("form", FORMS["png"])
def test_no_metadata_of_an_animated_png_is_stored(form: str) -> None:
    carrier = pictures.animated_png()
    for at in places(carrier):
        stored_alone(spliced(carrier, [(at, FORMS["png"][form])]), carrier, form)


@settings(max_examples=60, deadline=None)  # photographs among them
@given(st.data())
def test_metadata_may_stand_anywhere(data: st.DataObject) -> None:
    check_somewhere(data)


@pytest.mark.usefixtures("slow_tier")
@settings(max_examples=500, deadline=None)
@given(st.data())
def test_so_may_it_in_many_more_pictures(data: st.DataObject) -> None:
    check_somewhere(data)


def check_somewhere(data: st.DataObject) -> None:
    """Assert that no metadata at places that hypothesis chooses is stored."""
    kind = data.draw(st.sampled_from(list(CARRIERS)))
    carrier = data.draw(st.sampled_from(list(CARRIERS[kind].values())))
    piece = st.tuples(st.sampled_from(places(carrier)), st.sampled_from(list(FORMS[kind].values())))
    trailer = data.draw(st.sampled_from([b"", *AFTER_THE_END.values()]))
    sent = spliced(carrier, data.draw(st.lists(piece, min_size=1, max_size=6))) + trailer
    assert check_picture(sent).content == carrier


# -- kept parts ----------------------------------------------------------------------------------------------


def phone_photograph(kind: str, order: str, orientation: int) -> bytes:
    """Make a picture with a profile, every form of metadata and an orientation."""
    block = metadata.exif(marker("turned"), order, orientation)
    turned = {
        "jpg": segment(0xE1, b"Exif\0\0" + block),
        "png": pictures.chunk(b"eXIf", block),
        "webp": pictures.riff_chunk(b"EXIF", block),
    }
    carrier = CARRIERS[kind]["with a profile"]
    if kind == "webp":
        carrier = carrier[:20] + bytes((carrier[20] | 0x0C,)) + carrier[21:]  # the header announces EXIF and XMP
    pieces = [turned[kind], *FORMS[kind].values()]
    return spliced(carrier, [(places(carrier)[0], b"".join(pieces))]) + b"".join(AFTER_THE_END.values())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", CARRIERS)
def test_only_the_orientation_stays_of_exif(kind: str, order: str, orientation: int) -> None:
    data = phone_photograph(kind, order, orientation)
    stored = check_picture(data).content
    with Image.open(io.BytesIO(data)) as sent, Image.open(io.BytesIO(stored)) as image:
        if kind != "png":  # browsers read the first of several eXIf chunks, Pillow the last
            assert sent.getexif()[0x0112] == orientation
        exif = image.getexif()
        # 1 means upright, as does a picture without EXIF.
        assert dict(exif) == ({0x0112: orientation} if orientation > 1 else {})
        assert not any(exif.get_ifd(pointer) for pointer in (0x8769, 0x8825, 0xA005, 1))
        assert image.info["icc_profile"] == PROFILE
        assert image.tobytes() == sent.tobytes()


# -- the whole way, and another reader ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CARRIERS)
def test_no_marker_comes_out_of_the_service(api: Api, kind: str) -> None:
    data = phone_photograph(kind, "<", 6)
    uploaded = api.upload(data)
    answered = b"".join((uploaded.body, api.get(json_of(uploaded)["url"]).body, api.random().body))
    assert uploaded.status == 201
    for form in (*FORMS[kind], *AFTER_THE_END, "turned"):
        assert found(data, marker(form))
        assert not found(answered, marker(form))


@pytest.mark.usefixtures("slow_tier")
def test_no_marker_is_in_the_data_of_make_run(tmp_path: Path) -> None:
    with LocalService(tmp_path / "data") as service:
        service.be_patient()
        for kind in CARRIERS:
            assert service.upload(phone_photograph(kind, "<", 6)).status == 201
    files = [path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert any(PROFILE[:300] in content for content in files)
    everything = b"".join(files)
    forms = {form for of_kind in FORMS.values() for form in of_kind} | set(AFTER_THE_END) | {"turned"}
    assert [form for form in forms if marker(form) in everything] == []


@pytest.mark.skipif(not EXIFTOOL, reason="exiftool is not installed")
def test_exiftool_finds_nothing_private_in_a_stored_file(tmp_path: Path) -> None:
    for kind, carriers in CARRIERS.items():
        for name, carrier in carriers.items():
            (tmp_path / f"{name}.{kind}").write_bytes(carrier)
        (tmp_path / f"sent.{kind}").write_bytes(phone_photograph(kind, "<", 6))
        (tmp_path / f"stored.{kind}").write_bytes(check_picture(phone_photograph(kind, "<", 6)).content)
    tags = private_tags(tmp_path)
    for kind in CARRIERS:
        assert {"IFD0:Artist", "ExifIFD:SerialNumber", "GPS:GPSLatitude", "XMP-dc:Source"} <= tags.pop(f"sent.{kind}")
    assert len(tags) == len(CARRIERS) + sum(map(len, CARRIERS.values()))
    assert not any(tags.values()), tags
