"""What a model card says, in the order and the units in which people read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TITLES = {
    "mnist": "MNIST",
    "emnist_digits": "EMNIST digits",
    "usps": "USPS envelopes",
    "semeion": "Semeion",
    "bhmsds": "BHMSDS",
    "bhmsds_nondigits": "Pictures of no digit",
    "chars74k": "Chars74K",
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
class Facts:
    labels: list[str]
    thresholds: dict[str, float]
    datasets: list[DataSet]
    trained_on: int
    tests: list[Test]  # those with digits
    no_digits: list[Test]  # those without: a good model refuses these
    minutes: float | None

    @property
    def main(self) -> Test | None:
        return self.tests[0] if self.tests else None


def gather(card: dict[str, Any]) -> Facts:
    """Take from a card what is there; older cards and other trainings leave parts out."""
    labels = [str(label) for label in card.get("labels") or range(10)]
    metrics = (card.get("metrics") or {}).get("test") or {}
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
    )


def _title(name: str) -> str:
    return TITLES.get(name, name.replace("_", " "))


def _dataset(entry: dict[str, Any]) -> DataSet:
    name = str(entry.get("name", "unnamed"))
    return DataSet(_title(name), entry.get("training"), entry.get("validation"))


def _test(name: str, figures: dict[str, Any], labels: list[str]) -> Test:
    return Test(
        title=_title(name),
        figures=figures,
        per_class=list((figures.get("per_class") or {}).items()),
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
