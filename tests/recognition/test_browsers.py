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


def send_at_once(client: Client, upload: Upload, drawn: Callable[..., bytes]) -> list[str]:
    """What two tabs send before either has its answer; both answers reach the browser then."""
    answers = []
    for digit in (3, 7):
        tab = Client()
        tab.cookies.update(client.cookies)
        answers.append(upload(tab, drawn(digit)))
    for answer in answers:
        client.cookies.update(answer.cookies)
    return [answer["Location"] for answer in answers]


def test_a_new_browser_that_sends_from_two_tabs_at_once_finds_both_records(
    client: Client, upload: Upload, drawn: Callable[..., bytes], digit_model: TrainedModel
) -> None:
    assert browsers.COOKIE not in client.get("/").cookies

    addresses = send_at_once(client, upload, drawn)

    assert [client.get(address).status_code for address in addresses] == [200, 200]


def test_two_new_browsers_do_not_find_the_records_of_each_other(
    upload: Upload, drawn: Callable[..., bytes], digit_model: TrainedModel
) -> None:
    clients = [Client(), Client()]
    for client in clients:
        client.get("/")

    addresses = [upload(client, drawn())["Location"] for client in clients]

    assert clients[0].get(addresses[0]).status_code == 200
    assert clients[0].get(addresses[1]).status_code == 404


def test_a_browser_that_has_deleted_everything_keeps_what_it_sends_next(
    client: Client, upload: Upload, drawn: Callable[..., bytes], digit_model: TrainedModel
) -> None:
    client.get("/")
    first = upload(client, drawn(3))["Location"]
    client.post("/your-data/delete/")

    second = upload(client, drawn(7))["Location"]

    assert client.get(first).status_code == 404
    assert client.get(second).status_code == 200
