"""Whatever is sent: a clear message or the right answer, never a 500, and nothing left behind."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from PIL import Image
from pytest_django.fixtures import Settings

from ml import images
from recognition.models import Prediction, TrainedModel
from tests.conftest import Upload

pytestmark = pytest.mark.django_db
Drawn = Callable[..., bytes]


def encode(image: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def decode(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def bomb() -> bytes:
    return encode(Image.new("1", (8000, 5001)), "PNG")


def animation() -> bytes:
    frames = [Image.new("L", (30, 30), level) for level in (0, 100, 250)]
    return encode(frames[0], "GIF", save_all=True, append_images=frames[1:])


REFUSED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a text": (lambda png: b"This is no picture.", "not_an_image"),
    "a web page": (lambda png: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_an_image"),
    "nothing": (lambda png: b"", "empty"),
    "half a PNG": (lambda png: png[: len(png) // 2], "damaged"),
    "the start of a PNG": (lambda png: png[:8], "not_an_image"),
    "half a JPEG": (lambda png: encode(decode(png), "JPEG")[:1500], "damaged"),
    "more than 40 million pixels": (lambda png: bomb(), "too_many_pixels"),
    "an animation": (lambda png: animation(), "several_pictures"),
    "30 MB": (lambda png: png + bytes(30_000_000), "too_large"),
}


@pytest.fixture
def temporary(tmp_path: Path, settings: Settings) -> Path:
    """Where an upload waits that is too large for memory."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    settings.FILE_UPLOAD_TEMP_DIR = str(folder)
    return folder


@pytest.mark.parametrize("kind", REFUSED)
def test_a_bad_file_gets_a_message_and_nothing_stays(
    kind: str,
    client: Client,
    upload: Upload,
    drawn: Drawn,
    digit_model: TrainedModel,
    settings: Settings,
    temporary: Path,
) -> None:
    make, code = REFUSED[kind]

    response = upload(client, make(drawn()))

    assert response.status_code == 422
    assert response.context["form"].has_error("picture", code)
    assert 'role="alert"' in response.text
    assert not Prediction.objects.exists()
    assert not [path for path in Path(settings.PICTURE_ROOT).rglob("*") if path.is_file()]
    assert "visitor" not in client.cookies
    response.close()
    assert not list(temporary.iterdir())


def gray_with_16_bits(image: Image.Image) -> Image.Image:
    return image.convert("I").point(lambda level: level * 257).convert("I;16")


def palette_with_transparency(image: Image.Image) -> Image.Image:
    """Black ink on nothing: whoever drops the transparency sees a black square."""
    ink = image.point(lambda level: 0 if level > 128 else 255)
    layered = Image.merge("RGBA", [Image.new("L", image.size)] * 3 + [ink])
    return layered.quantize(16)


def turned(image: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera stood on its side: turn clockwise to see it upright
    return encode(image.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif, quality=95)


READ: dict[str, tuple[Callable[[Image.Image], bytes], str]] = {
    "a PNG called .jpg": (lambda image: encode(image, "PNG"), "digit.jpg"),
    "a JPEG called .txt": (lambda image: encode(image, "JPEG"), "digit.txt"),
    "a name that is a path": (lambda image: encode(image, "PNG"), "../../../etc/passwd"),
    "a long name": (lambda image: encode(image, "PNG"), 300 * "x" + ".png"),
    "CMYK": (lambda image: encode(image.convert("CMYK"), "JPEG", quality=95), "digit.jpg"),
    "16 bits": (lambda image: encode(gray_with_16_bits(image), "PNG"), "digit.png"),
    "a palette with transparency": (
        lambda image: encode(palette_with_transparency(image), "PNG"),
        "digit.png",
    ),
    "turned by EXIF": (turned, "digit.jpg"),
    "white on black": (lambda image: encode(image.point(lambda x: 255 - x), "BMP"), "digit.bmp"),
    "TIFF": (lambda image: encode(image, "TIFF"), "digit.tif"),
    "WebP": (lambda image: encode(image.convert("RGB"), "WEBP"), "digit.webp"),
    "a still GIF": (lambda image: encode(image, "GIF"), "digit.gif"),
}


@pytest.mark.parametrize("kind", READ)
def test_an_unusual_file_is_read_all_the_same(
    kind: str, client: Client, upload: Upload, drawn: Drawn, digit_model: TrainedModel
) -> None:
    make, name = READ[kind]

    response = upload(client, make(decode(drawn(7))), name)

    assert response.status_code == 302
    assert Prediction.objects.get().text == "7"


def test_one_pixel_is_answered_and_not_read(
    client: Client, upload: Upload, digit_model: TrainedModel
) -> None:
    response = upload(client, encode(Image.new("L", (1, 1)), "PNG"))

    assert response.status_code == 302
    assert client.get(response["Location"]).status_code == 200
    assert Prediction.objects.get().verdict == "refused"


def test_what_hides_in_a_file_is_not_kept(
    client: Client, upload: Upload, drawn: Drawn, digit_model: TrainedModel
) -> None:
    upload(client, drawn(7) + b"<script>alert(1)</script>", "evil.html")

    prediction = Prediction.objects.get()
    with prediction.picture.open() as file:
        kept = file.read()
    assert b"script" not in kept
    assert prediction.picture.name == (
        f"{prediction.public_id.hex[:2]}/{prediction.public_id.hex}.png"
    )


def test_the_form_and_the_decoder_agree_on_the_largest_file(
    client: Client,
    upload: Upload,
    digit_model: TrainedModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(images, "MAX_BYTES", 10)

    assert upload(client, bytes(11)).context["form"].has_error("picture", "too_large")
    assert upload(client, bytes(10)).context["form"].has_error("picture", "not_an_image")
