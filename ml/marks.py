"""What stands around a digit and is no part of it: a circle, brackets, lines below, a label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from ml.pieces import Pieces, thickness
from ml.printed import RULED_SIDE

MOST_PIECES = 60  # more are noise, or a desk's grain
MOST_FRAMES = 8  # pieces; of more, those that cover the largest boxes are looked at
SECTORS = 72  # directions in which a frame is looked for
SURROUNDED = 0.8  # of them: a circle need not be closed, and the bow of a broken 6 has half
MIN_FRAMED = 0.25  # side of what a frame is around, of the way across it; a 0 has less in it
MAX_FRAME_LINE = 0.25  # widest place of a frame, of the side of what it is around
NARROW = 0.78  # width to height; in such a ring a slanting stroke makes it a 0
SLANT = 12  # degrees
RING_SIDE = 128  # px; a ring is looked at in this size
ROUND = 0.95  # of what is within a taut string, that a ring goes around; an 8 has less
WHOLE = 0.75  # of the longer side of all that is joined, that a ring has
EVENLY = 0.6  # width of a line, of its widest place, where others cross it
ROOMY = 0.45  # of that, off the ring by a pen's width or more; a bold 0 has less
MIN_WITHIN = 0.45  # of the ring's longer side; ends of a 0 within it are shorter
DEEP = 3  # widths of the ring's line from its edge; a 0 is nowhere as wide
MIN_ROOM = 0.1  # of what is within the outline
STRAIGHT = 4  # times as long as wide
MIN_BOW = 0.08  # how far the middle of a bracket lies off the line through its ends, of its height
MAX_LEAN = 2.0  # times the bow, how far its upper end lies off the middle of both
EVEN = 0.03  # of its height, how far it is off an even bow on average
MIN_BRACKET = 0.45  # of the digit's height
MIN_TURN = 0.03  # of its height, how far the ends of a square bracket or a brace turn
MOST_RUNS = 1.4  # strokes that a level line crosses in it
MIN_BRACKETED = 0.4  # height of what is between two, of theirs
UNLIKE = 0.35  # of their height, how much their upper and lower ends together may differ
MIN_TALL = 12  # px; lower pieces are no brackets
FLAT = 0.3  # height to width of a line that rises a little, at most
UNDERLINE_GAP = 0.08  # of the digit's height; where only the pen was lifted there is less
UNDERLINE_REACH = 0.6  # of the digit's height, how far below it
MAX_LETTER = 0.42  # of the digit's height
MIN_WRITTEN = 2.5  # strokes that a level line crosses in a word; in a bar, or a dash, it is one
LETTER_GAP = 1.5  # of a letter's height


def without_marks(mask: np.ndarray, found: Pieces) -> tuple[np.ndarray, bool]:
    """Remove what was drawn or printed around a digit and does not touch it.

    Args:
        mask: uint8 (height, width), 0 paper and 1 ink.
        found: its pieces.

    Returns:
        What is left, `mask` itself when there is nothing to remove; and whether a mark may be
        a digit: a ring with a stroke in it a 0, or a bracket alone a 1.
    """
    if not 2 < len(found) <= MOST_PIECES or max(mask.shape) < RULED_SIDE:
        return mask, False
    marks = _Marks(found)
    if not marks.found.any():
        return mask, marks.is_ambiguous
    gone = found.where(1 + np.flatnonzero(marks.found))
    return cv2.subtract(mask, gone), marks.is_ambiguous


def within_circle(digit: np.ndarray) -> np.ndarray | None:
    """What is drawn within a thin ring that it touches, or None when that is no such ring.

    It may be a 0 with a stroke through it, or any digit that touches its circle or runs out of it;
    two rooms one above the other are an 8.

    Args:
        digit: uint8 (h, w), 0 and 1, strokes that are all joined.

    Returns:
        uint8 like `digit`, without the ring where more is left than a stroke of a 0.
    """
    step = max(1, max(digit.shape) // RING_SIDE)
    size = -(-digit.shape[1] // step), -(-digit.shape[0] // step)
    soft = cv2.resize(digit * 255, size, interpolation=cv2.INTER_AREA)
    rough = cv2.threshold(soft, 255 // 4, 1, cv2.THRESH_BINARY)[1]
    contours, _ = cv2.findContours(rough, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    length = sum(cv2.arcLength(contour, True) for contour in contours) / 2
    if not length:
        return None  # strokes that are thinner than a pixel of that size, or a dot
    outer = max(contours, key=cv2.contourArea)
    if _is_stacked(contours, outer):
        return None
    pen = cv2.countNonZero(rough) / length
    pen = max(pen, EVENLY * thickness(rough) * max(size))  # the edge may be rough
    filled = np.zeros((size[1] + 2, size[0] + 2), np.uint8)
    cv2.drawContours(filled, [outer + 1], -1, 1, cv2.FILLED)
    if not rough[_depth(filled) > DEEP * pen].any():
        return None  # as of most digits
    disk = _disk(filled, 1.0 + pen)
    if disk is None:
        return None
    depth = _depth(disk)
    if np.count_nonzero(depth > 1.5 * pen) < ROOMY * cv2.countNonZero(disk):
        return None
    return _inner(digit, depth / pen)


def _depth(filled: np.ndarray) -> np.ndarray:
    """How far within its edge each place is, px, without a px of room around: float32 (h, w)."""
    return cv2.distanceTransform(filled, cv2.DIST_L2, 3)[1:-1, 1:-1]


def _disk(filled: np.ndarray, reach: float) -> np.ndarray | None:
    """All that a ring encloses, less what sticks out of it: uint8 like `filled`; None if askew.

    Args:
        filled: uint8 (h, w), with a px of room around, all within the ring's outline.
        reach: half as wide as what sticks out, px.
    """
    core = cv2.distanceTransform(filled, cv2.DIST_L2, 3) > reach
    away = cv2.distanceTransform((~core).view(np.uint8), cv2.DIST_L2, 3)
    disk = (away <= reach).view(np.uint8)
    contours, _ = cv2.findContours(disk, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    largest = max(contours, key=cv2.contourArea)
    is_round = cv2.contourArea(largest) > ROUND * cv2.contourArea(cv2.convexHull(largest))
    is_whole = max(cv2.boundingRect(largest)[2:]) > WHOLE * max(filled.shape)  # not of a 6
    return disk if is_round and is_whole else None


def _inner(digit: np.ndarray, depth: np.ndarray) -> np.ndarray | None:
    """Strokes that lie deep within a ring, or None; all of them if these are the slash of a 0.

    Args:
        digit: uint8 (h, w), 0 and 1.
        depth: float (rough height, rough width), from the edge of the ring, in widths of its line.
    """
    depth = cv2.resize(depth, digit.shape[::-1], interpolation=cv2.INTER_LINEAR)
    inner = digit * (depth > 1.5).astype(np.uint8)
    count, labels = cv2.connectedComponents(inner)
    for label in range(1, count):
        piece = labels == label
        if depth[piece].max() < DEEP:
            inner[piece] = 0  # a bit of the ring
    x, y, width, height = cv2.boundingRect(inner)
    down, across = digit.shape
    is_in_middle = x < across / 2 < x + width and y < down / 2 < y + height
    if not is_in_middle or max(width, height) < MIN_WITHIN * max(digit.shape):
        return None
    is_narrow = across < NARROW * down
    return digit if is_narrow and _is_slash(inner) else inner


def _is_stacked(contours: Sequence[np.ndarray], outer: np.ndarray) -> bool:
    """Whether an outline holds two large holes, of which one lies above the other."""
    least = MIN_ROOM * cv2.contourArea(outer)
    large = [contour for contour in contours if cv2.contourArea(contour) > least]
    rooms = [cv2.boundingRect(contour) for contour in large if contour is not outer]
    if len(rooms) != 2:
        return False
    (_, top, _, height), (_, lower, _, _) = sorted(rooms, key=lambda room: room[1])
    return top + height <= lower


class _Marks:
    """The marks among the pieces of a picture.

    Attributes:
        found: bool (n,), which of the parts they are.
        is_ambiguous: whether one may be a 0 with a stroke in it, or a 1.
    """

    def __init__(self, pieces: Pieces) -> None:
        self._pieces, self._parts = pieces, pieces.parts
        parts = self._parts
        self._width, self._height = parts.right - parts.left, parts.bottom - parts.top
        self._is_flat = self._height <= FLAT * self._width
        self.found = np.zeros(parts.area.size, bool)
        self.is_ambiguous = False
        for frame, inner in self._surrounding():
            if self._is_frame(frame, inner):
                may_be_zero = self._width[frame] < NARROW * self._height[frame]
                slashed = bool(may_be_zero and _is_slash(self._pieces.piece(1 + inner)))
                self.is_ambiguous |= slashed
                self.found[frame] |= not slashed
        self._find_brackets()
        main = next((p for p in parts.by_likelihood if self._may_be_main(p)), None)
        if main is not None:
            self.found |= self._letters(main)
            self._find_underlines(main)

    def _may_be_main(self, part: int) -> bool:
        return not (self.found[part] or self._is_flat[part])

    def _surrounding(self) -> Iterator[tuple[int, int]]:
        """What may be a frame, and the largest thing within its box."""
        parts = self._parts
        extent = np.maximum(self._width, self._height)
        for frame in np.argsort(-self._width * self._height)[:MOST_FRAMES].tolist():
            inside = (
                (parts.left > parts.left[frame])
                & (parts.right < parts.right[frame])
                & (parts.top > parts.top[frame])
                & (parts.bottom < parts.bottom[frame])
            )
            if inside.any():
                yield frame, int(np.argmax(np.where(inside, extent, 0)))

    def _is_frame(self, frame: int, inner: int) -> bool:
        """Whether a part runs around another, near enough to have been drawn around it."""
        left, top, _, _ = self._pieces.box(1 + frame)
        x, y, width, height = self._pieces.box(1 + inner)
        side = max(width, height)
        piece = self._pieces.piece(1 + frame)
        rows, columns = np.nonzero(piece)
        across, down = columns + left - (x + width / 2), rows + top - (y + height / 2)
        sectors = ((np.arctan2(down, across) / (2 * np.pi) + 0.5) * SECTORS).astype(int) % SECTORS
        nearest = np.full(SECTORS, np.inf)
        np.minimum.at(nearest, sectors, np.hypot(across, down))
        seen = nearest[np.isfinite(nearest)]
        return bool(
            seen.size >= SURROUNDED * SECTORS
            and side >= MIN_FRAMED * 2 * np.median(seen)
            and thickness(piece) * max(piece.shape) <= MAX_FRAME_LINE * side
        )

    def _letters(self, main: int) -> np.ndarray:
        """Which parts are of a row of small letters beside the digit, above or below it: bool."""
        parts, tall = self._parts, self._height
        apart = (
            (parts.right <= parts.left[main])
            | (parts.left >= parts.right[main])
            | (parts.bottom <= parts.top[main])
            | (parts.top >= parts.bottom[main])
        )
        small = apart & (tall < MAX_LETTER * tall[main]) & ~self.found
        written = np.zeros(small.size)
        for part in np.flatnonzero(small).tolist():
            written[part] = _runs(self._pieces.piece(1 + part))
        words: np.ndarray = np.zeros_like(small)
        for letter in np.flatnonzero(small).tolist():
            common = np.minimum(parts.bottom, parts.bottom[letter])
            common = common - np.maximum(parts.top, parts.top[letter])
            gap = np.maximum(parts.left - parts.right[letter], parts.left[letter] - parts.right)
            near = gap < LETTER_GAP * tall[letter]
            row = near & (common > 0.5 * np.minimum(tall, tall[letter]))
            row &= (tall < 2 * tall[letter]) & (2 * tall > tall[letter])
            if written[row].sum() >= MIN_WRITTEN:
                words |= small & near & (common > -0.3 * tall[letter])
        return words

    def _find_brackets(self) -> None:
        """Round brackets beside the digit, which open towards it; one alone may be a 1."""
        parts, likely = self._parts, self._parts.by_likelihood
        tall = [p for p in likely if self._may_be_main(p) and self._height[p] >= MIN_TALL]
        bows = {part: _bow(self._pieces.piece(1 + part)) for part in tall}
        self._find_pairs([part for part in tall if not bows[part]])
        main = next((part for part in tall if not (bows[part] or self.found[part])), None)
        if main is None:
            return  # the halves of a 0, maybe
        middle = (parts.top[main] + parts.bottom[main]) / 2
        sides = set()
        for part, bow in bows.items():
            is_behind = bow > 0 and parts.left[part] >= parts.right[main]
            is_before = bow < 0 and parts.right[part] <= parts.left[main]
            size = self._height[part] / self._height[main]
            is_beside = parts.top[part] < middle < parts.bottom[part]
            if is_beside and (is_behind or is_before) and size > MIN_BRACKET:
                self.found[part] = True
                sides.add(is_behind)
        self.is_ambiguous |= len(sides) == 1

    def _find_pairs(self, tall: list[int]) -> None:
        """Square brackets and braces on both sides of the digit, whose ends turn towards it."""
        parts = self._parts
        turns = {part: _turn(self._pieces.piece(1 + part)) for part in tall}
        for left in (part for part in tall if turns[part] > 0):
            for right in (part for part in tall if turns[part] < 0):
                high = max(self._height[left], self._height[right])
                apart = abs(parts.top[left] - parts.top[right])
                apart += abs(parts.bottom[left] - parts.bottom[right])
                between = (parts.left >= parts.right[left]) & (parts.right <= parts.left[right])
                between &= (self._height > MIN_BRACKETED * high) & (self._height < high)
                if between.any() and apart < UNLIKE * high:
                    self.found[[left, right]] = True

    def _find_underlines(self, main: int) -> None:
        parts = self._parts
        members = parts.group(main)
        digit = members[~self.found[members] & ~self._is_flat[members]]
        x, y, width, height = box = parts.box(digit)
        own = self._pieces.several(1 + digit, box)
        lowest = y + height - 1 - own[::-1].argmax(axis=0)  # of each column
        lowest[~own.any(axis=0)] = 0
        columns = np.arange(x, x + width)
        for line in np.flatnonzero(self._is_flat & ~self.found).tolist():
            common = min(parts.right[line], x + width) - max(parts.left[line], x)
            if common < 0.5 * min(width, self._width[line]):
                continue
            piece = self._pieces.piece(1 + line)
            upper = parts.top[line] + piece.argmax(axis=0)
            rise, start = np.polyfit(np.arange(parts.left[line], parts.right[line]), upper, 1)
            gap = (rise * columns + start - lowest).min()
            self.found[line] = UNDERLINE_GAP * height < gap < UNDERLINE_REACH * height


def _is_slash(piece: np.ndarray) -> bool:
    """Whether uint8 (h, w) is a straight stroke that leans, as in some people's 0."""
    box = cv2.boxPoints(cv2.minAreaRect(cv2.findNonZero(piece)))
    sides = np.array([box[1] - box[0], box[2] - box[1]])
    lengths = np.hypot(*sides.T) + 1
    across, down = np.abs(sides[lengths.argmax()])
    slant = np.degrees(np.arctan2(across, down))
    return bool(lengths.max() > STRAIGHT * lengths.min() and slant > SLANT)


def _bow(piece: np.ndarray) -> float:
    """How far the middle of a bracket is to the right of its ends, of its height; else 0.0."""
    height, width = piece.shape
    if height < 2 * width or _runs(piece) > 1.1:
        return 0.0
    middles = (piece * np.arange(width)).sum(axis=1) / piece.sum(axis=1)
    along = np.linspace(-1, 1, height)
    bend, lean, start = np.polyfit(along, middles, 2)
    rest = np.abs(middles - np.polyval((bend, lean, start), along)).mean()
    is_even = rest <= EVEN * height and abs(lean) <= MAX_LEAN * abs(bend)
    return float(-bend / height) if is_even and abs(bend) >= MIN_BOW * height else 0.0


def _turn(piece: np.ndarray) -> float:
    """How far both ends of a tall, narrow stroke lie to the right of most of it, of its height.

    Less than 0 where they lie to the left, and 0.0 where not both are on one side, or it is wide.
    """
    height, width = piece.shape
    if height < 2 * width or _runs(piece) > MOST_RUNS:
        return 0.0
    middles = (piece * np.arange(width)).sum(axis=1) / piece.sum(axis=1)
    end = max(1, height // 20)
    ends = np.array([middles[:end].mean(), middles[-end:].mean()]) - np.median(middles)
    turn = float(np.abs(ends).min() / height)
    if turn < MIN_TURN or ends[0] * ends[1] < 0:
        return 0.0
    return turn if ends[0] > 0 else -turn


def _runs(piece: np.ndarray) -> float:
    """How many strokes a level line through uint8 (h, w) crosses on average."""
    starts = np.diff(piece, axis=1, prepend=0) == 1  # uint8: from ink to paper it is 255
    return float(starts.sum() / len(piece))
