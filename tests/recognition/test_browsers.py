"""A browser is known by a signed cookie: it cannot be forged, and goes when it is told to."""

from __future__ import annotations

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
    assert cookie["max-age"] == settings.SESSION_COOKIE_AGE


def test_an_old_cookie_counts_no_more(
    visitor: uuid.UUID,
    client: Client,
    make_prediction: Callable[..., Prediction],
    settings: Settings,
) -> None:
    prediction = make_prediction(visitor=visitor)

    settings.SESSION_COOKIE_AGE = -1

    assert client.get(prediction.get_absolute_url()).status_code == 404
