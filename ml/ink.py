"""Ink from paper: shadows, chalk on a board, noise, and the grey level of the strokes."""

from __future__ import annotations

import cv2
import numpy as np

from ml.refusals import Reason, Refused

PAPER_SIDE = 96  # px; shadows need no more
USUALLY_DARK = 0.4  # of 3.0: how much more often people send ink on paper than chalk on a board
INK_LEVEL = 0.45  # share of the ink's own darkness from which a pixel is ink
MIN_CONTRAST = 10.0  # grey levels; less is the noise of paper and camera
FAINT_CONTRAST = 16.0  # grey levels; less is seen, but not surely


def dark_on_light(picture: np.ndarray) -> np.ndarray:
    calm = cv2.GaussianBlur(picture, (3, 3), 0) if min(picture.shape) > 200 else picture
    return 255 - calm if is_light_on_dark(calm) else calm


def find_ink(dark: np.ndarray, reach: float) -> np.ndarray:
    """Separate the ink from the paper.

    Args:
        dark: uint8 array (height, width) at working size, dark ink on light paper.
        reach: how wide a stroke may be, as a share of the picture's longer side; what is
            wider counts as shaded paper.

    Returns:
        uint8 array (height, width), 0 paper to 255 ink.

    Raises:
        Refused: blank or too faint.
    """
    return _scaled(_depth_below_paper(dark, reach))


def find_strokes(dark: np.ndarray, reach: float) -> np.ndarray:
    """Separate thin strokes from paper on which shadows have sharp edges.

    As `find_ink`, but what is wider than `reach` counts as paper to the pixel, and strokes count
    by the share of light that they take, which is the same in a shadow.
    """
    calm = cv2.medianBlur(dark, 5)
    side = int(max(dark.shape) * reach) | 1
    paper = cv2.morphologyEx(calm, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    return _scaled(cv2.divide(cv2.subtract(paper, dark), paper, scale=255))


def _scaled(depth: np.ndarray) -> np.ndarray:
    """Ink from 0 to 255, the depth of its strokes' cores; refused where there are none to see."""
    core = ink_depth(depth, floor=max(MIN_CONTRAST, 5 * _noise(depth)))
    if core is None:
        raise Refused(Reason.BLANK)
    if core < FAINT_CONTRAST:
        raise Refused(Reason.TOO_FAINT)
    return cv2.convertScaleAbs(depth, alpha=255.0 / core)


def reduced(picture: np.ndarray, side: int, method: int = cv2.INTER_AREA) -> np.ndarray:
    scale = side / max(picture.shape)
    if scale >= 1:
        return picture
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return cv2.resize(picture, size, interpolation=method)


def disc(diameter: int) -> np.ndarray:
    size = diameter | 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))


def grey_level(values: np.ndarray, share: float) -> int:
    """The grey level up to which a share of uint8 values lies, 0 when there are none."""
    return grey_levels(values, (share,))[0] if values.size else 0


def grey_levels(
    values: np.ndarray, shares: tuple[float, ...], mask: np.ndarray | None = None
) -> list[int]:
    """The same for several shares.

    Args:
        values: uint8, not empty.
        mask: uint8 like `values`; a value where it is 0 does not count.
    """
    counts = cv2.calcHist([values], [0], mask, [256], [0, 256]).cumsum()
    total = float(counts[-1])
    return [int(counts.searchsorted(share * total)) for share in shares]


def roughly_reduced(picture: np.ndarray, side: int) -> np.ndarray:
    """As `reduced`, ten times as fast and fine enough for shadows.

    OpenCV averages blocks of whole pixels fast; what is left to reduce is interpolated.
    """
    block = max(picture.shape) // side
    if 1 < block <= min(picture.shape):
        height, width = picture.shape[0] // block, picture.shape[1] // block
        blocks = picture[: height * block, : width * block]
        picture = cv2.resize(blocks, (width, height), interpolation=cv2.INTER_AREA)
    return reduced(picture, side, cv2.INTER_LINEAR)


def is_light_on_dark(picture: np.ndarray) -> bool:
    """Tell chalk on a board from ink on paper.

    Ink is the rarer side and keeps off the border. Where light is too uneven for one threshold
    to say which side that is, what differs from its surroundings is ink, and shadows are not.
    """
    small = roughly_reduced(picture, PAPER_SIDE)
    _, light = cv2.threshold(small, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    border = np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])
    on_border, everywhere = (int(np.count_nonzero(part)) / part.size for part in (border, light))
    light_share = (on_border + everywhere) / 2
    if max(picture.shape) <= PAPER_SIDE:
        if abs(light_share - 0.5) > 0.25:
            return light_share < 0.5
        return _darker_than_surroundings(small, 0.9) < 0
    if light_share > 0.75:  # the reverse may be a shadow over most of the paper
        return False
    strokes = (
        _darker_than_surroundings(small, 0.9)
        + _darker_strokes(small, 0.2)
        + _darker_strokes(roughly_reduced(picture, 2 * PAPER_SIDE), 0.04)
    )
    return strokes < -USUALLY_DARK


def _darker_than_surroundings(picture: np.ndarray, share: float) -> float:
    """-1.0 when only light pixels stand out from the median around them, 1.0 when only dark."""
    around = cv2.medianBlur(picture, int(max(picture.shape) * share) | 1)
    return _balance(cv2.subtract(around, picture), cv2.subtract(picture, around))


def _darker_strokes(picture: np.ndarray, share: float) -> float:
    """-1.0 when only light strokes are narrower than the kernel, 1.0 when only dark ones."""
    calm = cv2.medianBlur(picture, 3)
    kernel = disc(max(3, int(max(picture.shape) * share)))
    dark = cv2.morphologyEx(calm, cv2.MORPH_BLACKHAT, kernel)
    return _balance(dark, cv2.morphologyEx(calm, cv2.MORPH_TOPHAT, kernel))


def _balance(dark: np.ndarray, light: np.ndarray) -> float:
    level = grey_level(cv2.max(dark, light), 0.996) // 2
    more, less = int(dark[dark > level].sum()), int(light[light > level].sum())
    return (more - less) / max(1, more + less)


def _depth_below_paper(dark: np.ndarray, reach: float) -> np.ndarray:
    """How much darker than the paper around it each pixel is: uint8, in grey levels."""
    if max(dark.shape) <= PAPER_SIDE:  # a cropped digit: strokes may be wide, light is even
        paper = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, disc(int(max(dark.shape) * 0.7)))
        return cv2.subtract(paper, dark)
    small = cv2.medianBlur(roughly_reduced(dark, PAPER_SIDE), 3)
    side = int(max(small.shape) * reach) | 1
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    paper = cv2.resize(cv2.blur(paper, (5, 5)), dark.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.subtract(paper, dark)


def _noise(depth: np.ndarray) -> float:
    """Standard deviation of paper and camera noise in grey levels, robust against the ink."""
    if min(depth.shape) < 8:
        return 0.0
    step = max(1, len(depth) // 100)  # a hundred rows tell as much as all
    fine = cv2.absdiff(depth[1::step], depth[: len(depth) - 1 : step])
    if 4 * cv2.countNonZero(fine) <= 3 * fine.size:
        return 0.0  # as below, and most pictures that were drawn or scanned end here
    return grey_level(fine, 0.25) * 2.22  # |difference| of two normals: 0.451 sigma


def ink_depth(depth: np.ndarray, floor: float) -> float | None:
    """The depth of the strokes' cores in grey levels, None when nothing is deeper than `floor`."""
    candidates = depth[depth > int(floor)]  # NumPy compares whole numbers fast
    if candidates.size < 8:
        return None
    otsu, _ = cv2.threshold(candidates, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return grey_level(candidates[candidates > int(otsu)], 0.5)
