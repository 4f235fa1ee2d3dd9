"""Whatever goes wrong in the API is said as problem details, never as a page for people."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from recognition import recognizers
from recognition.models import ApiKey, TrainedModel

pytestmark = pytest.mark.django_db
TYPE = "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/", 404),
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v1/predictions/7", 404),
        ("GET", "/api/v1/predictions", 401),
        ("PUT", "/api/v1/predictions", 405),
        ("POST", "/api/v1/health", 405),
    ],
)
def test_each_error_is_a_problem(client: Client, method: str, path: str, status: int) -> None:
    response = client.generic(method, path)

    assert response.status_code == status
    assert response["Content-Type"] == TYPE
    assert response["Content-Length"] == str(len(response.content))
    problem = response.json()
    assert problem["status"] == status
    assert problem["type"] == "about:blank"
    assert problem["title"]
    assert problem["detail"]


def test_a_method_that_is_not_allowed_comes_with_those_that_are(client: Client) -> None:
    response = client.put("/api/v1/predictions")

    assert {method.strip() for method in response["Allow"].split(",")} == {"GET", "POST"}


def test_head_says_what_get_would_without_the_body(
    client: Client, digit_model: TrainedModel
) -> None:
    for path, status in (("health", 200), ("predictions", 401), ("nothing", 404)):
        head, get = (ask(f"/api/v1/{path}") for ask in (client.head, client.get))

        assert (head.status_code, get.status_code) == (status, status)
        assert not head.content
        assert head["Content-Type"] == get["Content-Type"]


def test_a_fault_of_ours_is_a_problem_that_tells_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    def fail(script: str) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(recognizers, "active", fail)
    client.raise_request_exception = False

    for settings.DEBUG in (False, True):
        response = client.get("/api/v1/health")

        assert response.status_code == 500
        assert response["Content-Type"] == TYPE
        assert "secret" not in response.text


def test_no_answer_is_kept_on_the_way(client: Client) -> None:
    assert client.get("/api/v1/health")["Cache-Control"] == "no-store"
    assert client.get("/api/v1/nothing")["Cache-Control"] == "no-store"


def test_an_unknown_host_is_a_problem(client: Client) -> None:
    response = client.get("/api/v1/health", headers={"host": "example.org"})

    assert response.status_code == 400
    assert response["Content-Type"] == TYPE


def test_pages_for_people_stay_pages(client: Client) -> None:
    assert client.get("/nothing/")["Content-Type"].startswith("text/html")


def test_too_many_requests_are_a_problem_with_the_time_to_wait(
    client: Client, api_key: ApiKey, settings: Settings, tmp_path: Path
) -> None:
    settings.API_LIMIT_PER_KEY = settings.API_LIMIT_PER_ADDRESS = 1
    cache = {**settings.CACHES["default"], "LOCATION": str(tmp_path / "cache")}
    settings.CACHES = {"default": cache}
    headers = {"authorization": f"Bearer {api_key.token}"}

    for given in (headers, {}):
        statuses = []
        for _ in range(3):  # a minute may end in between
            response = client.get("/api/v1/predictions", headers=given)
            statuses.append(response.status_code)
        assert response.status_code == 429, statuses
        assert response["Content-Type"] == TYPE
        assert 1 <= int(response["Retry-After"]) <= 60
