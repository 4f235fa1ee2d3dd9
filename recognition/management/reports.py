"""Metrics as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


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


def minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
