"""Commands that read many pictures may be stopped, or find nobody and no room for their words."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from ml import batch, comparison, examination
from recognition.models import TrainedModel
from tests.conftest import ClosedPipe, FullDisk

COMMANDS = ("recognize", "compare_models", "evaluate_model", "evaluate_model --format json")


@pytest.fixture(params=COMMANDS)
def command(
    request: pytest.FixtureRequest, digit_model: TrainedModel, drawn_digits: Path
) -> list[str]:
    """A command that has pictures to read."""
    if request.param == "recognize":
        return ["recognize", str(drawn_digits), "--no-save", "--workers", "1"]
    if request.param == "compare_models":
        return ["compare_models", digit_model.version, "--dataset", str(drawn_digits)]
    return [*request.param.split(), "--dataset", str(drawn_digits), "--workers", "1"]


def test_who_stops_it_hears_so(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(batch, "read_files", stop)
    monkeypatch.setattr(comparison, "score", stop)
    monkeypatch.setattr(examination, "examine", stop)

    with pytest.raises(CommandError, match=r"^Stopped\.$") as caught:
        call_command(*command)

    assert caught.value.returncode == 130


def test_a_reader_that_has_seen_enough_ends_it_quietly(
    command: list[str], closed: list[bool]
) -> None:
    call_command(*command, stdout=ClosedPipe())

    assert closed == [True]


def test_a_full_disk_is_told_in_words(command: list[str], closed: list[bool]) -> None:
    with pytest.raises(CommandError, match="could not be written: No space left"):
        call_command(*command, stdout=FullDisk())

    assert closed == [True]
