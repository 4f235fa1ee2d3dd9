"""The live answer: read at once, never stored; and the two pages that ask for it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from recognition.models import Prediction, TrainedModel
from tests.recognition.test_bad_input import REFUSED

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

pytestmark = pytest.mark.django_db
Drawn = Callable[..., bytes]


def ask(client: Client, data: bytes) -> Response:
    return client.post("/live/", {"picture": SimpleUploadedFile("drawing.png", data)})


def blank() -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (400, 400), 255).save(buffer, "PNG")
    return buffer.getvalue()


def test_it_answers_with_all_that_the_page_shows(
    client: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    response = ask(client, drawn(3))

    answer = response.json()
    assert response.status_code == 200
    assert (answer["text"], answer["verdict"], answer["reason"]) == ("3", "accepted", "")
    assert (answer["what"], answer["what_to_do"]) == ("", "")
    assert answer["numerals"] == list("0123456789")
    assert answer["confidence"] == pytest.approx(max(answer["probabilities"]), abs=1e-6)
    assert answer["probabilities"].index(max(answer["probabilities"])) == 3
    assert len(answer["box"]) == 4
    assert answer["model"] == digit_model.version
    assert answer["duration_ms"] > 0


def test_what_is_no_digit_is_said_with_advice(client: Client, digit_model: TrainedModel) -> None:
    answer = ask(client, blank()).json()

    assert (answer["text"], answer["verdict"], answer["reason"]) == ("", "refused", "blank")
    assert answer["what"] == "There is nothing written in this picture."
    assert answer["what_to_do"]
    assert (answer["probabilities"], answer["box"]) == ([], None)


def test_nothing_is_stored(
    client: Client, drawn: Drawn, digit_model: TrainedModel, settings: Settings
) -> None:
    response = ask(client, drawn(3))

    assert not Prediction.objects.exists()
    assert not Path(settings.PICTURE_ROOT).exists()
    assert not Session.objects.exists()
    assert settings.SESSION_COOKIE_NAME not in response.cookies


def test_it_asks_the_database_for_the_model_only(
    client: Client,
    drawn: Drawn,
    digit_model: TrainedModel,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(1):
        ask(client, drawn(3))


def test_a_proxy_is_told_to_keep_no_answer(
    client: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    assert "no-store" in ask(client, drawn(3))["Cache-Control"]


@pytest.mark.parametrize("kind", REFUSED)
def test_a_bad_picture_gets_the_message_of_the_form(
    kind: str, client: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    make, code = REFUSED[kind]

    response = ask(client, make(drawn()))

    assert response.status_code == 422
    assert response.json()["code"] == code
    assert response.json()["message"].endswith((".", "!"))
    response.close()


def test_no_picture_asks_for_one(client: Client, digit_model: TrainedModel) -> None:
    for fields in ({}, {"picture": "three"}):
        response = client.post("/live/", fields)

        assert response.status_code == 422
        assert response.json() == {"message": "Please select an image file.", "code": "required"}


def test_without_a_model_it_says_so(
    client: Client, drawn: Drawn, caplog: pytest.LogCaptureFixture
) -> None:
    response = ask(client, drawn(3))

    assert response.status_code == 503
    assert "try again later" in response.json()["message"]
    assert "No usable model" in caplog.text


def test_a_form_from_elsewhere_is_refused(drawn: Drawn, digit_model: TrainedModel) -> None:
    assert ask(Client(enforce_csrf_checks=True), drawn(3)).status_code == 403


@pytest.mark.parametrize("name", ["draw", "camera"])
def test_a_page_offers_the_upload_where_scripts_are_off(name: str, client: Client) -> None:
    page = client.get(reverse(name)).text

    assert "needs JavaScript" in page
    assert f'href="{reverse("recognize")}"' in page
    assert page.count("<meter") == 10


@pytest.mark.parametrize("name", ["draw", "camera"])
def test_a_page_holds_no_script_or_style_of_its_own(name: str, client: Client) -> None:
    page = client.get(reverse(name)).text

    assert "<style" not in page
    assert " style=" not in page
    assert page.count("<script") == page.count("<script src=")


@pytest.mark.parametrize("name", ["draw", "camera"])
def test_looking_at_a_page_starts_no_session(name: str, client: Client) -> None:
    client.get(reverse(name))

    assert not Session.objects.exists()


@pytest.mark.parametrize(
    ("name", "method"), [("live", "get"), ("keep", "get"), ("draw", "post"), ("camera", "post")]
)
def test_other_methods_are_refused(name: str, method: str, client: Client) -> None:
    assert getattr(client, method)(reverse(name)).status_code == 405
