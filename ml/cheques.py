"""Single digits out of the amounts of real cheques.

The pictures are of ORAND-CAR-2014 (Diem et al. 2014); the list beside them is another work, one
line an amount: its picture, its digits, and a box for each of them.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ml import images
from ml.ink import dark_on_light, find_ink
from ml.pieces import Box
from ml.refusals import Refused

REACH = 0.12  # widest stroke, as a share of an amount's width
LEVEL = 0.5  # share of the ink's own darkness from which a pixel is ink, not the cheque's pattern
APART = 0.75  # share of a digit's largest piece within its box; less is joined to a neighbour
FILLED = 0.75  # share of its box's height that a digit fills; less is a part of it
WHOLE = 0.5  # the same for its largest piece; less is a digit too pale for its cheque's pattern
MARGIN = 3  # px of paper around a digit
MAX_SIDE = 100_000  # px; no box lies beyond


@dataclass(frozen=True)
class Digit:
    """One digit: `picture` uint8 (height, width), dark on white; `label` 0 to 9; and the number
    of the amount that it comes from."""

    picture: np.ndarray
    label: int
    amount: int


def digits(folder: Path) -> Iterator[Digit]:
    """The digits that stand apart from their neighbours, without those.

    Args:
        folder: holds `labels.csv` (columns file, digits, boxes_xywh) and `images/`.

    Raises:
        OSError, ValueError, KeyError, csv.Error: the folder is not as it should be.
    """
    with (folder / "labels.csv").open(encoding="utf-8-sig", newline="") as opened:
        for amount, row in enumerate(csv.DictReader(opened)):
            picture = _open(folder / "images" / Path(row["file"]).name)
            boxes = _boxes(row["boxes_xywh"])
            for label, cut in zip(row["digits"], _cut(picture, boxes), strict=True):
                if cut is not None:
                    yield Digit(cut, int(label), amount)


def _open(path: Path) -> np.ndarray:
    try:
        return images.open_picture(path.read_bytes()).gray
    except images.PictureError as error:
        raise ValueError(f"{path.name}: {error}") from error


def _boxes(text: str) -> list[Box]:
    """Boxes as they stand in the list: [[x, y, width, height], ...], px."""
    boxes = json.loads(text)
    if not isinstance(boxes, list) or not all(map(_is_box, boxes)):
        raise ValueError(f"{text} are no boxes")
    return [(x, y, width, height) for x, y, width, height in boxes]


def _is_box(numbers: object) -> bool:
    if not isinstance(numbers, list) or len(numbers) != 4:
        return False
    if not all(type(number) is int and 0 <= number < MAX_SIDE for number in numbers):
        return False
    return bool(numbers[2] and numbers[3])


def _cut(picture: np.ndarray, boxes: list[Box]) -> list[np.ndarray | None]:
    """Each box's digit alone on white paper, None where it is joined to another or too pale."""
    if not boxes:
        return []
    try:
        ink = find_ink(dark_on_light(picture), REACH)
    except Refused:
        return [None] * len(boxes)
    _, mask = cv2.threshold(ink, LEVEL * 255, 1, cv2.THRESH_BINARY)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    windows = [_window(box) for box in boxes]
    within = np.array([np.bincount(labels[w].ravel(), minlength=count) for w in windows])
    within[:, 0] = 0  # the paper
    owner = within.argmax(axis=0)
    found: list[np.ndarray | None] = []
    for number, window in enumerate(windows):
        own = within[number] * (owner == number)
        largest = int(own.argmax())
        apart = own[largest] > APART * stats[largest, cv2.CC_STAT_AREA]
        whole = stats[largest, cv2.CC_STAT_HEIGHT] > WHOLE * boxes[number][3]
        pieces = mask[window] * (owner[labels[window]] == number)
        found.append(_alone(ink[window], pieces) if apart and whole else None)
    return found


def _window(box: Box) -> tuple[slice, slice]:
    """The rows and columns of a box, with a pixel around it."""
    x, y, width, height = box
    return slice(max(0, y - 1), y + height + 1), slice(max(0, x - 1), x + width + 1)


def _alone(ink: np.ndarray, pieces: np.ndarray) -> np.ndarray | None:
    """The ink of a digit's pieces on white paper, None where they are not all of it."""
    x, y, width, height = cv2.boundingRect(pieces)
    if height < FILLED * len(ink):
        return None
    kept = ink * cv2.dilate(pieces, np.ones((3, 3), np.uint8))
    crop = kept[y : y + height, x : x + width]
    margins = (MARGIN,) * 4
    paper: np.ndarray = 255 - cv2.copyMakeBorder(crop, *margins, cv2.BORDER_CONSTANT)
    return paper
