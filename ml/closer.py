"""A closer look: where small things stand in a large picture, as a digit does on a whole sheet.

At the size at which a page is read, the strokes of a digit that fills a thirtieth of a photograph
are thinner than a pixel. Here the picture is reduced less, and only looked at for places where thin
strokes crowd; what they are is for the same steps to say that read a picture of that place alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ml.ink import grey_level, roughly_reduced
from ml.pieces import Box, slices_of

SIDE = 1600  # px; larger pictures are reduced to it
PEN = 1 / 60  # widest stroke, as a share of the longer side; pens of larger digits are wider
LEAST_DEPTH = 14  # grey levels that strokes are darker or lighter than around them, at least
CLEAR_OF_GRAIN = 2.0  # times what the deepest fiftieth of the picture has, which is paper's grain
APART = 1 / 200  # of the longer side, what strokes of the same thing may lie apart
SMALLEST = 1 / 80  # of the longer side; smaller is dirt
LARGEST = 1 / 8  # the same; what is larger is seen at the usual size
LEAST_SIDE = 16  # px of the picture
MARGIN = 0.5  # of a thing's longer side, what is shown around it
MOST = 4  # things; on a page of print or grain there is no end of them
AS_CLEAR = 0.2  # of the darkness of the clearest thing: what has less is left out
BESIDE = 0.1  # of a thing's darkness, that all else on the page has at most, if it is alone


@dataclass(frozen=True)
class Small:
    """Where a small thing stands.

    Attributes:
        place: with some room around it, px of the picture.
        is_alone: whether there are hardly any other strokes in the picture as thin as its own.
    """

    place: Box
    is_alone: bool


def find_small(picture: np.ndarray) -> list[Small]:
    """Find small things, the clearest first, given uint8 (height, width), 0 black to 255 white."""
    small = cv2.GaussianBlur(roughly_reduced(picture, SIDE), (3, 3), 0)
    side = max(small.shape)
    kernel = np.ones((round(side * PEN) | 1,) * 2, np.uint8)
    darker, lighter = (
        cv2.morphologyEx(small, how, kernel) for how in (cv2.MORPH_BLACKHAT, cv2.MORPH_TOPHAT)
    )
    depth = cv2.max(darker, lighter)
    floor = max(LEAST_DEPTH, CLEAR_OF_GRAIN * grey_level(depth, 0.98))
    _, depth = cv2.threshold(depth, floor, 255, cv2.THRESH_TOZERO)
    near = np.ones((round(side * APART) | 1,) * 2, np.uint8)
    _, _, places, _ = cv2.connectedComponentsWithStats(cv2.dilate(depth, near))
    zoom = max(picture.shape) / side
    least, most = max(SMALLEST * side, LEAST_SIDE / zoom), LARGEST * side
    boxes: list[Box] = [(x, y, width, height) for x, y, width, height, _ in places[1:].tolist()]
    things = [box for box in boxes if least <= max(box[2:]) <= most]
    darkness = {box: _sum(depth[slices_of(box)]) for box in things}
    total = _sum(depth)
    things = sorted(things, key=darkness.__getitem__, reverse=True)[:MOST]
    return [
        Small(_with_room(box, zoom, picture.shape), total - darkness[box] <= BESIDE * darkness[box])
        for box in things
        if darkness[box] >= AS_CLEAR * darkness[things[0]]
    ]


def _sum(depth: np.ndarray) -> float:
    return float(cv2.sumElems(depth)[0])


def _with_room(box: Box, zoom: float, shape: tuple[int, ...]) -> Box:
    """A box and what is around it, px of a picture `zoom` times as large, of this shape."""
    x, y, width, height = (value * zoom for value in box)
    room = MARGIN * max(width, height)
    left, top = max(0, round(x - room)), max(0, round(y - room))
    right = min(shape[1], round(x + width + room))
    bottom = min(shape[0], round(y + height + room))
    return left, top, right - left, bottom - top
