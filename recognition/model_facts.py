"""What a model card says, in the order and the units in which people read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from ml import reports
from ml.robustness import CORRUPTIONS

TITLES = {
    "mnist": "MNIST",
    "emnist": "EMNIST digits",
    "usps": "USPS envelopes",
    "semeion": "Semeion",
    "bhmsds": "BHMSDS",
    "bhmsds_nondigits": "Letters and signs by hand",
    "chars74k": "Chars74K",
    "cheques": "Cheques",
    "drawn_ones": "Drawn 1s and 7s",
    "fonts": "Fonts of handwriting",
    "font_letters": "Letters of fonts",
    "drawn": "Drawn on a screen",
    "photographs": "Photographs",
    "photographs_12mp": "Large photographs",
    "photographs_far": "Photographs from far",
    "notes": "Notes on a desk",
    "forms": "Boxes of forms",
    "marked": "Circled or underlined",
}
KINDS = {
    "dot": "Dots",
    "minus": "Minus signs",
    "plus": "Plus signs",
    "w": "The letter w",
    "x": "The letter x",
    "y": "The letter y",
    "z": "The letter z",
    "slash": "Slashes",
    "blank": "Blank paper",
    "noise": "Nothing but noise",
    "scribble": "Scribbles",
    "letters": "Capital and other letters",
    "shapes": "Squares, stars, arrows",
    "pairs": "Two digits side by side",
    "cut_off": "Halves of digits",
    "scenes": "Photographs of something else",
}
PLOTS = {
    "confusion": "Which digit it took for which. The more often, the darker.",
    "reliability": "How many it read right, against how sure it was. On the dotted line its "
    "confidence means exactly what it says; large marks stand for many pictures.",
    "misclassified": "Digits that it read wrong, as the network saw them.",
    "mistakes": "Mistakes on the other collections, the most confident ones first.",
    "curves": "How the share of wrong readings fell while it learned.",
    "distribution": "How many pictures of each digit it learned from.",
}


@dataclass(frozen=True)
class DataSet:
    title: str
    training: int | None
    validation: int | None


@dataclass(frozen=True)
class Cell:
    """How often one digit was read as another; `shade` is 0 (never) to 4, or "right"."""

    count: int
    shade: str


@dataclass(frozen=True)
class Row:
    label: str
    cells: list[Cell]


@dataclass(frozen=True)
class Test:
    """How the model did on one set of pictures that it was not trained on."""

    title: str
    figures: dict[str, Any]
    per_class: list[tuple[str, dict[str, Any]]]
    confusion: list[Row]


@dataclass(frozen=True)
class Kind:
    """What became of pictures of no digit that show the same; shares of 1."""

    title: str
    count: int
    refused: float
    unsure: float
    accepted: float
    is_counted: bool


@dataclass(frozen=True)
class Damage:
    """How many pictures are still read right, the damage growing from step to step."""

    title: str
    unit: str
    steps: list[dict[str, float]]

    @property
    def most_wrong(self) -> float:
        """Of the pictures it was sure of, how many it read wrong, at the worst step."""
        return max((step["accepted_error"] for step in self.steps), default=0.0)


@dataclass(frozen=True)
class Examined:
    """What `evaluate_model --full` found, beyond the data sets."""

    kinds: list[Kind]
    auroc: float | None
    damages: list[Damage]
    damaged: int  # pictures
    plain: dict[str, float]
    figures: list[dict[str, Any]]


@dataclass(frozen=True)
class Facts:
    labels: list[str]
    thresholds: dict[str, float]
    datasets: list[DataSet]
    trained_on: int
    tests: list[Test]  # those with digits
    no_digits: list[Test]  # those without: a good model refuses these
    minutes: float | None
    examined: Examined

    @property
    def main(self) -> Test | None:
        return self.tests[0] if self.tests else None


def gather(card: dict[str, Any], report: dict[str, Any] | None = None) -> Facts:
    """Take from a card what is there; older cards and other trainings leave parts out.

    Args:
        report: of `evaluate_model --write`; its figures are newer than the card's.
    """
    labels = [str(label) for label in card.get("labels") or range(10)]
    metrics = (card.get("metrics") or {}).get("test") or {}
    metrics = metrics | ((report or {}).get("sets") or {})
    tests = [_test(name, figures, labels) for name, figures in metrics.items()]
    datasets = [_dataset(entry) for entry in card.get("datasets") or []]
    seconds = card.get("training_seconds")
    return Facts(
        labels=labels,
        thresholds=card.get("thresholds") or {},
        datasets=datasets,
        trained_on=sum(dataset.training or 0 for dataset in datasets),
        tests=[test for test in tests if "accuracy" in test.figures],
        no_digits=[test for test in tests if "accuracy" not in test.figures],
        minutes=seconds / 60 if seconds else None,
        examined=_examined(report or {}),
    )


def _examined(report: dict[str, Any]) -> Examined:
    robustness = report.get("robustness") or {}
    return Examined(
        kinds=[_kind(name, part) for name, part in (report.get("kinds") or {}).items()],
        auroc=(report.get("auroc") or {}).get("real"),
        damages=[
            Damage(CORRUPTIONS[name].title, CORRUPTIONS[name].unit, steps)
            for name, steps in (robustness.get("corruptions") or {}).items()
            if name in CORRUPTIONS
        ],
        damaged=robustness.get("count", 0),
        plain=robustness.get("plain") or {},
        figures=report.get("figures") or [],
    )


def _kind(name: str, part: dict[str, Any]) -> Kind:
    refused, accepted = part["refused_share"], part["accepted_share"]
    unsure = max(0.0, 1 - refused - accepted)
    return Kind(kind(name), part["count"], refused, unsure, accepted, part["is_counted"])


def kind(name: str) -> str:
    """What a picture of no digit shows, in words."""
    return KINDS.get(name, name.replace("_", " "))


def plots(directory: Path) -> list[dict[str, str]]:
    """The plots of a model directory, each with a sentence that says what it shows."""
    there = set(reports.drawn_plots(directory))
    return [{"name": name, "says": says} for name, says in PLOTS.items() if name in there]


def title(name: str) -> str:
    """How a data set is called on pages; one that is a folder by the folder's own name."""
    return TITLES.get(name, PurePath(name).name.replace("_", " "))


def _dataset(entry: dict[str, Any]) -> DataSet:
    name = str(entry.get("name", "unnamed"))
    return DataSet(title(name), entry.get("training"), entry.get("validation"))


def _test(name: str, figures: dict[str, Any], labels: list[str]) -> Test:
    label_of = {str(digit): label for digit, label in enumerate(labels)}  # reports count 0 to 9
    per_class = figures.get("per_class") or {}
    return Test(
        title=title(name),
        figures=figures,
        per_class=[(label_of.get(digit, digit), scores) for digit, scores in per_class.items()],
        confusion=_confusion(figures.get("confusion") or [], labels),
    )


def _confusion(counts: list[list[int]], labels: list[str]) -> list[Row]:
    rows = enumerate(zip(labels, counts, strict=False))
    return [
        Row(label, [_cell(count, right=read == written) for read, count in enumerate(row)])
        for written, (label, row) in rows
    ]


def _cell(count: int, *, right: bool) -> Cell:
    if right:
        return Cell(count, "right")
    steps = (0, 1, 3, 9)  # mistakes are rare: a shade starts above each of these
    return Cell(count, str(sum(count > step for step in steps)))
