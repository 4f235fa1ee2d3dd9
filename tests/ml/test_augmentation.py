from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import Executor

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import drawing
from ml import augmentation, nondigits, preprocessing, variants
from ml.datasets import NOT_A_DIGIT, Dataset


def shape(digit: int) -> np.ndarray:
    return preprocessing.trace(drawing.draw(digit))[0]


@given(st.integers(0, 9), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_a_variant_is_a_field_with_ink(digit: int, seed: int) -> None:
    field = augmentation.variant(shape(digit), np.random.default_rng(seed))

    assert field.shape == (28, 28)
    assert 0 <= field.min() <= field.max() <= 1
    assert field.sum() > 15


def test_the_same_seed_gives_the_same_variant() -> None:
    one, two = (augmentation.variant(shape(5), np.random.default_rng(9)) for _ in range(2))

    assert np.array_equal(one, two)


def test_variants_differ_and_stay_alike() -> None:
    rng = np.random.default_rng(0)
    made = np.stack([augmentation.variant(shape(3), rng) for _ in range(100)])

    mean = made.mean(0)
    likeness = (made * mean).sum((1, 2)) / np.linalg.norm(made, axis=(1, 2)) / np.linalg.norm(mean)
    assert made.std(0).max() > 0.2
    assert likeness.mean() > 0.75


@pytest.mark.parametrize(
    "draw",
    [
        nondigits.letter,
        nondigits.scribble,
        nondigits.polygon,
        nondigits.heart,
        nondigits.blot,
        nondigits.mark,
        nondigits.face,
        nondigits.tick,
    ],
)
def test_drawn_non_digits_have_ink(draw: Callable[[np.random.Generator], np.ndarray]) -> None:
    rng = np.random.default_rng(1)

    shapes = [draw(rng) for _ in range(50)]

    assert all(shape.any() and set(np.unique(shape)) <= {0, 1} for shape in shapes)
    assert all(max(shape.shape) == preprocessing.FINE_BOX for shape in shapes)


def test_a_mark_keeps_its_dot_apart() -> None:
    rng = np.random.default_rng(2)

    pieces = [cv2.connectedComponents(nondigits.mark(rng))[0] - 1 for _ in range(50)]

    assert set(pieces) == {2}


def test_every_kind_of_non_digit_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = ("letter", "scribble", "polygon", "heart", "blot", "mark", "face", "tick")
    drawn = []
    for kind in kinds:
        monkeypatch.setattr(nondigits, kind, lambda rng, kind=kind: drawn.append(kind))
    rng = np.random.default_rng(3)

    for _ in range(300):
        nondigits.draw(rng, lambda: shape(0))

    assert set(drawn) == set(kinds)


def test_specks_add_ink_and_take_none() -> None:
    canvas = np.zeros((augmentation.CANVAS, augmentation.CANVAS), np.uint8)
    digit = shape(4)
    canvas[20 : 20 + digit.shape[0], 20 : 20 + digit.shape[1]] = digit
    clean = canvas.copy()

    specked = augmentation._specked(canvas, np.random.default_rng(1))

    assert np.array_equal(canvas, clean)
    assert (specked >= clean).all()
    assert clean.sum() < specked.sum() < 1.5 * clean.sum()


def test_a_hard_shadow_has_two_levels_and_adds_no_light() -> None:
    shadows = [augmentation._hard_shadow(60, 40, np.random.default_rng(n)) for n in range(20)]

    assert all(shadow.shape == (40, 60) and shadow.max() <= 1 for shadow in shadows)
    assert max(len(np.unique(shadow)) for shadow in shadows) == 2


def test_a_pair_holds_both_digits() -> None:
    pair = nondigits.pair(shape(1), shape(8), np.random.default_rng(0))

    assert max(pair.shape) == pytest.approx(preprocessing.FINE_BOX, abs=1)
    assert pair.any(axis=0).all()


def dataset() -> Dataset:
    pictures = [drawing.draw(digit, seed=seed) for seed in range(4) for digit in range(10)]
    labels = np.arange(40) % 10
    blank = [np.full((50, 50), 255, np.uint8)]
    return Dataset("drawn", pictures + blank, np.append(labels, 0), np.arange(41), "", "train")


@pytest.fixture(scope="module")
def workers() -> Iterator[Executor]:
    with variants.workers() as started:
        yield started


def test_tracing_leaves_out_what_the_site_would_refuse(workers: Executor) -> None:
    traced = variants.trace([dataset()], workers, non_digits=True)

    assert len(traced) == 40
    assert variants.plain(traced, workers).shape == (40, 28, 28)


def test_a_repeated_part_is_there_as_often_as_asked(workers: Executor) -> None:
    part = dataset()

    traced = variants.trace([part, part], workers, non_digits=True, repeat=[1, 3])

    assert np.array_equal(np.bincount(traced.labels), np.full(10, 4 + 3 * 4))
    assert np.array_equal(traced.bits[40], traced.bits[42])


def test_an_epoch_has_every_digit_once_and_drawn_non_digits(workers: Executor) -> None:
    traced = variants.trace([dataset()], workers, non_digits=True)

    with variants.Variants(traced, workers, seed=1, epochs=2, non_digits=True) as fresh:
        fields, labels = fresh.take(0)
        _, later = fresh.take(1)

    assert np.array_equal(labels[:40], traced.labels)
    assert set(labels[40:]) == {NOT_A_DIGIT}
    assert fields.shape == (len(labels), 28, 28)
    assert np.array_equal(labels, later)


def test_without_variants_every_epoch_has_the_pictures_as_they_are_and_drawn_non_digits(
    workers: Executor,
) -> None:
    traced = variants.trace([dataset()], workers, non_digits=True)

    with variants.Variants(
        traced, workers, seed=1, epochs=3, non_digits=True, augment=False
    ) as same:
        fields, labels = same.take(0)
        later, _ = same.take(2)

    assert np.array_equal(fields[:40], variants.plain(traced, workers))
    assert set(labels[40:]) == {NOT_A_DIGIT}
    assert np.array_equal(fields, later)


def test_every_copy_of_a_repeated_picture_is_varied_anew(workers: Executor) -> None:
    traced = variants.trace([dataset()], workers, non_digits=True).repeated(2)

    with variants.Variants(traced, workers, seed=1, epochs=1, non_digits=False) as fresh:
        fields, labels = fresh.take(0)

    assert np.array_equal(labels[:40], labels[40:])
    assert all((one != other).any() for one, other in zip(fields[:40], fields[40:], strict=True))


def test_a_training_that_goes_on_sees_other_variants_than_those_before(workers: Executor) -> None:
    traced = variants.trace([dataset()], workers, non_digits=True)

    with variants.Variants(traced, workers, seed=1, epochs=3, non_digits=False) as fresh:
        seen = [fresh.take(epoch)[0] for epoch in range(3)]
    with variants.Variants(traced, workers, seed=1, epochs=1, non_digits=False, before=2) as later:
        next_ones = later.take(0)[0]

    for one, other in itertools.combinations(seen, 2):
        assert all((a != b).any() for a, b in zip(one, other, strict=True))
    assert np.array_equal(next_ones, seen[2])
