"""Variants of a digit as other hands, pens, cameras and scanners would have made it.

Works on traced shapes (`preprocessing.trace`): bending, stroke width, breaks and specks change
the shape itself; a share of the variants is put on paper, lit, blurred, compressed, and traced
again by the very function that reads a user's picture.
"""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image

from ml import preprocessing
from ml.preprocessing import FINE_BOX, STROKE
from ml.refusals import Refused

CANVAS = FINE_BOX + 48  # px; room to turn and bend
WORN = 0.06  # share of all variants that each kind of wear befalls, more of those that go far
PHOTOGRAPHED = 0.15  # the same for those that go the way of a photograph


def variant(shape: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Make one variant of a digit, as the network would see it.

    Args:
        shape: uint8 array (h, w) up to FINE_BOX px, 0 paper and 1 ink, not empty.

    Returns:
        float32 (28, 28), 0.0 paper to 1.0 ink.
    """
    for _ in range(3):  # a distortion may leave nothing that can be read
        much = rng.random()  # most hands are close to the usual forms, and only some are far off
        bent = wear(bend(shape, much, rng), much, rng)
        try:
            field = _jittered(bent, much, rng)
            if rng.random() >= 2 * PHOTOGRAPHED * much:
                return field
            traced, _ = preprocessing.trace(photograph(bent, rng))
            seen = _jittered(traced, much, rng)
        except Refused:
            continue
        if _likeness(field, seen) > 0.6:  # else the picture was ruined beyond its label
            return seen
    return preprocessing.centre(preprocessing.redraw(shape))


def bend(shape: np.ndarray, much: float, rng: np.random.Generator) -> np.ndarray:
    """Turn, shear, stretch and bend a shape, 0 not at all to 1 much: uint8 (CANVAS, CANVAS)."""
    turn, shear = rng.normal(0, 0.2 * much, 2)  # radians, share of the height
    stretch = np.exp(rng.normal(0, 0.15 * much))
    cos, sin = np.cos(turn), np.sin(turn)
    matrix = np.array([[cos, -sin], [sin, cos]]) @ np.array([[stretch, shear], [0, 1 / stretch]])
    source = np.array([(shape.shape[1] - 1) / 2, (shape.shape[0] - 1) / 2])
    shift = source - matrix @ np.full(2, (CANVAS - 1) / 2)
    map_x, map_y = cv2.transform(_GRID, np.column_stack([matrix, shift])).transpose(2, 0, 1)
    cells = int(rng.integers(3, 7))
    strength = much * 14.0 / cells  # px; finer waves must be weaker, or strokes tear
    coarse = rng.normal(0, strength, (cells, cells, 2)).astype(np.float32)
    waves = cv2.resize(coarse, (CANVAS, CANVAS), interpolation=cv2.INTER_CUBIC)
    soft = cv2.remap(
        shape * 255,
        map_x + waves[..., 0],
        map_y + waves[..., 1],
        cv2.INTER_LINEAR,
    )
    return cv2.threshold(soft, 127, 1, cv2.THRESH_BINARY)[1]


def wear(shape: np.ndarray, much: float, rng: np.random.Generator) -> np.ndarray:
    """Break, roughen, rule or speck strokes, lose detail or an edge, 0 never to 1 often."""
    often = rng.random(6) < 2 * WORN * much
    if often[0]:
        shape = _broken(shape, rng)
    if often[1]:
        shape = _low_resolution(shape, rng)
    if often[2]:
        shape = _cropped(shape, rng)
    if often[3]:
        shape = _rough(shape, rng)
    if often[4]:
        shape = _ruled(shape, rng)
    if often[5]:
        shape = _specked(shape, rng)
    return shape


def photograph(shape: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Put a shape on paper and take a picture: uint8 (h, w), 0 black to 255 white.

    Pencil to felt pen, uneven light and hard shadows, blur, camera noise, and JPEG.
    """
    soft = preprocessing.redraw(_tight(shape), STROKE * rng.uniform(0.35, 1.8))
    side = int(rng.integers(24, 120))
    size = max(soft.shape)
    soft = cv2.resize(soft, None, fx=side / size, fy=side / size, interpolation=cv2.INTER_AREA)
    margins = rng.integers(0, side, 4) if rng.random() < 0.7 else np.zeros(4, int)
    top, bottom, left, right = (int(margin) for margin in margins)
    ink = cv2.copyMakeBorder(soft, top, bottom, left, right, cv2.BORDER_CONSTANT)
    if rng.random() < 0.5:
        ink = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.3, max(0.4, side / 50)))
    height, width = ink.shape
    light = cv2.resize(
        rng.uniform(rng.uniform(0.55, 1.0), 1.0, (2, 2)).astype(np.float32), (width, height)
    )
    paper, pen = rng.uniform(140, 255), rng.uniform(0, 90)
    if rng.random() < 0.15:
        light *= _hard_shadow(width, height, rng)
    picture = (paper + (pen - paper) * ink) * light
    picture += rng.normal(0, rng.uniform(0, 6), picture.shape)
    pixels = np.clip(picture, 0, 255).astype(np.uint8)
    return _jpeg(pixels, int(rng.integers(25, 95))) if rng.random() < 0.5 else pixels


def _hard_shadow(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """What stands between lamp and paper: light on one side of a line, little on the other."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle, left = rng.uniform(0, 2 * np.pi), rng.uniform(0.35, 0.8)
    across = np.cos(angle) * (x / width - 0.5) + np.sin(angle) * (y / height - 0.5)
    shadow: np.ndarray = np.where(across > rng.uniform(-0.4, 0.4), left, 1.0).astype(np.float32)
    return shadow


def _jittered(shape: np.ndarray, much: float, rng: np.random.Generator) -> np.ndarray:
    """Centre a shape with a stroke width and position that are not quite the usual ones."""
    fine = preprocessing.redraw(_tight(shape), STROKE * np.exp(rng.normal(0, 0.2 * much)))
    field = preprocessing.centre(fine)
    dx, dy, zoom = *rng.normal(0, 0.6 * much, 2), np.exp(rng.normal(0, 0.05 * much))
    middle = (preprocessing.FIELD - 1) / 2 * (1 - zoom)
    matrix = np.array([[zoom, 0, middle + dx], [0, zoom, middle + dy]], np.float32)
    return cv2.warpAffine(field, matrix, field.shape, flags=cv2.INTER_LINEAR)


def _likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Cosine between two fields, 1.0 when they are alike."""
    norms = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float((one * other).sum()) / norms if norms else 0.0


def _tight(shape: np.ndarray) -> np.ndarray:
    """Crop to the ink and scale to `FINE_BOX` px."""
    x, y, width, height = cv2.boundingRect(shape)
    if not width:
        return shape
    crop = shape[y : y + height, x : x + width]
    zoom = FINE_BOX / max(width, height)
    if abs(zoom - 1) < 0.03:
        return crop
    size = (max(1, round(width * zoom)), max(1, round(height * zoom)))
    soft = cv2.resize(crop * 255, size, interpolation=cv2.INTER_LINEAR)
    return cv2.threshold(soft, 127, 1, cv2.THRESH_BINARY)[1]


def _broken(shape: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lift the pen for a moment: a few thin gaps."""
    broken = shape.copy()
    for _ in range(int(rng.integers(1, 3))):
        start, end = rng.integers(0, CANVAS, (2, 2))
        cv2.line(broken, start.tolist(), end.tolist(), 0, int(rng.integers(1, 4)))
    return broken if broken.sum() > 0.7 * shape.sum() else shape


def _low_resolution(shape: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A digit that was only 8 to 24 px tall."""
    side = round(CANVAS * rng.uniform(8, 24) / FINE_BOX)
    soft = cv2.resize(shape * 255, (side, side), interpolation=cv2.INTER_AREA)
    soft = cv2.resize(soft, (CANVAS, CANVAS), interpolation=cv2.INTER_CUBIC)
    return cv2.threshold(soft, rng.uniform(80, 150), 1, cv2.THRESH_BINARY)[1]


def _cropped(shape: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lose a little at one side, as a tight crop does."""
    x, y, width, height = cv2.boundingRect(shape)
    lost = int(rng.uniform(1, 5))
    kept = shape.copy()
    side = rng.integers(4)
    if side == 0:
        kept[: y + lost] = 0
    elif side == 1:
        kept[y + height - lost :] = 0
    elif side == 2:
        kept[:, : x + lost] = 0
    else:
        kept[:, x + width - lost :] = 0
    return kept


def _rough(shape: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Ragged edges, as of pencil, chalk or a bad scan."""
    noise = cv2.resize(
        rng.normal(0, 1, (CANVAS // 3, CANVAS // 3)).astype(np.float32), (CANVAS, CANVAS)
    )
    soft = cv2.GaussianBlur(shape.astype(np.float32), (0, 0), 1.5) + 0.18 * noise
    return (soft > 0.5).astype(np.uint8)


def _ruled(shape: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What is left of a printed line that crossed the digit."""
    x, y, width, height = cv2.boundingRect(shape)
    level = int(rng.integers(y, y + max(1, height)))
    ruled = shape.copy()
    start, end = sorted(rng.integers(x - 8, x + width + 8, 2).tolist())
    cv2.line(ruled, (start, level), (end, level), 1, int(rng.integers(1, 4)))
    return ruled


def _specked(shape: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Dirt near the digit, or in it, that could not be told from its strokes."""
    x, y, width, height = cv2.boundingRect(shape)
    specked = shape.copy()
    for _ in range(int(rng.integers(1, 13))):
        place = rng.integers((x, y), (x + max(1, width), y + max(1, height)))
        cv2.circle(specked, place.tolist(), int(rng.integers(0, 3)), 1, -1)
    return specked


def _jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


_GRID = np.ascontiguousarray(np.mgrid[0:CANVAS, 0:CANVAS][::-1].transpose(1, 2, 0), np.float32)
