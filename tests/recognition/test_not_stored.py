"""Where no picture can be stored the site says so, logs why, and keeps no record."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from recognition.models import ApiKey, Prediction, TrainedModel
from tests.conftest import Upload

pytestmark = pytest.mark.django_db
Drawn = Callable[..., bytes]


@pytest.fixture(autouse=True)
def no_room(media: Path, digit_model: TrainedModel) -> None:
    """A file lies where the folder of pictures should be."""
    (media / "pictures").touch()


def test_an_upload_is_answered_with_the_page(
    client: Client, upload: Upload, drawn: Drawn, caplog: pytest.LogCaptureFixture
) -> None:
    response = upload(client, drawn())

    assert response.status_code == 503
    assert "The site cannot store pictures. Nothing was stored." in response.text
    assert "A picture was not stored" in caplog.text
    assert not Prediction.objects.exists()


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [("application/json", "application/json"), ("text/html", "text/html")],
)
def test_a_drawing_is_answered_as_it_was_asked(
    client: Client, drawn: Drawn, accept: str, content_type: str
) -> None:
    fields = {"picture": SimpleUploadedFile("a.png", drawn()), "source": "draw"}

    response = client.post("/keep/", fields, headers={"accept": accept})

    assert response.status_code == 503
    assert response["Content-Type"].startswith(content_type)
    assert "stored" in response.text


def test_of_several_pictures_each_row_says_so(client: Client, drawn: Drawn) -> None:
    pictures = [SimpleUploadedFile(name, drawn()) for name in ("a.png", "b.png")]

    response = client.post("/", {"picture": pictures}, follow=True)

    assert response.status_code == 200
    assert response.text.count("The picture cannot be stored just now.") == 2


def test_predict_says_so(client: Client, drawn: Drawn) -> None:
    response = client.post("/predict", {"file": io.BytesIO(drawn())})

    assert (response.status_code, response.json()) == (
        503,
        {"error": "Could not store the picture"},
    )


def test_the_api_answers_with_a_problem(drawn: Drawn, api_key: ApiKey) -> None:
    client = Client(headers={"authorization": f"Bearer {api_key.token}"})
    picture = base64.b64encode(drawn()).decode()

    one = client.post("/api/v1/predictions", {"picture": picture}, "application/json")
    many = client.post(
        "/api/v1/predictions/batch", {"pictures": [picture, "*"]}, "application/json"
    )

    assert (one.status_code, one.json()["code"]) == (503, "not_stored")
    codes = [result["problem"]["code"] for result in many.json()["results"]]
    assert (many.status_code, codes) == (200, ["not_stored", "not_base64"])


def test_the_command_says_so(drawn: Drawn, tmp_path: Path) -> None:
    (tmp_path / "7.png").write_bytes(drawn())

    with pytest.raises(CommandError, match="cannot be stored: Not a directory"):
        call_command("recognize", str(tmp_path / "7.png"), stdout=io.StringIO())
