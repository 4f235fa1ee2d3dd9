"""The page of one prediction: what was read, how sure, why not, and how to be rid of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ml.refusals import Reason
from recognition import wording
from recognition.models import Prediction, TrainedModel
from tests.conftest import Upload

pytestmark = pytest.mark.django_db
Make = Callable[..., Prediction]


def test_it_shows_the_digit_and_the_confidence_with_two_decimals(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    page = client.get(make_prediction(visitor=visitor, confidence=0.98765).get_absolute_url())

    assert "The picture shows 7" in page.text
    assert "98.77%" in page.text
    assert "Sure enough to use" in page.text


def test_it_shows_a_bar_for_each_of_the_ten_digits(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    page = client.get(make_prediction(visitor=visitor).get_absolute_url()).text

    assert page.count("<meter") == 10
    assert 'value="0.9800" aria-label="7"' in page


def test_it_says_how_likely_it_is_that_there_is_no_digit(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    digit = {"label": "7", "probabilities": [0.07] * 10, "box": [0, 0, 9, 9], "field": ""}
    prediction = make_prediction(visitor=visitor, digits=[digit])

    page = client.get(prediction.get_absolute_url())

    assert "No digit at all: 30.00%" in page.text


def test_the_box_is_drawn_where_the_digit_was_found(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    page = client.get(make_prediction(visitor=visitor).get_absolute_url()).text

    assert 'viewBox="0 0 40 60"' in page
    assert 'class="box" x="5" y="10" width="30" height="40"' in page


@pytest.mark.parametrize("reason", list(Reason))
def test_a_refusal_says_why_and_what_to_do(
    reason: Reason, client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    what, what_to_do = wording.explain(reason)
    prediction = make_prediction(
        visitor=visitor, verdict="refused", text="", reason=reason, confidence=0, digits=[]
    )

    page = client.get(prediction.get_absolute_url())

    assert what in page.text
    assert what_to_do in page.text
    assert "Not read" in page.text


def test_every_reason_has_words_of_its_own() -> None:
    assert set(wording.EXPLANATIONS) == set(Reason)
    assert len(set(wording.EXPLANATIONS.values())) == len(Reason)


def test_an_unsure_answer_asks_for_a_look(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    prediction = make_prediction(
        visitor=visitor, verdict="unsure", reason="unsure", confidence=0.61
    )

    page = client.get(prediction.get_absolute_url())

    assert "Not sure" in page.text
    assert "61.00%" in page.text
    assert "Look at the picture yourself" in page.text


def test_it_names_the_model_and_the_time_taken(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    prediction = make_prediction(visitor=visitor, duration_ms=2.54)

    page = client.get(prediction.get_absolute_url())

    assert prediction.model.version in page.text
    assert "2.5 ms" in page.text


def test_the_answer_stays_when_the_picture_is_gone(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    prediction = make_prediction(visitor=visitor)
    Prediction.objects.purge_pictures()

    page = client.get(prediction.get_absolute_url())

    assert "The picture was removed" in page.text
    assert reverse("picture", args=[prediction.public_id]) not in page.text


def test_a_stranger_does_not_find_it(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    for prediction in (
        make_prediction(visitor=uuid.uuid4()),
        make_prediction(),
        make_prediction(owner=User.objects.create_user("teacher")),
    ):
        assert client.get(prediction.get_absolute_url()).status_code == 404


def test_staff_see_it_and_are_not_offered_to_delete_it(
    client: Client, make_prediction: Make, reviewer: User
) -> None:
    client.force_login(reviewer)

    page = client.get(make_prediction(visitor=uuid.uuid4()).get_absolute_url())

    assert page.status_code == 200
    assert "Delete this record" not in page.text


def test_a_visitor_deletes_record_and_picture(
    client: Client,
    visitor: uuid.UUID,
    make_prediction: Make,
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:
    prediction = make_prediction(visitor=visitor)
    file = Path(prediction.picture.path)
    assert "Delete this record" in client.get(prediction.get_absolute_url()).text

    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        response = client.post(reverse("delete", args=[prediction.public_id]))

    assert response["Location"] == reverse("history")
    assert not Prediction.objects.exists()
    assert not file.exists()


def test_nobody_deletes_the_record_of_another(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    prediction = make_prediction(visitor=uuid.uuid4())

    response = client.post(reverse("delete", args=[prediction.public_id]))

    assert response.status_code == 404
    assert Prediction.objects.exists()


def test_a_link_deletes_nothing(client: Client, visitor: uuid.UUID, make_prediction: Make) -> None:
    prediction = make_prediction(visitor=visitor)

    assert client.get(reverse("delete", args=[prediction.public_id])).status_code == 405
    assert Prediction.objects.exists()


def test_the_result_of_a_real_picture_shows_what_the_network_saw(
    client: Client, drawn: Callable[..., bytes], digit_model: TrainedModel, upload: Upload
) -> None:
    address = upload(client, drawn(5))["Location"]

    public_id = Prediction.objects.get().public_id
    assert reverse("field", args=[public_id, 0]) in client.get(address).text
