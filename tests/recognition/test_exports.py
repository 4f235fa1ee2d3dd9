from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User

from recognition import exports
from recognition.models import Prediction


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_cell_cannot_be_a_formula(text: str) -> None:
    assert exports.cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "7", "a=b", "scan-1.png"])
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert exports.cell(text) == text


@pytest.mark.parametrize("table", [exports.predictions_csv, exports.own_csv])
def test_excel_sees_that_the_letters_are_utf_8(table: Callable[..., Iterator[str]]) -> None:
    assert next(table([])).encode().startswith(codecs.BOM_UTF8 + b"id,")


def test_a_number_below_zero_is_no_formula() -> None:
    assert exports.csv_line([-1.5, "x"]) == "-1.5,x\r\n"


@pytest.mark.parametrize(("confidence", "told"), [(0.99999, "0.9999"), (1, "1.0"), (0.5, "0.5")])
def test_what_is_less_than_certain_is_never_rounded_up_to_1(
    make_prediction: Callable[..., Prediction], confidence: float, told: str
) -> None:
    make_prediction(confidence=confidence)

    row = next(csv.DictReader(exports.predictions_csv(Prediction.objects.all())))

    assert row["confidence"] == told


def test_the_table_tells_who_reviewed_and_what(make_prediction: Callable[..., Prediction]) -> None:
    reviewer = User.objects.create_user("=cmd")
    prediction = make_prediction(text="7")
    prediction.review("1", by=reviewer)

    lines = list(exports.predictions_csv(Prediction.objects.all()))

    row = next(csv.DictReader(lines))
    assert row["true_text"] == "1"
    assert row["reviewed_by"] == "'=cmd"
    assert row["model"] == prediction.model.version
