from __future__ import annotations

import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """One row of docs/benchmarks.md."""

    what: str
    measured: str
    figure: str = ""  # what was asked for
    how: str = ""


def percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
