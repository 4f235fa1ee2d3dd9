from __future__ import annotations

from pathlib import Path

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


@pytest.mark.parametrize(("lead", "asks_the_second"), [(8.5, True), (9.5, False)])
def test_a_served_pair_asks_the_second_network_only_where_the_first_is_in_doubt(
    tmp_path: Path, lead: float, asks_the_second: bool
) -> None:
    from ai_edge_litert.interpreter import Interpreter

    from ml import cards, fitting
    from ml.architectures import ARCHITECTURES

    model = ARCHITECTURES["pair"].build()
    saying = np.zeros((2, 11), np.float32)
    saying[0, 3], saying[1, 7] = lead, 4.0
    for number, logits in enumerate(saying, start=1):
        kernel, bias = model.get_layer(f"member_{number}").get_layer("logits").weights
        kernel.assign(np.zeros(kernel.shape))
        bias.assign(logits)

    files = fitting.export(model, tmp_path)

    interpreter = Interpreter(model_path=str(files[cards.SERVED_FILE]))
    interpreter.allocate_tensors()
    interpreter.set_tensor(
        interpreter.get_input_details()[0]["index"], np.zeros((1, 28, 28, 1), np.float32)
    )
    interpreter.invoke()
    answer = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
    assert np.allclose(answer, saying.mean(axis=0) if asks_the_second else saying[0], atol=1e-5)
