"""A sheet of paper, a note or a board that lies in the frame with something else around it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from ml.ink import PAPER_SIDE, disc, roughly_reduced

MIN_SHEET = 0.03  # of the frame's area
MAX_SHEET = 0.9  # more is the page that fills the picture
MIN_SOLIDITY = 0.75  # of its convex hull's area; writing near the edge costs the most
MIN_STEP = 15  # grey levels from what is just within a sheet to what is just around it
RECTANGLE = 0.85  # of a rectangle around it; an ellipse fills 0.785
WRITING = 9  # px of the reduced picture; ink that cuts a sheet up is no wider
EDGE = 0.04  # of a sheet's shorter side that is left out all around: its edge, and its shadow


@dataclass(frozen=True)
class Sheet:
    """A sheet, cut out of its picture.

    Attributes:
        picture: uint8 (height, width), the sheet; where it does not reach, its paper goes on.
        inside: uint8 (height, width), 1 where the sheet is, without its edge, else 0.
        corner: x, y of the cut in the picture, px.
        is_dark: whether it is darker than what is around it.
        is_rectangle: whether it nearly is one, as notes are and patches of strokes are not.
    """

    picture: np.ndarray
    inside: np.ndarray
    corner: tuple[int, int]
    is_dark: bool
    is_rectangle: bool


def find_sheets(picture: np.ndarray, patch: np.ndarray | None = None) -> Iterator[Sheet]:
    """What may be a sheet: the largest lighter and the largest darker thing in a picture.

    Args:
        picture: uint8 array (height, width), 0 black to 255 white.
        patch: uint8 of the picture's shape, reduced or not, 1 where something differs from what
            is around it, as a sheet does where the light is too uneven for one threshold.
    """
    small = roughly_reduced(picture, PAPER_SIDE)
    calm = cv2.medianBlur(small, 5)
    _, light = cv2.threshold(calm, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    parts = [light, 1 - light]
    if patch is not None:
        parts.insert(0, cv2.resize(patch, small.shape[::-1], interpolation=cv2.INTER_NEAREST))
    for part in parts:
        for region in _regions(part):
            if _has_edge(small, region):
                yield _cut_out(picture, small, region)


def _regions(mask: np.ndarray) -> Iterator[np.ndarray]:
    """Where a sheet may lie: the largest piece of uint8 (h, w), and its convex hull.

    A torn edge is the piece's own; what is written near an edge cuts into it, not into its hull.
    """
    apart = cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc(3))
    whole = cv2.morphologyEx(apart, cv2.MORPH_CLOSE, disc(WRITING))
    outlines, _ = cv2.findContours(whole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not outlines:
        return
    outline = max(outlines, key=cv2.contourArea)
    hull = cv2.convexHull(outline)
    area = cv2.contourArea(hull)
    is_sheet = MIN_SHEET < area / mask.size < MAX_SHEET
    if is_sheet and cv2.contourArea(outline) > MIN_SOLIDITY * area:
        for shape in (outline, hull):
            yield cv2.drawContours(np.zeros_like(mask), [shape], 0, 1, cv2.FILLED)


def _has_edge(small: np.ndarray, region: np.ndarray) -> bool:
    """Whether it gets lighter or darker at once where a region ends, not bit by bit."""
    roomy = cv2.copyMakeBorder(region, 1, 1, 1, 1, cv2.BORDER_REPLICATE)  # cut by the frame
    within = cv2.subtract(region, cv2.erode(roomy, disc(5))[1:-1, 1:-1])
    without = cv2.subtract(cv2.dilate(region, disc(5)), region)
    return abs(cv2.mean(small, within)[0] - cv2.mean(small, without)[0]) >= MIN_STEP


def _cut_out(picture: np.ndarray, small: np.ndarray, region: np.ndarray) -> Sheet:
    """Cut a region, given in the reduced picture, out of the picture."""
    x, y, width, height = cv2.boundingRect(region)
    edge = max(2, round(EDGE * min(width, height)))
    roomy = cv2.copyMakeBorder(region, 1, 1, 1, 1, cv2.BORDER_REPLICATE)  # cut by the frame
    inner = cv2.erode(roomy, disc(2 * edge + 1))[1:-1, 1:-1]
    window = slice(y, y + height), slice(x, x + width)
    across, down = picture.shape[1] / small.shape[1], picture.shape[0] / small.shape[0]
    left, top = round(x * across), round(y * down)
    right, bottom = round((x + width) * across), round((y + height) * down)
    cut = picture[top:bottom, left:right]
    size = cut.shape[1], cut.shape[0]
    inside = cv2.resize(inner[window], size, interpolation=cv2.INTER_NEAREST)
    paper = cv2.resize(_paper(small, inner)[window], size, interpolation=cv2.INTER_LINEAR)
    around = cv2.dilate(region, disc(2 * edge + 1)) - region
    is_dark = cv2.mean(small, inner)[0] < cv2.mean(small, around)[0]
    whole = np.where(inside > 0, cut, paper)
    return Sheet(whole, inside, (left, top), is_dark, _is_rectangle(region))


def _is_rectangle(region: np.ndarray) -> bool:
    points = cv2.findNonZero(region)
    across, down = cv2.minAreaRect(points)[1]
    return len(points) > RECTANGLE * (across + 1) * (down + 1)


def _paper(small: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """The paper's own grey everywhere, as it is near the sheet: uint8 like `small`."""
    side = max(small.shape) // 2 | 1
    weight = cv2.blur(inner.astype(np.float32), (side, side)) + 1e-6
    typical = cv2.medianBlur(small, 2 * WRITING + 1)
    grey = cv2.blur(typical.astype(np.float32) * inner, (side, side)) / weight
    paper: np.ndarray = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    return paper
