"""A browser is known by a signed cookie: it cannot be forged, and goes when it is told to."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from recognition import browsers
from recognition.models import Prediction, TrainedModel
from tests.conftest import Upload

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("forge", [str, lambda browser: browsers.sign(browser)[:-1], lambda _: ""])
def test_a_forged_cookie_shows_nothing(
    forge: Callable[[uuid.UUID], str], client: Client, make_prediction: Callable[..., Prediction]
) -> None:
    prediction = make_prediction(visitor=uuid.uuid4())
    assert prediction.visitor is not None

    client.cookies[browsers.COOKIE] = forge(prediction.visitor)

    assert client.get(prediction.get_absolute_url()).status_code == 404


def test_the_cookie_is_for_the_server_alone(
    client: Client,
    upload: Upload,
    drawn: Callable[..., bytes],
    digit_model: TrainedModel,
    settings: Settings,
) -> None:
    settings.SESSION_COOKIE_SECURE = True

    cookie = upload(client, drawn()).cookies[browsers.COOKIE]

    assert cookie["httponly"]
    assert cookie["secure"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == browsers.YEAR


def test_an_old_cookie_counts_no_more(
    visitor: uuid.UUID,
    client: Client,
    make_prediction: Callable[..., Prediction],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prediction = make_prediction(visitor=visitor)
    later = time.time() + browsers.YEAR + 60

    monkeypatch.setattr(time, "time", lambda: later)

    assert client.get(prediction.get_absolute_url()).status_code == 404


def test_the_year_begins_anew_when_the_browser_comes_back_on_another_day(
    visitor: uuid.UUID,
    client: Client,
    make_prediction: Callable[..., Prediction],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prediction = make_prediction(visitor=visitor)
    now = time.time()
    assert browsers.COOKIE not in client.get("/").cookies

    monkeypatch.setattr(time, "time", lambda: now + browsers.DAY + 60)
    renewed = client.get("/").cookies[browsers.COOKIE]
    monkeypatch.setattr(time, "time", lambda: now + browsers.DAY + browsers.YEAR)

    assert renewed["max-age"] == browsers.YEAR
    assert client.get(prediction.get_absolute_url()).status_code == 200


def test_a_forged_cookie_is_not_renewed(client: Client) -> None:
    client.cookies[browsers.COOKIE] = str(uuid.uuid4())

    assert browsers.COOKIE not in client.get("/").cookies


def test_the_year_begins_anew_with_a_page_and_not_with_what_is_sent(
    visitor: uuid.UUID, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + browsers.DAY + 60)

    assert browsers.COOKIE not in client.post("/").cookies
    assert browsers.COOKIE in client.get("/").cookies
