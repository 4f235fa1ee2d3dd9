from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command

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


def test_previous_goes_back_and_forth(
    digit_model: TrainedModel, second_model: TrainedModel
) -> None:
    activate("second")

    activate("--previous")
    back = TrainedModel.objects.active("latin")
    activate("--previous")

    assert back == digit_model
    assert TrainedModel.objects.active("latin") == second_model


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
