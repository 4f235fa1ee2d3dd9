"""One training: what it depends on, what it tells, and the checkpoint that lets it go on."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, Self

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    import keras


STRAY_AFTER = 60  # seconds; a younger folder may be about to be locked


class TrainingError(Exception):
    """The training cannot be done as asked; the text says why."""


@dataclass(frozen=True)
class TrainConfig:
    """Everything that a training depends on; it is kept whole in the card."""

    datasets: tuple[str, ...] = ("mnist",)
    repeat: tuple[int, ...] = ()  # variants of each picture an epoch, one number a data set
    data_dir: str | None = None
    architecture: str = "compact"
    start_from: tuple[str, ...] = ()  # the model whose weights it begins with, or its members
    precision: Literal["float32", "bfloat16"] = "float32"
    optimizer: Literal["adam", "sgd", "adamw"] = "adamw"
    learning_rate: float = 0.002
    label_smoothing: float = 0.0  # blurs which answers are surer than others
    epochs: int = 20
    batch_size: int = 128
    validation_split: float = 0.1
    augment: bool = True
    patience: int = 0  # epochs without gain before an early stop; 0 never stops early
    seed: int = 1
    split_seed: int = 1  # of the pictures set aside; who shares it can be compared and averaged
    script: str = "latin"
    name: str = ""


def set_aside(config: Mapping[str, Any]) -> tuple[float, int]:
    """Which pictures a training sets aside to choose by: their share, and the seed of the choice.

    Args:
        config: as a card keeps it; in old ones the seed of the training chose them, too.
    """
    usual = TrainConfig()
    share = config.get("validation_split", usual.validation_split)
    return share, config.get("split_seed", config.get("seed", usual.split_seed))


_LISTS = ("datasets", "repeat", "start_from")  # the options that take several words


@dataclass(frozen=True)
class Progress:
    """What a progress callback hears after every epoch; times in seconds."""

    epoch: int
    epochs: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    elapsed: float
    left: float


def unfinished(root: Path, wanted: dict[str, Any]) -> TrainConfig:
    """The configuration of the newest interrupted training that has the wanted values.

    Where none has the wanted name, one with all the others is given that name.

    Raises:
        TrainingError: there is none, or it is still running.
    """

    def has(values: dict[str, Any]) -> Callable[[TrainConfig], bool]:
        return lambda config: all(getattr(config, name) == values[name] for name in values)

    others = {name: value for name, value in wanted.items() if name != "name"}
    run = _interrupted(root, has(wanted)) or _interrupted(root, has(others))
    if run is None:
        raise TrainingError(
            "There is no interrupted training with these options to go on with. "
            "Leave --resume out to start one."
        )
    run.release()
    config = _config(run.state)
    return dataclasses.replace(config, name=wanted.get("name", config.name))


def left_here(root: Path) -> bool:
    """Whether a training that began in this process left an epoch to go on from."""
    return any(path.parent.name.endswith(f"-{os.getpid()}") for path in _states(root))


def _config(state: dict[str, Any]) -> TrainConfig:
    """The configuration in a checkpoint; an option that it does not know yet has its default."""
    saved = dict(state["config"])
    for name in _LISTS:
        if name in saved:
            words = saved[name]
            saved[name] = (words,) if words and isinstance(words, str) else tuple(words)
    saved["split_seed"] = set_aside(saved)[1]
    return TrainConfig(**saved)


def _states(root: Path) -> list[Path]:
    """What interrupted trainings left, the newest first."""
    return sorted((root / ".training").glob("*/state.json"), reverse=True)


def _interrupted(root: Path, is_wanted: Callable[[TrainConfig], bool]) -> Run | None:
    """The newest training that is wanted and does not run any more, held; None without one.

    Raises:
        TrainingError: what is wanted is still running.
    """
    running = ""
    for path in _states(root):
        if not is_wanted(_config(json.loads(path.read_text(encoding="utf-8")))):
            continue
        lock = _lock(path.parent)
        if lock is not None:
            return Run(path.parent, json.loads(path.read_text(encoding="utf-8")), lock)
        running = running or path.parent.name
    if running:
        raise TrainingError(
            f"The training {running} is still running. Wait for it or stop it first, or leave "
            "--resume out to start another one."
        )
    return None


def _renamed(root: Path, config: TrainConfig) -> Run | None:
    """The newest interrupted training that differs in its name only, under the name given now."""
    run = _interrupted(root, lambda found: dataclasses.replace(found, name=config.name) == config)
    if run is not None:
        run.state["config"]["name"] = config.name
    return run


def _sweep(root: Path) -> None:
    """Remove what trainings left that were killed before they had anything to go on with.

    Where there are no locks, nobody knows whether one still runs, so nothing is removed.
    """
    if sys.platform == "win32":
        return
    for folder in (root / ".training").glob("*/"):
        with suppress(FileNotFoundError):  # another one sweeps, too
            if time.time() - folder.stat().st_mtime < STRAY_AFTER:
                continue
            lock = _lock(folder)
            if lock is None:
                continue
            with lock:
                if not (folder / "state.json").exists():
                    shutil.rmtree(folder, ignore_errors=True)


def _lock(folder: Path) -> IO[bytes] | None:
    """Hold a folder until what is returned is closed or the process ends; None when another does.

    Windows has no such locks, so nothing is held there.
    """
    file = (folder / "lock").open("ab")
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
    return file


@dataclass
class Run:
    """The checkpoint of one training: a folder that goes when the model directory is written.

    Its `lock` is held while the training runs, so that no other one goes on with it meanwhile.
    """

    folder: Path
    state: dict[str, Any]
    lock: IO[bytes] | None

    @classmethod
    def open(cls, root: Path, config: TrainConfig, resume: bool, command: str) -> Run:
        """A new checkpoint; with `resume` the newest one of the same configuration, if any.

        It knows the `command` that began the training. One that had another name gets this one.

        Raises:
            TrainingError: the one to go on with is still running.
        """
        if resume and (found := _interrupted(root, config.__eq__) or _renamed(root, config)):
            return found
        _sweep(root)
        folder = root / ".training" / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}"
        folder.mkdir(parents=True)
        told = dataclasses.asdict(config)
        empty = {"config": told, "epoch": 0, "best": None, "history": [], "elapsed": 0.0}
        return cls(folder, empty | {"command": command}, _lock(folder))

    @property
    def earlier(self) -> float:
        """Seconds that were trained before this process took over."""
        return float(self.state["elapsed"])

    @property
    def last(self) -> Path:
        """The network after the last epoch, with its optimiser."""
        return self.folder / "last.keras"

    @property
    def best(self) -> Path:
        """The network of the best epoch, without."""
        return self.folder / "best.keras"

    def save(self, model: keras.Model, record: dict[str, float], seconds: float) -> None:
        """Keep the weights and the score of an epoch; each file appears whole."""
        _replace(self.last, lambda path: model.save(path))
        score = record["val_loss"]
        if self.state["best"] is None or score < self.state["best"]:
            self.state["best"] = score
            self.state["best_epoch"] = record["epoch"]
            _replace(self.best, lambda path: model.save(path, include_optimizer=False))
        self.state.update(epoch=record["epoch"], elapsed=round(seconds, 1))
        self.state["history"].append(record)
        text = json.dumps(self.state)
        _replace(self.folder / "state.json", lambda path: path.write_text(text, encoding="utf-8"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: object, *more: object) -> None:
        if error is None or not self.state["epoch"]:  # done, or nothing to go on with
            shutil.rmtree(self.folder, ignore_errors=True)
        self.release()

    def release(self) -> None:
        """Let another training go on with it."""
        if self.lock is not None:
            self.lock.close()


def _replace(path: Path, write: Callable[[Path], Any]) -> None:
    partial = path.with_name(f"partial-{path.name}")
    write(partial)
    partial.replace(path)
