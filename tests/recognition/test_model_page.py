"""What the active model learned from, how often it is right, what its confidence means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from recognition import model_facts
from recognition.models import TrainedModel
from recognition.templatetags import reading

Make = Callable[..., TrainedModel]


def report(**overrides: Any) -> dict[str, Any]:
    scores = {"precision": 0.99, "recall": 0.98, "f1": 0.985, "support": 1000}
    confusion = [[980 if row == column else 0 for column in range(10)] for row in range(10)]
    confusion[4][9] = 6
    return {
        "accuracy": 0.9931,
        "interval": [0.9913, 0.9945],
        "count": 10_000,
        "accepted_share": 0.922,
        "accepted_error": 0.0005,
        "expected_calibration_error": 0.0067,
        "per_class": {str(digit): scores for digit in range(10)},
        "confusion": confusion,
    } | overrides


@pytest.fixture
def show(client: Client, make_model: Make) -> Callable[[dict[str, Any]], str]:
    """The page about an active model whose card has these entries."""

    def text(entries: dict[str, Any]) -> str:
        model = make_model()
        model.card |= entries
        model.save()
        model.activate(why="for a test")
        response = client.get("/model/")
        assert response.status_code == 200
        return response.text

    return text


def test_it_shows_the_figures_of_the_shipped_model(
    client: Client, digit_model: TrainedModel
) -> None:
    page = client.get("/model/").text

    assert digit_model.version in page
    assert reading.percent(digit_model.test_accuracy) in page
    assert "What it takes for what" in page


def test_it_shows_accuracy_interval_and_what_was_accepted(
    show: Callable[[dict[str, Any]], str],
) -> None:
    page = show({"metrics": {"test": {"mnist": report()}}})

    for figure in ("99.31%", "10,000", "99.13%", "99.45%", "92.2%", "0.05%", "0.67%"):
        assert figure in page


def test_it_shows_confusions_and_each_class(show: Callable[[dict[str, Any]], str]) -> None:
    page = show({"metrics": {"test": {"mnist": report()}}})

    assert '<td class="shade-3">6</td>' in page
    assert page.count('class="shade-right"') == 10
    assert page.count("98.50%") == 10


def test_it_says_what_the_model_learned_from(show: Callable[[dict[str, Any]], str]) -> None:
    page = show({"datasets": [{"name": "mnist", "training": 54_000, "validation": 6000}]})

    assert "MNIST" in page
    assert "54,000" in page


def test_it_tells_of_pictures_that_are_no_digit(show: Callable[[dict[str, Any]], str]) -> None:
    pens, printed = ({"count": count, "accepted_share": 0.0033} for count in (1200, 900))
    test = {"mnist": report(), "bhmsds_nondigits": pens, "font_letters": printed}

    page = show({"metrics": {"test": test}})

    for what in (
        "1,200 pictures that are no digit (Letters and signs by hand)",
        "900 pictures that are no digit (Letters of fonts)",
    ):
        assert f"Shown {what}, it was wrongly sure of 0.33%" in page


@pytest.mark.parametrize("missing", sorted(report()))
def test_a_missing_figure_breaks_nothing(
    missing: str, show: Callable[[dict[str, Any]], str]
) -> None:
    left = {key: value for key, value in report().items() if key != missing}

    assert "About the model" in show({"metrics": {"test": {"mnist": left}}})


def test_a_card_without_any_figure_breaks_nothing(show: Callable[[dict[str, Any]], str]) -> None:
    assert "How to read the confidence" in show({"metrics": {}, "datasets": [], "thresholds": {}})


def test_an_empty_card_has_no_facts() -> None:
    facts = model_facts.gather({})

    assert facts.tests == []
    assert facts.main is None
    assert facts.labels == list("0123456789")


def test_without_an_active_model_the_page_says_so(db: None, client: Client) -> None:
    response = client.get("/model/")

    assert response.status_code == 503
    assert "No picture can be read just now" in response.text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.98765, "98.77%"),
        (1, "100.00%"),
        (0.99999, "99.99%"),
        (0, "0.00%"),
        (None, "–"),
        ("", "–"),
    ],
)
def test_a_share_is_shown_in_percent_and_never_rounded_up_to_certainty(
    share: Any, text: str
) -> None:
    assert reading.percent(share) == text
