"""From a picture to the one 28x28 field that every network sees, or the reason why not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

VERSION = 1

Box = tuple[int, int, int, int]  # x, y, width, height in px


class Reason(StrEnum):
    """Why a reading is not accepted."""

    BLANK = "blank"
    TOO_FAINT = "too_faint"
    TOO_SMALL = "too_small"
    SEVERAL_DIGITS = "several_digits"
    NOT_A_DIGIT = "not_a_digit"
    UNSURE = "unsure"


class Refused(Exception):
    """The picture holds no single digit that a network could be asked about."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True)
class Field:
    """What the network sees: `pixels` float32 (28, 28), 0.0 paper to 1.0 ink, and where from."""

    pixels: np.ndarray
    box: Box
