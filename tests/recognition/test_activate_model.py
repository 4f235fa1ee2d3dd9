from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ml import cards
from recognition.models import ModelActivation, TrainedModel


def activate(*args: str, verbosity: int = 1) -> str:
    out = io.StringIO()
    call_command("activate_model", *args, stdout=out, verbosity=verbosity)
    return out.getvalue()


def test_a_model_is_activated_with_a_reason(second_model: TrainedModel) -> None:
    out = activate("second", "--why", "it reads our sevens")

    assert TrainedModel.objects.active("latin") == second_model
    assert ModelActivation.objects.latest("pk").why == "it reads our sevens"
    assert "Activated second" in out


def test_a_model_that_the_database_missed_is_registered_and_activated(
    second_model: TrainedModel,
) -> None:
    second_model.delete()

    activate("second")

    active = TrainedModel.objects.active("latin")
    assert active is not None
    assert active.version == "second"


@pytest.mark.parametrize("name", ["third", "../models/second", ".", ""])
def test_what_is_no_model_is_not_registered(second_model: TrainedModel, name: str) -> None:
    second_model.delete()

    with pytest.raises(CommandError):
        activate(name)

    assert not TrainedModel.objects.filter(shipped=False).exists()


def copy(model: TrainedModel, media: Path, **changes: Any) -> None:
    """A copy of a model's directory called my-model, with another card."""
    directory = shutil.copytree(model.directory, media / "models" / "my-model")
    card = json.loads((directory / cards.CARD_FILE).read_text())
    (directory / cards.CARD_FILE).write_text(json.dumps(card | changes))


def test_a_copy_under_another_name_is_not_taken_for_the_model_it_is_of(
    digit_model: TrainedModel, media: Path
) -> None:
    copy(digit_model, media)

    with pytest.raises(CommandError, match=f"the card of {digit_model.version}"):
        activate("my-model")


@pytest.mark.parametrize(
    "change",
    [
        {"version": "other"},
        {"created_at": "yesterday"},
        {"script": "klingon"},
        {"thresholds": {"accept": "0.9", "refuse": 0.1}},
        {"rejects": False},
    ],
)
def test_a_copy_with_a_wrong_card_is_neither_registered_nor_activated(
    digit_model: TrainedModel, media: Path, change: dict[str, Any]
) -> None:
    copy(digit_model, media, **{"version": "my-model"} | change)

    with pytest.raises(CommandError, match="Nothing was changed"):
        activate("my-model")

    assert list(TrainedModel.objects.all()) == [digit_model]


def test_a_copy_with_a_card_of_its_own_is_activated(digit_model: TrainedModel, media: Path) -> None:
    copy(digit_model, media, version="my-model")

    assert "Activated my-model" in activate("my-model")


def with_card(model: TrainedModel) -> TrainedModel:
    """A directory for a model, with no more than roll-back asks for."""
    model.directory.mkdir(parents=True)
    (model.directory / cards.CARD_FILE).write_text("{}")
    return model


def test_previous_goes_back_and_forth(
    digit_model: TrainedModel, second_model: TrainedModel
) -> None:
    activate("second")

    activate("--previous")
    back = TrainedModel.objects.active("latin")
    activate("--previous")

    assert back == digit_model
    assert TrainedModel.objects.active("latin") == second_model


def test_each_roll_back_goes_one_further_and_the_last_one_is_undone(
    make_model: Callable[..., TrainedModel],
) -> None:
    models = [with_card(make_model()) for _ in range(3)]
    for model in models:
        model.activate(why="it is new")

    rolled = []
    for _ in range(3):
        previous = TrainedModel.objects.previous("latin")
        assert previous is not None
        previous.activate(why="roll back")
        rolled.append(previous)

    assert rolled == [models[1], models[0], models[1]]


def test_a_model_that_is_chosen_again_is_rolled_back_from_like_a_new_one(
    make_model: Callable[..., TrainedModel],
) -> None:
    models = [with_card(make_model()) for _ in range(3)]
    for model in (*models, models[0]):
        model.refresh_from_db()
        model.activate(why="chosen")

    assert TrainedModel.objects.previous("latin") == models[2]


def test_previous_passes_over_models_whose_directory_is_gone(
    make_model: Callable[..., TrainedModel],
) -> None:
    usable, lost, active = with_card(make_model()), make_model(shipped=True), make_model()
    for model in (usable, lost, active):
        model.activate(why="it is new")

    assert TrainedModel.objects.previous("latin") == usable


def test_previous_fails_when_there_was_none(digit_model: TrainedModel) -> None:
    with pytest.raises(CommandError, match="No other model"):
        activate("--previous")


def test_a_damaged_model_is_not_activated(
    digit_model: TrainedModel, second_model: TrainedModel
) -> None:
    (second_model.directory / "model.tflite").write_bytes(b"damaged")

    with pytest.raises(CommandError, match="Nothing was changed"):
        activate("second")

    assert TrainedModel.objects.active("latin") == digit_model


def test_a_model_that_is_not_there_is_not_activated(
    digit_model: TrainedModel, make_model: Callable[..., TrainedModel]
) -> None:
    lost = make_model()

    with pytest.raises(CommandError, match="cannot be read"):
        activate(lost.version)


def test_an_unknown_version_is_answered_with_the_known_ones(digit_model: TrainedModel) -> None:
    with pytest.raises(CommandError, match=digit_model.version):
        activate("unknown")


def test_activating_twice_leaves_one_entry_in_the_history(second_model: TrainedModel) -> None:
    activate("second")

    out = activate("second")

    assert "Already active" in out
    assert ModelActivation.objects.filter(model=second_model).count() == 1


def test_nothing_is_said_at_verbosity_0(second_model: TrainedModel) -> None:
    assert activate("second", verbosity=0) == ""


def test_a_reason_that_cannot_be_kept_whole_is_refused(second_model: TrainedModel) -> None:
    with pytest.raises(CommandError, match="at most 200"):
        activate("second", "--why", 201 * "x")

    assert TrainedModel.objects.active("latin") != second_model
