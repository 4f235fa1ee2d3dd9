from __future__ import annotations

import io
import subprocess
import sys
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from ml import images
from ml.images import PictureError


def encode(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


@pytest.fixture
def scene() -> Image.Image:
    """A dark bar at the top left of a light page, 60x40."""
    pixels = np.full((40, 60), 230, np.uint8)
    pixels[4:10, 4:30] = 20
    return Image.fromarray(pixels)


def is_scene(gray: np.ndarray) -> bool:
    return gray.shape == (40, 60) and gray[7, 10] < 60 and gray[30, 50] > 200


@pytest.mark.parametrize("format", ["PNG", "JPEG", "BMP", "WEBP", "GIF", "TIFF"])
def test_every_format_gives_the_same_picture(format: str, scene: Image.Image) -> None:
    picture = images.open_picture(encode(scene, format))

    assert is_scene(picture.gray)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "I;16", "F"])
def test_every_colour_mode_gives_the_same_picture(mode: str, scene: Image.Image) -> None:
    format = "JPEG" if mode in {"CMYK", "YCbCr"} else "TIFF"
    image = scene.convert(mode)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(scene).astype(np.uint16) * 257)

    picture = images.open_picture(encode(image, format))

    assert is_scene(picture.gray)
    assert picture.image.mode in {"L", "RGB"}


@pytest.mark.parametrize(("kind", "white"), [(np.float32, 1.0), (np.uint16, 4095)])
def test_shares_and_twelve_bits_are_scaled(kind: type, white: float, scene: Image.Image) -> None:
    scaled: np.ndarray = (np.asarray(scene) / 255 * white).astype(kind)

    picture = images.open_picture(encode(Image.fromarray(scaled), "TIFF"))

    assert np.abs(picture.gray.astype(int) - np.asarray(scene)).max() <= 1


@pytest.mark.parametrize(
    ("kind", "white", "brightest"),
    [(np.float32, 1.0, 1.03), (np.uint16, 4095, 4096), (np.uint16, 255, 65535)],
)
def test_a_pixel_that_is_too_bright_does_not_darken_the_others(
    kind: type, white: float, brightest: float, scene: Image.Image
) -> None:
    scaled: np.ndarray = (np.asarray(scene) / 255 * white).astype(kind)
    scaled[20, 20] = brightest

    gray = images.open_picture(encode(Image.fromarray(scaled), "TIFF")).gray

    assert np.abs(np.delete(gray.astype(int) - np.asarray(scene), 20, axis=0)).max() <= 1


def test_sixteen_bit_png_is_scaled_not_cut(scene: Image.Image) -> None:
    deep = Image.fromarray(np.asarray(scene).astype(np.uint16) * 257)

    picture = images.open_picture(encode(deep))

    assert np.abs(picture.gray.astype(int) - np.asarray(scene)).max() <= 1


def test_transparent_parts_are_white_paper(scene: Image.Image) -> None:
    image = Image.new("RGBA", (60, 40), (0, 0, 0, 0))
    image.paste((20, 20, 20, 255), (4, 4, 30, 10))

    assert is_scene(images.open_picture(encode(image)).gray)


def test_black_and_white_with_transparency_is_white_paper_too() -> None:
    nothing = Image.new("1", (10, 10))

    assert (images.open_picture(encode(nothing, transparency=0)).gray == 255).all()


def test_a_palette_with_transparency_is_white_paper_too() -> None:
    image = Image.new("P", (60, 40), 0)
    image.putpalette([0, 0, 0, 20, 20, 20])
    image.paste(1, (4, 4, 30, 10))

    assert is_scene(images.open_picture(encode(image, transparency=0)).gray)


def test_light_ink_on_nothing_is_put_on_black() -> None:
    image = Image.new("RGBA", (60, 40), (255, 255, 255, 0))
    image.paste((240, 240, 200, 255), (4, 4, 30, 10))

    gray = images.open_picture(encode(image)).gray

    assert gray[6, 10] > 200
    assert gray[30, 50] == 0


@pytest.mark.parametrize("ink", [30, 120, 160, 200])
def test_light_paper_that_was_cut_out_stays_on_white(ink: int) -> None:
    cut_out = Image.new("RGBA", (60, 40), (0, 0, 0, 0))
    cut_out.paste((230, 230, 230, 255), (5, 5, 30, 35))
    cut_out.paste((ink, ink, ink, 255), (12, 10, 15, 30))

    assert images.open_picture(encode(cut_out)).gray[0, 0] == 255


def test_a_picture_with_round_corners_stays_on_white() -> None:
    rounded = Image.new("RGBA", (60, 40), (235, 235, 235, 255))
    rounded.paste((0, 0, 0, 0), (0, 0, 4, 4))

    assert images.open_picture(encode(rounded)).gray[0, 0] == 255


@pytest.mark.parametrize("format", ["PNG", "JPEG"])
def test_ink_as_light_as_its_paper_is_seen_by_its_colour(format: str) -> None:
    brown, red = (130, 70, 20), (255, 0, 0)
    image = Image.new("RGB", (60, 40), brown)
    image.paste(red, (4, 4, 30, 10))

    gray = images.open_picture(encode(image, format)).gray

    assert int(gray[7, 10]) - int(gray[30, 50]) > 100


def test_colour_does_not_count_where_light_shows_the_ink() -> None:
    image = Image.new("RGB", (60, 40), (255, 180, 180))
    image.paste((0, 255, 255), (0, 20, 60, 40))  # a table's edge
    image.paste((90, 90, 90), (4, 4, 30, 10))

    gray = images.open_picture(encode(image)).gray

    assert np.array_equal(gray, np.asarray(image.convert("L")))


def test_a_pale_picture_without_colours_stays_as_light_as_it_is() -> None:
    image = Image.new("RGB", (60, 40), (210, 200, 180))
    image.paste((180, 170, 150), (4, 4, 30, 10))

    gray = images.open_picture(encode(image)).gray

    assert np.array_equal(gray, np.asarray(image.convert("L")))


def test_the_camera_turn_is_applied(scene: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side
    turned = scene.transpose(Image.Transpose.ROTATE_90)

    picture = images.open_picture(encode(turned, "JPEG", exif=exif, quality=95))

    assert is_scene(picture.gray)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_every_camera_turn_is_applied(format: str, turn: int, scene: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    data = encode(scene, format, exif=exif, quality=95)
    with Image.open(io.BytesIO(data)) as sent:
        upright = ImageOps.exif_transpose(sent)

    gray = images.open_picture(data).gray.astype(int)

    assert np.abs(gray - np.asarray(upright.convert("L"))).max() < 5


def test_a_camera_turn_is_applied_though_other_notes_are_wrong(scene: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x0128] = 2  # a unit, below made a text
    notes = exif.tobytes().replace(b"\x28\x01\x03\x00", b"\x28\x01\x02\x00")
    notes = notes.replace(b"\x01\x28\x00\x03", b"\x01\x28\x00\x02")
    turned = scene.transpose(Image.Transpose.ROTATE_90)

    picture = images.open_picture(encode(turned, "JPEG", exif=notes, quality=95))

    assert is_scene(picture.gray)


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_notes_that_are_cut_short_do_not_spoil_a_picture(format: str, scene: Image.Image) -> None:
    data = encode(scene, format, exif=b"Exif\0\0MM\0*")

    assert is_scene(images.open_picture(data).gray)


@pytest.mark.parametrize("mode", ["LA", "RGBA", "I;16", "F"])
def test_a_large_picture_is_reduced_before_it_is_converted(mode: str) -> None:
    """Its size alone must not fill the memory of whoever reads it."""
    program = f"""
import io, resource
from PIL import Image, ImageOps
from ml import images
buffer = io.BytesIO()
Image.new({mode!r}, (7000, 5000)).save(buffer, "TIFF", compression="tiff_deflate")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
images.open_picture(buffer.getvalue())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)

    assert int(told.stdout) < 350_000  # KiB more than to make the picture; all copies take 700 000


@pytest.mark.parametrize(
    "options", [{"format": "PNG"}, {"format": "JPEG"}, {"format": "JPEG", "progressive": True}]
)
def test_large_pictures_are_read_one_by_one(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encode(Image.new("L", (2500, 2000)), **options)
    lock = MagicMock()
    monkeypatch.setattr(images, "_one_by_one", lock)

    images.open_picture(data)

    lock.__enter__.assert_called_once()


def test_a_large_photograph_is_reduced() -> None:
    photograph = Image.new("RGB", (4000, 3000), "white")

    picture = images.open_picture(encode(photograph, "JPEG"))

    assert picture.gray.shape == (1200, 1600)


def test_a_phone_picture_with_a_preview_behind_it_is_one_picture(scene: Image.Image) -> None:
    data = encode(scene, "MPO", save_all=True, append_images=[scene])

    assert is_scene(images.open_picture(data).gray)


@pytest.mark.parametrize("size", [(1601, 1), (3, 5000)])
def test_a_large_photograph_may_be_thin(size: tuple[int, int]) -> None:
    gray = images.open_picture(encode(Image.new("L", size), "JPEG")).gray

    assert max(gray.shape) == 1600
    assert min(gray.shape) == 1


def test_a_one_pixel_picture_opens() -> None:
    assert images.open_picture(encode(Image.new("L", (1, 1)))).gray.shape == (1, 1)


def refusal(data: bytes) -> str:
    with pytest.raises(PictureError) as caught:
        images.open_picture(data)
    return caught.value.code


def test_an_empty_file_is_refused() -> None:
    assert refusal(b"") == "empty"


def test_text_is_refused() -> None:
    assert refusal(b"This is no picture.") == "not_an_image"


def test_a_vector_picture_is_refused() -> None:
    assert refusal(b"<svg xmlns='http://www.w3.org/2000/svg'/>") == "not_an_image"


def test_a_file_of_30_megabytes_is_refused() -> None:
    assert refusal(bytes(30_000_000)) == "too_large"


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    bomb = encode(Image.new("1", (30_000, 30_000)))

    assert len(bomb) < 1_000_000
    assert refusal(bomb) == "too_many_pixels"


def test_just_above_40_megapixels_is_refused() -> None:
    assert refusal(encode(Image.new("1", (8000, 5001)))) == "too_many_pixels"


def test_an_animation_is_refused(scene: Image.Image) -> None:
    frames = [scene, scene.transpose(Image.Transpose.ROTATE_180)]

    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])

    assert refusal(data) == "several_pictures"


@pytest.mark.parametrize("format", ["PNG", "JPEG", "BMP", "GIF"])
def test_a_truncated_picture_is_refused(format: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    data = encode(Image.fromarray(noise), format)

    assert refusal(data[: len(data) // 2]) == "damaged"


@given(st.binary(max_size=400))
def test_any_bytes_give_a_picture_or_a_clear_error(data: bytes) -> None:
    try:
        picture = images.open_picture(data)
    except PictureError as error:
        assert error.code
        assert str(error).endswith(".")
    else:
        assert picture.gray.dtype == np.uint8


@given(st.sampled_from(["PNG", "JPEG", "BMP", "WEBP", "GIF", "TIFF"]), st.data())
def test_a_damaged_picture_gives_a_picture_or_a_clear_error(
    format: str, data: st.DataObject
) -> None:
    whole = bytearray(encode(Image.new("L", (30, 20), 200), format))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))

    try:
        picture = images.open_picture(bytes(whole))
    except PictureError as error:
        assert str(error).endswith(".")
    else:
        assert picture.gray.ndim == 2


def test_what_is_kept_has_nothing_of_the_sent_file() -> None:
    exif = Image.Exif()
    exif[0x010E] = "the place where it was taken"
    sent = encode(Image.new("RGB", (1000, 800), "white"), "JPEG", exif=exif, comment=b"secret")

    kept = images.keep(images.open_picture(sent))

    assert b"place" not in kept.data
    assert b"secret" not in kept.data
    assert kept.suffix == ".jpg"


def test_a_small_picture_is_kept_without_loss(scene: Image.Image) -> None:
    kept = images.keep(images.open_picture(encode(scene)))

    assert kept.suffix == ".png"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(kept.data))), np.asarray(scene))
