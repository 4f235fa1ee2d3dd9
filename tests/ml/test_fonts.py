"""Digits and letters of fonts: what is drawn, and what is told of fonts that cannot be used."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

import numpy as np
import pytest

from ml import datasets, fonts
from ml.datasets import NOT_A_DIGIT, DatasetError
from ml.fonts import FontError
from ml.recognizer import Recognizer

# The fonts that come with matplotlib, which need not be imported for them.
FONTS = Path(sysconfig.get_path("platlib")) / "matplotlib" / "mpl-data" / "fonts" / "ttf"
SANS = FONTS / "DejaVuSans.ttf"
SIGNS = FONTS / "STIXNonUni.ttf"  # mathematical signs, and no letter at all


def folder_of(root: Path, *names: str) -> Path:
    (root / "fonts").mkdir()
    for name in names:
        shutil.copyfile(SANS, root / "fonts" / name)
    return root


def test_each_character_is_drawn_dark_on_white_with_paper_around(latin: Recognizer) -> None:
    pictures = fonts.characters(SANS, "2356")

    assert [latin.read(picture).text for picture in pictures] == ["2", "3", "5", "6"]
    for picture in pictures:
        assert picture.dtype == np.uint8
        assert picture.min() < 10
        ink = np.argwhere(picture < 255)
        assert ink.min() >= fonts.MARGIN - 1
        assert (np.array(picture.shape) - ink.max(axis=0)).min() >= fonts.MARGIN


def test_a_font_without_the_character_is_named() -> None:
    with pytest.raises(FontError, match=r"DejaVuSans\.ttf has no '一'"):
        fonts.characters(SANS, "5一")


def test_a_character_without_ink_is_missing_too() -> None:
    with pytest.raises(FontError, match="has no ' '"):
        fonts.characters(SANS, " ")


def test_what_is_no_font_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.ttf"
    path.write_bytes(SANS.read_bytes()[:3000])

    with pytest.raises(FontError, match=r"broken\.ttf cannot be used as a font"):
        fonts.characters(path, "5")


def test_digits_and_letters_are_two_data_sets_of_the_same_fonts(tmp_path: Path) -> None:
    folder_of(tmp_path, "a.ttf", "b.ttf", "c.ttf", "d.ttf", "e.ttf", "notes.txt")

    digits = datasets.load("fonts", "train", tmp_path)
    letters = datasets.load("font_letters", "train", tmp_path)

    assert digits.labels.tolist() == list(range(10)) * 4
    assert set(letters.labels) == {NOT_A_DIGIT}
    assert len(letters) == 4 * len(fonts.LETTERS)
    assert digits.sha256 == letters.sha256


def test_fonts_of_a_family_are_one_writer_and_every_fifth_family_is_held_out(
    tmp_path: Path,
) -> None:
    names = ["a-thin.ttf", "a-bold.ttf", "b.ttf", "c.TTF", "d.ttf", "e-one.ttf", "e-two.ttf"]
    folder_of(tmp_path, *names)

    training, testing = (datasets.load("fonts", part, tmp_path) for part in ("train", "test"))

    assert [len(training), len(testing)] == [50, 20]
    assert len(set(training.writers)) == 4
    assert len(set(testing.writers)) == 1


def test_a_font_that_cannot_be_used_stops_the_loading(tmp_path: Path) -> None:
    folder_of(tmp_path, "a.ttf")
    shutil.copyfile(SIGNS, tmp_path / "fonts" / "signs.ttf")

    with pytest.raises(DatasetError, match=r"signs\.ttf has no 'A'\. Take it out of the folder"):
        datasets.load("font_letters", "train", tmp_path)


def test_a_file_that_is_no_font_is_told_in_whole_sentences(tmp_path: Path) -> None:
    folder_of(tmp_path, "a.ttf")
    (tmp_path / "fonts" / "b.ttf").write_bytes(b"no font")

    with pytest.raises(DatasetError, match=r"b\.ttf cannot be used as a font: .+\. Take it out"):
        datasets.load("fonts", "train", tmp_path)


def test_without_the_folder_it_is_said_how_it_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"there \(make fonts fetches it\), or name another"):
        datasets.load("fonts", "train", tmp_path)


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    folder_of(tmp_path)

    with pytest.raises(DatasetError, match="holds no"):
        datasets.load("fonts", "train", tmp_path)
