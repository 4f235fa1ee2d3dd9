"""`POST /predict`, as programs written for the reports' sites call it."""

from __future__ import annotations

import base64
import io
import json
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django.fixtures import Settings

from recognition import recognizers
from recognition.models import ApiKey, Prediction, TrainedModel
from tests.recognition.conftest import be_browser
from tests.recognition.test_bad_input import READ, REFUSED, decode

pytestmark = pytest.mark.django_db
Drawn = Callable[..., bytes]
FORM = "multipart/form-data; boundary=x"


def part(disposition: str, content: bytes = b"") -> bytes:
    head = f"--x\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()
    return head + content + b"\r\n--x--\r\n"


def send(client: Client, data: bytes, name: str = "digit.png") -> dict[str, object]:
    response = client.post("/predict", {"file": SimpleUploadedFile(name, data)})
    assert response.status_code == 200, response.text
    answer: dict[str, object] = response.json()
    return answer


def test_a_file_is_answered_with_the_digit(
    client: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    answer = send(client, drawn(4))

    probabilities = answer["probabilities"]
    assert answer["prediction"] == 4
    assert answer["verdict"] == "accepted"
    assert answer["reason"] is None
    assert isinstance(probabilities, list)
    assert max(probabilities) == pytest.approx(answer["confidence"], abs=1e-6)
    assert probabilities.index(max(probabilities)) == 4


def test_the_answer_is_stored_with_its_source(
    client: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    answer = send(client, drawn(4))

    prediction = Prediction.objects.get()
    assert (prediction.text, prediction.source) == ("4", "api")
    assert answer["id"] == str(prediction.public_id)
    assert prediction.picture.size


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (part('name="other"', b"4"), "No file uploaded"),
        (part('name="picture"; filename="a.png"', b"4"), "No file uploaded"),
        (part('name="file"; filename=""'), "No selected file"),
        (part('name="file"; filename="a.png"', b"no picture"), "Could not process image"),
        (part('name="file"; filename="a.png"'), "Could not process image"),
        (b"not a form", "No file uploaded"),
        (b"", "No file uploaded"),
    ],
)
def test_errors_are_those_of_the_reports(
    client: Client, digit_model: TrainedModel, body: bytes, error: str
) -> None:
    response = client.generic("POST", "/predict", body, FORM)

    assert response.status_code == 400
    assert response.json()["error"] == error
    assert not Prediction.objects.exists()


def test_a_form_that_cannot_be_read_is_an_error(client: Client, digit_model: TrainedModel) -> None:
    response = client.generic("POST", "/predict", b"--x", "multipart/form-data")

    assert response.status_code == 400
    assert response.json()["code"] == "bad_request"


@pytest.mark.parametrize("kind", REFUSED)
def test_a_bad_file_is_an_error_and_nothing_stays(
    kind: str, client: Client, drawn: Drawn, digit_model: TrainedModel, settings: Settings
) -> None:
    make, code = REFUSED[kind]

    response = client.post("/predict", {"file": SimpleUploadedFile("a.png", make(drawn()))})

    assert response.status_code == 400
    assert response.json()["error"] == "Could not process image"
    assert response.json()["code"] == code
    assert not Prediction.objects.exists()
    assert not [path for path in Path(settings.PICTURE_ROOT).rglob("*") if path.is_file()]


@pytest.mark.parametrize("kind", READ)
def test_an_unusual_file_is_read_all_the_same(
    kind: str, client: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    make, name = READ[kind]

    assert send(client, make(decode(drawn(7))), name)["prediction"] == 7


@pytest.mark.parametrize("before", ["", "data:image/png;base64,"])
@pytest.mark.parametrize("field", ["file", "image"])
def test_a_drawing_can_come_as_base64(
    client: Client, drawn: Drawn, digit_model: TrainedModel, before: str, field: str
) -> None:
    body = {field: before + base64.b64encode(drawn(3)).decode()}

    response = client.post("/predict", json.dumps(body), content_type="application/json")

    assert response.json()["prediction"] == 3


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("{}", "No file uploaded"),
        ("[]", "No file uploaded"),
        ('{"file": 4}', "No file uploaded"),
        ('{"file": ""}', "No selected file"),
        ('{"file": "*"}', "Could not process image"),
        ('{"file": "\\ud800"}', "Could not process image"),
        ('{"file": "aGVsbG8="}', "Could not process image"),
        ("{", "Could not process image"),
        ("[" * 100_000, "Could not process image"),
        (f'{{"file": "{"A" * 10_000_000}"}}', "Could not process image"),
    ],
    ids=lambda text: text[:20],
)
def test_bad_json_is_an_error(
    client: Client, digit_model: TrainedModel, body: str, error: str
) -> None:
    response = client.post("/predict", body, content_type="application/json")

    assert response.status_code == 400
    assert response.json()["error"] == error
    assert not Prediction.objects.exists()


def test_a_blank_picture_has_no_prediction(
    client: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    answer = send(client, drawn(1, ink=245))

    assert answer["prediction"] is None
    assert (answer["verdict"], answer["reason"]) == ("refused", "blank")
    assert answer["probabilities"] == []


def test_a_fault_of_ours_is_an_error_that_tells_nothing(
    client: Client, drawn: Drawn, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    def fail(data: bytes, script: str) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(recognizers, "answer", fail)
    client.raise_request_exception = False

    for settings.DEBUG in (False, True):
        response = client.post("/predict", {"file": io.BytesIO(drawn())})

        assert response.status_code == 500
        assert list(response.json()) == ["error"]
        assert "secret" not in response.text


def test_an_unknown_host_is_an_error(client: Client) -> None:
    response = client.post("/predict", headers={"host": "example.org"})

    assert (response.status_code, list(response.json())) == (400, ["error"])


def test_only_post_is_answered(client: Client) -> None:
    response = client.get("/predict")

    assert response.status_code == 405
    assert response["Allow"] == "POST"


def test_without_a_model_it_says_so(client: Client, drawn: Drawn, db: None) -> None:
    response = client.post("/predict", {"file": io.BytesIO(drawn())})

    assert response.status_code == 503
    assert "error" in response.json()


def test_a_program_without_cookies_gets_none(
    client: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    send(client, drawn())

    prediction = Prediction.objects.get()
    assert (prediction.owner, prediction.visitor) == (None, None)
    assert not client.cookies


def test_with_a_key_it_belongs_to_the_owner_of_the_key(
    drawn: Drawn, digit_model: TrainedModel, api_key: ApiKey
) -> None:
    client = Client(headers={"authorization": f"Bearer {api_key.token}"})

    send(client, drawn())

    assert Prediction.objects.get().owner == api_key.owner


def test_a_wrong_key_is_refused(client: Client, drawn: Drawn, digit_model: TrainedModel) -> None:
    headers = {"authorization": "Bearer wrong"}
    response = client.post("/predict", {"file": io.BytesIO(drawn())}, headers=headers)

    assert response.status_code == 401
    assert not Prediction.objects.exists()


def test_a_site_for_people_with_accounts_asks_programs_for_a_key(
    client: Client, drawn: Drawn, digit_model: TrainedModel, settings: Settings
) -> None:
    settings.REQUIRE_SIGN_IN = True

    response = client.post("/predict", {"file": io.BytesIO(drawn())})

    assert response.status_code == 401
    assert not Prediction.objects.exists()


@pytest.fixture
def browser(django_user_model: type[User]) -> Client:
    """Somebody signed in, whose browser lets CSRF count."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(django_user_model.objects.create_user("reader"))
    return client


def test_another_site_cannot_use_a_session(
    browser: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    response = browser.post("/predict", {"file": io.BytesIO(drawn())})

    assert response.status_code == 403
    assert not Prediction.objects.exists()


def test_another_site_cannot_even_leave_something_without_a_session(
    drawn: Drawn, digit_model: TrainedModel
) -> None:
    response = Client(enforce_csrf_checks=True).post(
        "/predict", {"file": io.BytesIO(drawn())}, headers={"origin": "https://example.org"}
    )

    assert response.status_code == 403
    assert not Prediction.objects.exists()


@pytest.fixture
def visitors_browser() -> tuple[Client, uuid.UUID]:
    """Somebody without an account or a session, whose browser has the cookie of a visitor."""
    client, visitor = Client(enforce_csrf_checks=True), uuid.uuid4()
    be_browser(client, visitor)
    return client, visitor


def test_another_site_cannot_use_a_visitors_cookie(
    visitors_browser: tuple[Client, uuid.UUID], drawn: Drawn, digit_model: TrainedModel
) -> None:
    client, _ = visitors_browser

    response = client.post("/predict", {"file": io.BytesIO(drawn())})

    assert response.status_code == 403
    assert not Prediction.objects.exists()


def test_a_page_of_the_site_keeps_for_the_visitor(
    visitors_browser: tuple[Client, uuid.UUID], drawn: Drawn, digit_model: TrainedModel
) -> None:
    client, visitor = visitors_browser
    client.get("/")
    token = client.cookies["csrftoken"].value

    response = client.post(
        "/predict", {"file": io.BytesIO(drawn())}, headers={"x-csrftoken": token}
    )

    assert response.status_code == 200
    assert Prediction.objects.get().visitor == visitor


def test_a_broken_form_is_no_way_around_the_token(
    browser: Client, digit_model: TrainedModel
) -> None:
    response = browser.generic("POST", "/predict", b"--x", "multipart/form-data")

    assert response.status_code == 403


def test_a_page_of_the_site_can_use_its_session(
    browser: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    browser.get("/")
    token = browser.cookies["csrftoken"].value

    response = browser.post(
        "/predict", {"file": io.BytesIO(drawn())}, headers={"x-csrftoken": token}
    )

    assert response.status_code == 200
    owner = Prediction.objects.get().owner
    assert owner is not None
    assert owner.get_username() == "reader"
