"""The networks of `ml.architectures`, built with Keras. Each ends in a layer "logits".

`r0`, `r3` and `r4` are the networks of the three reports that print theirs, layer by layer.
`compact` is made for this site, `pair` is two of it, and `quick` is for a training in a minute.
What answers one picture at a time is `served`.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

INPUT = (28, 28, 1)
CLEAR = 9.0  # how far the best logit lies above the next where nobody else need be asked


def compact(outputs: int) -> keras.Model:
    """A small residual network: 0.48 million parameters, 43 million multiplications a picture."""
    field = keras.Input(INPUT, name="field")
    x = _conv(field, 32, name="stem")
    x = _residual(x, name="stem_1")
    x = _conv(x, 64, strides=2, name="half")
    x = _residual(x, name="half_1")
    x = _residual(x, name="half_2")
    x = _conv(x, 128, strides=2, name="quarter")
    x = _residual(x, name="quarter_1")
    x = _residual(x, name="quarter_2")
    x = layers.DepthwiseConv2D(7, name="gather")(x)  # weighs each place, as a pooling cannot
    x = layers.Flatten(name="features")(x)
    x = layers.Dropout(0.3, name="dropout")(x)
    return _with_logits(field, x, outputs)


def pair(outputs: int) -> keras.Model:
    """Two `compact` networks, the layers `member_1` and `member_2`, whose logits are averaged."""
    field = keras.Input(INPUT, name="field")
    members = [compact(outputs), compact(outputs)]
    for number, member in enumerate(members, start=1):
        member.name = f"member_{number}"
    answers = [member(field) for member in members]
    return keras.Model(field, layers.Average(name="logits", dtype="float32")(answers))


def served(model: keras.Model) -> keras.Model:
    """What answers one picture at a time: of a `pair`, the second network only in doubt.

    Where the first is clear, asking the second changes no answer, and costs as long again
    (docs/experiments.md, "A second opinion only where there is doubt").
    """
    members = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    return SecondOpinion(*members) if members else model


def quick(outputs: int) -> keras.Model:
    """Three convolutions, two of them with strides: 0.09 million parameters, fast to train."""
    field = keras.Input(INPUT, name="field")
    x = _conv(field, 32, strides=2, name="half")
    x = _conv(x, 64, strides=2, name="quarter")
    x = _conv(x, 64, name="quarter_1")
    x = layers.Flatten(name="features")(x)
    x = layers.Dropout(0.3, name="dropout")(x)
    return _with_logits(field, x, outputs)


def r0(outputs: int) -> keras.Model:
    """Report R0: two convolutions and 64 dense units."""
    field = keras.Input(INPUT, name="field")
    x = _plain_convolutions(field, (32, 64))
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(64, activation="relu", name="dense")(x)
    return _with_logits(field, x, outputs)


def r3(outputs: int) -> keras.Model:
    """Report R3: two convolutions, 128 dense units, dropout."""
    field = keras.Input(INPUT, name="field")
    x = _plain_convolutions(field, (32, 64))
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(128, activation="relu", name="dense")(x)
    x = layers.Dropout(0.5, name="dropout")(x)
    return _with_logits(field, x, outputs)


def r4(outputs: int) -> keras.Model:
    """Report R4: three convolutions, the last without pooling, and 64 dense units."""
    field = keras.Input(INPUT, name="field")
    x = _plain_convolutions(field, (32, 64))
    x = layers.Conv2D(64, 3, activation="relu", name="conv_3")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(64, activation="relu", name="dense")(x)
    return _with_logits(field, x, outputs)


@keras.saving.register_keras_serializable("ml")
class FusedNormalization(layers.BatchNormalization):  # type: ignore[misc]  # Keras has no types
    """Batch normalisation that trains in one operation of TensorFlow's, in bfloat16 too.

    Keras composes it of many, which take a third of a training's time. The statistics that serve
    are kept as Keras keeps them, so the weights of the one fit the other.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        learns = training and self.trainable
        if not learns or keras.backend.backend() != "tensorflow":
            return super().call(inputs, training=training, mask=mask)
        from tensorflow import raw_ops

        none = keras.ops.zeros([0])
        made = raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma.value,
            offset=self.beta.value,
            mean=none,
            variance=none,
            epsilon=self.epsilon,
        )
        for kept, new in (
            (self.moving_mean, made.batch_mean),
            (self.moving_variance, made.batch_variance),
        ):
            kept.assign(kept * self.momentum + new * (1 - self.momentum))
        return made.y


class SecondOpinion(keras.Model):  # type: ignore[misc]  # Keras has no types
    """The logits of a first network where they are `CLEAR`, else the mean with a second's.

    It takes float32 (1, 28, 28, 1), one picture: which networks run depends on it.
    """

    def __init__(self, first: keras.Model, second: keras.Model) -> None:
        super().__init__()
        self.first, self.second = first, second

    def call(self, field: Any) -> Any:
        logits = self.first(field)
        best, next_best = keras.ops.unstack(keras.ops.top_k(logits[0], 2)[0])
        return keras.ops.cond(
            best - next_best >= CLEAR,
            lambda: logits,
            lambda: (logits + self.second(field)) / 2,
        )


def _conv(x: keras.KerasTensor, filters: int, *, name: str, strides: int = 1) -> keras.KerasTensor:
    x = layers.Conv2D(filters, 3, strides, "same", use_bias=False, name=f"{name}_conv")(x)
    x = FusedNormalization(name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def _residual(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    return layers.Add(name=f"{name}_add")([x, _conv(x, x.shape[-1], name=name)])


def _plain_convolutions(x: keras.KerasTensor, filters: tuple[int, ...]) -> keras.KerasTensor:
    for number, count in enumerate(filters, start=1):
        x = layers.Conv2D(count, 3, activation="relu", name=f"conv_{number}")(x)
        x = layers.MaxPooling2D(2, name=f"pool_{number}")(x)
    return x


def _with_logits(field: keras.KerasTensor, x: keras.KerasTensor, outputs: int) -> keras.Model:
    """End in logits; the softmax of the reports follows in the loss and when serving."""
    logits = layers.Dense(outputs, name="logits", dtype="float32")(x)
    return keras.Model(field, logits)
