"""Everything of a training that Keras does: begin, learn epoch by epoch, export."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ml import cards, networks
from ml.architectures import ARCHITECTURES
from ml.preprocessing import FIELD
from ml.runs import Progress, Run, TrainConfig, TrainingError

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
MAX_LOSS = 1000.0  # guessing has 2.3; beyond this nothing is learned any more


def weights(paths: Sequence[Path], config: TrainConfig) -> list[np.ndarray]:
    """The weights in files of `export`, for a network of the configuration.

    Args:
        paths: the file of such a network, or one of each of its members.

    Raises:
        TrainingError: a file cannot be used.
    """
    model = ARCHITECTURES[config.architecture].build()
    parts = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    for path, part in zip(paths, [model] if len(paths) == 1 else parts, strict=True):
        try:
            part.set_weights(keras.saving.load_model(path, compile=False).get_weights())
        except (OSError, ValueError) as error:
            raise TrainingError(f"{path} cannot be used: {error}") from error
    found: list[np.ndarray] = model.get_weights()
    return found


def fit(
    config: TrainConfig,
    run: Run,
    pictures: Callable[[int], tuple[np.ndarray, np.ndarray]],
    held: tuple[np.ndarray, np.ndarray],
    progress: Callable[[Progress], None],
    beginning: list[np.ndarray] | None,
) -> keras.Model:
    """Train epoch by epoch, from where the run stopped.

    Args:
        pictures: gives fields uint8 (n, 28, 28) and labels (n,) of an epoch.
        held: the same of the validation.
        beginning: the weights to begin with, else random ones.

    Returns:
        The network of the best epoch, in float32, without its optimiser.

    Raises:
        TrainingError: the training came apart.
    """
    keras.utils.set_random_seed(config.seed)
    first, earlier = run.state["epoch"], run.earlier
    start = time.perf_counter()
    model = keras.saving.load_model(run.last) if first else None
    for epoch in range(first, config.epochs):
        fields, labels = pictures(epoch)
        if model is None:
            model = _compiled(config, steps=-(-len(labels) // config.batch_size))
            if beginning:
                model.set_weights(beginning)
        order = _order(len(labels), config, epoch)
        learned = _pass(model, fields[order], labels[order], config.batch_size, learn=True)
        tested = _pass(model, *held, config.batch_size, learn=False)
        record = {"epoch": epoch + 1, **learned}
        record |= {f"val_{name}": value for name, value in tested.items()}
        if not (record["loss"] < MAX_LOSS and record["val_loss"] < MAX_LOSS):  # or not a number
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
    return network(config, keras.saving.load_model(run.best, compile=False).get_weights())


def network(config: TrainConfig, weights: list[np.ndarray]) -> keras.Model:
    """A network of the configuration with these weights, in float32, however it was trained."""
    model = ARCHITECTURES[config.architecture].build()
    model.set_weights(weights)
    return model


def export(model: keras.Model, folder: Path) -> dict[str, Path]:
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
    answering = networks.served(model)
    answering.build(signature.shape)
    answering.export(
        files[cards.SERVED_FILE],
        format="litert",
        input_signature=[signature],
        optimizations=[tf.lite.Optimize.DEFAULT],
        verbose=False,
    )
    return files


def _order(count: int, config: TrainConfig, epoch: int) -> np.ndarray:
    """In which order an epoch shows its pictures.

    The last batch is filled up with the first pictures: TensorFlow takes a second or two to
    prepare for a batch of another size.
    """
    order = np.random.default_rng((config.seed, epoch)).permutation(count)
    size = min(config.batch_size, count)
    return np.resize(order, -(-count // size) * size)


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


def _compiled(config: TrainConfig, *, steps: int) -> keras.Model:
    model = _built(config)
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
            from_logits=True, label_smoothing=config.label_smoothing
        ),
        metrics=["accuracy"],
    )
    return model


def _built(config: TrainConfig) -> keras.Model:
    """A new network that computes in the precision asked for; its weights are float32."""
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy(POLICIES[config.precision])
    try:
        return ARCHITECTURES[config.architecture].build()
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
