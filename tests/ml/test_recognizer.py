from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from fixtures import drawing
from fixtures.photographs import photograph
from ml import cards, preprocessing
from ml.recognizer import Recognizer, Verdict
from ml.refusals import Reason
from ml.robustness import CORRUPTIONS


@pytest.mark.parametrize("digit", range(10))
def test_drawn_digits_are_read(latin: Recognizer, digit: int) -> None:
    readings = [latin.read(drawing.draw(digit, seed=seed)) for seed in range(5)]

    assert [reading.digits[0].label for reading in readings].count(str(digit)) >= 4


def test_photographed_digits_are_read_or_left_to_a_person(latin: Recognizer) -> None:
    readings = {
        (digit, seed): latin.read(photograph(digit, seed=seed))
        for digit in range(10)
        for seed in range(6)
    }

    right = [
        bool(reading.digits) and reading.digits[0].label == str(digit)
        for (digit, _), reading in readings.items()
    ]
    sure_and_wrong = [
        key
        for key, reading in readings.items()
        if reading.verdict is Verdict.ACCEPTED and reading.text != str(key[0])
    ]
    assert sum(right) >= 57
    assert sure_and_wrong == []


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("side", range(4))
def test_a_digit_that_runs_out_of_the_picture_is_never_sure(
    latin: Recognizer, digit: int, side: int
) -> None:
    picture = np.rot90(drawing.draw(digit, seed=3), side)
    x, _, width, _ = cv2.boundingRect((picture < 128).astype(np.uint8))
    cut = np.rot90(picture[:, x + width // 2 :], -side)

    reading = latin.read(np.ascontiguousarray(cut))

    assert reading.verdict is not Verdict.ACCEPTED
    assert reading.verdict is Verdict.REFUSED or reading.reason in {Reason.CUT_OFF, Reason.UNSURE}


def test_a_digit_that_runs_out_of_the_picture_is_told_from_a_tight_crop(latin: Recognizer) -> None:
    picture = drawing.draw(3, seed=1)
    x, y, width, height = cv2.boundingRect((picture < 128).astype(np.uint8))

    tight = latin.read(np.ascontiguousarray(picture[y : y + height, x : x + width]))
    cut = latin.read(np.ascontiguousarray(picture[:, x + 3 :]))

    assert (tight.text, tight.verdict) == ("3", Verdict.ACCEPTED)
    assert (cut.text, cut.verdict, cut.reason) == ("3", Verdict.UNSURE, Reason.CUT_OFF)
    assert cut.confidence > 0.9


@pytest.mark.parametrize("size", [28, 100, 300, 720])
@pytest.mark.parametrize("angle", range(0, 360, 30))
def test_paper_that_grows_darker_is_no_digit(latin: Recognizer, size: int, angle: int) -> None:
    y, x = np.mgrid[0:size, 0:size] / size
    slope = x * np.cos(np.radians(angle)) + y * np.sin(np.radians(angle))
    slope = (slope - slope.min()) / np.ptp(slope)
    for darkest, lightest in ((0, 255), (60, 220), (120, 250), (180, 250)):
        picture = (darkest + (lightest - darkest) * slope).astype(np.uint8)

        assert latin.read(picture).verdict is not Verdict.ACCEPTED


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("seed", range(4))
def test_a_digit_in_light_that_falls_off_is_not_taken_for_a_shadow(digit: int, seed: int) -> None:
    picture = drawing.draw(digit, seed=seed)
    x, y, width, height = cv2.boundingRect((picture < 128).astype(np.uint8))
    margin = round(0.25 * max(width, height))
    crop = np.pad(
        picture[y : y + height, x : x + width], margin, constant_values=int(np.median(picture))
    )
    small = cv2.resize(crop, (112, 112))
    rng = np.random.default_rng(10 * digit + seed)

    field = preprocessing.to_field(CORRUPTIONS["light"].damage(small, 0.85, rng))

    assert not field.is_doubtful


@pytest.mark.parametrize("place", [262, 280, 306, 343, 383])
@pytest.mark.parametrize("tilt", [-0.1, 0.0, 0.1])
def test_the_edge_of_a_page_on_a_table_is_no_digit(
    latin: Recognizer, place: int, tilt: float
) -> None:
    rng = np.random.default_rng(place)
    y, x = np.mgrid[0:900, 0:1200]
    picture = np.where(x + tilt * y < place, 90.0, 225.0) + rng.normal(0, 3, (900, 1200))

    reading = latin.read(np.clip(picture, 0, 255).astype(np.uint8))

    assert reading.verdict is not Verdict.ACCEPTED


@pytest.mark.parametrize(("digit", "seed"), [(4, 3057), (4, 3088), (0, 3091)])
def test_lines_that_a_shadow_cuts_short_do_not_hide_a_digit(
    latin: Recognizer, digit: int, seed: int
) -> None:
    assert latin.read(photograph(digit, seed=seed)).text == str(digit)


def test_a_digit_is_found_in_twelve_megapixels(latin: Recognizer) -> None:
    picture = photograph(5, seed=2, size=(4000, 3000))

    assert latin.read(picture).text == "5"


def test_a_reading_holds_together(latin: Recognizer) -> None:
    reading = latin.read(drawing.draw(3))

    digit = reading.digits[0]
    assert reading.text == "3"
    assert reading.confidence == max(digit.probabilities)
    assert len(digit.probabilities) == 10
    assert sum(digit.probabilities) <= 1.000001
    assert digit.field.dtype == np.uint8


def test_a_blank_picture_is_refused(latin: Recognizer) -> None:
    reading = latin.read(np.full((100, 100), 250, np.uint8))

    assert (reading.text, reading.confidence) == ("", 0.0)
    assert (reading.verdict, reading.reason) == (Verdict.REFUSED, Reason.BLANK)


def test_a_scribble_is_not_accepted(latin: Recognizer) -> None:
    rng = np.random.default_rng(4)
    scribble = np.full((300, 300), 255, np.uint8)
    points = rng.integers(60, 240, (40, 1, 2)).astype(np.int32)
    cv2.polylines(scribble, [points], False, 0, 6)

    assert latin.read(scribble).verdict is not Verdict.ACCEPTED


def test_threads_get_the_answers_of_one_thread(latin: Recognizer) -> None:
    pictures = [drawing.draw(n % 10, seed=n) for n in range(60)]
    alone = [latin.read(picture).digits[0].probabilities for picture in pictures]

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(latin.read, pictures * 4))

    assert [reading.digits[0].probabilities for reading in together] == alone * 4


def test_the_shipped_files_are_small(shipped: Path) -> None:
    sizes = [path.stat().st_size for path in shipped.glob("model.*")]

    assert len(sizes) == 2
    assert sum(sizes) < 6_000_000


def test_the_shipped_model_says_how_it_was_made(shipped: Path) -> None:
    card = cards.read(shipped)

    assert "manage.py train_model" in card.command
    assert card.config["seed"] == 1
    assert {entry["name"] for entry in card.datasets} >= {"mnist"}


def test_the_shipped_model_reads_mnist(shipped: Path) -> None:
    accuracy = cards.read(shipped).accuracy

    assert accuracy is not None
    assert accuracy >= 0.995


def copy(shipped: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(shipped, tmp_path / shipped.name))


def test_a_damaged_network_is_not_loaded(shipped: Path, tmp_path: Path) -> None:
    directory = copy(shipped, tmp_path)
    data = bytearray((directory / cards.SERVED_FILE).read_bytes())
    data[len(data) // 2] ^= 0xFF
    (directory / cards.SERVED_FILE).write_bytes(data)

    with pytest.raises(cards.CardError, match="damaged"):
        Recognizer.load(directory)


def test_a_file_that_is_no_network_is_not_loaded(shipped: Path, tmp_path: Path) -> None:
    source = tmp_path / "text"
    source.write_bytes(b"not a network")
    card = cards.read(shipped)
    directory = cards.write(card, tmp_path / "models", {cards.SERVED_FILE: source})

    with pytest.raises(cards.CardError, match="cannot be loaded"):
        Recognizer.load(directory)


def test_a_network_for_other_preprocessing_is_not_loaded(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preprocessing, "VERSION", 99)

    with pytest.raises(cards.CardError, match="preprocessing"):
        Recognizer.load(shipped)


def strokes(*lines: list[tuple[int, int]], width: int = 12) -> np.ndarray:
    """Lines from point to point, dark on white; a line of one point is a dot."""
    page = np.full((240, 200), 255, np.uint8)
    for line in lines:
        if len(line) == 1:
            cv2.circle(page, line[0], width // 2, 20, -1, cv2.LINE_AA)
        else:
            cv2.polylines(page, [np.array(line)], False, 20, width, cv2.LINE_AA)
    return page


DOTTED = {
    "!": strokes([(100, 40), (98, 150)], [(97, 190)]),
    "slanted !": strokes([(120, 40), (90, 150)], [(78, 192)]),
    "i": strokes([(100, 90), (100, 200)], [(101, 55)]),
    "j": strokes([(110, 80), (110, 190), (95, 210), (70, 205)], [(110, 45)]),
    "i with a speck far away": strokes([(100, 90), (100, 200)], [(101, 55)], [(20, 20)]),
    "i cut out tightly": strokes([(100, 90), (100, 200)], [(101, 55)])[48:206, 92:109],
    "?": strokes([(70, 70), (90, 45), (120, 55), (120, 85), (98, 110), (98, 150)], [(97, 190)]),
}


@pytest.mark.parametrize("sign", DOTTED)
def test_a_sign_with_a_dot_above_or_below_is_never_sure(latin: Recognizer, sign: str) -> None:
    assert preprocessing.to_field(DOTTED[sign]).is_doubtful
    reading = latin.read(DOTTED[sign])
    assert (reading.verdict, reading.reason) in {
        (Verdict.UNSURE, Reason.DOUBTFUL),
        (Verdict.REFUSED, Reason.NOT_A_DIGIT),
    }


@pytest.mark.parametrize("specks", [[(170, 60)], [(130, 195)], [(100, 20), (90, 220)]])
def test_specks_that_are_no_dot_of_the_strokes_make_no_doubt(
    latin: Recognizer, specks: list[tuple[int, int]]
) -> None:
    """One beside the strokes, one at their foot as after a number in a list, and two near them."""
    picture = strokes([(75, 70), (100, 45), (100, 195)], *([speck] for speck in specks))

    assert not preprocessing.to_field(picture).is_doubtful
    assert latin.read(picture).text == "1"


def test_a_foot_that_may_lie_in_a_printed_line_is_not_sure(latin: Recognizer) -> None:
    page = np.full((500, 400), 245, np.uint8)
    for row in (60, 190, 320, 450):
        page[row : row + 10] = 40
    arc, foot = drawing.STROKES[2]
    two = drawing.draw_strokes((arc, foot), seed=3, size=(400, 500), ink=30, paper=245, width=8,
                               box=(150, 205, 80, 121))  # fmt: skip
    high = drawing.draw_strokes((arc, foot), seed=3, size=(400, 500), ink=30, paper=245, width=8,
                                box=(150, 195, 80, 90))  # fmt: skip

    reading = latin.read(np.minimum(page, two))

    assert (reading.verdict, reading.reason) == (Verdict.UNSURE, Reason.DOUBTFUL)
    assert latin.read(np.minimum(page, high)).verdict is Verdict.ACCEPTED


TICK = [(560, 220), (600, 260), (670, 140)]


@pytest.mark.parametrize("digit", [0, 2, 5, 8])
def test_a_digit_beside_a_tick_is_read_for_a_person_to_look_at(
    latin: Recognizer, digit: int
) -> None:
    page = drawing.draw(digit, seed=digit, size=(800, 400), box=(200, 120, 110, 170), width=10)
    ticked = np.minimum(page, strokes_on(page, TICK))

    reading = latin.read(ticked)

    assert latin.read(page).verdict == Verdict.ACCEPTED
    assert (reading.text, reading.verdict) == (str(digit), Verdict.UNSURE)
    x, _, width, _ = reading.digits[0].box
    assert 150 < x < x + width < 400


def test_two_digits_that_can_be_read_both_are_none(latin: Recognizer) -> None:
    first = drawing.draw(4, size=(800, 400), box=(150, 120, 110, 170), width=10)
    second = drawing.draw(7, size=(800, 400), box=(450, 120, 110, 170), width=10)

    reading = latin.read(np.minimum(first, second))

    assert (reading.text, reading.reason) == ("", Reason.SEVERAL_DIGITS)


def strokes_on(page: np.ndarray, *lines: list[tuple[int, int]], width: int = 10) -> np.ndarray:
    """Lines of a pen on white paper of the page's size."""
    drawn = np.full_like(page, 245)
    cv2.polylines(drawn, [np.array(line) for line in lines], False, 30, width, cv2.LINE_AA)
    return drawn
