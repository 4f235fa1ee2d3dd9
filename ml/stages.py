"""The steps from picture to field as pictures, for people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from ml import preprocessing
from ml.ink import reduced
from ml.pieces import Box
from ml.preprocessing import Steps
from ml.refusals import Reason
from ml.strokes import FoundDigit

SIDE = 360  # px; pages show them no larger
PEN = (47, 75, 179)  # RGB of the frame, as the pages draw it


class Step(StrEnum):
    GREY = "grey"
    INK = "ink"
    DIGIT = "digit"
    REDRAWN = "redrawn"
    FIELD = "field"


@dataclass(frozen=True)
class Stages:
    """What came of each step, in order, and why there was no further one.

    `pictures` are uint8, (h, w) or RGB (h, w, 3), at most `SIDE` px, all with dark ink on light
    paper but the field, which is 28x28 and 0 paper to 255 ink.
    """

    pictures: dict[Step, np.ndarray]
    reason: Reason | None


def show(picture: np.ndarray, box: Box | None = None) -> Stages:
    """Take the steps that a reading takes, and make each one visible.

    Args:
        picture: uint8 array (height, width), 0 black to 255 white, upright.
        box: where the digit stands that was read, px.
    """
    steps = preprocessing.follow(picture, box)
    return Stages(dict(_pictures(steps)), steps.reason)


def _pictures(steps: Steps) -> list[tuple[Step, np.ndarray]]:
    found: list[tuple[Step, np.ndarray]] = []
    if steps.dark is not None:
        found.append((Step.GREY, reduced(steps.dark, SIDE)))
    if steps.ink is not None:
        found.append((Step.INK, 255 - reduced(steps.ink, SIDE)))
    if steps.ink is not None and steps.digit is not None:
        found.append((Step.DIGIT, _framed(steps.ink, steps.digit)))
    if steps.redrawn is not None:
        found.append((Step.REDRAWN, 255 - _square(_grey(steps.redrawn))))
    if steps.field is not None:
        found.append((Step.FIELD, _grey(steps.field.pixels)))
    return found


def _framed(ink: np.ndarray, digit: FoundDigit) -> np.ndarray:
    """The digit's strokes in their frame, and other ink faintly around them."""
    x, y, width, height = digit.box
    page = 255 - ink // 5
    page[y : y + height, x : x + width] = 255 - digit.ink
    small = cv2.cvtColor(reduced(page, SIDE), cv2.COLOR_GRAY2RGB)
    scale = max(small.shape) / max(page.shape)
    left, top, right, bottom = (
        round(edge * scale) for edge in (x - 1, y - 1, x + width, y + height)
    )
    thickness = max(1, max(small.shape) // 100)
    cv2.rectangle(small, (left, top), (right, bottom), PEN, thickness)
    return small


def _square(ink: np.ndarray) -> np.ndarray:
    height, width = ink.shape
    x, y = max(0, height - width), max(0, width - height)
    return cv2.copyMakeBorder(ink, y // 2, y - y // 2, x // 2, x - x // 2, cv2.BORDER_CONSTANT)


def _grey(share: np.ndarray) -> np.ndarray:
    result: np.ndarray = np.rint(share * 255).astype(np.uint8)
    return result
