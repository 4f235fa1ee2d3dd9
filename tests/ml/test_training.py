from __future__ import annotations

import numpy as np
import pytest

pytestmark = [pytest.mark.training, pytest.mark.filterwarnings("ignore")]


def test_a_pass_tells_loss_and_accuracy_of_all_its_batches() -> None:
    import keras

    from ml import training

    rng = np.random.default_rng(3)
    fields, labels = rng.integers(0, 256, (50, 28, 28), np.uint8), rng.integers(0, 10, 50)
    model = training._compiled(training.TrainConfig(architecture="r0"), 10, steps=2)

    told = training._pass(model, fields, labels, 16, learn=False)

    answers = np.asarray(model(fields[..., None] / 255.0))
    loss = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=training.LABEL_SMOOTHING
    )(keras.utils.to_categorical(labels, 10), answers)
    assert told["accuracy"] == pytest.approx((answers.argmax(1) == labels).mean())
    assert told["loss"] == pytest.approx(float(loss), rel=1e-4)


def test_a_pass_that_learns_lowers_the_loss() -> None:
    from ml import training

    rng = np.random.default_rng(4)
    fields, labels = rng.integers(0, 256, (64, 28, 28), np.uint8), rng.integers(0, 10, 64)
    config = training.TrainConfig(architecture="quick", learning_rate=0.01)
    model = training._compiled(config, 10, steps=2)

    first, *_, last = (training._pass(model, fields, labels, 32, learn=True) for _ in range(10))

    assert last["loss"] < 0.7 * first["loss"]
