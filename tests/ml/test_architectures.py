from __future__ import annotations

import numpy as np
import pytest

from ml.architectures import ARCHITECTURES

pytestmark = pytest.mark.training


def layers(name: str) -> list[str]:
    from keras import layers as kinds

    lines = []
    for layer in ARCHITECTURES[name].build().layers[1:]:
        if isinstance(layer, kinds.Conv2D):
            width, height = layer.kernel_size
            lines.append(f"Conv {layer.filters} {width}x{height} {layer.activation.__name__}")
        elif isinstance(layer, kinds.MaxPooling2D):
            lines.append(f"MaxPool {layer.pool_size[0]}")
        elif isinstance(layer, kinds.Dense):
            lines.append(f"Dense {layer.units} {layer.activation.__name__}")
        elif isinstance(layer, kinds.Dropout):
            lines.append(f"Dropout {layer.rate}")
        else:
            lines.append(type(layer).__name__)
    return lines


CONVOLUTIONS = ["Conv 32 3x3 relu", "MaxPool 2", "Conv 64 3x3 relu", "MaxPool 2"]


def test_r0_is_the_network_of_its_report() -> None:
    assert layers("r0") == [*CONVOLUTIONS, "Flatten", "Dense 64 relu", "Dense 10 linear"]


def test_r3_is_the_network_of_its_report() -> None:
    assert layers("r3") == [
        *CONVOLUTIONS,
        "Flatten",
        "Dense 128 relu",
        "Dropout 0.5",
        "Dense 10 linear",
    ]


def test_r4_is_the_network_of_its_report() -> None:
    assert layers("r4") == [
        *CONVOLUTIONS,
        "Conv 64 3x3 relu",
        "Flatten",
        "Dense 64 relu",
        "Dense 10 linear",
    ]


@pytest.mark.parametrize(("name", "parameters"), [("r0", 121_930), ("r3", 225_034), ("r4", 93_322)])
def test_the_reports_networks_have_the_size_that_their_layers_give(
    name: str, parameters: int
) -> None:
    assert ARCHITECTURES[name].build().count_params() == parameters


def test_compact_is_small_and_has_a_way_to_say_no() -> None:
    compact = ARCHITECTURES["compact"]

    assert compact.rejects
    assert compact.build().count_params() < 500_000


def test_quick_is_smaller_still() -> None:
    assert ARCHITECTURES["quick"].build().count_params() < 100_000


def test_fused_normalization_computes_what_keras_does_and_keeps_the_same_statistics() -> None:
    import keras

    from ml.networks import FusedNormalization

    inputs = np.random.default_rng(1).normal(3, 2, (64, 7, 7, 5)).astype(np.float32)
    fused, composed = FusedNormalization(), keras.layers.BatchNormalization()

    trained = [np.asarray(layer(inputs, training=True)) for layer in (fused, composed)]
    served = [np.asarray(layer(inputs, training=False)) for layer in (fused, composed)]

    assert trained[0] == pytest.approx(trained[1], abs=1e-4)
    assert served[0] == pytest.approx(
        served[1], abs=1e-3
    )  # TensorFlow's variance is of n - 1, Keras' of n
    assert [weight.name for weight in fused.weights] == [weight.name for weight in composed.weights]


def test_fused_normalization_learns_as_keras_does() -> None:
    import keras
    import tensorflow as tf

    from ml.networks import FusedNormalization

    inputs = tf.constant(np.random.default_rng(2).normal(3, 2, (16, 7, 7, 5)), tf.float32)
    slopes = []
    for layer in (FusedNormalization(), keras.layers.BatchNormalization()):
        layer.build(inputs.shape)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(layer(inputs, training=True) ** 3)
        variables = [inputs, *(weight.value for weight in layer.trainable_weights)]
        slopes.append([np.asarray(slope) for slope in tape.gradient(loss, variables)])

    for fused, composed in zip(*slopes, strict=True):
        assert np.allclose(fused, composed, rtol=1e-2, atol=1e-2)
