"""The whole examination of the shipped model, on a few pictures of each kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fixtures import collections, drawing
from fixtures.draw_samples import newest_model
from ml import examination, figures
from ml.datasets import NOT_A_DIGIT, Dataset
from ml.readers import Made, Readers
from ml.robustness import CORRUPTIONS


def small(name: str) -> Dataset:
    pictures = [
        drawing.draw(digit, seed=77, size=(28, 28), width=2.2, box=(7, 4, 14, 20), ink=255, paper=0)
        for digit in range(10)
    ]
    return Dataset(name, pictures, np.arange(10), np.arange(10), "", "test")


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    kinds = {"plus": np.full((3, 28, 28), 255, np.uint8), "z": np.full((2, 28, 28), 255, np.uint8)}
    with Readers(newest_model(), workers=1) as readers:
        return examination.examine(
            readers,
            [small("mnist"), small("usps"), small("drawn_ones"), *collections.digits(10)],
            lambda name, figures: None,
            kinds=kinds,
            drawn_kinds=collections.non_digits(4),
            sample=4,
        )


def test_every_set_and_kind_is_in_the_report(report: dict[str, Any]) -> None:
    drawn = [
        "drawn_ones",
        "drawn",
        "photographs",
        "photographs_12mp",
        "photographs_far",
        "notes",
        "forms",
        "marked",
    ]
    assert list(report["sets"]) == ["mnist", "usps", *drawn]
    assert {"plus", "z", "blank", "noise", "letters", "pairs"} <= set(report["kinds"])
    assert report["kinds"]["blank"]["refused_share"] == 1.0
    assert report["together"]["count"] == 10  # real ones but MNIST


def test_look_alikes_are_reported_and_not_counted(report: dict[str, Any]) -> None:
    assert not report["kinds"]["z"]["is_counted"]
    assert not report["kinds"]["cut_off"]["is_counted"]
    assert report["kinds"]["plus"]["is_counted"]
    assert report["auroc"]["real"] == 1.0


def test_every_corruption_is_measured_at_every_strength(report: dict[str, Any]) -> None:
    measured = report["robustness"]["corruptions"]

    assert {name: [row["strength"] for row in rows] for name, rows in measured.items()} == {
        name: list(corruption.strengths) for name, corruption in CORRUPTIONS.items()
    }
    assert report["robustness"]["count"] == 4


def test_every_figure_that_is_asked_for_is_compared(report: dict[str, Any]) -> None:
    compared = figures.compare(report, {})

    assert {figure.what for figure in compared} >= {
        "mnist: read right",
        "usps: accepted",
        "drawn: wrong among accepted",
        "MNIST: calibration error",
        "Held-out sets together: calibration error",
        "Digit against no digit: AUROC",
        "Blank: refused",
        "Noise: refused",
        "Model file, MB",
        "One picture in LiteRT, ms",
    }


def test_a_figure_that_falls_short_says_so(report: dict[str, Any]) -> None:
    sets = report["sets"] | {"mnist": report["sets"]["mnist"] | {"accuracy": 0.9969}}

    [figure] = [
        figure
        for figure in figures.compare(report | {"sets": sets}, {"mnist": "MNIST"})
        if figure.what == "MNIST: read right"
    ]

    assert not figure.passed
    assert (figure.asked, figure.reached) == ("at least 99.70%", "99.69%")


def test_processes_read_as_one_does() -> None:
    pictures = Made(drawing.draw, range(10))
    labels = np.arange(10)

    with Readers(newest_model(), workers=1) as one, Readers(newest_model(), workers=2) as two:
        alone, shared = one.read(pictures, labels), two.read(pictures, labels)

    assert np.array_equal(alone.probabilities, shared.probabilities)
    assert np.array_equal(alone.accepted, shared.accepted)


def test_pictures_that_are_made_come_in_order_and_in_parts() -> None:
    pictures = Made(drawing.draw, range(10))

    assert len(pictures[3:5]) == 2
    assert np.array_equal(pictures[3:5][1], drawing.draw(4))


def test_a_set_without_digits_is_no_part_of_the_sets_together() -> None:
    nothing = Dataset(
        "nothing", np.full((2, 28, 28), 255, np.uint8), np.full(2, NOT_A_DIGIT),
        np.arange(2), "", "test",
    )  # fmt: skip

    with Readers(newest_model(), workers=1) as readers:
        report = examination.examine(readers, [small("usps"), nothing], lambda name, part: None)

    assert "together" not in report
    assert report["sets"]["nothing"]["refused_share"] == 1.0
