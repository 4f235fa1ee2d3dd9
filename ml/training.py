"""Training, step by step: load, split, trace, fit, export, calibrate, test, write the card."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import numpy as np

from ml import (
    architectures,
    calibration,
    cards,
    datasets,
    evaluation,
    preprocessing,
    quiet,
    runs,
    variants,
)
from ml.architectures import ARCHITECTURES
from ml.cards import ModelCard, Thresholds
from ml.datasets import NOT_A_DIGIT, Dataset
from ml.readers import Readers
from ml.recognizer import Recognizer
from ml.runs import Progress, Run, TrainConfig, TrainingError
from ml.scripts import SCRIPTS
from ml.validation import VARIED, Validation
from ml.variants import Traced, Variants


def train(
    config: TrainConfig,
    root: Path,
    *,
    command: str,
    progress: Callable[[Progress], None],
    warn: Callable[[str], None],
    resume: bool = False,
    start: Sequence[Path] = (),
) -> tuple[ModelCard, Path]:
    """Train a network and write its model directory.

    Every epoch leaves a checkpoint in `root/.training/`; with `resume`, the newest interrupted
    training of the same configuration goes on from there.

    Args:
        root: the folder of trained models.
        command: the command line, for the card.
        warn: hears sentences about what may make the new model's figures worth less.
        start: the model directories of `config.start_from`.

    Returns:
        The card and the new model directory.

    Raises:
        TrainingError, datasets.DatasetError: there is no new model; the text says what to do.
    """
    began = time.perf_counter()
    _check(config, root)
    before = _earlier_cards(start, config)
    rejects = ARCHITECTURES[config.architecture].rejects
    parts = [_split(name, config) for name in config.datasets]
    for card in before:
        learned = (part[0] for part in parts)
        for sentence in datasets.divided_otherwise(card.version, card.datasets, learned):
            warn(sentence)
    with variants.workers() as workers, tempfile.TemporaryDirectory() as scratch:
        traced = None
        if config.epochs:
            traced = variants.begin_trace(
                [part[0] for part in parts], workers, non_digits=rejects, repeat=config.repeat
            )
        with quiet.tensorflow():
            from ml import fitting  # for seconds, in which the workers trace
        weights = None
        if start:
            weights = fitting.weights([path / cards.TRAINED_FILE for path in start], config)
        held = Validation.of(
            [part[1] for part in parts],
            workers,
            seed=config.split_seed + 1,
            non_digits=rejects,
            times=VARIED if config.augment else 1,
        )
        run = Run.open(root, config, resume, command)
        earlier = run.earlier
        with run:
            if traced:
                with _fresh(config, traced(), workers, before=before) as fresh:
                    seen = (held.fields, held.labels)
                    model = fitting.fit(config, run, fresh.take, seen, progress, weights)
            else:
                assert weights is not None, "`_check` wants a model to start from."
                model = fitting.network(config, weights)
            files = fitting.export(model, Path(scratch))
            command = run.state.get("command", command)  # the one that began it
            card = _card(config, parts, rejects, command, run.state["history"])
            card = _continued(before, card)
            card = _calibrated(card, files[cards.SERVED_FILE], held)
            untested = cards.write(card, Path(scratch), files)
            with Readers(untested, workers=os.cpu_count() or 1) as readers:
                card = _tested(card, readers, config)
            seconds = card.training_seconds + earlier + time.perf_counter() - began
            card = dataclasses.replace(card, training_seconds=round(seconds, 1))
            directory = _installed(card, root, files)
    return cards.read(directory), directory


def _installed(card: ModelCard, root: Path, files: dict[str, Path]) -> Path:
    try:
        return cards.write(card, root, files)
    except cards.CardError as error:  # another training has taken the name meanwhile
        raise TrainingError(
            f"{error} What was learned is kept: to save it under another name, run the command "
            "again with --resume --name NEW."
        ) from error


def _fresh(
    config: TrainConfig, traced: Traced, workers: Executor, *, before: Sequence[ModelCard]
) -> Variants:
    _need_every_digit(traced.labels, SCRIPTS[config.script].numerals)
    return Variants(
        traced,
        workers,
        seed=config.seed,
        epochs=config.epochs,
        non_digits=ARCHITECTURES[config.architecture].rejects,
        augment=config.augment,
        before=sum(len(card.metrics.get("history", [])) for card in before),
    )


def _check(config: TrainConfig, root: Path) -> None:
    if config.architecture not in ARCHITECTURES:
        raise TrainingError(
            f"There is no architecture {config.architecture!r}; "
            f"there are {', '.join(ARCHITECTURES)}."
        )
    if config.script not in SCRIPTS:
        raise TrainingError(f"There is no script {config.script!r}.")
    least = 0 if config.start_from else 1
    if config.epochs < least or config.batch_size < 1 or not 0 < config.learning_rate < math.inf:
        raise TrainingError(
            "Epochs, batch size and learning rate must be above 0. Only a model that starts from "
            "others can do without epochs: --epochs 0."
        )
    if not 0 <= config.label_smoothing < 1:
        raise TrainingError("Label smoothing must be from 0 to below 1.")
    if not all(0 <= seed < 2**32 for seed in (config.seed, config.split_seed)):
        raise TrainingError("Seeds must be from 0 to 4294967295.")
    if config.patience < 0:
        raise TrainingError("Patience must not be below 0.")
    if not 0 < config.validation_split < 0.5:
        raise TrainingError("The validation split must be above 0 and below 0.5.")
    if config.repeat and (
        len(config.repeat) != len(config.datasets) or not all(1 <= n <= 100 for n in config.repeat)
    ):
        raise TrainingError("Give one number from 1 to 100 for each data set to --repeat.")
    if config.name and not cards.VERSION_PATTERN.fullmatch(config.name):
        raise TrainingError(
            "A name is made of small letters, digits, dots, dashes and underscores, "
            "and starts with a letter or digit."
        )
    if config.name and (root / config.name).exists():
        raise TrainingError(f"{root / config.name} exists already. Choose another --name.")


def _earlier_cards(directories: Sequence[Path], config: TrainConfig) -> list[ModelCard]:
    """The cards of the model that a training begins with, or of those that are its members."""
    try:
        found = [cards.verify(directory) for directory in directories]
    except cards.CardError as error:
        raise TrainingError(str(error)) from error
    wanted = ARCHITECTURES[config.architecture]
    kinds = [card.architecture for card in found]
    if found and architectures.grown_from(kinds) != wanted.name:
        members = f" or from {len(wanted.members)} of {wanted.members[0]}" if wanted.members else ""
        raise TrainingError(
            f"A training of the architecture {wanted.name} starts from a model of it{members}; "
            f"{', '.join(config.start_from)} would be {', '.join(kinds)}."
        )
    if len({card.version for card in found}) < len(found):
        raise TrainingError("Start from two different models; one with itself answers as alone.")
    for card in found:
        share, seed = runs.set_aside(card.config)
        if (share, seed) != (config.validation_split, config.split_seed):
            raise TrainingError(
                f"{card.version} has learned from pictures that would be set aside now to choose "
                f"by. Set the same aside as then: --split-seed {seed} --validation-split {share}."
            )
        if card.script != config.script:
            raise TrainingError(f"{card.version} reads {card.script}, not {config.script}.")
        if card.preprocessing != preprocessing.VERSION:
            raise TrainingError(f"{card.version} was trained with other preprocessing.")
    return found


def _continued(before: list[ModelCard], card: ModelCard) -> ModelCard:
    """A new model's card that tells of the trainings before it too, one after the other."""
    records = [
        record for earlier in [*before, card] for record in earlier.metrics.get("history", [])
    ]
    history = [{**record, "epoch": number} for number, record in enumerate(records, start=1)]
    return dataclasses.replace(
        card,
        command=" && ".join(earlier.command for earlier in [*before, card]),
        metrics={**card.metrics, "history": history},
        training_seconds=sum(earlier.training_seconds for earlier in before),
    )


def _data_dir(config: TrainConfig) -> Path | None:
    return Path(config.data_dir) if config.data_dir else None


def _split(name: str, config: TrainConfig) -> tuple[Dataset, Dataset]:
    whole = datasets.load(name, "train", _data_dir(config))
    return datasets.split(whole, config.validation_split, config.split_seed)


def _need_every_digit(labels: np.ndarray, numerals: Sequence[str]) -> None:
    missing = [numeral for digit, numeral in enumerate(numerals) if digit not in labels]
    if missing:
        raise TrainingError(
            f"No picture of {', '.join(missing)} is left to learn from. Add pictures (some are "
            "set aside for the validation), or name another data set beside this one."
        )


def _card(
    config: TrainConfig,
    parts: list[tuple[Dataset, Dataset]],
    rejects: bool,
    command: str,
    history: list[dict[str, float]],
) -> ModelCard:
    now = datetime.now(UTC)
    return ModelCard(
        version=config.name or f"{config.script}-{config.architecture}-{now:%Y%m%d-%H%M%S}",
        script=config.script,
        labels=SCRIPTS[config.script].numerals,
        rejects=rejects,
        architecture=config.architecture,
        preprocessing=preprocessing.VERSION,
        temperature=1.0,
        thresholds=Thresholds(accept=0.5, refuse=0.0),
        config=json.loads(json.dumps({**dataclasses.asdict(config), "data_dir": None})),
        datasets=[
            {
                "name": training.name,
                "sha256": training.sha256,
                "training": len(training),
                "validation": len(validation),
                "repeat": repeat,
                "labels": _counts(training, validation),
                **({"may_grow": True} if training.may_grow else {}),
            }
            for (training, validation), repeat in zip(
                parts, config.repeat or [1] * len(parts), strict=True
            )
        ],
        metrics={"history": history},
        command=command,
        keras_version=metadata.version("keras"),
        python_version=platform.python_version(),
        training_seconds=0.0,
        created_at=now.isoformat(timespec="seconds"),
    )


def _counts(*parts: Dataset) -> list[int]:
    """How many pictures of each digit, and last of no digit."""
    labels = np.concatenate([part.labels for part in parts])
    return [int(count) for count in np.bincount(labels, minlength=NOT_A_DIGIT + 1)]


def _calibrated(card: ModelCard, served: Path, held: Validation) -> ModelCard:
    """Fit temperature and thresholds on the exported file's validation logits."""
    recognizer = Recognizer(card, served.read_bytes())
    logits, labels = held.answers(recognizer).weighted()
    temperature = calibration.fit_temperature(logits, labels)
    probabilities = calibration.probabilities(logits, temperature)[:, :10]
    thresholds = calibration.choose_thresholds(
        probabilities.max(axis=1), probabilities.argmax(axis=1) == labels, labels != NOT_A_DIGIT
    )
    return dataclasses.replace(card, temperature=round(temperature, 4), thresholds=thresholds)


def _tested(card: ModelCard, readers: Readers, config: TrainConfig) -> ModelCard:
    """The one time that the test parts are read, by the exported file."""
    reports = {}
    for name in config.datasets:
        dataset = datasets.load(name, "test", _data_dir(config))
        readings = readers.read(dataset.pictures, dataset.labels)
        reports[dataset.name] = evaluation.report(readings)
    return dataclasses.replace(card, metrics={**card.metrics, "test": reports})
