from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fixtures import drawing
from fixtures.draw_samples import newest_model
from ml import cards, evaluation, reports
from ml.evaluation import Readings

TITLES = {"mnist": "MNIST", "usps": "USPS envelopes"}
HISTORY = [
    {"epoch": n, "loss": 1 / n, "accuracy": 1 - 0.1 / n, "val_loss": 1 / n, "val_accuracy": 0.9}
    for n in (1, 2, 3)
]


def part(wrong: int) -> dict[str, Any]:
    """The report of forty readings, the first few of them wrong."""
    labels = np.arange(40) % 10
    read = labels.copy()
    read[:wrong] = (read[:wrong] + 1) % 10
    probabilities = np.full((40, 10), 0.02)
    probabilities[np.arange(40), read] = 0.82
    return evaluation.report(Readings(labels, probabilities, labels >= 0, labels < 0))


def picture(name: str, index: int) -> np.ndarray:
    return drawing.draw(index % 10, seed=index, size=(64, 64), width=5)


def full() -> dict[str, Any]:
    sets = {"mnist": part(3), "usps": part(9)}
    return {
        "format": 1,
        "sets": sets,
        "together": part(9),
        "distribution": {"mnist": [*range(10), 5]},
    }


@pytest.fixture(scope="module")
def card() -> cards.ModelCard:
    shipped = cards.read(newest_model())
    return dataclasses.replace(shipped, metrics={"history": HISTORY})


def test_a_report_is_written_with_all_its_plots(tmp_path: Path, card: cards.ModelCard) -> None:
    folder = reports.write(tmp_path, card, full(), "the text\n", picture, TITLES)

    assert reports.read(tmp_path) == full()
    assert (folder / reports.TEXT).read_text() == "the text\n"
    assert reports.drawn_plots(tmp_path) == list(reports.PLOTS)
    assert [path.name for path in tmp_path.iterdir()] == [reports.FOLDER]


def test_plots_are_small_png_files_for_a_phone(tmp_path: Path, card: cards.ModelCard) -> None:
    reports.write(tmp_path, card, full(), "", picture, TITLES)

    for name in reports.PLOTS:
        data = reports.plot_path(tmp_path, name).read_bytes()
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            assert image.width == 768
        assert len(data) < 100_000


def test_the_same_report_gives_the_same_plots(card: cards.ModelCard) -> None:
    first, second = (reports.draw(card, full(), picture, TITLES) for _ in range(2))

    assert first == second


def test_a_new_report_takes_the_place_of_the_old_one(tmp_path: Path, card: cards.ModelCard) -> None:
    reports.write(tmp_path, card, full(), "old", picture, TITLES)

    reports.write(tmp_path, card, {"sets": {"mnist": part(0)}}, "new", picture, TITLES)

    assert (tmp_path / reports.FOLDER / reports.TEXT).read_text() == "new"
    assert reports.drawn_plots(tmp_path) == ["curves", "confusion", "reliability"]
    assert [path.name for path in tmp_path.iterdir()] == [reports.FOLDER]


def test_a_failure_leaves_the_old_report_as_it_was(tmp_path: Path, card: cards.ModelCard) -> None:
    reports.write(tmp_path, card, full(), "old", picture, TITLES)

    with pytest.raises(TypeError):
        reports.write(tmp_path, card, full() | {"other": object()}, "new", picture, TITLES)

    assert (tmp_path / reports.FOLDER / reports.TEXT).read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == [reports.FOLDER]


@pytest.mark.parametrize("text", ["", "{", "[1]", '"text"', '{"format": 2}'])
def test_a_report_that_cannot_be_used_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / reports.FOLDER).mkdir()
    (tmp_path / reports.FOLDER / reports.REPORT).write_text(text)

    assert reports.read(tmp_path) is None


def test_a_model_without_a_report_has_none(tmp_path: Path) -> None:
    assert reports.read(tmp_path) is None
    assert reports.drawn_plots(tmp_path) == []


@pytest.mark.parametrize("name", ["../card", "report.json", "", "curves.png"])
def test_only_plots_have_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no plot"):
        reports.plot_path(tmp_path, name)


def test_a_model_directory_with_a_report_is_still_verified(
    tmp_path: Path, card: cards.ModelCard
) -> None:
    files = {name: newest_model() / name for name in card.files}
    directory = cards.write(card, tmp_path, files)

    reports.write(directory, card, full(), "", picture, TITLES)

    assert cards.verify(directory).version == card.version
