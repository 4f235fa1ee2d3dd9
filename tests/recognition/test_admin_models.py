from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from ml.scripts import TAMIL
from recognition.models import ModelActivation, Prediction, TrainedModel

MakeModel = Callable[..., TrainedModel]
LIST = "admin:recognition_trainedmodel_changelist"
REPORT = {
    "count": 30,
    "accuracy": 0.9931,
    "interval": [0.9913, 0.9945],
    "expected_calibration_error": 0.0067,
    "accepted_share": 0.922,
    "accepted_error": 0.000542,
    "per_class": {"0": {"precision": 0.99, "recall": 0.98, "f1": 0.985, "support": 30}},
    "confusion": [[28, 2, *[0] * 8], *[[0] * 10 for _ in range(9)]],
}


def page(model: TrainedModel) -> str:
    return reverse("admin:recognition_trainedmodel_change", args=[model.pk])


def action(name: str, *models: TrainedModel) -> dict[str, Any]:
    return {"action": name, "index": "0", "_selected_action": [model.pk for model in models]}


def history(**more: str) -> dict[str, str]:
    return {"activations-TOTAL_FORMS": "0", "activations-INITIAL_FORMS": "0", **more}


def messages(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def with_card(model: TrainedModel, **card: Any) -> TrainedModel:
    model.card = model.card | card
    model.save()
    return model


def test_a_page_shows_metrics_and_the_confusion_matrix(
    admin_client: Client, make_model: MakeModel
) -> None:
    model = with_card(make_model(), metrics={"test": {"mnist": REPORT}})

    html = admin_client.get(page(model)).content.decode()

    assert "99.31%" in html
    assert "99.13% to 99.45%" in html
    assert '<td data-shade="right">28</td>' in html
    assert '<td data-shade="2">2</td>' in html
    assert "98.50%" in html


def test_each_digit_of_another_script_is_called_as_it_is_written(
    admin_client: Client, make_model: MakeModel
) -> None:
    model = with_card(make_model(script="tamil"), metrics={"test": {"mnist": REPORT}})

    html = admin_client.get(page(model)).text

    table = html[html.index("<caption>Each digit</caption>") :]
    assert f'<th scope="row">{TAMIL.numerals[0]}</th>' in table
    assert '<th scope="row">0</th>' not in table


@pytest.mark.parametrize(
    "card",
    [
        {"metrics": {}},
        {"metrics": {"test": {}}},
        {"metrics": {"test": {"scribbles": {"count": 5, "accepted_share": 0.0}}}},
        {"metrics": None, "labels": [], "datasets": None, "files": None},
    ],
)
def test_a_card_with_missing_parts_is_shown(
    admin_client: Client, make_model: MakeModel, card: dict[str, Any]
) -> None:
    model = with_card(make_model(), **card)

    assert admin_client.get(page(model)).status_code == 200
    assert admin_client.get(reverse(LIST)).status_code == 200


def test_the_history_tells_the_time_that_clocks_here_show(
    make_model: MakeModel, settings: Settings
) -> None:
    settings.TIME_ZONE = "Asia/Kolkata"
    at = datetime(2026, 1, 31, 20, tzinfo=UTC)

    activation = ModelActivation(model=make_model(version="new"), activated_at=at)

    assert str(activation) == "new at 2026-02-01 01:30"


def test_a_model_is_activated_by_its_action(
    admin_client: Client, admin_user: User, second_model: TrainedModel
) -> None:
    response = admin_client.post(reverse(LIST), action("activate", second_model), follow=True)

    assert TrainedModel.objects.active("latin") == second_model
    assert ModelActivation.objects.latest("pk").by == admin_user
    # The admin writes the first letter of a message large, and a version has small ones only.
    assert "The model second now reads new pictures in English." in messages(response)


def test_two_models_are_not_activated_at_once(
    admin_client: Client, digit_model: TrainedModel, second_model: TrainedModel
) -> None:
    response = admin_client.post(
        reverse(LIST), action("activate", digit_model, second_model), follow=True
    )

    assert "Please select one model." in messages(response)


def test_the_page_activates_and_rolls_back(
    admin_client: Client, digit_model: TrainedModel, second_model: TrainedModel
) -> None:
    admin_client.post(page(second_model), history(_activate="1"))
    activated = TrainedModel.objects.active("latin")
    offered = admin_client.get(page(second_model)).content.decode()
    admin_client.post(page(second_model), history(_roll_back="1"))

    assert activated == second_model
    assert f"Roll back to {digit_model.version}" in offered
    assert TrainedModel.objects.active("latin") == digit_model
    assert ModelActivation.objects.count() == 3


def test_the_action_rolls_back(
    admin_client: Client, digit_model: TrainedModel, second_model: TrainedModel
) -> None:
    second_model.activate(why="to try it")

    admin_client.post(reverse(LIST), action("roll_back", second_model))

    assert TrainedModel.objects.active("latin") == digit_model


def test_rolling_back_without_a_previous_model_says_so(
    admin_client: Client, digit_model: TrainedModel
) -> None:
    response = admin_client.post(reverse(LIST), action("roll_back", digit_model), follow=True)

    assert "No other model has been active for English before." in messages(response)


def test_a_damaged_model_is_refused(
    admin_client: Client, digit_model: TrainedModel, second_model: TrainedModel
) -> None:
    (second_model.directory / "model.tflite").write_bytes(b"damaged")

    response = admin_client.post(page(second_model), history(_activate="1"), follow=True)

    assert "Nothing was changed." in messages(response)
    assert TrainedModel.objects.active("latin") == digit_model


def test_nothing_can_be_added(admin_client: Client, db: None) -> None:
    assert admin_client.get("/admin/recognition/trainedmodel/add/").status_code == 403
    assert admin_client.get("/admin/recognition/modelactivation/add/").status_code == 403


def test_only_a_model_that_was_never_used_can_be_deleted(
    admin_client: Client,
    make_model: MakeModel,
    make_prediction: Callable[..., Prediction],
) -> None:
    unused, used, active = make_model(), make_model(), make_model()
    make_prediction(model=used)
    active.activate(why="for the test")

    answers = {
        model: admin_client.post(
            reverse("admin:recognition_trainedmodel_delete", args=[model.pk]), {"post": "yes"}
        ).status_code
        for model in (unused, used, active)
    }

    assert list(answers.values()) == [302, 403, 403]
    assert set(TrainedModel.objects.all()) == {used, active}
