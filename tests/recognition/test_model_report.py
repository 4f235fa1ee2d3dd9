"""What `evaluate_model --write` found is shown about a model, its plots included."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from fixtures import drawing
from ml import cards, reports
from recognition.models import TrainedModel

PLOT = "/model/{}/{}.png"
STEP = {"strength": 10, "accuracy": 0.987, "accepted_share": 0.9, "accepted_error": 0.0123}


def report(card: cards.ModelCard) -> dict[str, Any]:
    return {
        "format": 1,
        "sets": {"drawn": card.metrics["test"]["mnist"] | {"accuracy": 0.9432}},
        "kinds": {
            "plus": {
                "count": 200, "refused_share": 0.95, "accepted_share": 0.02, "is_counted": True
            }
        },
        "auroc": {"real": 0.9917},
        "robustness": {"count": 300, "plain": STEP, "corruptions": {"blur": [STEP] * 4}},
        "figures": [
            {"what": "MNIST: read right", "asked": "at least 99.70%", "reached": "99.54%",
             "passed": False}
        ],
    }  # fmt: skip


@pytest.fixture
def examined(digit_model: TrainedModel, media: Path) -> TrainedModel:
    """A copy of the shipped model, with a report of its own; not active."""
    shipped = cards.read(digit_model.directory)
    files = {name: digit_model.directory / name for name in shipped.files}
    card = dataclasses.replace(shipped, version="examined")
    directory = cards.write(card, media / "models", files)
    small = drawing.draw(3, size=(40, 40), width=3)
    found = report(card)
    for part in found["sets"].values():
        part |= {"reliability": [{"count": 3, "confidence": 0.9, "accuracy": 1.0}], "mistakes": []}
    reports.write(directory, card, found, "text", lambda name, index: small, {})
    return TrainedModel.register(cards.read(directory), shipped=False)


def test_the_page_says_what_was_found(client: Client, examined: TrainedModel) -> None:
    examined.activate(why="for a test")

    page = client.get("/model/").text

    assert "Drawn on a screen" in page
    assert "94.32%" in page
    assert "Plus signs" in page
    assert "in 99.17% of cases" in page
    assert "Blur" in page
    assert page.count("98.7%") >= 4


def test_the_plots_of_the_active_model_are_shown_to_everybody(
    client: Client, examined: TrainedModel
) -> None:
    examined.activate(why="for a test")

    page = client.get("/model/").text
    names = reports.drawn_plots(examined.directory)

    assert {"curves", "confusion", "reliability"} <= set(names)
    for name in names:
        response = client.get(PLOT.format("examined", name))
        assert response["Content-Type"] == "image/png"
        assert b"".join(response).startswith(b"\x89PNG")
        assert PLOT.format("examined", name) in page


def test_the_plots_of_another_model_are_for_staff(
    admin_client: Client, examined: TrainedModel
) -> None:
    url = PLOT.format("examined", "curves")

    assert Client().get(url).status_code == 404
    answer = admin_client.get(url)
    assert answer.status_code == 200
    answer.close()


@pytest.mark.parametrize(
    "url",
    [
        "/model/examined/report.png",
        "/model/examined/model.png",
        "/model/examined/..%2Fcard.png",
        "/model/unknown/curves.png",
        "/model/..%2Fexamined/curves.png",
        "/model/examined/curves.json",
    ],
)
def test_nothing_but_plots_of_registered_models_is_served(
    client: Client, examined: TrainedModel, url: str
) -> None:
    examined.activate(why="for a test")

    assert client.get(url).status_code == 404


def test_a_plot_that_is_not_there_is_not_found(client: Client, examined: TrainedModel) -> None:
    examined.activate(why="for a test")
    reports.plot_path(examined.directory, "curves").unlink()

    assert client.get(PLOT.format("examined", "curves")).status_code == 404
    assert PLOT.format("examined", "curves") not in client.get("/model/").text


def test_a_plot_is_only_read(client: Client, examined: TrainedModel) -> None:
    assert client.post(PLOT.format("examined", "curves")).status_code == 405


def test_the_admin_shows_the_figures_asked_for(
    admin_client: Client, examined: TrainedModel
) -> None:
    page = admin_client.get(f"/admin/recognition/trainedmodel/{examined.pk}/change/").text

    assert "at least 99.70%" in page
    assert "<strong>short</strong>" in page
    assert "Plus signs" in page
    assert "1.23%" in page
    assert PLOT.format("examined", "confusion") in page


def test_a_model_without_a_report_is_shown_as_before(
    client: Client, make_model: Callable[..., TrainedModel]
) -> None:
    make_model().activate(why="for a test")

    page = client.get("/model/").text

    assert "In pictures" not in page
    assert "How bad a picture may be" not in page
