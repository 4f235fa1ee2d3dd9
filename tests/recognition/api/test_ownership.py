"""Nobody reaches another's prediction or picture: every operation of the document is tried."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from recognition.api.endpoints import api
from recognition.models import ApiKey, Prediction

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

pytestmark = pytest.mark.django_db
Make = Callable[..., Prediction]
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, operations in api.get_openapi_schema()["paths"].items()
    for method, operation in operations.items()
}
ON_ONE = sorted(name for name in OPERATIONS if "{id}" in name)
WITHOUT_KEY = {"GET /api/v1/health", "GET /api/v1/models"}
BODIES = {"PATCH /api/v1/predictions/{id}": {"true_text": "1"}}


def call(client: Client, name: str, public_id: object = "", **kwargs: Any) -> Response:
    method, path = name.split()
    body = json.dumps(BODIES[name]) if name in BODIES else ""
    url = path.replace("{id}", str(public_id))
    return client.generic(method, url, body, "application/json", **kwargs)


@pytest.fixture
def others(make_prediction: Make, django_user_model: type[User]) -> list[Prediction]:
    """What belongs to another account, to a browser without an account, and to nobody."""
    other = django_user_model.objects.create_user("other")
    return [make_prediction(owner=other), make_prediction(visitor=uuid.uuid4()), make_prediction()]


@pytest.fixture
def staff(api_key: ApiKey) -> ApiKey:
    """In the admin staff see everything; the API is no admin."""
    User.objects.filter(pk=api_key.owner.pk).update(is_staff=True, is_superuser=True)
    return api_key


def test_the_document_has_operations_on_one_record() -> None:
    assert {name.split()[0] for name in ON_ONE} == {"GET", "PATCH", "DELETE"}


@pytest.mark.parametrize("name", ON_ONE)
def test_a_key_does_not_reach_what_belongs_to_others(
    name: str, client: Client, others: list[Prediction], staff: ApiKey
) -> None:
    before = list(Prediction.objects.order_by("pk").values())
    headers = {"authorization": f"Bearer {staff.token}"}

    responses = [call(client, name, found.public_id, headers=headers) for found in others]
    missing = call(client, name, uuid.uuid4(), headers=headers)

    for response in responses:
        assert response.status_code == missing.status_code == 404
        assert response.content == missing.content
    assert list(Prediction.objects.order_by("pk").values()) == before
    assert all(found.picture.storage.exists(str(found.picture.name)) for found in others)


@pytest.mark.parametrize("name", ON_ONE)
def test_a_session_does_not_reach_what_belongs_to_others(
    name: str, client: Client, others: list[Prediction], admin_user: User
) -> None:
    before = list(Prediction.objects.order_by("pk").values())
    client.force_login(admin_user)

    assert [call(client, name, found.public_id).status_code for found in others] == 3 * [404]
    assert list(Prediction.objects.order_by("pk").values()) == before


def test_the_list_holds_only_ones_own(
    client: Client, others: list[Prediction], staff: ApiKey, make_prediction: Make
) -> None:
    mine = make_prediction(owner=staff.owner)

    response = client.get("/api/v1/predictions", headers={"authorization": f"Bearer {staff.token}"})

    assert [item["id"] for item in response.json()["items"]] == [str(mine.public_id)]


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - WITHOUT_KEY))
def test_without_a_key_or_account_nothing_is_answered(
    name: str, client: Client, make_prediction: Make, visitor: uuid.UUID
) -> None:
    prediction = make_prediction(visitor=visitor)

    response = call(client, name, prediction.public_id)

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert Prediction.objects.get().reviewed_at is None


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - WITHOUT_KEY))
def test_a_revoked_key_opens_nothing(
    name: str, client: Client, make_prediction: Make, api_key: ApiKey
) -> None:
    prediction = make_prediction(owner=api_key.owner)
    ApiKey.objects.all().revoke()

    headers = {"authorization": f"Bearer {api_key.token}"}
    response = call(client, name, prediction.public_id, headers=headers)

    assert response.status_code == 401
    assert Prediction.objects.get().reviewed_at is None


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - WITHOUT_KEY - {
    name for name in OPERATIONS if name.startswith("GET")}))  # fmt: skip
def test_every_change_by_a_session_needs_the_token(
    name: str, admin_user: User, make_prediction: Make
) -> None:
    prediction = make_prediction(owner=admin_user)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(admin_user)

    assert call(browser, name, prediction.public_id).status_code == 403
    assert Prediction.objects.get().reviewed_at is None


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_only_health_and_models_are_open(name: str) -> None:
    needs_key = "security" in OPERATIONS[name]

    assert needs_key == (name not in WITHOUT_KEY)
