"""The strokes of one digit: gathered from pieces, told from shadows and neighbours."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import cv2
import numpy as np

from ml.dividers import without_dividers
from ml.ink import INK_LEVEL, disc, find_ink, find_strokes, grey_levels, ink_depth
from ml.joined import NO_JOINTS, find_joints
from ml.marks import within_circle, without_marks
from ml.outlines import filled_outline
from ml.pieces import (
    MOST_BITS,
    SLIVER,
    SOLID,
    Box,
    Parts,
    Pieces,
    is_inside,
    is_thicker,
    pieces,
    slices_of,
    thickness,
)
from ml.printed import RULED_SIDE, without_forms, without_rules
from ml.refusals import Reason, Refused

CROP_REACH = 1 / 3  # widest stroke of a cropped digit, as a share of the longer side
PAGE_REACHES = (1 / 5, 1 / 8, 1 / 12)  # the same for a digit on a page, tried in this order
FINE_REACHES = (1 / 20, 1 / 12)  # the same across the edge of a shadow
THIN = 0.65  # of these: of wider strokes parts are lost
LEAST = 0.1  # side of a digit there, of the picture's longer side; crumbs of bold strokes have less
WIDER = 1.6  # times the pen, a shadow that comes in from the border, at least
AS_DARK = 0.2  # of the way from the pen to the paper, at most, is a wider stroke; no shadow
SMALL_REST = 0.2  # of the digit's ink: so little else is neither
MOST_BESIDE = 8  # things on a page that are looked at, one by one, where the likeliest is no digit
LIKELIEST = 3  # things that are looked at for each reach of the strokes
MIN_LONE_SIDE = 0.04  # of the longer side; smaller things on a page are dirt
MAX_FLATNESS = 5  # width to height; what is flatter on a page is a piece of a line
CLEARANCE = 0.08  # of a digit's longer side; farther from a border it is no tight crop
BOLD = 0.3  # the same for strokes that are looked for beside a patch: more is a piece of it
HAIR = 1 / 40  # the same for a printed line; few pens write digits as large as that
FULL = 0.5  # share of its place that is ink; hardly a digit but a plain 1 has more
PALEST = 0.15  # darkness of a pen, of that of printed lines; less is the paper's
PALE_PEN = 0.8  # the same: what is darker was measured well enough with the lines
SAME_PEN = 1.6  # widest place of one's strokes to the other's, at most
ASKEW = 0.04  # of a printed box's side, how far off the level or plumb its lines may go
BESIDE_EDGES = 0.1  # of the ink of what may be a printed box; digits have more off their edges
EDGE_LENGTH = 4  # times as long as wide, what may be a sheet's edge, or the shadow along it
UNEVEN_SIDES = 0.35  # of what the pen is darker than the lighter side, that the other side is
FRINGE = 7  # px that a line is taken wider where paler strokes are looked for: its soft edges
# Noise alone has 255 crumbs and more and hardly a gap above 0.1; digits in the noise of a dark room
# have gaps of 0.126 and more, digits of chalk of 0.36.
NOISE_CRUMBS = 200  # pieces of ink and of paper
NOISE_GAP = 0.1  # widest place without ink, as a share of the longer side


@dataclass(frozen=True)
class FoundDigit:
    """The strokes of one digit.

    Attributes:
        ink: uint8 (h, w), 0 paper to 255 ink, cropped to the digit, without its neighbours.
        shape: uint8 like `ink`, what is read: `ink`, or if that is an outline, what it encloses.
        box: where it stands, px of the ink that was searched.
        at_border: whether it touches the border.
        several: whether other ink is as large as a digit of its own.
        searched: uint8 (height, width), the ink that was searched.
        beside_patches: whether all of that other ink is patches, not strokes.
        is_dotted: whether a dot stands right above or below, as in i, j, ? and !.
        is_ambiguous: whether a ring or bracket around it may be a 0, or a 1, as well.
        is_circled: whether it may be a digit whose circle it touches; that was left out, if so.
        has_neighbours: whether other strokes, at the border, may be a whole digit as well.
        is_joined: whether it was joined to printed lines, and may have lost strokes with them.
        completed: uint8 (h, w), 0 and 1, the digit as it is if a printed line hides a bar of it.
        is_reversed: whether what had been taken for ink was the paper.
        printed: uint8 like `searched`, 1 where lines and marks were taken away; None without any.
        stands_out: False for what comes in from the border and may be a shadow or an edge.
    """

    ink: np.ndarray
    shape: np.ndarray
    box: Box
    at_border: bool
    several: bool
    searched: np.ndarray
    beside_patches: bool = False
    is_dotted: bool = False
    is_ambiguous: bool = False
    is_circled: bool = False
    has_neighbours: bool = False
    is_joined: bool = False
    completed: tuple[np.ndarray, ...] = ()
    is_reversed: bool = False
    printed: np.ndarray | None = None
    stands_out: bool = True

    @property
    def is_doubtful(self) -> bool:
        """Whether it may be no digit, however much it looks like one."""
        return (
            self.is_dotted
            or self.is_ambiguous
            or self.is_joined
            or self.is_line
            or self.is_circled
            or self.has_neighbours
            or not self.stands_out
        )

    @property
    def is_line(self) -> bool:
        """Whether it is thin and runs from border to border, with room beside it, as a line does.

        A 1 that is cropped tightly has no room beside it. On paper with lines, one of them that
        is not straight, or fades away, may be left.
        """
        _, _, width, height = self.box
        down, across = self.searched.shape
        if min(down, across) < RULED_SIDE:
            return False
        if self.printed is not None and not self.is_thicker(HAIR):
            return True
        upright = height == down and width < height / SLIVER
        level = width == across and height < width / SLIVER
        return upright or level

    @property
    def is_noise(self) -> bool:
        """Whether crumbs of ink and paper lie all over most of the picture, as in no digit."""
        x, y, width, height = self.box
        if 2 * width * height < self.searched.size:
            return False
        window = self.searched[y : y + height, x : x + width]
        _, paper = cv2.threshold(window, INK_LEVEL * 255, 1, cv2.THRESH_BINARY_INV)
        gap = 2.0 * cv2.minMaxLoc(cv2.distanceTransform(paper, cv2.DIST_L2, 3))[1]
        if gap > NOISE_GAP * max(width, height):
            return False
        pieces, holes = (
            cv2.connectedComponents(part, connectivity=neighbours)[0] - 1
            for part, neighbours in ((1 - paper, 8), (paper, 4))
        )
        return pieces + holes > NOISE_CRUMBS

    @property
    def strokes(self) -> np.ndarray:
        """uint8 like `ink`, 0 and 1."""
        return cv2.threshold(self.ink, INK_LEVEL * 255, 1, cv2.THRESH_BINARY)[1]

    @property
    def where(self) -> np.ndarray:
        """uint8 like `searched`, 1 where its strokes are."""
        there = np.zeros_like(self.searched)
        there[slices_of(self.box)] = self.strokes
        return there

    def is_thicker(self, share: float) -> bool:
        """Whether its widest place is above a share of its longer side."""
        return is_thicker(self.strokes, share)

    @property
    def is_clear(self) -> bool:
        """Whether strokes stand on their own, within the picture."""
        return not (self.at_border or self.several or self.is_doubtful or self.is_thicker(SOLID))

    @property
    def is_in_few_pieces(self) -> bool:
        """Whether it is in as many pieces as a dry pen leaves, and no desk's grain."""
        return len(pieces(self.strokes)[1]) - 1 <= MOST_BITS

    @property
    def may_be_sheet(self) -> bool:
        """Whether it fills its place as a sheet of paper does, and a few digits."""
        strokes = self.strokes
        return cv2.countNonZero(strokes) > FULL * strokes.size or is_thicker(strokes, BOLD)

    @property
    def patch(self) -> np.ndarray | None:
        """Where it lies, uint8 like `searched`, 0 and 1, if it may be a sheet of paper."""
        return self.where if self.may_be_sheet else None

    def is_within(self, inside: np.ndarray) -> bool:
        """Whether all of it lies where uint8 (height, width) of the picture's shape is not 0."""
        x, y, width, height = self.box
        where = cv2.resize(inside, self.searched.shape[::-1], interpolation=cv2.INTER_NEAREST)
        near = cv2.erode(where, disc(5))
        strokes = self.strokes > 0
        return bool(near[y : y + height, x : x + width][strokes].all())

    @property
    def is_cut_off(self) -> bool:
        """Whether it runs out of the picture, or is a shadow that comes in.

        It touches a border and is clear of the one opposite, as no tight crop is.
        """
        x, y, width, height = self.box
        below, beside = self.searched.shape[0] - y - height, self.searched.shape[1] - x - width
        clear = CLEARANCE * max(width, height)
        return any(
            min(before, after) <= 1 and max(before, after) >= clear
            for before, after in ((x, beside), (y, below))
        )


@dataclass(frozen=True)
class Page:
    """What is written in a picture, without what is printed.

    Attributes:
        ink: uint8 (height, width), 0 paper to 255 ink, measured by the pen.
        mask: uint8 like `ink`, 0 and 1, the strokes.
        found: the pieces of `mask`.
        lines: uint8 like `ink`, 1 where printed lines were taken away; None without any.
        printed: the same of lines and marks.
        is_filled: whether the strokes are what an outline encloses.
        is_ambiguous: whether a ring or bracket that was taken away may be a 0, or a 1.
    """

    ink: np.ndarray
    mask: np.ndarray
    found: Pieces
    lines: np.ndarray | None
    printed: np.ndarray | None
    is_filled: bool
    is_ambiguous: bool

    @classmethod
    def find(cls, ink: np.ndarray) -> Page:
        """Take away what is printed, given uint8 (height, width), 0 paper to 255 ink."""
        _, strokes = cv2.threshold(ink, INK_LEVEL * 255, 1, cv2.THRESH_BINARY)
        mask = without_rules(strokes, ink)
        found = Pieces(mask)
        if mask is strokes:  # else it is ruled, and its lines are gone
            mask = without_dividers(mask, ink, found)
            found = found if mask is strokes else Pieces(mask)
        unprinted = without_forms(mask, ink, found)
        if unprinted is not mask:
            mask = unprinted
            found = Pieces(mask)
        lines = None if mask is strokes else cv2.subtract(strokes, mask)
        if lines is not None:
            ink, mask, found = _without_lines(ink, mask, lines, found)
        filled = filled_outline(mask, found)
        if filled is not None:
            mask = filled
            found = Pieces(mask)
        unmarked, is_ambiguous = without_marks(mask, found)
        is_marked = unmarked is not mask
        if is_marked:
            mask = unmarked
            found = Pieces(mask)
        printed = cv2.subtract(strokes, mask) if is_marked or lines is not None else None
        return cls(ink, mask, found, lines, printed, filled is not None, is_ambiguous)

    def digits(self) -> Iterator[FoundDigit]:
        """What may be the digit, the most likely first."""
        parts = self.found.parts
        return (self.digit(parts.group(main)) for main in parts.by_likelihood)

    def digit(self, members: np.ndarray) -> FoundDigit:
        """The digit that some parts of `found` make."""
        found, parts = self.found, self.found.parts
        box = parts.box(members)
        window = slices_of(box)
        own = self.mask[window]
        if members.size < len(found) - 1:
            own = found.several(1 + members, box)
        circled = within_circle(own) if max(self.mask.shape) >= RULED_SIDE else None
        if circled is not None:
            box, own = _cropped(box, circled)
            window = slices_of(box)
        own_ink = self.ink[window] * cv2.dilate(own, np.ones((3, 3), np.uint8))
        others = parts.second_digits(members, is_plain=self.lines is None)
        joints = NO_JOINTS
        if self.lines is not None:
            joints = find_joints(own, box, self.lines, self.ink)
        return FoundDigit(
            ink=own_ink,
            shape=255 * own if self.is_filled else own_ink,
            box=box,
            at_border=bool(parts.at_border[members].any()),
            several=bool(others.size),
            beside_patches=bool(others.size)
            and all(is_thicker(found.piece(1 + other), SOLID) for other in others),
            is_dotted=parts.is_dotted(members, own),
            is_ambiguous=self.is_ambiguous,
            is_circled=circled is not None,
            has_neighbours=_has_neighbours(found, members, own),
            is_joined=joints.are_unclear,
            completed=joints.completed,
            searched=self.ink,
            printed=self.printed,
        )


class Pages:
    """What is written in a picture, found once for each reach of the strokes.

    Attributes:
        dark: uint8 (height, width), dark ink on light paper.
    """

    def __init__(self, dark: np.ndarray, first: Page | None = None) -> None:
        """Where it was found for a cropped digit's reach already, `first` is that."""
        self.dark = dark
        self._found: dict[float, Page | None] = {CROP_REACH: first} if first else {}

    def at(self, *reaches: float) -> Iterator[Page]:
        """What is written, for each reach at which there is ink."""
        for reach in reaches:
            if reach not in self._found:
                self._found[reach] = self._find(reach)
            page = self._found[reach]
            if page is not None:
                yield page

    def _find(self, reach: float) -> Page | None:
        try:
            return Page.find(find_ink(self.dark, reach))
        except Refused:
            return None


def find_digit(page: Page) -> FoundDigit:
    """Gather the strokes that belong to the one digit.

    Raises:
        Refused: blank when only specks are found.
    """
    for digit in page.digits():
        return digit
    raise Refused(Reason.BLANK)


def prefer_lone_digit(pages: Pages, digit: FoundDigit) -> FoundDigit:
    """Tell a tightly cropped digit from a shadow or a table's edge that was taken for ink."""
    dark = pages.dark
    stands_out = _stands_out(dark, digit)
    settled = stands_out and not digit.at_border
    solid = digit.is_thicker(SOLID)
    if settled and not solid and not digit.beside_patches:
        return digit
    shadowed = None if stands_out or digit.at_border else find_in_shadow(dark, digit)
    if shadowed:
        return shadowed
    lone = _find_lone_digit(pages)
    if lone and solid:  # strokes beside a shadow or in it, and maybe some of its edge
        return replace(lone, stands_out=not (settled or _is_fragment(lone, digit)))
    if settled:  # what seemed a second digit may be a shadow
        alone = lone and not lone.several and _is_nearly(lone.box, digit.box)
        return replace(lone, stands_out=False) if lone and alone else digit
    if lone is None:
        doubtful = digit.at_border and not stands_out
        return _find_reverse(dark, digit) or replace(digit, stands_out=not doubtful)
    if stands_out and (_is_fragment(lone, digit) or _is_nearly(lone.box, digit.box)):
        return digit  # a thin part of a thick digit, or the digit less what lies at the border
    return lone


def _find_reverse(dark: np.ndarray, shadow: FoundDigit) -> FoundDigit | None:
    """A lone digit when ink was taken for paper, as happens in deep shadow, or None.

    What lies within the first find may be the paper that a loop encloses.
    """
    digit = _find_lone_digit(Pages(255 - dark))
    if digit is None or is_inside(digit.box, shadow.box):
        return None
    return replace(digit, is_reversed=True)


def _is_nearly(one: Box, other: Box) -> bool:
    """Whether two boxes have nine tenths of what they cover in common."""
    _, _, width, height = _common(one, other)
    common = max(0, width) * max(0, height)
    return common > 0.9 * (one[2] * one[3] + other[2] * other[3] - common)


def _common(one: Box, other: Box) -> Box:
    """What two boxes both cover; its width or height is not above 0 when they do not meet."""
    left, top = max(one[0], other[0]), max(one[1], other[1])
    right = min(one[0] + one[2], other[0] + other[2])
    bottom = min(one[1] + one[3], other[1] + other[3])
    return left, top, right - left, bottom - top


def _is_fragment(piece: FoundDigit, whole: FoundDigit) -> bool:
    """Whether a find is only a part of a larger connected stroke of another find."""
    left, top, width, height = _common(piece.box, whole.box)
    if width <= 0 or height <= 0:
        return False
    x, y = left - whole.box[0], top - whole.box[1]
    in_piece_x, in_piece_y = left - piece.box[0], top - piece.box[1]
    labels, stats = pieces(whole.strokes)
    own = piece.strokes
    ink = own[in_piece_y : in_piece_y + height, in_piece_x : in_piece_x + width] > 0
    under = np.bincount(labels[y : y + height, x : x + width][ink], minlength=2)
    under[0] = 0
    size = cv2.countNonZero(own)
    main = int(under.argmax())
    return bool(under[main] > 0.5 * size and stats[main, cv2.CC_STAT_AREA] > 1.15 * size)


def _find_lone_digit(pages: Pages) -> FoundDigit | None:
    """A digit that stands alone on its page, however that is lit, or None."""
    for page in pages.at(*PAGE_REACHES):
        for digit in islice(page.digits(), LIKELIEST):
            if _is_lone(pages.dark, digit):
                return replace(digit, several=digit.several and not digit.beside_patches)
    return None


def find_lone_digits(pages: Pages) -> Iterator[list[FoundDigit]]:
    """All that may be a digit that stands alone on its page beside other things.

    First with what is near, then each piece by itself: a bent line may lie around a digit.
    """
    seen: list[Box] = []
    for in_one_piece in (False, True):
        digits = [
            page.digit(members)
            for page in pages.at(CROP_REACH, *PAGE_REACHES)
            for members in _large_parts(page.found.parts, pages.dark.shape, in_one_piece)
            if _is_new(page.found.parts.box(members), seen)
        ]
        yield [digit for digit in digits if _is_lone(pages.dark, digit)]


def _large_parts(parts: Parts, shape: tuple[int, ...], in_one_piece: bool) -> Iterator[np.ndarray]:
    """Which parts make each of the likeliest things, but for those that are dirt or at a border."""
    for main in parts.by_likelihood[:MOST_BESIDE]:
        members = np.array([main]) if in_one_piece else parts.group(main)
        is_large = max(parts.box(members)[2:]) >= MIN_LONE_SIDE * max(shape)
        if is_large and not parts.at_border[members].any():
            yield members


def _is_new(box: Box, seen: list[Box]) -> bool:
    """Whether a box is not nearly one that was seen; it is from now on."""
    is_new = not any(_is_nearly(box, other) for other in seen)
    if is_new:
        seen.append(box)
    return is_new


def find_in_shadow(dark: np.ndarray, first: FoundDigit) -> FoundDigit | None:
    """A digit of thin strokes that stands alone where the edge of a shadow crosses it, or None.

    Args:
        dark: uint8 array (height, width), dark ink on light paper.
        first: what was found there, the shadow and all.
    """
    for reach in FINE_REACHES:
        with contextlib.suppress(Refused):
            page = Page.find(find_strokes(dark, reach))
            for digit in islice(page.digits(), LIKELIEST):
                if _is_thin(digit, dark, reach) and not _is_part(digit, dark, first):
                    return digit
    return None


def _is_thin(digit: FoundDigit, dark: np.ndarray, reach: float) -> bool:
    """Whether all strokes of a digit stand alone and are thin for how wide they may be."""
    share = max(digit.box[2:]) / max(dark.shape)
    return (
        share >= LEAST
        and not digit.is_thicker(THIN * reach / share)
        and digit.is_clear
        and digit.is_in_few_pieces
        and _is_lone(255 - digit.searched, digit)
    )


def _is_part(digit: FoundDigit, dark: np.ndarray, first: FoundDigit) -> bool:
    """Whether what else was found is the pen's: as dark, or no wider where it ends at the border.

    A shadow is lighter than the same pen within it, and wider.
    """
    own = digit.where
    rest = cv2.subtract(first.where, cv2.dilate(own, disc(FRINGE)))
    if cv2.countNonZero(rest) < SMALL_REST * cv2.countNonZero(own):
        return first.at_border
    (pen,) = grey_levels(dark, (0.1,), mask=own)
    (shade,) = grey_levels(dark, (0.5,), mask=rest)
    (paper,) = grey_levels(dark, (0.9,))
    if shade < pen + AS_DARK * (paper - pen):
        return True
    return first.at_border and thickness(rest) < WIDER * thickness(own)


def _is_lone(dark: np.ndarray, digit: FoundDigit) -> bool:
    """Whether strokes that are no dirt and no line stand within their page, paper around them."""
    width, height = digit.box[2:]
    is_large = max(width, height) >= MIN_LONE_SIDE * max(dark.shape)
    is_flat = width > MAX_FLATNESS * height
    is_strokes = is_large and not is_flat and not digit.is_thicker(BOLD)
    return is_strokes and not digit.at_border and _stands_out(dark, digit)


def _has_neighbours(found: Pieces, members: np.ndarray, own: np.ndarray) -> bool:
    """Whether strokes at the border, of a pen as wide as the digit's, may be a digit as well.

    Args:
        found: all pieces.
        members: which of their parts make the digit.
        own: uint8 (h, w), 0 and 1, the digit.
    """
    neighbours = [found.piece(1 + part) for part in found.parts.neighbours(members).tolist()]
    if not neighbours:
        return False
    pen = thickness(own) * max(own.shape)
    for piece in neighbours:
        other = thickness(piece) * max(piece.shape)
        is_alike = max(pen, other) < SAME_PEN * min(pen, other)
        if is_alike and not _is_box(piece, other):
            return True
    return False


def _is_box(piece: np.ndarray, pen: float) -> bool:
    """Whether hardly any ink of uint8 (h, w) is off its edges: of a printed box, or a part."""
    margin = round(pen + ASKEW * max(piece.shape))
    inner = piece[margin:-margin, margin:-margin]
    is_roomy = min(inner.shape) > 2 * margin
    return is_roomy and cv2.countNonZero(inner) < BESIDE_EDGES * cv2.countNonZero(piece)


def _cropped(box: Box, strokes: np.ndarray) -> tuple[Box, np.ndarray]:
    """Where strokes lie, px of the picture, given uint8 (h, w) of a box; and they alone."""
    x, y, width, height = cv2.boundingRect(strokes)
    return (box[0] + x, box[1] + y, width, height), strokes[y : y + height, x : x + width]


def _without_lines(
    ink: np.ndarray, mask: np.ndarray, lines: np.ndarray, found: Pieces
) -> tuple[np.ndarray, np.ndarray, Pieces]:
    """Measure the ink anew by the pen, where printed lines were darker, and find its strokes.

    Args:
        ink: uint8 (height, width), 0 paper to 255 ink, by the lines.
        mask: uint8 (height, width), 0 and 1, the strokes without the lines.
        lines: uint8 (height, width), 1 where lines were taken away.
        found: the pieces of `mask`.
    """
    around = cv2.dilate(lines, np.ones((FRINGE, FRINGE), np.uint8))
    core = ink_depth(ink[(around == 0) | (mask > 0)], floor=PALEST * 255)
    if core is None or core > PALE_PEN * 255:
        return ink, mask, found
    paler = cv2.convertScaleAbs(ink, alpha=255.0 / core)
    strokes = cv2.threshold(paler, INK_LEVEL * 255, 1, cv2.THRESH_BINARY)[1]
    mask = cv2.bitwise_or(cv2.subtract(strokes, around), mask)
    return paler, mask, Pieces(mask)


def _stands_out(dark: np.ndarray, digit: FoundDigit) -> bool:
    """Whether paper is all around the strokes: a shadow or a wider stroke would go on.

    Lines printed on the paper are left out: among close ones hardly anything else is around.
    """
    x, y, width, height = digit.box
    room = 6
    top, left = max(0, y - room), max(0, x - room)
    window = dark[top : y + height + room, left : x + width + room]
    inside = np.zeros(window.shape, np.uint8)
    inside[y - top : y - top + height, x - left : x - left + width] = digit.strokes
    near = cv2.dilate(inside, disc(5))
    ring = cv2.subtract(cv2.dilate(near, disc(5)), near)
    if digit.printed is not None:
        lines = digit.printed[top : y + height + room, left : x + width + room]
        ring = cv2.subtract(ring, cv2.dilate(lines, disc(5)))  # their edges, too, are no paper
    (pen,) = grey_levels(window, (0.5,), mask=inside)
    darkest, paper = grey_levels(window, (0.1, 0.5), mask=ring)
    if darkest <= (pen + paper) / 2:
        return False
    return not (height > EDGE_LENGTH * width and _is_edge(window, inside, ring, pen))


def _is_edge(window: np.ndarray, strokes: np.ndarray, ring: np.ndarray, pen: int) -> bool:
    """Whether it is lighter on one side of an upright stroke, as along the shadow of a sheet.

    Args:
        window: uint8 (h, w), dark ink on light paper.
        strokes, ring: uint8 like `window`, 1 where the stroke is, and around it.
        pen: grey level of the stroke.
    """
    rows = np.flatnonzero(strokes.any(axis=1))
    middles = (strokes[rows] * np.arange(strokes.shape[1])).sum(axis=1) / strokes[rows].sum(axis=1)
    middle = np.interp(np.arange(len(strokes)), rows, middles)
    right = (np.arange(strokes.shape[1]) > middle[:, None]).astype(np.uint8)
    sides = [ring * right, ring * (1 - right)]
    if not all(side.any() for side in sides):
        return True  # at the border
    lighter, darker = sorted(grey_levels(window, (0.5,), mask=side)[0] for side in sides)[::-1]
    return lighter - darker > UNEVEN_SIDES * (lighter - pen)
