from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from unittest.mock import Mock

import pytest
from django.db import InterfaceError
from pytest_django import DjangoAssertNumQueries

from ml import cards
from recognition import recognizers
from recognition.models import TrainedModel


def test_which_model_is_active_is_asked_once_while_the_answer_is_fresh(
    digit_model: TrainedModel,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(recognizers, "FRESH", 1000.0)

    with django_assert_num_queries(1):
        models = [recognizers.current("latin")[0] for _ in range(3)]

    assert models == [digit_model] * 3


def test_a_newly_active_model_is_used_once_the_answer_is_old(
    digit_model: TrainedModel,
    make_model: Callable[..., TrainedModel],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recognizers, "FRESH", 1000.0)
    recognizers.current("latin")
    make_model().activate(why="for a test")
    assert recognizers.current("latin")[0] == digit_model

    monkeypatch.setattr(recognizers, "FRESH", 0.0)

    with pytest.raises(recognizers.ModelUnavailable):  # the new one has no files
        recognizers.current("latin")


def test_after_warming_up_the_first_reading_waits_for_nothing(
    digit_model: TrainedModel,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(recognizers, "FRESH", 1000.0)

    recognizers.warm("latin")

    with django_assert_num_queries(0):
        assert recognizers.current("latin")[0] == digit_model


@pytest.mark.django_db
def test_without_a_model_warming_up_says_so_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    recognizers.warm("latin")

    assert "Nothing can be read yet: No model is active for English" in caplog.text


@pytest.mark.parametrize(
    ("module", "name", "error", "said"),
    [
        (cards, "sha256", PermissionError(13, "Permission denied"), "cannot be read: Permission"),
        (recognizers, "active", InterfaceError("no connection"), "be read yet: no connection"),
    ],
)
def test_warming_up_goes_on_without_files_and_without_a_database(
    module: ModuleType,
    name: str,
    error: Exception,
    said: str,
    digit_model: TrainedModel,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, name, Mock(side_effect=error))
    recognizers.forget()
    recognizers._load.cache_clear()

    recognizers.warm("latin")

    assert said in caplog.text
