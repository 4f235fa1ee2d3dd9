"""Training, step by step: load, split, trace, fit, export, calibrate, test, write the card."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np

from ml import calibration, cards, datasets, evaluation, preprocessing, variants
from ml.architectures import ARCHITECTURES
from ml.cards import ModelCard, Thresholds
from ml.datasets import NOT_A_DIGIT, Dataset
from ml.preprocessing import FIELD
from ml.readers import Readers
from ml.recognizer import Recognizer
from ml.scripts import SCRIPTS
from ml.variants import Variants

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
MAX_LOSS = 1000.0  # guessing has 2.3; beyond this nothing is learned any more
LABEL_SMOOTHING = 0.02  # some labels are wrong, and no answer is certain


class TrainingError(Exception):
    """The training cannot be done as asked; the text says why."""


@dataclass(frozen=True)
class TrainConfig:
    """Everything that a training depends on; it is kept whole in the card."""

    datasets: tuple[str, ...] = ("mnist",)
    repeat: tuple[int, ...] = ()  # variants of each picture an epoch, one number a data set
    data_dir: str | None = None
    architecture: str = "compact"
    start_from: str = ""  # version of the model whose weights it begins with
    precision: Literal["float32", "bfloat16"] = "float32"
    optimizer: Literal["adam", "sgd", "adamw"] = "adamw"
    learning_rate: float = 0.002
    epochs: int = 20
    batch_size: int = 128
    validation_split: float = 0.1
    augment: bool = True
    patience: int = 0  # epochs without gain before an early stop; 0 never stops early
    seed: int = 1
    script: str = "latin"
    name: str = ""


# What an option is in a checkpoint from before it was there.
_DEFAULTS = json.loads(json.dumps(dataclasses.asdict(TrainConfig())))


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


def train(
    config: TrainConfig,
    root: Path,
    *,
    command: str,
    progress: Callable[[Progress], None],
    resume: bool = False,
    start: Path | None = None,
) -> tuple[ModelCard, Path]:
    """Train a network and write its model directory.

    Every epoch leaves a checkpoint in `root/.training/`; with `resume`, the newest interrupted
    training of the same configuration goes on from there.

    Args:
        root: the folder of trained models.
        command: the command line, for the card.
        start: the model directory of `config.start_from`.

    Returns:
        The card and the new model directory.

    Raises:
        TrainingError, datasets.DatasetError: there is no new model; the text says what to do.
    """
    began = time.perf_counter()
    _check(config, root)
    beginning = _Beginning.load(start, config) if start else None
    keras.utils.set_random_seed(config.seed)
    rejects = ARCHITECTURES[config.architecture].rejects
    parts = [_split(name, config) for name in config.datasets]
    with variants.workers() as workers, tempfile.TemporaryDirectory() as scratch:
        training = variants.trace(
            [part[0] for part in parts], workers, non_digits=rejects, repeat=config.repeat
        )
        held = _Held.of([part[1] for part in parts], workers, seed=config.seed + 1, rejects=rejects)
        run = _Run.open(root, config, resume)
        earlier = run.earlier
        with Variants(
            training,
            workers,
            seed=config.seed,
            epochs=config.epochs,
            non_digits=rejects,
            augment=config.augment,
        ) as fresh:
            model, history = _fit(config, run, fresh.take, held, progress, beginning)
        files = _export(model, Path(scratch))
        card = _card(config, parts, rejects, command, history)
        if beginning:
            card = beginning.continued(card)
        card = _calibrated(card, files[cards.SERVED_FILE], held)
        untested = cards.write(card, Path(scratch), files)
        with Readers(untested, workers=os.cpu_count() or 1) as readers:
            card = _tested(card, readers, config)
        seconds = card.training_seconds + earlier + time.perf_counter() - began
        card = dataclasses.replace(card, training_seconds=round(seconds, 1))
        directory = cards.write(card, root, files)
    run.close()
    return cards.read(directory), directory


def unfinished(root: Path, wanted: dict[str, Any]) -> TrainConfig:
    """The configuration of the newest interrupted training that has the wanted values.

    Raises:
        TrainingError: there is none.
    """
    for path in _states(root):
        saved = json.loads(path.read_text(encoding="utf-8"))["config"]
        lists = {name: tuple(saved[name]) for name in ("datasets", "repeat") if name in saved}
        config = TrainConfig(**{**saved, **lists})
        if all(getattr(config, name) == value for name, value in wanted.items()):
            return config
    raise TrainingError(
        "There is no interrupted training with these options to go on with. "
        "Leave --resume out to start one."
    )


def _states(root: Path) -> list[Path]:
    """What interrupted trainings left, the newest first."""
    return sorted((root / ".training").glob("*/state.json"), reverse=True)


def _check(config: TrainConfig, root: Path) -> None:
    if config.architecture not in ARCHITECTURES:
        raise TrainingError(
            f"There is no architecture {config.architecture!r}; "
            f"there are {', '.join(ARCHITECTURES)}."
        )
    if config.script not in SCRIPTS:
        raise TrainingError(f"There is no script {config.script!r}.")
    if config.epochs < 1 or config.batch_size < 1 or not 0 < config.learning_rate < math.inf:
        raise TrainingError("Epochs, batch size and learning rate must be above 0.")
    if not 0 <= config.seed < 2**32 or config.patience < 0:
        raise TrainingError("The seed must be from 0 to 4294967295, and patience not below 0.")
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
        raise TrainingError(f"{root / config.name} exists already. Choose another name.")


@dataclass(frozen=True)
class _Beginning:
    """The earlier model that a training begins with: its card and weights."""

    card: ModelCard
    weights: list[np.ndarray]

    @classmethod
    def load(cls, directory: Path, config: TrainConfig) -> _Beginning:
        try:
            card = cards.verify(directory)
        except cards.CardError as error:
            raise TrainingError(str(error)) from error
        if (card.architecture, card.script) != (config.architecture, config.script):
            raise TrainingError(
                f"{card.version} is of the architecture {card.architecture} and the script "
                f"{card.script}; start from a model of the same as the new one."
            )
        if card.preprocessing != preprocessing.VERSION:
            raise TrainingError(f"{card.version} was trained with other preprocessing.")
        path = directory / cards.TRAINED_FILE
        try:
            weights = keras.saving.load_model(path, compile=False).get_weights()
            ARCHITECTURES[card.architecture].build(11 if card.rejects else 10).set_weights(weights)
        except (OSError, ValueError) as error:
            raise TrainingError(f"{path} cannot be used: {error}") from error
        return cls(card, weights)

    def continued(self, card: ModelCard) -> ModelCard:
        """A new model's card that tells of the earlier training too."""
        before = self.card.metrics.get("history", [])
        after = card.metrics["history"]
        later = [{**record, "epoch": record["epoch"] + len(before)} for record in after]
        return dataclasses.replace(
            card,
            command=f"{self.card.command} && {card.command}",
            metrics={**card.metrics, "history": [*before, *later]},
            training_seconds=self.card.training_seconds,
        )


def _data_dir(config: TrainConfig) -> Path | None:
    return Path(config.data_dir) if config.data_dir else None


def _split(name: str, config: TrainConfig) -> tuple[Dataset, Dataset]:
    whole = datasets.load(name, "train", _data_dir(config))
    return datasets.split(whole, config.validation_split, config.seed)


@dataclass
class _Run:
    """The checkpoint of one training: a folder that goes when the model directory is written."""

    folder: Path
    state: dict[str, Any]

    @classmethod
    def open(cls, root: Path, config: TrainConfig, resume: bool) -> _Run:
        wanted = json.loads(json.dumps(dataclasses.asdict(config)))
        for path in _states(root) if resume else ():
            state = json.loads(path.read_text(encoding="utf-8"))
            if {**_DEFAULTS, **state["config"]} == wanted:
                return cls(path.parent, state)
        folder = root / ".training" / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}"
        folder.mkdir(parents=True)
        empty = {"config": wanted, "epoch": 0, "best": None, "history": [], "elapsed": 0.0}
        return cls(folder, empty)

    @property
    def earlier(self) -> float:
        """Seconds that were trained before this process took over."""
        return float(self.state["elapsed"])

    @property
    def last(self) -> Path:
        return self.folder / "last.keras"

    @property
    def best(self) -> Path:
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

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def _replace(path: Path, write: Callable[[Path], Any]) -> None:
    partial = path.with_name(f"partial-{path.name}")
    write(partial)
    partial.replace(path)


@dataclass(frozen=True)
class _Held:
    """Validation pictures: uint8 fields as they are, and one variant of each, with labels.

    Half is varied as in training, for the calibration: validation pictures alone are too easy to
    teach doubt.
    """

    fields: np.ndarray
    labels: np.ndarray
    varied: np.ndarray
    varied_labels: np.ndarray

    @classmethod
    def of(cls, parts: list[Dataset], workers: Executor, *, seed: int, rejects: bool) -> _Held:
        traced = variants.trace(parts, workers, non_digits=rejects)
        _need_digits(traced.labels)
        fields = variants.plain(traced, workers)
        with Variants(traced, workers, seed=seed, epochs=1, non_digits=rejects) as fresh:
            return cls(fields, traced.labels, *fresh.take(0))


def _need_digits(labels: np.ndarray) -> None:
    if not (labels != NOT_A_DIGIT).any():
        raise TrainingError(
            "No digit can be read in these pictures. Name a data set that holds digits too."
        )


def _fit(
    config: TrainConfig,
    run: _Run,
    pictures: Callable[[int], tuple[np.ndarray, np.ndarray]],
    held: _Held,
    progress: Callable[[Progress], None],
    beginning: _Beginning | None,
) -> tuple[keras.Model, list[dict[str, float]]]:
    """Train epoch by epoch; return the best network, without its optimiser, and the history."""
    outputs = 11 if ARCHITECTURES[config.architecture].rejects else 10
    first, earlier = run.state["epoch"], run.earlier
    start = time.perf_counter()
    model = keras.saving.load_model(run.last) if first else None
    for epoch in range(first, config.epochs):
        fields, labels = pictures(epoch)
        if model is None:
            model = _compiled(config, outputs, -(-len(labels) // config.batch_size))
            if beginning:
                model.set_weights(beginning.weights)
        order = np.random.default_rng((config.seed, epoch)).permutation(len(labels))
        learned = _pass(model, fields[order], labels[order], config.batch_size, learn=True)
        tested = _pass(model, held.fields, held.labels, config.batch_size, learn=False)
        record = {"epoch": epoch + 1, **learned}
        record |= {f"val_{name}": value for name, value in tested.items()}
        if not (record["loss"] < MAX_LOSS and record["val_loss"] < MAX_LOSS):  # or not a number
            if not run.state["epoch"]:
                run.close()  # nothing to go on with
            raise TrainingError(
                f"The training came apart in epoch {epoch + 1}, with a loss of "
                f"{record['val_loss']:g}. Use a smaller --learning-rate."
            )
        elapsed = time.perf_counter() - start
        run.save(model, record, earlier + elapsed)
        left = elapsed / (epoch + 1 - first) * (config.epochs - epoch - 1)
        progress(_progress(config, record, earlier + elapsed, left))
        if config.patience and epoch + 1 - run.state["best_epoch"] >= config.patience:
            break
    best = keras.saving.load_model(run.best, compile=False).get_weights()
    model = ARCHITECTURES[config.architecture].build(outputs)  # in float32, however it was trained
    model.set_weights(best)
    return model, run.state["history"]


def _pass(
    model: keras.Model, fields: np.ndarray, labels: np.ndarray, size: int, *, learn: bool
) -> dict[str, float]:
    """Go once through uint8 fields and their labels, in batches; return loss and accuracy.

    `Model.fit` does the same, but its input pipeline can wait as long again at the end of each
    call: tf.data's tuner sleeps for twice as long every time, and is not woken.
    """
    step = model.train_on_batch if learn else model.test_on_batch
    sums = {"loss": 0.0, "accuracy": 0.0}
    for start in range(0, len(labels), size):
        part = slice(start, start + size)
        inputs = fields[part, ..., None].astype(np.float32) / 255
        wanted = keras.utils.to_categorical(labels[part], model.output_shape[-1])
        for name, mean in step(inputs, wanted, return_dict=True).items():
            sums[name] += float(mean) * len(inputs)
    return {name: total / len(labels) for name, total in sums.items()}


def _compiled(config: TrainConfig, outputs: int, steps: int) -> keras.Model:
    model = _built(config, outputs)
    rate = keras.optimizers.schedules.CosineDecay(
        config.learning_rate / 20,
        decay_steps=max(1, config.epochs * steps - steps),
        warmup_target=config.learning_rate,
        warmup_steps=steps,
        alpha=0.002,
    )
    model.compile(
        optimizer=_optimizer(config.optimizer, rate),
        loss=keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=LABEL_SMOOTHING
        ),
        metrics=["accuracy"],
    )
    return model


def _built(config: TrainConfig, outputs: int) -> keras.Model:
    """A new network that computes in the precision asked for; its weights are float32."""
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy(POLICIES[config.precision])
    try:
        return ARCHITECTURES[config.architecture].build(outputs)
    finally:
        keras.config.set_dtype_policy(usual)


def _optimizer(name: str, rate: Any) -> keras.Optimizer:
    if name == "sgd":
        return keras.optimizers.SGD(rate, momentum=0.9, nesterov=True)
    if name == "adam":
        return keras.optimizers.Adam(rate)
    return keras.optimizers.AdamW(rate, weight_decay=0.01)


def _progress(
    config: TrainConfig, record: dict[str, float], elapsed: float, left: float
) -> Progress:
    return Progress(
        epoch=int(record["epoch"]),
        epochs=config.epochs,
        loss=record["loss"],
        accuracy=record["accuracy"],
        validation_loss=record["val_loss"],
        validation_accuracy=record["val_accuracy"],
        elapsed=elapsed,
        left=left,
    )


def _export(model: keras.Model, folder: Path) -> dict[str, Path]:
    """Write the network to train on, and the one to serve with its weights in 8 bits.

    Raises:
        TrainingError: Keras runs on another backend; the checkpoint stays.
    """
    if keras.backend.backend() != "tensorflow":
        raise TrainingError(
            "The network is trained, but only TensorFlow can write the file that is served. "
            "Run the command again with KERAS_BACKEND=tensorflow and --resume."
        )
    import tensorflow as tf

    files = {name: folder / name for name in (cards.TRAINED_FILE, cards.SERVED_FILE)}
    model.save(files[cards.TRAINED_FILE], include_optimizer=False)
    signature = keras.InputSpec(shape=(1, FIELD, FIELD, 1), dtype="float32", name="field")
    model.export(
        files[cards.SERVED_FILE],
        format="litert",
        input_signature=[signature],
        optimizations=[tf.lite.Optimize.DEFAULT],
        verbose=False,
    )
    return files


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
            }
            for (training, validation), repeat in zip(
                parts, config.repeat or [1] * len(parts), strict=True
            )
        ],
        metrics={"history": history},
        command=command,
        keras_version=keras.__version__,
        python_version=platform.python_version(),
        training_seconds=0.0,
        created_at=now.isoformat(timespec="seconds"),
    )


def _calibrated(card: ModelCard, served: Path, held: _Held) -> ModelCard:
    """Fit temperature and thresholds on the exported file's validation logits."""
    recognizer = Recognizer(card, served.read_bytes())
    fields = np.concatenate([held.fields, held.varied])
    labels = np.concatenate([held.labels, held.varied_labels])
    logits = np.stack([recognizer.logits(field) for field in fields.astype(np.float32) / 255])
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
