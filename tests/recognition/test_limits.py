"""So many requests a minute, and not one more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from recognition import limits
from recognition.models import ApiKey, Prediction, TrainedModel

Drawn = Callable[..., bytes]


class Clock:
    now = 1_000_000_020  # the start of a minute

    def time(self) -> int:
        return self.now


@pytest.fixture
def clock(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Two requests a minute with a key, one without; the counts lie in files, as on a server."""
    settings.API_LIMIT_PER_KEY = 2
    settings.API_LIMIT_PER_ADDRESS = 1
    cache = {**settings.CACHES["default"], "LOCATION": str(tmp_path / "cache")}
    settings.CACHES = {"default": cache}
    clock = Clock()
    monkeypatch.setattr(limits, "time", SimpleNamespace(time=clock.time))
    return clock


def spend(address: str = "192.0.2.1", key: ApiKey | None = None, *, cost: int = 1) -> bool:
    request = RequestFactory().get("/", REMOTE_ADDR=address)
    try:
        limits.spend(request, key, cost=cost)
    except limits.TooManyRequests:
        return False
    return True


def test_an_address_has_so_many_requests_a_minute(clock: Clock) -> None:
    assert [spend(), spend(), spend()] == [True, False, False]

    clock.now += 60
    assert spend()


def test_another_address_has_its_own(clock: Clock) -> None:
    assert spend()
    assert spend("192.0.2.2")


def test_a_key_has_its_own_wherever_it_is_used(clock: Clock) -> None:
    key, other = ApiKey(pk=1), ApiKey(pk=2)

    assert spend()
    assert [spend("192.0.2.1", key), spend("192.0.2.2", key), spend("192.0.2.3", key)] == [
        True,
        True,
        False,
    ]
    assert spend(key=other)


def test_it_says_when_to_come_back(clock: Clock) -> None:
    clock.now += 13
    spend()

    with pytest.raises(limits.TooManyRequests) as caught:
        limits.spend(RequestFactory().get("/", REMOTE_ADDR="192.0.2.1"))

    assert caught.value.retry_after == 47


def test_many_pictures_may_overdraw_once(clock: Clock) -> None:
    assert [spend(cost=50), spend()] == [True, False]


def test_zero_is_no_limit(clock: Clock, settings: Settings) -> None:
    settings.API_LIMIT_PER_ADDRESS = 0

    assert all(spend() for _ in range(10))


def test_what_cannot_be_counted_is_logged_and_let_in(
    clock: Clock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").touch()  # a file where the folder should be

    assert [spend(), spend()] == [True, True]
    assert "can be counted in CACHE_ROOT" in caplog.text


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", "unknown"),
    ],
)
def test_what_counts_as_one_address(address: str, counted_as: str) -> None:
    assert limits.address(RequestFactory().get("/", REMOTE_ADDR=address)) == counted_as


def test_only_a_trusted_proxy_says_who_asks(settings: Settings) -> None:
    headers = {"x-forwarded-for": "10.0.0.1, 198.51.100.7"}
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR="127.0.0.1")

    assert limits.address(request) == "127.0.0.1"
    settings.TRUST_PROXY = True
    assert limits.address(request) == "198.51.100.7"


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("198.51.100.7:5678", "198.51.100.7"),
        ("[2001:db8:1:2::3]:443", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::3]", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::3", "2001:db8:1:2::/64"),
        ("198.51.100.7:", "unknown"),
        ("localhost:80", "unknown"),
    ],
)
def test_a_proxy_may_name_the_port_too(address: str, counted_as: str, settings: Settings) -> None:
    settings.TRUST_PROXY = True
    headers = {"x-forwarded-for": f"10.0.0.1, {address}"}

    assert limits.address(RequestFactory().get("/", headers=headers)) == counted_as


@pytest.mark.django_db
def test_predict_refuses_what_is_too_much(
    clock: Clock, client: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    def send() -> int:
        response = client.post("/predict", {"file": SimpleUploadedFile("a.png", drawn())})
        if response.status_code == 429:
            assert response["Retry-After"] == "60"
        return response.status_code

    assert [send(), send()] == [200, 429]
    assert Prediction.objects.count() == 1


@pytest.mark.django_db
def test_the_last_request_of_a_minute_may_be_for_many_pictures(
    clock: Clock,
    client: Client,
    api_key: ApiKey,
    drawn: Drawn,
    digit_model: TrainedModel,
    settings: Settings,
) -> None:
    headers = {"authorization": f"Bearer {api_key.token}"}

    def send() -> int:
        files = [SimpleUploadedFile("a.png", drawn()), SimpleUploadedFile("b.png", drawn())]
        address = "/api/v1/predictions/batch"
        return client.post(address, {"pictures": files}, headers=headers).status_code

    settings.API_LIMIT_PER_KEY = 1
    assert [send(), send()] == [200, 429]
    clock.now += 60
    settings.API_LIMIT_PER_KEY = 3  # each picture counts
    assert [send(), send(), send()] == [200, 200, 429]


@pytest.mark.django_db
def test_guessing_keys_is_limited_too(clock: Clock, client: Client) -> None:
    headers = {"authorization": "Bearer wrong"}
    statuses = [client.post("/predict", headers=headers).status_code for _ in range(2)]

    assert statuses == [401, 429]
