"""The plots of a report, as PNG files that can be read on a phone."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator, PercentFormatter
from PIL import Image

WIDTH = 4.8  # inches: at 390 px on a phone, 10 pt is read like 11 px
DPI = 160
COLOURS = 64  # of a PNG's palette: plots are flat, and the files ship
SIZE = 11  # pt
INK, SOFT, RULE = "#1f2330", "#5a5f6e", "#d9d5cb"
# Okabe and Ito (2008): told apart by colour-blind people too.
BLUE, ORANGE, GREEN, PINK, SKY, VERMILION, YELLOW = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442",
)  # fmt: skip
SETS = (BLUE, ORANGE, GREEN, PINK, SKY, VERMILION, YELLOW)


@dataclass(frozen=True)
class Tile:
    """One picture of a contact sheet: what the network saw, and what came of it.

    `field` is float32 (28, 28), 0.0 paper to 1.0 ink.
    """

    field: np.ndarray
    true: int
    read: int
    confidence: float
    source: str


def curves(history: Sequence[Mapping[str, float]]) -> bytes:
    """Loss and share of errors by epoch, in training and on the pictures kept for tuning."""
    figure = Figure((WIDTH, 5.4), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    epochs = [record["epoch"] for record in history]
    parts = (
        ("", "in training", BLUE, "o", "-"),
        ("val_", "on pictures kept for tuning", VERMILION, "s", "--"),
    )
    for prefix, label, colour, mark, style in parts:
        wrong = [100 * (1 - record[f"{prefix}accuracy"]) for record in history]
        loss = [record[f"{prefix}loss"] for record in history]
        look = {"color": colour, "marker": mark, "ms": 3.5, "lw": 1.6, "ls": style}
        above.plot(epochs, wrong, label=label, **look)
        below.plot(epochs, loss, **look)
    above.set_yscale("log")
    above.yaxis.set_major_locator(FixedLocator([0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]))
    above.yaxis.set_major_formatter(lambda value, _: f"{value:g}%")
    above.yaxis.set_minor_locator(NullLocator())
    _dress(above, "Read wrong in each epoch of training", ylabel="read wrong")
    _dress(below, "Loss", xlabel="epoch")
    below.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    above.legend(frameon=False, fontsize=SIZE - 1, labelcolor=INK)
    return _png(figure)


def distribution(counts: Mapping[str, Sequence[int]], titles: Mapping[str, str]) -> bytes:
    """How many pictures of each digit were learned from, by data set.

    Args:
        counts: set -> eleven counts: the digits 0 to 9, and pictures of no digit.
    """
    figure = Figure((WIDTH, 4.6), layout="constrained")
    axes = figure.subplots()
    places = np.arange(11)
    bottom = np.zeros(11)
    for number, (name, row) in enumerate(counts.items()):
        colour = SETS[number % len(SETS)]
        label = titles.get(name, name)
        hatch = "////" if number >= len(SETS) else None  # the colours begin again
        axes.bar(
            places, row, 0.8, bottom,
            color=colour, label=label, edgecolor="white", lw=0.4, hatch=hatch,
        )  # fmt: skip
        bottom += np.array(row)
    axes.set_xticks(places, [*map(str, range(10)), "none"])
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    _dress(axes, "Pictures it learned from", xlabel="digit")
    figure.legend(
        loc="outside lower center", ncols=2, frameon=False, fontsize=SIZE - 1, labelcolor=INK
    )
    return _png(figure)


def confusion(matrix: Sequence[Sequence[int]], title: str) -> bytes:
    """Which digit was taken for which: mistakes shaded, right readings in grey.

    Digits are 0 to 9 in every script: Matplotlib's font has no others.
    """
    counts = np.array(matrix)
    wrong = counts.astype(float)
    np.fill_diagonal(wrong, np.nan)
    figure = Figure((WIDTH, 5.0), layout="constrained")
    axes = figure.subplots()
    most = max(1.0, float(np.nanmax(wrong)))
    axes.imshow(np.sqrt(wrong), cmap="Oranges", vmin=0, vmax=1.25 * np.sqrt(most))
    for row, column in np.ndindex(counts.shape):
        count = int(counts[row, column])
        if row == column:
            _cell(axes, row, column, str(count))
        elif count:
            axes.text(column, row, str(count), ha="center", va="center", fontsize=SIZE, color=INK)
    axes.set_xticks(range(10))
    axes.set_yticks(range(10))
    axes.xaxis.set_ticks_position("top")
    axes.xaxis.set_label_position("top")
    _dress(axes, "", xlabel="read as", ylabel="written")
    axes.grid(visible=False)
    axes.tick_params(length=0)
    figure.suptitle(f"{title}: which digit was taken for which", fontsize=SIZE + 1, color=INK)
    return _png(figure)


def reliability(bins: Mapping[str, Sequence[Mapping[str, float]]]) -> bytes:
    """How often it was right, against how sure it said it was; large marks are many pictures.

    Args:
        bins: set -> `evaluation.reliability`.
    """
    figure = Figure((WIDTH, 5.3), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=SOFT, lw=1, ls=":", label="as it should be")
    for number, (name, rows) in enumerate(bins.items()):
        colour, style = (BLUE, VERMILION)[number % 2], ("-", "--")[number % 2]
        confidences = [row["confidence"] for row in rows]
        accuracies = [row["accuracy"] for row in rows]
        sizes = [12 + 30 * np.log10(row["count"]) for row in rows]
        label = f"{name} ({sum(row['count'] for row in rows):,} pictures)"
        axes.plot(confidences, accuracies, color=colour, ls=style, lw=1, alpha=0.6)
        mark = ("o", "s")[number % 2]
        axes.scatter(confidences, accuracies, sizes, color=colour, marker=mark, label=label)
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(-0.03, 1.03)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    _dress(axes, "Does its confidence mean what it says?", xlabel="confidence", ylabel="were right")
    figure.legend(loc="outside lower center", frameon=False, fontsize=SIZE - 1, labelcolor=INK)
    return _png(figure)


def sheet(tiles: Sequence[Tile], title: str, *, with_set: bool) -> bytes:
    """A contact sheet: each picture as the network saw it, what it shows, what was read."""
    columns = 3
    rows = -(-len(tiles) // columns)
    figure = Figure((WIDTH, 0.5 + rows * (2.1 if with_set else 1.92)), layout="constrained")
    grid = np.atleast_2d(figure.subplots(rows, columns, squeeze=False))
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, tile in zip(grid.flat, tiles, strict=False):
        axes.imshow(1 - tile.field, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axes.add_patch(_frame())
        text = f"{tile.true} read as {tile.read}\n{100 * tile.confidence:.1f}% sure"
        if with_set:
            text += f"\n{tile.source}"
        axes.set_title(text, fontsize=SIZE - 0.5, color=INK, linespacing=1.15, pad=3)
    figure.suptitle(title, fontsize=SIZE + 1, color=INK)
    return _png(figure)


def _cell(axes: Axes, row: int, column: int, text: str) -> None:
    axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, color="#e8ecf4", lw=0))
    axes.text(column, row, text, ha="center", va="center", fontsize=SIZE - 2.5, color=SOFT)


def _frame() -> Rectangle:
    return Rectangle((-0.5, -0.5), 28, 28, fill=False, edgecolor=RULE, lw=0.8)


def _dress(axes: Axes, title: str, *, xlabel: str = "", ylabel: str = "") -> None:
    if title:
        axes.set_title(title, fontsize=SIZE + 1, color=INK, loc="left")
    axes.set_xlabel(xlabel, fontsize=SIZE, color=SOFT)
    axes.set_ylabel(ylabel, fontsize=SIZE, color=SOFT)
    axes.tick_params(axis="both", which="both", labelsize=SIZE - 1, labelcolor=INK, color=RULE)
    axes.grid(color=RULE, lw=0.6, alpha=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(RULE)


def _png(figure: Figure) -> bytes:
    """Render to a PNG of few colours; the same figure gives the same bytes."""
    figure.set_dpi(DPI)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    picture = Image.fromarray(pixels).convert("RGB")
    buffer = io.BytesIO()
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
