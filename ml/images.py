"""From the bytes of a file to an upright picture, and back to a file that is safe to keep."""

from __future__ import annotations

import contextlib
import hashlib
import io
import struct
import threading
import warnings
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError
from PIL.Image import Transpose

from ml.ink import reduced

JPEGS = ("JPEG", "MPO")  # many phones write MPO: a JPEG with a preview or depth map behind it
FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "GIF", "TIFF")
MAX_BYTES = 20_000_000  # a phone's largest JPEG is about 15 MB
MAX_PIXELS = 40_000_000  # larger than any phone's usual photograph
MAX_SIDE = 1600  # px; larger pictures are reduced before they are read and kept
PALE = 64  # levels; a picture whose greys span fewer may show more in one of its colours
DEPTHS = (1.0, 255.0, 4095.0, 65535.0)  # the white of pictures that have not 8 bits
OVERSHOOT = 1.1  # times white, up to which sharpened pictures go
STRAY = 0.001  # of the pixels; as few, of a faulty sensor, say nothing of the others' range
LARGE = 4_000_000  # px; larger ones, which take memory until they are reduced, go one by one
PNG_SIDE = 640  # px; up to here a picture is kept without loss
PNG_OPTIONS = [
    cv2.IMWRITE_PNG_COMPRESSION, 1,
    cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE,
    cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE,
]  # fmt: skip

# What Pillow raises on damaged files:
DAMAGES = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    TypeError,
    KeyError,
    OverflowError,
    MemoryError,
    AttributeError,
    RuntimeError,
    ZeroDivisionError,
    struct.error,
)
# By the number that EXIF has for how a camera was held:
TURNS = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}

_one_by_one = threading.Lock()

# Pillow would accept these formats' bombs with a warning only; a warning must end in an error.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS


class PictureError(Exception):
    """The bytes are not a picture that can be read; the text is for the person who sent it.

    `code` is one of empty, too_large, not_an_image, damaged, too_many_pixels, several_pictures.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Picture:
    """An upright picture without transparency, its longer side at most `MAX_SIDE`.

    `image` has mode L or RGB. `gray` is uint8 (height, width), 0 black to 255 white: how light the
    picture is, or the one of its colours that shows most where ink and paper are as light.
    """

    image: Image.Image
    gray: np.ndarray


@dataclass(frozen=True)
class Kept:
    """A picture encoded anew, free of everything that was hidden in the sent file."""

    data: bytes
    suffix: str
    sha256: str
    width: int
    height: int


def open_picture(data: bytes) -> Picture:
    """Decode a picture from bytes that nobody vouches for.

    The format is told by the content. Sizes are checked before decoding. The EXIF turn is
    applied, transparent parts become white paper (black under light ink alone), 16 bits are
    scaled to 8, and large JPEGs are decoded reduced.

    Raises:
        PictureError: with a `code` and a message for the sender.
    """
    if not data:
        raise PictureError("empty", "The file is empty. Please choose another picture.")
    if len(data) > MAX_BYTES:
        raise too_large(len(data))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about metadata; sizes are checked below
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                _check(image)
                is_large = image.width * image.height > LARGE
                with _one_by_one if is_large else contextlib.nullcontext():
                    return _picture(_upright(image))
    except UnidentifiedImageError as error:
        raise PictureError(
            "not_an_image",
            "This file is not a picture that can be read. Please send a PNG, JPEG, BMP, WebP, "
            "GIF or TIFF picture.",
        ) from error
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    except PictureError:
        raise
    except DAMAGES as error:
        raise PictureError(
            "damaged", "The picture is damaged or incomplete. Please save or take it again."
        ) from error


def keep(picture: Picture) -> Kept:
    """Encode a picture anew: PNG when small, JPEG when large."""
    image = picture.image
    if max(image.size) <= PNG_SIDE:
        pixels = picture.gray if image.mode == "L" else np.asarray(image)
        data, suffix = to_png(pixels), ".png"
    else:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=88)
        data, suffix = buffer.getvalue(), ".jpg"
    return Kept(data, suffix, hashlib.sha256(data).hexdigest(), image.width, image.height)


def shrink(data: bytes, side: int) -> bytes:
    """Encode a kept picture anew, at most `side` px a side, in the format that it has.

    Raises:
        OSError: the data are damaged.
    """
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
        image.thumbnail((side, side))  # a JPEG is decoded reduced
        image.save(buffer, image.format)
    return buffer.getvalue()


def to_png(pixels: np.ndarray) -> bytes:
    """Encode a uint8 array, (height, width) grey or (height, width, 3) RGB, as a PNG.

    OpenCV without filters takes a third of Pillow's time. Looking for runs of equal pixels alone
    is faster still; line drawings become a quarter smaller, noisy photographs up to a tenth larger.
    """
    channels = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    encoded, data = cv2.imencode(".png", channels, PNG_OPTIONS)
    if not encoded:
        raise ValueError(f"An array of shape {pixels.shape} cannot be a PNG")
    return data.tobytes()


def too_large(size: int) -> PictureError:
    """What is said of a file of more than `MAX_BYTES`, before it is read."""
    return PictureError(
        "too_large",
        f"The file has {size / 1e6:.0f} MB; at most {MAX_BYTES / 1e6:.0f} MB can be read. "
        "Please send a smaller picture.",
    )


def _too_many_pixels() -> PictureError:
    return PictureError(
        "too_many_pixels",
        f"The picture has more than {MAX_PIXELS / 1e6:.0f} million pixels. "
        "Please send a smaller one.",
    )


def _check(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise _too_many_pixels()
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise PictureError(
            "several_pictures",
            "The file holds several pictures or is animated. Please send one still picture.",
        )


def _upright(image: Image.Image) -> Image.Image:
    if image.format in JPEGS:
        scale = min(1.0, MAX_SIDE / max(image.size))
        width, height = (max(1, int(side * scale)) for side in image.size)
        image.draft(None, (width, height))  # decodes at 1/2, 1/4 or 1/8, and no smaller
    image.load()
    turn = _turn(image)
    plain = _without_transparency(_roughly_reduced(image))
    return plain if turn is None else plain.transpose(turn)


def _turn(image: Image.Image) -> Transpose | None:
    """How to turn a picture upright; a camera's notes that cannot be read do not spoil it."""
    try:
        return TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except DAMAGES:
        return None


def _roughly_reduced(image: Image.Image) -> Image.Image:
    """Reduce a picture in its own mode, where that can be done, before copies of it are made."""
    times = max(image.size) // MAX_SIDE
    if times < 2 or image.mode not in {"L", "LA", "RGB", "RGBA", "CMYK"}:
        return image
    if image.mode in {"L", "RGB"} and "transparency" in image.info:
        return image  # of one grey or colour, which would be mixed with others
    return image.reduce(times)


def _without_transparency(image: Image.Image) -> Image.Image:
    if image.mode in {"L", "RGB"} and "transparency" not in image.info:
        return image
    if image.mode == "1" and "transparency" not in image.info:
        return image.convert("L")
    if image.mode.startswith("I") or image.mode == "F":
        return _eight_bits(image)
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        paper = Image.new("RGBA", layered.size, "black" if _is_light_ink(layered) else "white")
        return Image.alpha_composite(paper, layered).convert("RGB")
    return image.convert("RGB")


def _is_light_ink(layered: Image.Image) -> bool:
    """Whether an RGBA picture is light strokes on nothing, which white paper would swallow.

    A piece of paper that was cut out covers more, or has ink on it: darker pixels than most.
    """
    visible = layered.getchannel("A").point(lambda alpha: 255 * (alpha >= 128))
    counts = np.array(layered.convert("L").histogram(visible))
    covered = int(counts.sum())
    usual = int(np.searchsorted(np.cumsum(counts), covered / 2))
    dark = int(counts[: max(128, usual - 24)].sum())
    return 0 < covered < layered.width * layered.height / 2 and dark < 0.002 * covered


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scale other depths to 8 bits: shares of 1.0, 12 and 16 bits, or whatever range they have."""
    values = np.asarray(image, np.float32)
    if not np.isfinite(values).all():
        values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    values = reduced(values, MAX_SIDE)
    low, high = np.quantile(values, (STRAY, 1 - STRAY)).tolist()
    if low >= 0 and high <= OVERSHOOT * DEPTHS[-1]:
        low, high = 0.0, next(depth for depth in DEPTHS if high <= OVERSHOOT * depth)
    shares = np.clip((values - low) / max(high - low, 1e-6), 0.0, 1.0)
    return Image.fromarray(np.rint(shares * 255).astype(np.uint8))


def _picture(image: Image.Image) -> Picture:
    if max(image.size) > MAX_SIDE:
        image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BOX, reducing_gap=2.0)
    image.info.clear()  # comments and profiles would be written again
    return Picture(image, _gray(image))


def _gray(image: Image.Image) -> np.ndarray:
    """How light a picture is; for red ink on brown, say, the colour in which they differ most."""
    if image.mode == "L":
        return np.asarray(image)
    light = np.asarray(image.convert("L"))
    low, high, _, _ = cv2.minMaxLoc(light)
    if high - low >= PALE:
        return light
    colours = [np.asarray(colour) for colour in image.split()]
    widest = max(colours, key=np.ptp)
    return widest if np.ptp(widest) > 2 * (high - low) else light
