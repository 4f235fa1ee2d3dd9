"""Metrics as lines for a terminal, and kept in a model's directory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ml import datasets, reports
from ml.cards import ModelCard
from ml.datasets import Dataset
from recognition import model_facts


def lines(name: str, report: dict[str, Any]) -> Iterator[str]:
    """The report of one data set (`ml.evaluation.report`), each line with its end."""
    if "accuracy" not in report:
        yield (
            f"\n{name}, {report['count']} pictures that show no digit: "
            f"{report['refused_share']:.2%} refused, {report['accepted_share']:.2%} accepted\n\n"
        )
        return
    low, high = report["interval"]
    yield (
        f"\n{name}, {report['count']} test pictures: accuracy {report['accuracy']:.2%} "
        f"(95 % interval {low:.2%} to {high:.2%}), calibration error "
        f"{report['expected_calibration_error']:.4f},\n"
        f"accepted {report['accepted_share']:.2%}, of these wrong {report['accepted_error']:.2%}\n"
    )
    yield "digit  precision  recall      f1   count\n"
    for digit, row in report["per_class"].items():
        yield (
            f"{digit:>5}  {row['precision']:>9.4f}  {row['recall']:>6.4f}  "
            f"{row['f1']:>6.4f}  {row['support']:>6}\n"
        )
    yield "\n"


def told(name: str, part: dict[str, Any]) -> Iterator[str]:
    """Any part of an examination (`ml.examination.examine`)."""
    if "per_class" in part or ("is_drawn" not in part and "accuracy" not in part):
        yield from lines(name, part)
    elif "accuracy" in part:
        yield (
            f"{name:<16}  read right {part['accuracy']:>7.2%}   accepted "
            f"{part['accepted_share']:>7.2%}   of these wrong {part['accepted_error']:>6.2%}\n"
        )
    else:
        left_out = "" if part["is_counted"] else "   (not counted: may be a digit after all)"
        yield (
            f"no digit: {name:<10}  {part['count']:>5} pictures   refused "
            f"{part['refused_share']:>7.2%}   accepted {part['accepted_share']:>7.2%}{left_out}\n"
        )


def summary(report: dict[str, Any]) -> Iterator[str]:
    """What holds for all sets, and the figures asked for beside those reached."""
    if "together" in report:
        part = report["together"]
        yield (
            f"\nheld-out sets together, {part['count']} pictures: accuracy {part['accuracy']:.2%}, "
            f"calibration error {part['expected_calibration_error']:.4f}\n"
        )
    for key, value in report.get("auroc", {}).items():
        which = "held-out pictures of no digit" if key == "real" else "drawn ones too"
        yield f"AUROC of digit against no digit, {which}: {value:.4f}\n"
    figures = report.get("figures", [])
    width = max((len(figure["what"]) for figure in figures), default=0)
    yield f"\n{'figure':<{width}}  {'asked for':>16}  {'reached':>9}\n" if figures else ""
    for figure in figures:
        state = "" if figure["passed"] else "  short"
        yield f"{figure['what']:<{width}}  {figure['asked']:>16}  {figure['reached']:>9}{state}\n"


def distribution(card: ModelCard, data_dir: Path | None) -> dict[str, list[int]]:
    """How many pictures of each digit, and of no digit, each set has that a model learned from.

    Newer cards know it; for others the sets are looked at.

    Raises:
        datasets.DatasetError: one of them is not in `data_dir`.
    """
    told = {entry["name"]: entry["labels"] for entry in card.datasets if "labels" in entry}
    if told:
        return told
    learned = (datasets.load(name, "train", data_dir) for name in card.config.get("datasets", ()))
    return {part.name: np.bincount(part.labels, minlength=11).tolist() for part in learned}


def keep(
    directory: Path,
    card: ModelCard,
    report: dict[str, Any],
    sets: Iterable[Dataset],
    counts: dict[str, list[int]],
    text: str,
) -> Path:
    """Write a report with its plots into the model's directory.

    Args:
        sets: those that were read, for the pictures of mistakes.
        counts: of `distribution`.
    """
    pictures = {part.name: part.pictures for part in sets}
    titles = {name: model_facts.title(name) for name in [*pictures, *counts]}
    complete = {**report, "distribution": counts}
    return reports.write(
        directory, card, complete, text, lambda name, index: pictures[name][index], titles
    )


def keep_training(directory: Path, card: ModelCard, data_dir: Path | None) -> Path:
    """Write the report of a new model: what its card says, with the curves of the training."""
    sets = [datasets.load(name, "test", data_dir) for name in card.config["datasets"]]
    tests = card.metrics["test"].items()
    text = "".join(line for name, part in tests for line in lines(name, part))
    counts = distribution(card, data_dir)
    return keep(directory, card, reports.of_training(card), sets, counts, text)


def minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
