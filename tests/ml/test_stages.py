"""The pictures that explain a reading come from the reading's own steps."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import drawing
from fixtures.photographs import photograph
from ml import preprocessing, stages
from ml.preprocessing import follow, other_fields
from ml.refusals import Reason, Refused
from ml.stages import Step

pictures = st.one_of(
    st.builds(drawing.draw, st.integers(0, 9), seed=st.integers(0, 200)),
    st.builds(photograph, st.integers(0, 9), seed=st.integers(0, 60)),
    st.builds(
        lambda height, width, seed: (
            np.random.default_rng(seed).integers(0, 256, (height, width)).astype(np.uint8)
        ),
        st.integers(1, 120),
        st.integers(1, 120),
        st.integers(0, 2**32 - 1),
    ),
)


@given(pictures)
@settings(max_examples=40, deadline=None)
def test_the_steps_end_as_the_reading_does(picture: np.ndarray) -> None:
    steps = preprocessing.follow(picture)

    try:
        field = preprocessing.to_field(picture)
    except Refused as refused:
        assert (steps.field, steps.reason) == (None, refused.reason)
        return
    assert steps.reason is None
    assert steps.field is not None
    assert steps.field.box == field.box
    assert np.array_equal(steps.field.pixels, field.pixels)


@given(pictures)
@settings(max_examples=40, deadline=None)
def test_every_stage_is_a_picture_small_enough_for_a_page(picture: np.ndarray) -> None:
    found = stages.show(picture).pictures

    assert list(found) == list(Step)[: len(found)]
    for made in found.values():
        assert made.dtype == np.uint8
        assert 1 <= max(made.shape[:2]) <= stages.SIDE


def test_a_digit_goes_through_all_stages() -> None:
    shown = stages.show(drawing.draw(5))

    assert list(shown.pictures) == list(Step)
    assert shown.reason is None
    assert shown.pictures[Step.FIELD].shape == (28, 28)


def test_chalk_is_shown_as_ink() -> None:
    shown = stages.show(255 - drawing.draw(5))

    assert np.median(shown.pictures[Step.GREY]) > 200


@pytest.mark.parametrize("seed", [5009, 5027])
def test_a_digit_in_deep_shadow_is_shown_as_it_was_found(seed: int) -> None:
    """Its dark paper is first taken for the ink."""
    steps = preprocessing.follow(photograph(2, seed=seed))

    assert steps.dark is not None
    assert steps.ink is not None
    assert steps.digit is not None
    x, y, width, height = steps.digit.box
    window = np.s_[y : y + height, x : x + width]
    strokes = steps.digit.ink > 128
    assert np.median(steps.dark[window][strokes]) < np.median(steps.dark[window][~strokes])
    assert (steps.ink[window][strokes] == steps.digit.ink[strokes]).all()


@pytest.mark.parametrize(
    ("picture", "reason", "last"),
    [
        (np.full((200, 200), 240, np.uint8), Reason.BLANK, Step.GREY),
        (drawing.draw(3, ink=232), Reason.TOO_FAINT, Step.GREY),
        (np.hstack([drawing.draw(3), drawing.draw(7)]), Reason.SEVERAL_DIGITS, Step.DIGIT),
    ],
    ids=["blank", "faint", "several"],
)
def test_a_refusal_is_shown_up_to_where_it_came(
    picture: np.ndarray, reason: Reason, last: Step
) -> None:
    shown = stages.show(picture)

    assert shown.reason is reason
    assert list(shown.pictures)[-1] is last


def test_the_frame_is_around_the_digit_and_nothing_else() -> None:
    picture = drawing.draw(4, size=(360, 240), box=(200, 60, 80, 120), width=9)

    framed = stages.show(picture).pictures[Step.DIGIT]

    rows, columns = np.nonzero((framed == stages.PEN).all(axis=2))
    x, y, width, height = preprocessing.to_field(picture).box
    assert columns.min() == pytest.approx(x, abs=3)
    assert rows.max() == pytest.approx(y + height, abs=3)
    assert columns.max() == pytest.approx(x + width, abs=3)
    assert rows.min() == pytest.approx(y, abs=3)


def test_the_digit_that_was_read_is_shown_where_it_is_not_the_likeliest() -> None:
    page = drawing.draw(5, seed=5, size=(800, 400), box=(200, 120, 110, 170), width=10)
    cv2.polylines(page, [np.array([(560, 220), (600, 260), (670, 140)])], False, 30, 10)
    field = next(other_fields(page, follow(page)))[0]

    shown = stages.show(page, field.box)

    assert np.array_equal(shown.pictures[Step.FIELD], np.rint(field.pixels * 255))
    assert shown.reason is None
    assert stages.show(page).reason == Reason.SEVERAL_DIGITS
