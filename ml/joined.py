"""Strokes that meet printed lines: what crosses one is whole, what ends at one may go on in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from ml.ink import grey_level
from ml.pieces import SLIVER, Box, pieces, thickness
from ml.rows import PALE_RULE

EDGE, NEAR = 2, 8  # px from a line, between which a stroke is looked for
SIDE = 0.1  # of the digit's longer side; a line so near its edge may hide a bar of it
RUN = 1 / 8  # of the digit's longer side; a line runs as far
HIDDEN = 0.5  # of the pen's widest stroke; along a thinner line a stroke would stick out
FRINGE = 2  # px on each side of a line that are taken away with it
COVERED = 0.5  # of the digit's width, or height, by a line that may hide a bar


class Joints(NamedTuple):
    """How a digit's strokes meet printed lines.

    Attributes:
        are_unclear: whether some end at a line within the digit: they may go on in it anyhow.
        completed: uint8 (h, w), 0 and 1, the digit as it is if a line along its edge hides a bar;
            one for each edge.
    """

    are_unclear: bool
    completed: tuple[np.ndarray, ...]


NO_JOINTS = Joints(False, ())


def find_joints(own: np.ndarray, box: Box, lines: np.ndarray, ink: np.ndarray) -> Joints:
    """Look at every place where a digit meets a line that was taken away.

    Args:
        own: uint8 (h, w), 0 and 1, the digit's strokes.
        box: where they lie.
        lines: uint8 (height, width), 1 where lines were taken away.
        ink: uint8 like `lines`, 0 paper to 255 ink.
    """
    side = max(own.shape)
    room = NEAR + round(SIDE * side)
    digit = cv2.copyMakeBorder(own, *4 * (room,), cv2.BORDER_CONSTANT)
    x, y, _, _ = box
    window = _window(lines, x - room, y - room, digit.shape)
    contact = cv2.bitwise_and(cv2.dilate(digit, np.ones((5, 5), np.uint8)), window)
    if not contact.any():
        return NO_JOINTS
    darkness = _window(ink, x - room, y - room, digit.shape)[contact > 0]
    if grey_level(darkness, 0.5) < PALE_RULE * 255:
        return NO_JOINTS
    hiding = max(1, round(HIDDEN * thickness(own) * side) - FRINGE), max(9, round(RUN * side))
    level = _level_joints(digit, window, contact, hiding, room)
    turned = cv2.transpose(digit), cv2.transpose(window), cv2.transpose(contact)
    upright = _level_joints(*turned, hiding, room)
    return Joints(
        level.are_unclear or upright.are_unclear,
        (*level.completed, *(cv2.transpose(whole) for whole in upright.completed)),
    )


def _level_joints(
    digit: np.ndarray, lines: np.ndarray, contact: np.ndarray, hiding: tuple[int, int], room: int
) -> Joints:
    """How a digit, with room around it, meets level lines.

    Args:
        hiding: height and width that lines have at least where a stroke can lie in them, px.
    """
    level = cv2.morphologyEx(lines, cv2.MORPH_OPEN, np.ones(hiding, np.uint8))
    edges = {_edge(end, len(digit), room) for end in _ends(digit, contact & level)}
    height, width = digit.shape[0] - 2 * room, digit.shape[1] - 2 * room
    is_between = {"upper", "lower"} <= edges and width < height / SLIVER  # a line between lines
    bars = [_bar(level, edge, room) for edge in ("upper", "lower") if edge in edges]
    completed = tuple(cv2.bitwise_or(digit, bar) for bar in bars if bar is not None)
    return Joints(None in edges or is_between, completed)


def _window(picture: np.ndarray, x: int, y: int, shape: tuple[int, ...]) -> np.ndarray:
    """The part of a picture from x, y on; beyond its borders is nothing."""
    found = np.zeros(shape, np.uint8)
    top, left = max(0, -y), max(0, -x)
    part = picture[max(0, y) : y + shape[0], max(0, x) : x + shape[1]]
    found[top : top + part.shape[0], left : left + part.shape[1]] = part
    return found


def _ends(shape: np.ndarray, contact: np.ndarray) -> Iterator[tuple[int, int]]:
    """First and last row of each place where strokes meet a level line from one side only."""
    for x, y, width, height, _ in pieces(contact)[1][1:].tolist():
        reach = height + NEAR  # strokes may slant
        columns = slice(max(0, x - reach), x + width + reach)
        above = shape[max(0, y - NEAR) : max(0, y - EDGE), columns]
        below = shape[y + height + EDGE : y + height + NEAR, columns]
        if not (above.any() and below.any()):
            yield y, y + height - 1


def _edge(end: tuple[int, int], length: int, room: int) -> str | None:
    """At which edge of the digit an end lies; None within."""
    first, last = end
    if first < 2 * room:
        return "upper"
    return "lower" if last >= length - 2 * room else None


def _bar(level: np.ndarray, edge: str, room: int) -> np.ndarray | None:
    """What of level lines lies along an edge of the digit, if it may be a bar; else None."""
    rows = slice(0, 2 * room) if edge == "upper" else slice(len(level) - 2 * room, len(level))
    bar = np.zeros_like(level)
    bar[rows, room:-room] = level[rows, room:-room]
    covered = np.count_nonzero(bar.max(axis=0)) / (level.shape[1] - 2 * room)
    return bar if covered >= COVERED else None
