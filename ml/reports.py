"""The folder `evaluation` of a model directory: a report, as JSON and as text, and its plots."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ml import preprocessing
from ml.cards import SERVED_FILE, ModelCard
from ml.preprocessing import FIELD
from ml.refusals import Refused

FORMAT = 1
FOLDER = "evaluation"
REPORT, TEXT = "report.json", "report.txt"
MAX_REPORT_BYTES = 2_000_000  # a full report is about 60 kB
SHOWN = 18  # mistakes on one sheet
PLOTS = ("curves", "distribution", "confusion", "reliability", "misclassified", "mistakes")

Find = Callable[[str, int], np.ndarray]  # the picture of a set's name and an index


def read(directory: Path) -> dict[str, Any] | None:
    """The report of a model directory, or None where there is none that can be used."""
    path = directory / FOLDER / REPORT
    try:
        if path.stat().st_size > MAX_REPORT_BYTES:
            return None
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    usable = isinstance(report, dict) and report.get("format") == FORMAT
    return report if usable else None


def of_training(card: ModelCard) -> dict[str, Any]:
    """The report that a card's own tests make, right after the training."""
    return {
        "format": FORMAT,
        "model": card.version,
        "sha256": card.files[SERVED_FILE].sha256,
        "sets": card.metrics["test"],
    }


def drawn_plots(directory: Path) -> list[str]:
    """Which of `PLOTS` a model directory has."""
    return [name for name in PLOTS if plot_path(directory, name).is_file()]


def plot_path(directory: Path, name: str) -> Path:
    """Where a plot lies.

    Raises:
        ValueError: `name` is none of `PLOTS`.
    """
    if name not in PLOTS:
        raise ValueError(f"{name!r} is no plot")
    return directory / FOLDER / f"{name}.png"


def write(
    directory: Path,
    card: ModelCard,
    report: dict[str, Any],
    text: str,
    find: Find,
    titles: dict[str, str],
) -> Path:
    """Write report and plots into a model directory, in place of earlier ones.

    Everything is written beside the old folder and takes its place when it is complete.

    Args:
        report: of `examination.examine`, or `of_training` after a training.
        find: gives the pictures of mistakes.
        titles: how sets are called on plots.

    Returns:
        The folder.
    """
    images = draw(card, report, find, titles)
    final = directory / FOLDER
    staging = Path(tempfile.mkdtemp(prefix=".writing-", dir=directory))
    try:
        shown = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
        (staging / REPORT).write_text(shown, encoding="utf-8")
        (staging / TEXT).write_text(text, encoding="utf-8")
        for name, image in images.items():
            (staging / f"{name}.png").write_bytes(image)
        staging.chmod(0o755)
        _swap(staging, final)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return final


def _swap(new: Path, final: Path) -> None:
    """Let a folder take the place of another, which goes only afterwards."""
    old = new.with_name(f"{new.name}-before")
    if final.exists():
        final.rename(old)
    new.rename(final)
    shutil.rmtree(old, ignore_errors=True)


def draw(
    card: ModelCard, report: dict[str, Any], find: Find, titles: dict[str, str]
) -> dict[str, bytes]:
    """The plots that there is something to show on, as PNG files."""
    from ml import plots  # Matplotlib costs a second: only here.

    sets = {name: part for name, part in report["sets"].items() if part.get("confusion")}
    drawn: dict[str, bytes] = {}
    if card.metrics.get("history"):
        drawn["curves"] = plots.curves(card.metrics["history"])
    if report.get("distribution"):
        drawn["distribution"] = plots.distribution(report["distribution"], titles)
    if not sets:
        return drawn
    main = next(iter(sets))
    title = titles.get(main, main)
    drawn["confusion"] = plots.confusion(sets[main]["confusion"], title)
    bins = {title: sets[main]["reliability"]}
    if report.get("together"):
        bins["Other held-out sets"] = report["together"]["reliability"]
    drawn["reliability"] = plots.reliability(bins)
    own = _tiles({main: sets[main]}, find, titles)
    others = _tiles({name: part for name, part in sets.items() if name != main}, find, titles)
    if own:
        heading = f"{title}: digits it read wrong"
        drawn["misclassified"] = plots.sheet(own, heading, with_set=False)
    if others:
        heading = "Most confident mistakes on the other collections"
        drawn["mistakes"] = plots.sheet(others, heading, with_set=True)
    return drawn


def _tiles(sets: dict[str, dict[str, Any]], find: Find, titles: dict[str, str]) -> list[Any]:
    """The most confident mistakes with what the network saw of each, surest first."""
    from ml.plots import Tile

    told = [(name, entry) for name, part in sets.items() for entry in part["mistakes"]]
    told.sort(key=lambda item: -item[1]["confidence"])
    return [
        Tile(
            field=_seen(find(name, entry["index"])),
            true=entry["true"],
            read=entry["read"],
            confidence=entry["confidence"],
            source=titles.get(name, name),
        )
        for name, entry in told[:SHOWN]
    ]


def _seen(picture: np.ndarray) -> np.ndarray:
    try:
        return preprocessing.to_field(picture).pixels
    except Refused:
        return np.zeros((FIELD, FIELD), np.float32)
