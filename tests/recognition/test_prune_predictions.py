from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.utils import timezone

from recognition import models
from recognition.models import Prediction, PredictionQuerySet

Make = Callable[..., Prediction]


@pytest.fixture
def old(make_prediction: Make) -> Prediction:
    return make_prediction(created_at=timezone.now() - timedelta(days=31))


@pytest.fixture
def young(make_prediction: Make) -> Prediction:
    return make_prediction(created_at=timezone.now() - timedelta(days=29))


@pytest.fixture
def prune(django_capture_on_commit_callbacks: Any) -> Callable[..., str]:
    def run(*args: str, verbosity: int = 1) -> str:
        out = io.StringIO()
        with django_capture_on_commit_callbacks(execute=True):
            call_command("prune_predictions", *args, stdout=out, verbosity=verbosity)
        return out.getvalue()

    return run


def test_old_records_go_with_their_pictures(
    old: Prediction, young: Prediction, prune: Callable[..., str]
) -> None:
    out = prune("--older-than", "30", "--no-input")

    assert list(Prediction.objects.all()) == [young]
    assert not storages["pictures"].exists(str(old.picture.name))
    assert storages["pictures"].exists(str(young.picture.name))
    assert "Deleted 1 prediction with its picture." in out


def test_pictures_only_leaves_the_records(
    old: Prediction, young: Prediction, prune: Callable[..., str]
) -> None:
    name = old.picture.name

    prune("--older-than", "30", "--no-input", "--pictures-only")

    old.refresh_from_db()
    young.refresh_from_db()
    assert (old.picture.name, old.digits[0]["field"], old.digits[0]["label"]) == ("", "", "7")
    assert not storages["pictures"].exists(str(name))
    assert young.picture


def test_many_records_go_batch_by_batch(
    make_prediction: Make, prune: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "BATCH", 2)
    for _ in range(5):
        make_prediction(created_at=timezone.now() - timedelta(days=31))

    out = prune("--older-than", "30", "--no-input", verbosity=2)

    assert not Prediction.objects.exists()
    assert out.splitlines()[:3] == ["2 of 5", "4 of 5", "5 of 5"]


def test_who_stops_it_hears_how_many_are_gone(
    make_prediction: Make, prune: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop_at_the_last(batch: PredictionQuerySet) -> tuple[int, dict[str, int]]:
        if batch.count() == 1:
            raise KeyboardInterrupt
        return delete(batch)

    delete = PredictionQuerySet.delete
    monkeypatch.setattr(models, "BATCH", 2)
    monkeypatch.setattr(PredictionQuerySet, "delete", stop_at_the_last)
    for _ in range(5):
        make_prediction(created_at=timezone.now() - timedelta(days=31))

    with pytest.raises(
        CommandError, match=r"^Stopped\. Deleted at least 4 of 5 predictions"
    ) as caught:
        prune("--older-than", "30", "--no-input")

    assert caught.value.returncode == 130
    assert Prediction.objects.count() == 1


def test_a_dry_run_changes_nothing(old: Prediction, prune: Callable[..., str]) -> None:
    out = prune("--older-than", "30", "--dry-run")

    assert "Would delete 1 prediction with its picture older than " in out
    assert storages["pictures"].exists(str(old.picture.name))
    assert Prediction.objects.count() == 1


@pytest.mark.parametrize("options", [[], ["--pictures-only"]])
def test_a_picture_that_cannot_be_deleted_keeps_no_other_one(
    make_prediction: Make,
    prune: Callable[..., str],
    caplog: pytest.LogCaptureFixture,
    options: list[str],
) -> None:
    created_at = timezone.now() - timedelta(days=31)
    paths = [Path(make_prediction(created_at=created_at).picture.path) for _ in range(3)]
    _make_undeletable(paths[1])

    prune("--older-than", "30", "--no-input", *options)

    assert [path.exists() for path in paths] == [False, True, False]
    assert f"{paths[1].name} could not be deleted" in caplog.text


def test_strays_are_pictures_of_yesterday_that_no_record_names(
    young: Prediction, prune: Callable[..., str], media: Path
) -> None:
    kept, fresh, stray = (
        Path(young.picture.path),
        _write(media / "pictures" / "ab" / f"{'ab' * 16}.png"),
        _write(media / "pictures" / "cd" / f"{'cd' * 16}.jpg"),
    )
    foreign = _write(media / "pictures" / "my" / "holiday.png")
    for path in (kept, stray, foreign):
        os.utime(path, (0, time.time() - 25 * 3600))

    would = prune("--older-than", "30", "--dry-run", "--strays")
    without = prune("--older-than", "30", "--no-input")
    was_there = stray.exists()
    out = prune("--older-than", "30", "--no-input", "--strays")

    assert "Would delete 1 picture that no record names" in would
    assert (was_there, "no record" in without) == (True, False)
    assert "Deleted 1 picture that no record names" in out
    assert [path.exists() for path in (kept, fresh, stray, foreign)] == [True, True, False, True]


def test_it_asks_before_it_deletes_strays(
    db: None, prune: Callable[..., str], media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stray = _write(media / "pictures" / "cd" / f"{'cd' * 16}.jpg")
    os.utime(stray, (0, 0))
    monkeypatch.setattr("builtins.input", lambda question: "no")

    with pytest.raises(CommandError, match="Nothing was deleted"):
        prune("--older-than", "30", "--strays")

    assert stray.exists()


@pytest.mark.parametrize(("reply", "left"), [("no", 1), ("yes", 0)])
def test_it_asks_before_it_deletes(
    old: Prediction,
    prune: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    reply: str,
    left: int,
) -> None:
    monkeypatch.setattr("builtins.input", lambda question: reply)

    if left:
        with pytest.raises(CommandError, match="Nothing was deleted"):
            prune("--older-than", "30")
    else:
        prune("--older-than", "30")

    assert Prediction.objects.count() == left


def test_without_anybody_to_ask_nothing_is_deleted(
    old: Prediction, prune: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())

    with pytest.raises(CommandError, match="--no-input"):
        prune("--older-than", "30")

    assert Prediction.objects.count() == 1


def test_an_impossible_age_is_refused(prune: Callable[..., str], db: None) -> None:
    with pytest.raises(CommandError, match="from 0 to"):
        prune("--older-than", "-1", "--no-input")


def test_nothing_is_said_at_verbosity_0(old: Prediction, prune: Callable[..., str]) -> None:
    assert prune("--older-than", "30", "--no-input", verbosity=0) == ""


def _write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"a picture")
    return path


def _make_undeletable(path: Path) -> None:
    """A folder that is not empty takes the picture's place."""
    path.unlink()
    _write(path / "anything")
