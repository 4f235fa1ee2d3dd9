"""Hands that draw on the paper of the page, with a mouse or with a finger."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from playwright.sync_api import Page

from fixtures.drawing import STROKES

Point = tuple[float, float]


def strokes(page: Page, digit: int) -> Iterator[list[Point]]:
    """The strokes of a digit in the middle of the paper, in px of the window."""
    for points in STROKES[digit]:
        yield [place(page, 0.3 + 0.4 * x, 0.2 + 0.6 * y) for x, y in points]


def place(page: Page, x: float, y: float) -> Point:
    """A place on the paper, whose corners are (0, 0) and (1, 1), in px of the window."""
    paper = page.locator("[data-paper]").bounding_box()
    assert paper is not None
    return paper["x"] + x * paper["width"], paper["y"] + y * paper["height"]


def draw(page: Page, digit: int) -> None:
    for points in strokes(page, digit):
        draw_line(page, points)


def draw_line(page: Page, points: list[Point]) -> None:
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=4)
    page.mouse.up()


def draw_with_a_finger(page: Page, digit: int) -> None:
    for points in strokes(page, digit):
        touch(page, points)


def touch(page: Page, points: list[Point]) -> None:
    session = page.context.new_cdp_session(page)

    def send(kind: str, fingers: list[Point]) -> None:
        touches = [{"x": x, "y": y} for x, y in fingers]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    send("touchStart", [points[0]])
    for (x1, y1), (x2, y2) in itertools.pairwise(points):
        for share in (0.25, 0.5, 0.75, 1.0):
            send("touchMove", [(x1 + share * (x2 - x1), y1 + share * (y2 - y1))])
    send("touchEnd", [])
    session.detach()


def ink(page: Page) -> int:
    """How much of the paper is dark, in px of a drawing 400 px wide."""
    dark: float = page.locator("[data-paper]").evaluate(
        """(paper) => {
            const { data } = paper.getContext("2d").getImageData(0, 0, paper.width, paper.height);
            const dark = data.filter((level, n) => n % 4 === 0 && level < 128).length;
            return dark * (400 / paper.width) ** 2;
        }"""
    )
    return round(dark)
