"""Digits out of amounts: which are cut, and what is left around them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fixtures import drawing
from ml import cheques, datasets
from ml.datasets import DatasetError
from ml.pieces import Box
from ml.recognizer import Recognizer

BOXES: tuple[Box, ...] = ((10, 8, 24, 36), (52, 8, 24, 36), (94, 8, 24, 36))


def amount(digits: str, *, seed: int = 0, boxes: tuple[Box, ...] = BOXES) -> np.ndarray:
    """Digits beside each other in their boxes: uint8 (54, 130), dark on light."""
    drawn = [
        drawing.draw(
            int(digit), seed=seed, size=(130, 54), width=3, box=(x + 2, y + 2, w - 4, h - 4)
        )
        for digit, (x, y, w, h) in zip(digits, boxes, strict=True)
    ]
    darkest: np.ndarray = np.minimum.reduce(drawn)
    return darkest


def write(folder: Path, amounts: Sequence[tuple[str, np.ndarray, object]]) -> None:
    (folder / "images").mkdir(parents=True)
    with (folder / "labels.csv").open("w", newline="") as opened:
        rows = csv.writer(opened)
        rows.writerow(["file", "digits", "boxes_xywh"])
        for number, (digits, picture, boxes) in enumerate(amounts):
            Image.fromarray(picture).save(folder / "images" / f"{number}.png")
            rows.writerow([f"{number}.png", digits, boxes])


def lists(boxes: tuple[Box, ...]) -> list[list[int]]:
    return [list(box) for box in boxes]


def test_each_digit_is_cut_out_alone(tmp_path: Path, latin: Recognizer) -> None:
    write(tmp_path, [("358", amount("358"), lists(BOXES)), ("604", amount("604"), lists(BOXES))])

    found = list(cheques.digits(tmp_path))

    assert [(digit.label, digit.amount) for digit in found] == [
        (3, 0), (5, 0), (8, 0), (6, 1), (0, 1), (4, 1),
    ]  # fmt: skip
    for digit in found:
        assert (digit.picture[0] == 255).all()
        assert latin.read(digit.picture).text == str(digit.label)


def test_strokes_may_reach_a_pixel_beyond_their_box(tmp_path: Path) -> None:
    picture = np.full((54, 130), 245, np.uint8)
    picture[10:41, 20:24] = 30
    write(tmp_path, [("1", picture, [[21, 11, 2, 29]]), ("1", picture, [[20, 10, 4, 31]])])

    close, exact = (digit.picture for digit in cheques.digits(tmp_path))

    assert np.array_equal(close, exact)


def test_a_neighbour_that_reaches_into_the_box_is_left_out(tmp_path: Path) -> None:
    near: tuple[Box, ...] = ((10, 8, 24, 36), (35, 8, 24, 36), (94, 8, 24, 36))
    roomy = lists(((6, 6, 32, 40), near[1], near[2]))
    write(tmp_path, [("101", amount("101", boxes=near), roomy)])

    found = list(cheques.digits(tmp_path))

    assert [digit.label for digit in found] == [1, 0, 1]
    assert found[0].picture.shape[1] < 24  # the 1 alone, without the left side of the 0


def test_digits_that_touch_are_left_out(tmp_path: Path) -> None:
    picture = amount("358")
    picture[26:29, 20:70] = 30  # a stroke from the 3 to the 5
    write(tmp_path, [("358", picture, lists(BOXES))])

    assert [digit.label for digit in cheques.digits(tmp_path)] == [8]


def test_a_digit_paler_than_the_pattern_is_left_out(tmp_path: Path) -> None:
    picture = amount("358")
    picture[:, 46:84] = 245
    picture[10:44:6, 54:74:6] = 30
    write(tmp_path, [("358", picture, lists(BOXES))])

    assert [digit.label for digit in cheques.digits(tmp_path)] == [3, 8]


def test_an_empty_cheque_holds_no_digit(tmp_path: Path) -> None:
    write(tmp_path, [("358", np.full((54, 130), 200, np.uint8), lists(BOXES))])

    assert list(cheques.digits(tmp_path)) == []


def test_amounts_are_never_split_apart(tmp_path: Path) -> None:
    amounts = [(text, amount(text, seed=n), lists(BOXES)) for n, text in enumerate(["358"] * 10)]
    write(tmp_path / "cheque_amounts", amounts)

    training = datasets.load("cheques", "train", tmp_path)
    testing = datasets.load("cheques", "test", tmp_path)

    assert (len(training), len(testing)) == (24, 6)
    assert not set(training.writers) & set(testing.writers)
    assert training.sha256 == testing.sha256


def test_a_cheque_that_cannot_be_cut_moves_no_other_to_another_part(tmp_path: Path) -> None:
    amounts = [("358", amount("358", seed=n), lists(BOXES)) for n in range(10)]
    write(tmp_path / "whole" / "cheque_amounts", amounts)
    amounts[1] = ("358", np.full((54, 130), 200, np.uint8), lists(BOXES))
    write(tmp_path / "blank" / "cheque_amounts", amounts)

    whole, blank = (
        datasets.load("cheques", "test", tmp_path / name) for name in ("whole", "blank")
    )

    assert np.array_equal(whole.writers, blank.writers)


@pytest.mark.parametrize(
    ("digits", "boxes"),
    [
        ("35", lists(BOXES)),
        ("3x8", lists(BOXES)),
        ("358", "[[1, 2, 3]]"),
        ("358", "[[10, 8, 0, 0], [52, 8, 24, 36], [94, 8, 24, 36]]"),
        ("358", "nonsense"),
        ("358", '{"a": 1}'),
        ("358", "[[-50, 8, 24, 36], [52, 8, 24, 36], [94, 8, 24, 36]]"),
        ("358", "[[10.5, 8, 24, 36], [52, 8, 24, 36], [94, 8, 24, 36]]"),
        ("358", "[[1e999, 8, 24, 36], [52, 8, 24, 36], [94, 8, 24, 36]]"),
    ],
)
def test_a_wrong_list_says_what_to_do(tmp_path: Path, digits: str, boxes: object) -> None:
    write(tmp_path / "cheque_amounts", [(digits, amount("358"), boxes)])

    with pytest.raises(DatasetError, match="damaged"):
        datasets.load("cheques", "train", tmp_path)


def test_a_list_without_its_columns_is_damage(tmp_path: Path) -> None:
    write(tmp_path / "cheque_amounts", [("358", amount("358"), lists(BOXES))])
    (tmp_path / "cheque_amounts" / "labels.csv").write_text("name,number\n0.png,358\n")

    with pytest.raises(DatasetError, match="damaged"):
        datasets.load("cheques", "train", tmp_path)


def test_a_picture_that_is_none_is_named(tmp_path: Path) -> None:
    write(tmp_path / "cheque_amounts", [("358", amount("358"), lists(BOXES))])
    (tmp_path / "cheque_amounts" / "images" / "0.png").write_bytes(b"no picture")

    with pytest.raises(DatasetError, match=r"0\.png"):
        datasets.load("cheques", "train", tmp_path)


def test_a_list_with_a_mark_of_its_encoding_and_an_amount_without_digits_is_read(
    tmp_path: Path,
) -> None:
    write(tmp_path, [("358", amount("358"), lists(BOXES)), ("", amount("358"), [])])
    path = tmp_path / "labels.csv"
    path.write_text(path.read_text(), encoding="utf-8-sig")

    assert [digit.label for digit in cheques.digits(tmp_path)] == [3, 5, 8]
