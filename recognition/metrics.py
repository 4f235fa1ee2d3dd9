"""What a model card says of its tests, ready to be shown; any part may be missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

UNKNOWN = "-"


@dataclass(frozen=True)
class Cell:
    """One count of a confusion matrix: `is_hit` on the diagonal; `share` of the row's pictures."""

    count: int
    is_hit: bool
    share: int  # percent


@dataclass(frozen=True)
class Report:
    """The test on one data set, as text."""

    name: str
    count: str
    accuracy: str
    interval: str
    calibration_error: str
    accepted_share: str
    accepted_error: str
    per_class: tuple[tuple[str, str, str, str, str], ...]
    confusion: tuple[tuple[str, tuple[Cell, ...]], ...]
    labels: tuple[str, ...]


def of_tests(card: dict[str, Any]) -> list[Report]:
    labels = tuple(str(label) for label in card.get("labels") or ())
    tests = (card.get("metrics") or {}).get("test") or {}
    return [_report(name, report, labels) for name, report in tests.items()]


def _report(name: str, report: dict[str, Any], labels: tuple[str, ...]) -> Report:
    return Report(
        name=name,
        count=str(report.get("count", UNKNOWN)),
        accuracy=_percent(report.get("accuracy")),
        interval=_interval(report.get("interval")),
        calibration_error=_percent(report.get("expected_calibration_error")),
        accepted_share=_percent(report.get("accepted_share")),
        accepted_error=_percent(report.get("accepted_error")),
        per_class=_per_class(report.get("per_class") or {}),
        confusion=_confusion(report.get("confusion") or [], labels),
        labels=labels,
    )


def _percent(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.2%}"


def _interval(bounds: list[float] | None) -> str:
    return f"{bounds[0]:.2%} to {bounds[1]:.2%}" if bounds else UNKNOWN


def _per_class(rows: dict[str, dict[str, Any]]) -> tuple[tuple[str, str, str, str, str], ...]:
    return tuple(
        (
            label,
            _percent(row.get("precision")),
            _percent(row.get("recall")),
            _percent(row.get("f1")),
            str(row.get("support", UNKNOWN)),
        )
        for label, row in rows.items()
    )


def _confusion(
    matrix: list[list[int]], labels: tuple[str, ...]
) -> tuple[tuple[str, tuple[Cell, ...]], ...]:
    return tuple(
        (
            label,
            tuple(
                Cell(count, true == read, round(100 * count / max(1, sum(row))))
                for read, count in enumerate(row)
            ),
        )
        for true, (label, row) in enumerate(zip(labels, matrix, strict=False))
    )
