"""Checkpoints of trainings, and those that earlier versions left."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from ml import runs
from ml.runs import Run, TrainConfig, TrainingError


def checkpoint(root: Path, *, started: str = "20261101-120000-1", **config: Any) -> None:
    saved = {**dataclasses.asdict(TrainConfig()), **config}
    state = {"config": {name: value for name, value in saved.items() if value is not None}}
    folder = root / ".training" / started
    folder.mkdir(parents=True)
    (folder / "state.json").write_text(json.dumps(state | {"epoch": 3}), encoding="utf-8")


@pytest.mark.parametrize(
    ("stored", "start_from"),
    [("", ()), ("latin-5", ("latin-5",)), (["a", "b"], ("a", "b")), (None, ())],
)
def test_a_training_that_an_earlier_version_began_is_found_and_goes_on(
    tmp_path: Path, stored: object, start_from: tuple[str, ...]
) -> None:
    checkpoint(tmp_path, start_from=stored, epochs=9)

    config = runs.unfinished(tmp_path, {"epochs": 9, "start_from": start_from})
    run = Run.open(tmp_path, config, resume=True, command="")
    run.release()

    assert config.start_from == start_from
    assert run.state["epoch"] == 3


def test_a_training_from_before_split_seeds_keeps_aside_what_its_seed_set_aside(
    tmp_path: Path,
) -> None:
    checkpoint(tmp_path, seed=7, split_seed=None)

    config = runs.unfinished(tmp_path, {"seed": 7})

    assert config.split_seed == 7
    assert runs.set_aside({"seed": 7, "validation_split": 0.2}) == (0.2, 7)
    assert runs.set_aside({"seed": 7, "split_seed": 3}) == (0.1, 3)


def test_a_training_with_other_options_begins_anew(tmp_path: Path) -> None:
    checkpoint(tmp_path, epochs=9)

    run = Run.open(tmp_path, TrainConfig(epochs=8), resume=True, command="")
    run.release()

    assert run.state["epoch"] == 0


def test_a_training_whose_name_is_taken_goes_on_under_another(tmp_path: Path) -> None:
    checkpoint(tmp_path, name="mine")

    config = runs.unfinished(tmp_path, {"name": "other"})
    run = Run.open(tmp_path, config, resume=True, command="")
    run.release()

    assert config == TrainConfig(name="other")
    assert run.state["epoch"] == 3
    assert run.state["config"]["name"] == "other"


def test_of_several_trainings_the_one_of_the_name_goes_on(tmp_path: Path) -> None:
    checkpoint(tmp_path, name="mine")
    checkpoint(tmp_path, name="newer", started="20261102-120000-2")

    config = runs.unfinished(tmp_path, {"name": "mine"})
    run = Run.open(tmp_path, config, resume=True, command="")
    run.release()

    assert config.name == "mine"
    assert run.folder.name == "20261101-120000-1"
    assert runs.unfinished(tmp_path, {}).name == "newer"


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such locks")
def test_a_training_that_is_still_running_is_not_taken_over(tmp_path: Path) -> None:
    checkpoint(tmp_path)
    running = Run.open(tmp_path, TrainConfig(), resume=True, command="")

    with pytest.raises(TrainingError, match="20261101-120000-1 is still running"):
        runs.unfinished(tmp_path, {})
    with pytest.raises(TrainingError, match="is still running"):
        Run.open(tmp_path, TrainConfig(), resume=True, command="")
    running.release()

    assert runs.unfinished(tmp_path, {}) == TrainConfig()


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such locks")
def test_an_interrupted_training_is_found_beside_one_that_is_still_running(tmp_path: Path) -> None:
    checkpoint(tmp_path)
    checkpoint(tmp_path, started="20261102-120000-2")
    newest = Run.open(tmp_path, TrainConfig(), resume=True, command="")

    found = Run.open(tmp_path, TrainConfig(), resume=True, command="")
    newest.release()
    found.release()

    assert [newest.folder.name, found.folder.name] == ["20261102-120000-2", "20261101-120000-1"]


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such locks")
def test_what_killed_trainings_left_goes_with_the_next_one(tmp_path: Path) -> None:
    checkpoint(tmp_path)
    for started in ("killed", "just-begun"):
        (tmp_path / ".training" / started).mkdir()
        (tmp_path / ".training" / started / "lock").touch()
    running = Run.open(tmp_path, TrainConfig(), resume=False, command="")
    running.folder.rename(tmp_path / ".training" / "running")
    for folder in (tmp_path / ".training").iterdir():
        if folder.name != "just-begun":
            os.utime(folder, (0, 0))

    with Run.open(tmp_path, TrainConfig(), resume=False, command="") as new:
        left = {folder.name for folder in (tmp_path / ".training").iterdir()}

    running.release()
    assert left == {"20261101-120000-1", "just-begun", "running", new.folder.name}


def test_a_training_that_was_stopped_can_be_gone_on_with_and_one_that_is_done_is_gone(
    tmp_path: Path,
) -> None:
    checkpoint(tmp_path)

    with pytest.raises(KeyboardInterrupt), Run.open(tmp_path, TrainConfig(), True, ""):
        raise KeyboardInterrupt
    with Run.open(tmp_path, TrainConfig(), True, "") as run:
        assert run.state["epoch"] == 3

    assert not run.folder.exists()
