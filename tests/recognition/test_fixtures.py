from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command

from fixtures import draw_samples, drawing
from ml import images
from ml.recognizer import Recognizer
from recognition.models import Prediction, TrainedModel


def fields() -> list[dict[str, Any]]:
    records = json.loads(draw_samples.FIXTURE.read_text(encoding="utf-8"))
    return [record["fields"] for record in records]


def load() -> str:
    out = io.StringIO()
    call_command("loaddata", "sample_predictions", stdout=out)
    return out.getvalue()


def test_the_samples_and_their_pictures_are_loaded(digit_model: TrainedModel) -> None:
    out = load()

    count = Prediction.objects.count()
    assert count == len(fields()) > 30
    assert f"Brought {count} pictures." in out
    assert all(storages["pictures"].exists(str(p.picture.name)) for p in Prediction.objects.all())


def test_loading_twice_changes_nothing(digit_model: TrainedModel) -> None:
    load()
    keys = set(Prediction.objects.values_list("pk", flat=True))
    corrected = Prediction.objects.not_reviewed().order_by("pk")[0]
    corrected.review("8", by=None)

    out = load()

    corrected.refresh_from_db()
    assert "Brought" not in out
    assert set(Prediction.objects.values_list("pk", flat=True)) == keys
    assert corrected.true_text == "8"


def test_samples_of_a_model_that_is_not_registered_say_what_to_do(db: None) -> None:
    with pytest.raises(CommandError, match="install_pretrained"):
        load()


def test_the_samples_show_every_verdict_source_and_state_of_review(
    digit_model: TrainedModel,
) -> None:
    load()

    verdicts = set(Prediction.objects.values_list("verdict", flat=True))
    assert {"accepted", "refused"} <= verdicts
    assert set(Prediction.objects.values_list("source", flat=True)) == set(Prediction.Source)
    assert Prediction.objects.reviewed().exists()
    assert Prediction.objects.not_reviewed().exists()


def test_the_samples_are_readings_of_the_newest_shipped_model() -> None:
    recognizer = Recognizer.load(draw_samples.newest_model())

    for entry in fields():
        data = (draw_samples.PICTURES / entry["picture"]).read_bytes()
        reading = recognizer.read(images.open_picture(data).gray)
        assert entry["model"] == [recognizer.card.version], "Run: python -m fixtures.draw_samples"
        assert (reading.text, reading.verdict) == (entry["text"], entry["verdict"])


def test_every_picture_of_the_samples_belongs_to_a_record() -> None:
    files = {path for path in draw_samples.PICTURES.rglob("*") if path.is_file()}

    assert files == {Path(draw_samples.PICTURES, entry["picture"]) for entry in fields()}


@pytest.mark.parametrize("digit", range(10))
def test_a_drawing_is_the_same_for_the_same_seed_and_differs_for_another(digit: int) -> None:
    one, same, other = (drawing.draw(digit, seed=seed) for seed in (1, 1, 2))

    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_drawing_has_the_size_levels_and_place_asked_for() -> None:
    picture = drawing.draw(8, size=(60, 90), ink=10, paper=200, width=4, box=(10, 20, 30, 40))

    rows, columns = np.nonzero(picture < 100)
    assert picture.shape == (90, 60)
    assert (picture.min(), picture.max()) == (10, 200)
    assert (rows.min() > 10, rows.max() < 72, columns.min() > 2, columns.max() < 50) == (True,) * 4
