"""Drawn pictures of what is no digit, to learn refusing from: letters, signs, faces, pairs."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from ml.augmentation import CANVAS
from ml.preprocessing import FINE_BOX

# Without those that people write like a digit: O o I l Z z S s B b q g and their relatives.
LETTERS = "ACEFHKMNPRTVWXYadefhkmnprtuvwxy@#&%*+=<>$?^~[]"
FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)
SIDE = FINE_BOX

Digits = Callable[[], np.ndarray]  # gives the shape of some digit
Draw = Callable[[np.random.Generator], np.ndarray]


def draw(rng: np.random.Generator, digit: Digits) -> np.ndarray:
    """Draw something that is no digit.

    Args:
        digit: called for the shapes that pairs are made of.

    Returns:
        uint8 (h, w), 0 paper and 1 ink, not empty.
    """
    ways: tuple[tuple[float, Draw], ...] = (
        (0.3, letter),
        (0.16, scribble),
        (0.1, polygon),
        (0.08, heart),
        (0.15, lambda rng: pair(digit(), digit(), rng)),
        (0.05, blot),
        (0.06, mark),
        (0.05, face),
        (0.05, tick),
    )
    chosen = int(rng.choice(len(ways), p=[share for share, _ in ways]))
    return ways[chosen][1](rng)


def letter(rng: np.random.Generator) -> np.ndarray:
    """A letter or sign, drawn with strokes."""
    canvas = _canvas()
    text = LETTERS[int(rng.integers(len(LETTERS)))]
    font = FONTS[int(rng.integers(len(FONTS)))]
    thickness = int(rng.integers(4, 11))
    (width, height), base = cv2.getTextSize(text, font, 2.4, thickness)
    origin = ((CANVAS - width) // 2, (CANVAS + height - base // 2) // 2)
    cv2.putText(canvas, text, origin, font, 2.4, 1, thickness)
    return _cut(canvas)


def scribble(rng: np.random.Generator) -> np.ndarray:
    """A line that wanders without aim, with many turns."""
    count = int(rng.integers(7, 16))
    points = rng.uniform(0.15 * CANVAS, 0.85 * CANVAS, (1, count, 2)).astype(np.float32)
    smooth = cv2.resize(points, (count * 8, 1), interpolation=cv2.INTER_CUBIC)
    canvas = _canvas()
    cv2.polylines(canvas, [smooth[0].astype(np.int32)], False, 1, int(rng.integers(3, 11)))
    return _cut(canvas)


def polygon(rng: np.random.Generator) -> np.ndarray:
    """A triangle, a square or a star; rounder outlines are a 0 to many eyes."""
    corners = int(rng.choice((3, 4, 5, 7)))
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False) + rng.uniform(0, 6.28)
    if corners > 4:
        angles = angles[(np.arange(corners) * 2) % corners]
    radius = 0.36 * CANVAS * rng.uniform(0.75, 1.1, corners)
    points = CANVAS / 2 + np.stack([np.cos(angles), np.sin(angles)], 1) * radius[:, None]
    canvas = _canvas()
    cv2.polylines(canvas, [points.astype(np.int32)], True, 1, int(rng.integers(3, 11)))
    return _cut(canvas)


def heart(rng: np.random.Generator) -> np.ndarray:
    """Two lobes above a point, the one closed outline that a 0 is taken for most easily."""
    turn = np.linspace(0, 2 * np.pi, 60)
    notch, point = rng.uniform(0.35, 0.6), rng.uniform(0.9, 1.2)
    x = np.abs(np.sin(turn)) ** rng.uniform(1.5, 3) * np.sign(np.sin(turn))
    y = -np.cos(turn) + notch * np.cos(2 * turn) + 0.1 * np.cos(3 * turn)
    y = np.where(y > 0, y * point, y)
    across, down = 0.25 * CANVAS * rng.uniform(0.8, 1.15, 2)
    points = CANVAS / 2 + np.stack([x * across, y * down], 1)
    canvas = _canvas()
    cv2.polylines(canvas, [points.astype(np.int32)], True, 1, int(rng.integers(3, 11)))
    return _cut(canvas)


def pair(left: np.ndarray, right: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two digits side by side that touch, or nearly."""
    height = max(left.shape[0], right.shape[0])
    overlap = int(rng.integers(-6, 10))
    width = left.shape[1] + right.shape[1] - overlap
    canvas = np.zeros((height, max(width, left.shape[1], right.shape[1])), np.uint8)
    canvas[height - left.shape[0] :, : left.shape[1]] = left
    canvas[height - right.shape[0] :, canvas.shape[1] - right.shape[1] :] |= right
    zoom = SIDE / max(canvas.shape)
    return cv2.resize(canvas, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_NEAREST)


def blot(rng: np.random.Generator) -> np.ndarray:
    """A patch without strokes: a stain, a corner of shadow, a thing in a photograph."""
    cells = int(rng.integers(2, 8))
    noise = cv2.resize(
        rng.normal(0, 1, (cells, cells)).astype(np.float32),
        (CANVAS, CANVAS),
        interpolation=cv2.INTER_CUBIC,
    )
    canvas = (noise > rng.uniform(-0.2, 0.6)).astype(np.uint8)
    canvas[CANVAS // 2, CANVAS // 2] = 1
    return _cut(canvas)


def mark(rng: np.random.Generator) -> np.ndarray:
    """A question mark as a pen writes it, with its dot.

    An exclamation mark is a 1 to all who do not see its dot, as dots of that size are dirt.
    """
    pen = int(rng.integers(3, 11))
    wide, high = CANVAS * rng.uniform((0.14, 0.28), (0.26, 0.36))
    turn = np.linspace(np.pi * rng.uniform(0.9, 1.2), np.pi * rng.uniform(2.3, 2.6), 24)
    bow = np.stack([np.cos(turn) * wide, np.sin(turn) * 0.55 * high], 1)
    stem = np.array([[rng.normal(0, 2), 0.6 * high], [0.0, high * rng.uniform(0.75, 1.0)]])
    points = np.vstack([bow, stem]) + np.array([CANVAS / 2, CANVAS * 0.34])
    dot = points[-1] + (rng.normal(0, 3), pen + rng.uniform(0.08, 0.15) * CANVAS)
    canvas = _canvas()
    cv2.polylines(canvas, [points.astype(np.int32)], False, 1, pen)
    cv2.circle(canvas, dot.astype(int).tolist(), int(rng.integers(pen // 2 + 1, pen + 2)), 1, -1)
    return _cut(canvas)


def face(rng: np.random.Generator) -> np.ndarray:
    """A round outline with eyes and a mouth; without them it is a 0."""
    canvas = _canvas()
    middle, pen = CANVAS // 2, int(rng.integers(2, 8))
    radii = (0.36 * CANVAS * rng.uniform(0.8, 1.1, 2)).astype(int)
    cv2.ellipse(canvas, (middle, middle), radii.tolist(), 0, 0, 360, 1, pen)
    for side in (-1, 1):
        across, up = radii * rng.uniform((0.3, 0.2), (0.45, 0.4))
        eye = (int(middle + side * across), int(middle - up))
        cv2.circle(canvas, eye, int(rng.integers(2, 6)), 1, -1)
    first, last = (20, 160) if rng.random() < 0.7 else (200, 340)  # glad or sad
    mouth = (middle, int(middle + radii[1] * rng.uniform(0.2, 0.35)))
    reach = (radii * rng.uniform(0.35, 0.55)).astype(int).tolist()
    cv2.ellipse(canvas, mouth, reach, 0, first, last, 1, pen)
    return _cut(canvas)


def tick(rng: np.random.Generator) -> np.ndarray:
    """A short stroke down and a long one up."""
    low = rng.uniform((0.3, 0.7), (0.5, 0.85))
    start = low - rng.uniform((0.12, 0.12), (0.28, 0.35))
    end = low + rng.uniform((0.25, -0.75), (0.5, -0.4))
    points = (np.stack([start, low, end]) * CANVAS).astype(np.int32)
    canvas = _canvas()
    cv2.polylines(canvas, [points], False, 1, int(rng.integers(3, 11)))
    return _cut(canvas)


def _canvas() -> np.ndarray:
    return np.zeros((CANVAS, CANVAS), np.uint8)


def _cut(canvas: np.ndarray) -> np.ndarray:
    """Crop to the ink, with the longer side `FINE_BOX` px."""
    x, y, width, height = cv2.boundingRect(canvas)
    zoom = SIDE / max(width, height)
    size = (max(1, round(width * zoom)), max(1, round(height * zoom)))
    crop = canvas[y : y + height, x : x + width]
    return cv2.resize(crop, size, interpolation=cv2.INTER_NEAREST)
