"""Keeping a drawing or a camera's picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from recognition.models import Prediction, TrainedModel
from tests.recognition.test_bad_input import REFUSED

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

pytestmark = pytest.mark.django_db
Drawn = Callable[..., bytes]
SCRIPT = {"accept": "application/json"}
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def keep(client: Client, data: bytes, headers: dict[str, str] = SCRIPT, **fields: Any) -> Response:
    picture = SimpleUploadedFile("drawing.png", data)
    return client.post("/keep/", {"picture": picture, "source": "draw", **fields}, headers=headers)


def test_a_script_learns_where_the_record_is(
    client: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    response = keep(client, drawn(3))

    prediction = Prediction.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "url": prediction.get_absolute_url(),
        "correct_url": reverse("correct", args=[prediction.public_id]),
        "said": "",
        "seen": "",
    }
    assert (prediction.text, prediction.source) == ("3", "draw")
    assert prediction.picture
    assert prediction.reviewed_at is None
    assert client.get(prediction.get_absolute_url()).status_code == 200


def test_a_form_leads_to_the_page_of_its_result(
    client: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    response = keep(client, drawn(3), BROWSER, source="camera")

    prediction = Prediction.objects.get()
    assert response.status_code == 302
    assert response["Location"] == prediction.get_absolute_url()
    assert prediction.source == "camera"


@pytest.mark.parametrize(
    ("true_text", "said"), [("3", "Right, it is 3."), ("8", "No, it is 8."), ("", "No, it shows")]
)
def test_what_it_really_is_can_be_said_at_once(
    true_text: str, said: str, client: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    response = keep(client, drawn(3), true_text=true_text)

    prediction = Prediction.objects.get()
    assert prediction.true_text == true_text
    assert prediction.reviewed_at is not None
    assert response.json()["said"].startswith(said)


def test_a_signed_in_person_owns_and_reviews_it(
    client: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    user = User.objects.create_user("teacher")
    client.force_login(user)

    keep(client, drawn(3), true_text="3")

    prediction = Prediction.objects.get()
    assert (prediction.owner, prediction.reviewed_by) == (user, user)


BAD_FIELDS: dict[str, dict[str, Any]] = {
    "an upload in disguise": {"source": "upload"},
    "no such source": {"source": "<b>"},
    "no source": {"source": ""},
    "a letter": {"true_text": "x"},
    "a numeral of another script": {"true_text": "३"},
    "a formula": {"true_text": "=1"},
    "a long number": {"true_text": 51 * "1"},
    "a zero byte": {"true_text": "\0"},
}


@pytest.mark.parametrize("kind", BAD_FIELDS)
def test_a_bad_field_keeps_nothing(
    kind: str, client: Client, drawn: Drawn, digit_model: TrainedModel, settings: Settings
) -> None:
    response = keep(client, drawn(3), **BAD_FIELDS[kind])

    assert response.status_code == 422
    assert response.json()["message"]
    assert not Prediction.objects.exists()
    assert not Path(settings.PICTURE_ROOT).exists()
    assert "visitor" not in client.cookies


@pytest.mark.parametrize("kind", REFUSED)
def test_a_bad_picture_keeps_nothing(
    kind: str, client: Client, drawn: Drawn, digit_model: TrainedModel, settings: Settings
) -> None:
    make, code = REFUSED[kind]

    response = keep(client, make(drawn()))

    assert response.status_code == 422
    assert response.json()["code"] == code
    assert not Prediction.objects.exists()
    assert not Path(settings.PICTURE_ROOT).exists()
    response.close()


@pytest.mark.parametrize(
    ("source", "heading"), [("draw", "Draw a digit"), ("camera", "Read with the camera")]
)
def test_a_form_shows_its_mistake_on_its_own_page(
    source: str, heading: str, client: Client, digit_model: TrainedModel
) -> None:
    response = keep(client, b"no picture", BROWSER, source=source)

    assert response.status_code == 422
    assert heading in response.text
    assert "This file is not a picture that can be read." in response.text


@pytest.mark.parametrize("headers", [SCRIPT, BROWSER])
def test_without_a_model_nothing_is_kept(
    headers: dict[str, str], client: Client, drawn: Drawn, caplog: pytest.LogCaptureFixture
) -> None:
    response = keep(client, drawn(3), headers)

    assert response.status_code == 503
    assert "No picture can be read just now" in response.text
    assert "No usable model" in caplog.text
    assert not Prediction.objects.exists()


def test_a_form_from_elsewhere_is_refused(drawn: Drawn, digit_model: TrainedModel) -> None:
    response = keep(Client(enforce_csrf_checks=True), drawn(3))

    assert response.status_code == 403
    assert not Prediction.objects.exists()


def test_a_record_that_is_deleted_before_its_correction_is_said_not_to_be_stored(
    client: Client, drawn: Drawn, digit_model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Prediction.record

    def record_and_lose(*args: Any, **fields: Any) -> Prediction:
        prediction = record(*args, **fields)
        Prediction.objects.get().delete()  # in another window
        return prediction

    monkeypatch.setattr(Prediction, "record", record_and_lose)

    response = keep(client, drawn(3), true_text="4")

    assert response.status_code == 503
    assert not Prediction.objects.exists()
