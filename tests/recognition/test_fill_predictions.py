from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ml.scripts import TAMIL
from recognition.management.commands import fill_predictions
from recognition.models import Prediction, TrainedModel


def test_as_many_records_are_invented_as_asked_for(
    make_model: Callable[..., TrainedModel],
) -> None:
    make_model()

    call_command("fill_predictions", 50, verbosity=0)

    assert Prediction.objects.count() == 50
    assert 0 < Prediction.objects.reviewed().count() < 50


def test_records_of_another_script_have_its_digits(make_model: Callable[..., TrainedModel]) -> None:
    make_model(script="tamil")

    call_command("fill_predictions", 50, verbosity=0)

    for prediction in Prediction.objects.all():
        (digit,) = prediction.digits
        best = digit["probabilities"].index(max(digit["probabilities"]))
        assert digit["label"] == TAMIL.numerals[best]
        assert prediction.text in {"", digit["label"]}
        assert prediction.true_text in {"", *TAMIL.numerals}


def test_who_stops_it_hears_how_many_there_are(
    make_model: Callable[..., TrainedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop_at_the_third(model: TrainedModel, *args: Any) -> Prediction:
        if Prediction.objects.count() == 4:
            raise KeyboardInterrupt
        return invent(model, *args)

    make_model()
    invent = fill_predictions._invent
    monkeypatch.setattr(fill_predictions, "BATCH", 2)
    monkeypatch.setattr(fill_predictions, "_invent", stop_at_the_third)

    with pytest.raises(CommandError, match=r"^Stopped\. Invented 4 of 9 predictions\.$") as caught:
        call_command("fill_predictions", 9, verbosity=0)

    assert caught.value.returncode == 130
    assert Prediction.objects.count() == 4


def test_less_than_none_are_refused(make_model: Callable[..., TrainedModel]) -> None:
    make_model()

    with pytest.raises(CommandError, match="from 0"):
        call_command("fill_predictions", "--", "-5", stdout=io.StringIO())


def test_without_a_model_it_says_what_to_do(db: None) -> None:
    with pytest.raises(CommandError, match="install_pretrained"):
        call_command("fill_predictions", 50, stdout=io.StringIO())
