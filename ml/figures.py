"""The figures that a model for English digits should reach, beside those that it reached."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ACCURACY = {
    "mnist": 0.997,
    "usps": 0.985,
    "chars74k": 0.99,
    "bhmsds": 0.99,
    "drawn": 0.99,
    "photographs": 0.99,
    "photographs_12mp": 0.99,
    "photographs_far": 0.99,
    "notes": 0.99,
    "forms": 0.99,
    "marked": 0.99,
}
WRONG_AMONG_ACCEPTED = 0.003
ACCEPTED_MNIST, ACCEPTED = 0.95, 0.90
CALIBRATION_MNIST, CALIBRATION = 0.005, 0.02
AUROC = 0.98
MEGABYTES, MILLISECONDS = 1.5, 1.0


@dataclass(frozen=True)
class Figure:
    """One figure; `what` is a measure and a set, in plain words."""

    what: str
    asked: str
    reached: str
    passed: bool


def compare(report: dict[str, Any], titles: dict[str, str]) -> list[Figure]:
    """Hold a report of `ml.examination.examine` to what is asked for; nothing is left out."""
    return [*_sets(report["sets"], titles), *_others(report)]


def _sets(sets: dict[str, dict[str, Any]], titles: dict[str, str]) -> Iterator[Figure]:
    named = [(titles.get(name, name), name, r) for name, r in sets.items() if "accuracy" in r]
    for title, name, r in named:
        if name in ACCURACY:
            yield _share(f"{title}: read right", r["accuracy"], operator.ge, ACCURACY[name])
    for title, name, r in named:
        asked = ACCEPTED_MNIST if name == "mnist" else ACCEPTED
        yield _share(f"{title}: accepted", r["accepted_share"], operator.ge, asked)
    for title, _, r in named:
        wrong = r["accepted_error"]
        yield _share(f"{title}: wrong among accepted", wrong, operator.le, WRONG_AMONG_ACCEPTED)


def _others(report: dict[str, Any]) -> Iterator[Figure]:
    if "mnist" in report["sets"]:
        error = report["sets"]["mnist"]["expected_calibration_error"]
        yield _number("MNIST: calibration error", error, operator.le, CALIBRATION_MNIST)
    if report.get("together"):
        error = report["together"]["expected_calibration_error"]
        yield _number("Held-out sets together: calibration error", error, operator.le, CALIBRATION)
    if "real" in report.get("auroc", {}):
        auroc = report["auroc"]["real"]
        yield _number("Digit against no digit: AUROC", auroc, operator.ge, AUROC)
    for kind in ("blank", "noise"):
        if kind in report.get("kinds", {}):
            share = report["kinds"][kind]["refused_share"]
            yield _share(f"{kind.capitalize()}: refused", share, operator.ge, 1.0)
    served = report["served"]
    yield _number("Model file, MB", served["bytes"] / 1e6, operator.le, MEGABYTES)
    if "milliseconds" in served:
        taken = served["milliseconds"]
        yield _number("One picture in LiteRT, ms", taken, operator.le, MILLISECONDS)


def _share(what: str, reached: float, compared: Any, asked: float) -> Figure:
    sign = "at least" if compared is operator.ge else "at most"
    places = 1 if asked in {0.9, 0.95} else 2
    passed = compared(reached, asked)
    return Figure(what, f"{sign} {asked:.{places}%}", f"{reached:.2%}", passed)


def _number(what: str, reached: float, compared: Any, asked: float) -> Figure:
    sign = "at least" if compared is operator.ge else "at most"
    return Figure(what, f"{sign} {asked:g}", f"{reached:.4g}", compared(reached, asked))
