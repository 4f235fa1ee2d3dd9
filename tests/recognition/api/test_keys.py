"""API keys: shown once, stored as a hash, useless when revoked."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client, RequestFactory
from django.utils import timezone

from recognition.api import keys
from recognition.models import ApiKey

pytestmark = pytest.mark.django_db
LIST = "/admin/recognition/apikey/"
ADD = f"{LIST}add/"


def sign_in(token: str) -> ApiKey | None:
    return keys.sign_in(RequestFactory().get("/", headers={"authorization": f"Bearer {token}"}))


def test_a_key_opens_for_its_owner(api_key: ApiKey) -> None:
    request = RequestFactory().get("/", headers={"authorization": f"bearer {api_key.token} "})

    assert keys.sign_in(request) == api_key
    assert request.user == api_key.owner


def test_the_key_itself_is_not_stored(api_key: ApiKey) -> None:
    stored = ApiKey.objects.filter(pk=api_key.pk).values().get()

    assert not [value for value in stored.values() if api_key.token in str(value)]
    assert stored["sha256"] == ApiKey.hash(api_key.token)
    assert api_key.token.startswith(stored["prefix"])
    assert len(stored["prefix"]) < 12


def test_no_two_keys_are_the_same() -> None:
    tokens = {ApiKey.draw(name="x").token for _ in range(100)}

    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 43


@pytest.mark.parametrize("token", ["", "digits_", "digits_" + 43 * "x", "é"])
def test_a_wrong_key_opens_nothing(api_key: ApiKey, token: str) -> None:
    with pytest.raises(keys.WrongKey):
        sign_in(token)


def test_a_revoked_key_opens_nothing(api_key: ApiKey) -> None:
    ApiKey.objects.all().revoke()

    with pytest.raises(keys.WrongKey):
        sign_in(api_key.token)


def test_the_key_of_a_closed_account_opens_nothing(api_key: ApiKey) -> None:
    User.objects.update(is_active=False)

    with pytest.raises(keys.WrongKey):
        sign_in(api_key.token)


def test_another_way_to_sign_in_is_no_key() -> None:
    request = RequestFactory().get("/", headers={"authorization": "Basic dTpw"})

    assert keys.sign_in(request) is None
    assert keys.sign_in(RequestFactory().get("/")) is None


def test_the_last_use_is_noted_once_a_minute(api_key: ApiKey) -> None:
    sign_in(api_key.token)
    first = ApiKey.objects.get().last_used_at
    assert first is not None

    sign_in(api_key.token)
    assert ApiKey.objects.get().last_used_at == first

    ApiKey.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    sign_in(api_key.token)
    again = ApiKey.objects.get().last_used_at
    assert again is not None
    assert again >= first


def test_the_admin_shows_a_new_key_once(admin_client: Client, admin_user: User) -> None:
    response = admin_client.post(ADD, {"owner": admin_user.pk, "name": "marks"})

    found = re.search(r"digits_[\w-]{43}", response.text)
    assert found is not None
    key = sign_in(found[0])
    assert key is not None
    assert (key.name, key.owner) == ("marks", admin_user)
    assert "no-store" in response["Cache-Control"]
    assert found[0] not in str(response.cookies)
    for url in (LIST, f"{LIST}{key.pk}/change/", f"{LIST}{key.pk}/history/"):
        assert found[0] not in admin_client.get(url).text


def test_the_admin_revokes(admin_client: Client, api_key: ApiKey) -> None:
    data = {"action": "revoke", "_selected_action": [api_key.pk]}

    response = admin_client.post(LIST, data, follow=True)

    assert "1 API key revoked" in response.text
    assert not ApiKey.objects.usable().exists()


def test_the_admin_changes_only_the_name(admin_client: Client, api_key: ApiKey) -> None:
    data = {"name": "new", "sha256": 64 * "0", "owner": 1}

    admin_client.post(f"{LIST}{api_key.pk}/change/", data)

    stored = ApiKey.objects.get()
    assert (stored.name, stored.sha256, stored.owner) == ("new", api_key.sha256, api_key.owner)


@pytest.fixture
def clerk(client: Client) -> User:
    """Staff who may make keys, and is no superuser; `client` is their browser."""
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(content_type__model="apikey"))
    client.force_login(clerk)
    return clerk


def test_staff_make_keys_only_for_themselves(client: Client, clerk: User, admin_user: User) -> None:
    refused = client.post(ADD, {"owner": admin_user.pk, "name": "mine"})
    client.post(ADD, {"owner": clerk.pk, "name": "mine"})

    assert refused.context["adminform"].form.has_error("owner", "invalid_choice")
    assert ApiKey.objects.get().owner == clerk


def test_staff_see_only_their_own_keys(client: Client, clerk: User, api_key: ApiKey) -> None:
    assert api_key.prefix not in client.get(LIST).text
    assert client.get(f"{LIST}{api_key.pk}/change/").status_code == 302


def test_the_list_shows_who_uses_what(admin_client: Client, api_key: ApiKey) -> None:
    page = admin_client.get(f"{LIST}?state=valid").text

    assert api_key.prefix in page
    assert str(api_key.owner) in page
    assert api_key.prefix not in admin_client.get(f"{LIST}?state=revoked").text


def test_the_key_of_a_closed_account_is_not_called_valid(
    admin_client: Client, api_key: ApiKey
) -> None:
    User.objects.filter(pk=api_key.owner_id).update(is_active=False)

    assert 'alt="False"' in admin_client.get(LIST).text
    assert api_key.prefix not in admin_client.get(f"{LIST}?state=valid").text
    assert api_key.prefix not in admin_client.get(f"{LIST}?state=revoked").text
    assert api_key.prefix in admin_client.get(f"{LIST}?state=inactive").text
