"""Digits and letters of fonts: the hands of those who draw them, from many countries' schools.

Fonts that imitate handwriting know forms that the data sets of real handwriting lack: a 4 with a
closed top, a 1 with a long flag, numerals as children learn them in Poland or Peru.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SUFFIXES = (".otf", ".ttf", ".woff")
# Letters that nobody takes for a digit, however they are written.
LETTERS = "ACEHKMNPRVWXcehkmnpruvwx"
SIZE = 160  # px, of the font; a digit is about as high as 7 tenths of it
MARGIN = 40  # px of paper around the ink
_UNKNOWN = "\U0010ffff"  # no font has it, so each draws its sign for what it has not


class FontError(Exception):
    """A file is no font, or lacks a character; the text says which."""


def characters(path: Path, wanted: str) -> list[np.ndarray]:
    """Draw single characters of a font.

    Args:
        path: a file of TrueType or OpenType outlines, in WOFF too.
        wanted: the characters.

    Returns:
        For each a uint8 (height, width), black on white.

    Raises:
        FontError: the file cannot be used, or a character is missing or empty.
    """
    try:
        font = ImageFont.truetype(path, SIZE)
        unknown = _drawn(font, _UNKNOWN)
        pictures = [_drawn(font, character) for character in wanted]
    except (OSError, ValueError) as error:
        raise FontError(f"{path} cannot be used as a font: {error}.") from error
    for character, picture in zip(wanted, pictures, strict=True):
        if picture.min() == 255 or np.array_equal(picture, unknown):
            raise FontError(f"The font {path} has no {character!r}.")
    return pictures


def family(path: Path) -> str:
    """Whose hand it is: the first word of the file's name.

    Fonts of one family often share their digits, so they must not be split apart.
    """
    return path.stem.lower().partition("-")[0]


def _drawn(font: ImageFont.FreeTypeFont, character: str) -> np.ndarray:
    left, top, right, bottom = (math.floor(edge) for edge in font.getbbox(character))
    size = (right - left + 2 * MARGIN, bottom - top + 2 * MARGIN)
    page = Image.new("L", size, 255)
    ImageDraw.Draw(page).text((MARGIN - left, MARGIN - top), character, fill=0, font=font)
    return np.asarray(page)
