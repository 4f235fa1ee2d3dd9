"""A fixed suite of damages to full pictures, to see which of them a model bears, and how much.

Each damage happens to a picture as a person would send it, before preprocessing: a test digit is
put on paper first. The same seed damages a picture in the same way.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

SIDE = 200  # px, the digit's own picture, enlarged
ROOM = 5  # px of paper around it, before it is enlarged
INK, PAPER = 40.0, 235.0  # grey levels

if TYPE_CHECKING:  # NumPy's random numbers would cost the site 2 MB
    Damage = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Corruption:
    """A damage at several strengths, weakest first; `unit` says what the numbers are."""

    title: str
    unit: str
    strengths: tuple[float, ...]
    damage: Damage


@dataclass(frozen=True)
class Damaged:
    """The pictures of a sample with one damage: called with a number, it makes that picture.

    Attributes:
        pictures: uint8 (n, height, width) each, as in their data set.
        name: a key of `CORRUPTIONS`, or empty for pictures without damage.
    """

    pictures: tuple[np.ndarray, ...]
    name: str = ""
    strength: float = 0.0

    def __call__(self, number: int) -> np.ndarray:
        picture = on_paper(self.pictures[number])
        return corrupt(picture, self.name, self.strength, seed=number) if self.name else picture


def on_paper(picture: np.ndarray) -> np.ndarray:
    """Enlarge a digit of a data set and put it on paper, dark on light, with a margin.

    Args:
        picture: uint8 (height, width), of any polarity and size.

    Returns:
        uint8 (height, width), the picture's own longer side being `SIDE` px of it.
    """
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    ink = picture if np.median(border) < 128 else 255 - picture
    zoom = SIDE / max(ink.shape)
    paper = int(np.median(border) if ink is picture else 255 - np.median(border))
    roomy = cv2.copyMakeBorder(ink, ROOM, ROOM, ROOM, ROOM, cv2.BORDER_CONSTANT, value=paper)
    large = cv2.resize(roomy, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
    smooth = cv2.GaussianBlur(large.astype(np.float32), (0, 0), 0.35 * zoom)
    share = np.clip((smooth - paper) / max(1.0, float(smooth.max() - paper)), 0, 1)
    return _bytes(PAPER + (INK - PAPER) * share)


def corrupt(picture: np.ndarray, name: str, strength: float, *, seed: int) -> np.ndarray:
    """Damage a picture: uint8 (height, width) to the same, the size may differ."""
    return CORRUPTIONS[name].damage(picture, strength, np.random.default_rng(seed))


def _noise(picture: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    return _bytes(picture + rng.normal(0, strength, picture.shape))


def _blur(picture: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), strength, borderType=cv2.BORDER_REPLICATE)


def _turn(picture: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    middle = (picture.shape[1] / 2, picture.shape[0] / 2)
    matrix = cv2.getRotationMatrix2D(middle, strength * rng.choice((-1, 1)), 1.0)
    return _warped(picture, matrix)


def _shear(picture: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    lean = strength * rng.choice((-1, 1))
    return _warped(picture, np.array([[1, lean, -lean * picture.shape[0] / 2], [0, 1, 0]]))


def _shrink(picture: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    zoom = strength / SIDE
    return cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)


def _light(picture: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Light that falls off from one side to the other, in any direction."""
    height, width = picture.shape
    y, x = np.mgrid[0:height, 0:width]
    angle = rng.uniform(0, 2 * np.pi)
    across = np.cos(angle) * (x / width - 0.5) + np.sin(angle) * (y / height - 0.5)
    return _bytes(picture * (1 - strength * np.clip(across / 1.2 + 0.5, 0, 1)))


def _lines(picture: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Ruled paper: the darker the lines, the stronger."""
    ruled = picture.astype(np.float32)
    step = int(rng.integers(70, 120))
    for y in range(int(rng.integers(0, step)), picture.shape[0], step):
        ruled[y : y + 3] = np.minimum(ruled[y : y + 3], PAPER - strength * (PAPER - INK))
    return _bytes(ruled)


def _squares(picture: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Squared paper, a little askew."""
    reach = 2 * max(picture.shape)
    step = int(rng.integers(35, 60))
    drawn = np.zeros((reach, reach), np.float32)
    for start in range(int(rng.integers(0, step)), reach, step):
        drawn[start : start + 2] = drawn[:, start : start + 2] = 1
    matrix = cv2.getRotationMatrix2D((reach / 4, reach / 4), rng.uniform(-4, 4), 1.0)
    lines = cv2.warpAffine(drawn, matrix, picture.shape[::-1], borderMode=cv2.BORDER_REFLECT)
    return _bytes(np.minimum(picture, PAPER - strength * (PAPER - INK) * lines))


def _specks(picture: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    dirty = picture.copy()
    for _ in range(int(strength)):
        x, y = (int(rng.integers(0, side)) for side in picture.shape[::-1])
        cv2.circle(dirty, (x, y), int(rng.integers(1, 5)), INK, -1, cv2.LINE_AA)
    return dirty


def _thin(picture: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    return cv2.dilate(picture, _disc(strength))  # the paper grows


def _thick(picture: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    return cv2.erode(picture, _disc(strength))


def _jpeg(picture: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=int(strength))
    return np.asarray(Image.open(buffer))


def _contrast(picture: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Pale ink on paper, seen by a camera that adds a little noise."""
    pale = PAPER - (PAPER - picture) * strength
    return _bytes(pale + rng.normal(0, 1.5, picture.shape))


def _disc(diameter: float) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (int(diameter), int(diameter)))


def _warped(picture: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    size = (picture.shape[1], picture.shape[0])
    return cv2.warpAffine(
        picture, matrix.astype(np.float32), size, borderMode=cv2.BORDER_CONSTANT, borderValue=PAPER
    )


def _bytes(grey: np.ndarray) -> np.ndarray:
    pixels: np.ndarray = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    return pixels


CORRUPTIONS: dict[str, Corruption] = {
    "noise": Corruption("Noise", "grey levels", (10, 25, 50, 80), _noise),
    "blur": Corruption("Blur", "px", (2, 4, 7, 10), _blur),
    "turn": Corruption("Turned", "degrees", (10, 20, 30, 45), _turn),
    "shear": Corruption("Sheared", "share of the height", (0.15, 0.3, 0.45, 0.6), _shear),
    "scale": Corruption("Small", "px left of the picture", (60, 28, 18, 12), _shrink),
    "light": Corruption("Uneven light", "share of light lost", (0.3, 0.5, 0.7, 0.85), _light),
    "lines": Corruption("Ruled lines", "darkness beside the ink", (0.15, 0.3, 0.5, 0.8), _lines),
    "squares": Corruption(
        "Squared paper", "darkness beside the ink", (0.15, 0.3, 0.5, 0.8), _squares
    ),
    "specks": Corruption("Specks", "specks", (5, 15, 40, 80), _specks),
    "thin": Corruption("Thin strokes", "px taken off", (5, 8, 11, 14), _thin),
    "thick": Corruption("Thick strokes", "px added", (7, 13, 19, 25), _thick),
    "jpeg": Corruption("JPEG", "quality", (50, 25, 12, 5), _jpeg),
    "contrast": Corruption(
        "Pale ink", "share of contrast left", (0.5, 0.25, 0.12, 0.07), _contrast
    ),
}
