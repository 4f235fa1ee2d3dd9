"""Two settings for who may use the site, and for whom it keeps what it reads."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from recognition.models import ApiKey, Prediction, TrainedModel
from recognition.urls import urlpatterns
from tests.conftest import Upload

pytestmark = pytest.mark.django_db
Drawn = Callable[..., bytes]
OPEN = {"login", "healthz"}
ANSWERS_ITSELF = {"predict"}  # to programs, without a page to sign in on
VALUES = {
    "public_id": uuid.uuid4(),
    "key": uuid.uuid4(),
    "number": 0,
    "version": "latin-1",
    "plot": "confusion",
}


@pytest.fixture
def closed(settings: Settings) -> None:
    settings.REQUIRE_SIGN_IN = True
    required = "digitsite.middleware.SignInRequired"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, required]


def addresses() -> dict[str, str]:
    return {
        str(pattern.name): reverse(
            str(pattern.name),
            kwargs={name: VALUES[name] for name in pattern.pattern.converters},
        )
        for pattern in urlpatterns
        if pattern.name not in ANSWERS_ITSELF
    }


def test_a_closed_site_shows_strangers_nothing_but_the_way_in(
    client: Client, closed: None, digit_model: TrainedModel
) -> None:
    for name, address in addresses().items():
        response = client.get(address)

        expected = 200 if name in OPEN else 302
        assert response.status_code == expected, name
        if name not in OPEN:
            assert response["Location"].startswith("/sign-in/?next="), name
    sheet = client.get("/static/css/base.css")
    sheet.getvalue()
    assert sheet.status_code == 200
    assert client.get("/admin/login/").status_code == 200


def test_a_closed_site_reads_nothing_for_strangers(
    client: Client, closed: None, upload: Upload, drawn: Drawn, digit_model: TrainedModel
) -> None:
    assert upload(client, drawn())["Location"].startswith("/sign-in/")
    assert not Prediction.objects.exists()


@pytest.mark.parametrize(
    ("page", "back"),
    [
        ("http://testserver/camera/", "/camera/"),
        ("http://testserver/history/?read=7#top", "/history/?read=7"),
        ("https://elsewhere.example/camera/", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_who_signs_in_again_comes_back_to_the_page_that_the_form_stood_on(
    page: str, back: str, client: Client, closed: None
) -> None:
    for name in ("keep", "delete", "correct"):
        response = client.post(addresses()[name], {}, headers={"Referer": page})

        assert response.status_code == 302
        assert parse_qs(urlsplit(response["Location"]).query) == {"next": [back]}


@pytest.mark.parametrize("name", ["live", "keep", "correct", "several_add"])
def test_a_closed_site_tells_a_script_that_its_session_has_ended(
    name: str, client: Client, closed: None, drawn: Drawn
) -> None:
    files = {"picture": SimpleUploadedFile("a.png", drawn()), "source": "draw"}

    answer = client.post(addresses()[name], files, headers={"Accept": "application/json"})

    assert answer.status_code == 401
    assert answer.json() == {
        "message": "You are signed out. Please sign in again.",
        "code": "signed_out",
    }


def test_a_closed_site_is_open_to_people_with_an_account(
    client: Client, closed: None, upload: Upload, drawn: Drawn, digit_model: TrainedModel
) -> None:
    client.force_login(User.objects.create_user("teacher"))

    assert upload(client, drawn()).status_code == 302
    assert client.get("/history/").status_code == 200


def test_where_keeping_needs_an_account_a_stranger_sees_an_answer_that_is_not_stored(
    client: Client, upload: Upload, drawn: Drawn, digit_model: TrainedModel, settings: Settings
) -> None:
    settings.REQUIRE_SIGN_IN_TO_KEEP = True

    page = upload(client, drawn(7))

    assert page.status_code == 200
    assert "The picture shows 7" in page.text
    assert "were not stored" in page.text
    assert "data:image/png;base64," in page.text
    assert page.text.count("<meter") == 10
    assert not Prediction.objects.exists()
    assert not [path for path in Path(settings.PICTURE_ROOT).rglob("*") if path.is_file()]
    assert not client.cookies.keys() & {"sessionid", "visitor"}


def test_where_keeping_needs_an_account_the_camera_s_form_shows_an_answer(
    client: Client, settings: Settings, drawn: Drawn, digit_model: TrainedModel
) -> None:
    settings.REQUIRE_SIGN_IN_TO_KEEP = True
    fields = {"picture": SimpleUploadedFile("a.png", drawn(3)), "source": "camera"}

    page = client.post("/keep/", fields, headers={"Accept": "text/html"})

    assert page.status_code == 200
    assert "The picture shows 3" in page.text
    assert "were not stored" in page.text
    assert "You see the answer, and nothing is stored." in client.get("/camera/").text
    assert not Prediction.objects.exists()


def test_where_keeping_needs_an_account_blank_pictures_and_bad_files_are_answered_too(
    client: Client, upload: Upload, drawn: Drawn, digit_model: TrainedModel, settings: Settings
) -> None:
    settings.REQUIRE_SIGN_IN_TO_KEEP = True

    assert "nothing written" in upload(client, drawn(1, ink=245)).text
    assert upload(client, b"no picture").status_code == 422


def test_where_keeping_needs_an_account_a_stranger_sends_one_picture_at_a_time(
    client: Client, drawn: Drawn, digit_model: TrainedModel, settings: Settings
) -> None:
    settings.REQUIRE_SIGN_IN_TO_KEEP = True
    assert "multiple" not in client.get("/").text

    pictures = [SimpleUploadedFile("a.png", drawn()), SimpleUploadedFile("b.png", drawn())]
    response = client.post("/", {"picture": pictures})

    assert response.status_code == 422
    assert response.context["form"].has_error("picture", "sign_in")
    added = client.post("/several/", {"picture": SimpleUploadedFile("a.png", drawn())})
    assert added.status_code == 422
    assert not Prediction.objects.exists()


def test_where_keeping_needs_an_account_signed_in_people_keep(
    client: Client, upload: Upload, drawn: Drawn, digit_model: TrainedModel, settings: Settings
) -> None:
    settings.REQUIRE_SIGN_IN_TO_KEEP = True
    client.force_login(User.objects.create_user("teacher"))

    assert upload(client, drawn()).status_code == 302
    assert Prediction.objects.count() == 1


def test_the_empty_history_says_that_keeping_needs_an_account(
    client: Client, settings: Settings
) -> None:
    settings.REQUIRE_SIGN_IN_TO_KEEP = True

    assert "Without an account nothing is kept." in client.get("/history/").text


def test_a_closed_site_asks_programs_for_a_key(
    client: Client, closed: None, drawn: Drawn, digit_model: TrainedModel
) -> None:
    answers = [
        client.post("/predict", {"file": SimpleUploadedFile("a.png", drawn())}),
        client.post("/api/v1/predictions", {"picture": SimpleUploadedFile("a.png", drawn())}),
    ]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert not Prediction.objects.exists()


def test_a_key_opens_a_closed_site(
    client: Client, closed: None, api_key: ApiKey, drawn: Drawn, digit_model: TrainedModel
) -> None:
    headers = {"Authorization": f"Bearer {api_key.token}"}

    for address, field in (("/predict", "file"), ("/api/v1/predictions", "picture")):
        files = {field: SimpleUploadedFile("a.png", drawn())}
        assert client.post(address, files, headers=headers).status_code in {200, 201}

    assert Prediction.objects.filter(owner=api_key.owner).count() == 2


def test_a_closed_site_names_its_models_to_those_with_an_account_only(
    client: Client, closed: None, api_key: ApiKey, digit_model: TrainedModel
) -> None:
    key = {"Authorization": f"Bearer {api_key.token}"}

    assert client.get("/api/v1/models").status_code == 401
    assert client.get("/api/v1/models", headers=key).json()[0]["version"] == digit_model.version
    client.force_login(api_key.owner)
    assert client.get("/api/v1/models").status_code == 200
    assert "needs a key, too" in client.get("/api/").text


def test_a_drawing_is_not_kept_without_an_account(
    client: Client, settings: Settings, drawn: Drawn, digit_model: TrainedModel
) -> None:
    settings.REQUIRE_SIGN_IN_TO_KEEP = True
    files = {"picture": SimpleUploadedFile("a.png", drawn()), "source": "draw"}

    answer = client.post("/keep/", files, headers={"Accept": "application/json"})

    assert answer.status_code == 422
    assert "Sign in" in answer.json()["message"]
    assert not Prediction.objects.exists()
