from __future__ import annotations

import numpy as np
import pytest

pytestmark = [pytest.mark.training, pytest.mark.filterwarnings("ignore")]


def test_a_pass_tells_loss_and_accuracy_of_all_its_batches() -> None:
    import keras

    from ml import fitting
    from ml.runs import TrainConfig

    rng = np.random.default_rng(3)
    fields, labels = rng.integers(0, 256, (50, 28, 28), np.uint8), rng.integers(0, 10, 50)
    model = fitting._compiled(TrainConfig(architecture="r0", label_smoothing=0.1), steps=2)

    told = fitting._pass(model, fields, labels, 16, learn=False)

    answers = np.asarray(model(fields[..., None] / 255.0))
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)(
        keras.utils.to_categorical(labels, 10), answers
    )
    assert told["accuracy"] == pytest.approx((answers.argmax(1) == labels).mean())
    assert told["loss"] == pytest.approx(float(loss), rel=1e-4)


def test_a_pass_that_learns_lowers_the_loss() -> None:
    from ml import fitting
    from ml.runs import TrainConfig

    rng = np.random.default_rng(4)
    fields, labels = rng.integers(0, 256, (64, 28, 28), np.uint8), rng.integers(0, 10, 64)
    config = TrainConfig(architecture="quick", learning_rate=0.01)
    model = fitting._compiled(config, steps=2)

    first, *_, last = (fitting._pass(model, fields, labels, 32, learn=True) for _ in range(10))

    assert last["loss"] < 0.7 * first["loss"]


def test_every_picture_is_shown_and_the_last_batch_is_filled_up() -> None:
    from ml import fitting
    from ml.runs import TrainConfig

    config = TrainConfig(batch_size=32, seed=5)

    first, second = (fitting._order(100, config, epoch) for epoch in range(2))

    assert len(first) == 128
    assert set(first) == set(range(100))
    assert list(first[100:]) == list(first[:28])
    assert list(first) != list(second)
    assert list(first) == list(fitting._order(100, config, 0))
    assert sorted(fitting._order(20, config, 0)) == list(range(20))  # one batch, not filled up
