"""The first page: one form, one picture, one answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from recognition.models import Prediction, TrainedModel
from tests.conftest import Upload

pytestmark = pytest.mark.django_db
Drawn = Callable[..., bytes]


def test_the_page_shows_a_form(client: Client) -> None:
    response = client.get("/")

    assert response.status_code == 200
    assert b'type="file"' in response.content
    assert b"Recognise" in response.content


def test_an_upload_leads_to_the_page_of_its_result(
    client: Client, upload: Upload, drawn: Drawn, digit_model: TrainedModel
) -> None:
    response = upload(client, drawn(7))

    prediction = Prediction.objects.get()
    assert response.status_code == 302
    assert response["Location"] == prediction.get_absolute_url()
    assert (prediction.text, prediction.source) == ("7", "upload")
    assert prediction.model == digit_model


def test_the_page_after_an_upload_shows_digit_and_confidence(
    client: Client, upload: Upload, drawn: Drawn, digit_model: TrainedModel
) -> None:
    page = client.get(upload(client, drawn(3))["Location"])

    confidence = 100 * Prediction.objects.get().confidence
    assert "The picture shows 3" in page.text
    assert f"{min(confidence, 99.99):.2f}%" in page.text


def test_a_visitor_gets_a_name_with_the_first_picture_only(
    client: Client, upload: Upload, drawn: Drawn, digit_model: TrainedModel
) -> None:
    client.get("/")
    assert "visitor" not in client.cookies

    upload(client, drawn(1))
    upload(client, drawn(2))

    visitors = set(Prediction.objects.values_list("visitor", flat=True))
    assert len(visitors) == 1
    assert not Session.objects.exists()


def test_a_signed_in_person_owns_the_prediction(
    client: Client, upload: Upload, drawn: Drawn, digit_model: TrainedModel
) -> None:
    user = User.objects.create_user("teacher")
    client.force_login(user)

    upload(client, drawn(4))

    prediction = Prediction.objects.get()
    assert prediction.owner == user
    assert prediction.visitor is None


def test_no_file_asks_for_one(client: Client, digit_model: TrainedModel) -> None:
    response = client.post("/")

    assert response.status_code == 422
    assert "Please select an image file." in response.text
    assert 'aria-invalid="true" autofocus' in response.text


def test_a_text_in_place_of_a_file_asks_for_one(client: Client, digit_model: TrainedModel) -> None:
    response = client.post("/", {"picture": "seven"})

    assert response.status_code == 422
    assert response.context["form"].has_error("picture", "required")


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused(client: Client, method: str) -> None:
    assert getattr(client, method)("/").status_code == 405


def test_a_form_from_elsewhere_is_refused_in_plain_words(drawn: Drawn) -> None:
    response = Client(enforce_csrf_checks=True).post("/", {"picture": drawn()})

    assert response.status_code == 403
    assert "Please send it again" in response.text


def test_no_page_holds_a_script_or_a_style_of_its_own(client: Client) -> None:
    for name in ("recognize", "history", "model"):
        page = client.get(reverse(name)).text

        assert "<style" not in page
        assert " style=" not in page
        assert page.count("<script") == page.count("<script src=")
