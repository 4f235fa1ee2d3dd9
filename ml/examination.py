"""One model, examined: every data set, pictures of no digit, damaged pictures, its speed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ml import cards, evaluation, preprocessing
from ml.datasets import LOOK_ALIKES, NOT_A_DIGIT, Dataset
from ml.evaluation import Readings
from ml.readers import Made, Readers
from ml.recognizer import Recognizer
from ml.refusals import Refused
from ml.reports import FORMAT
from ml.robustness import CORRUPTIONS, Damaged

SAMPLED = ("mnist", "usps", "bhmsds")  # whose pictures are damaged: tight crops of one digit
DRAWN = ("drawn_ones", "fonts")  # data sets that no pen wrote
NOT_COUNTED = (*LOOK_ALIKES, "cut_off")  # kinds that may show a digit after all
TIMED = 300  # pictures whose runs of the network are timed: clear ones and doubtful ones

Pictures = Sequence[np.ndarray] | np.ndarray
Tell = Callable[[str, dict[str, Any]], None]  # hears of every part: its name and its report


def examine(
    readers: Readers,
    sets: Iterable[Dataset],
    tell: Tell,
    *,
    kinds: Mapping[str, Pictures] | None = None,
    drawn_kinds: Mapping[str, Pictures] | None = None,
    sample: int = 0,
) -> dict[str, Any]:
    """Read everything and report on it as plain JSON.

    Args:
        sets: pictures of digits, real ones first; their test parts.
        kinds, drawn_kinds: pictures of no digit by what they show: photographed, and drawn.
        sample: how many test pictures are damaged in every way; 0 leaves that part out.
    """
    card = readers.recognizer.card
    report: dict[str, Any] = {
        "format": FORMAT,
        "model": card.version,
        "sha256": card.files[cards.SERVED_FILE].sha256,
        "served": {"bytes": card.files[cards.SERVED_FILE].bytes},
        "sets": {},
    }
    real: dict[str, Readings] = {}
    damaged: list[Dataset] = []
    for dataset in sets:
        readings = readers.read(dataset.pictures, dataset.labels)
        report["sets"][dataset.name] = evaluation.report(readings)
        if "milliseconds" not in report["served"]:
            report["served"] |= _timed(readers.recognizer, dataset.pictures[:TIMED])
        tell(dataset.name, report["sets"][dataset.name])
        is_drawn = isinstance(dataset.pictures, Made) or dataset.name in DRAWN
        if not is_drawn and (dataset.labels != NOT_A_DIGIT).any():
            real[dataset.name] = readings
        if dataset.name in SAMPLED:
            damaged.append(dataset)
    if len(real) > 1:
        report["together"] = _together(real)
    if kinds is not None and drawn_kinds is not None and real:
        report |= _non_digits(readers, kinds, drawn_kinds, list(real.values()), tell)
    if sample and damaged:
        report["robustness"] = _robustness(readers, damaged, sample, tell)
    return report


def _timed(recognizer: Recognizer, pictures: Pictures) -> dict[str, float]:
    """How long the network takes for one picture: half of them less, and one of twenty more."""
    times = []
    for picture in pictures:
        try:
            field = preprocessing.to_field(picture)
        except Refused:
            continue
        start = time.perf_counter()
        recognizer.logits(field.pixels)
        times.append((time.perf_counter() - start) * 1000)
    if not times:
        return {}
    half, most = np.percentile(times, (50, 95))
    return {"milliseconds": round(float(half), 2), "milliseconds_95": round(float(most), 2)}


def _together(real: dict[str, Readings]) -> dict[str, Any]:
    """The held-out sets as one: without MNIST, which would drown the others."""
    others = [readings for name, readings in real.items() if name != "mnist"]
    report = evaluation.report(evaluation.together(others or real.values()))
    for part in ("per_class", "confusion", "mistakes"):
        del report[part]
    return report


def _non_digits(
    readers: Readers,
    kinds: Mapping[str, Pictures],
    drawn_kinds: Mapping[str, Pictures],
    digits: list[Readings],
    tell: Tell,
) -> dict[str, Any]:
    """What becomes of pictures without a digit, and how well confidence tells them apart.

    The score is the confidence that the verdict goes by: the probability of the best digit
    among ten digits and "no digit", and 0.0 where preprocessing refused.
    """
    found: dict[str, dict[str, Any]] = {}
    confidences: dict[str, np.ndarray] = {}
    for name, pictures in [*kinds.items(), *drawn_kinds.items()]:
        readings = readers.read(pictures, np.full(len(pictures), NOT_A_DIGIT))
        found[name] = {
            **evaluation.report(readings),
            "is_drawn": name in drawn_kinds,
            "is_counted": name not in NOT_COUNTED,
        }
        confidences[name] = readings.confidences
        tell(name, found[name])
    positive = np.concatenate([readings.confidences for readings in digits])
    counted = [name for name in found if found[name]["is_counted"]]
    real = [confidences[name] for name in counted if name in kinds]
    every = [confidences[name] for name in counted]
    auroc = {
        key: round(evaluation.auroc(positive, np.concatenate(parts)), 5)
        for key, parts in (("real", real), ("with_drawn", every))
        if parts
    }
    return {"kinds": found, "auroc": auroc}


def _robustness(readers: Readers, sets: list[Dataset], sample: int, tell: Tell) -> dict[str, Any]:
    pictures: list[np.ndarray] = []
    labels: list[int] = []
    for dataset in sets:
        count = min(sample // len(sets), len(dataset))
        for index in np.linspace(0, len(dataset) - 1, count).astype(int):
            pictures.append(np.asarray(dataset.pictures[index]))
            labels.append(int(dataset.labels[index]))

    def measured(name: str = "", strength: float = 0.0) -> dict[str, float]:
        made = Made(Damaged(tuple(pictures), name, strength), range(len(pictures)))
        report = evaluation.report(readers.read(made, np.array(labels)))
        shown = {key: report[key] for key in ("accuracy", "accepted_share", "accepted_error")}
        tell(f"{name} {strength:g}" if name else "not damaged", shown)
        return {"strength": strength, **shown}

    return {
        "count": len(pictures),
        "sets": [dataset.name for dataset in sets],
        "plain": measured(),
        "corruptions": {
            name: [measured(name, strength) for strength in corruption.strengths]
            for name, corruption in CORRUPTIONS.items()
        },
    }
