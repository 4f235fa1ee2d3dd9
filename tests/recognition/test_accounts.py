"""Signing in and out, the password, and what becomes of what was read before."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.base import SessionBase
from django.core.cache import cache
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from recognition import accounts
from recognition.models import Prediction

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

pytestmark = pytest.mark.django_db
Make = Callable[..., Prediction]
PASSWORD = "correct horse 7"


@pytest.fixture(autouse=True)
def no_tries_yet(settings: Settings, tmp_path: Path) -> None:
    """Wrong passwords are counted in files of the test's own."""
    sign_in = {**settings.CACHES["sign_in"], "LOCATION": str(tmp_path / "cache" / "sign-in")}
    default = {**settings.CACHES["default"], "LOCATION": str(tmp_path / "cache")}
    settings.CACHES = {**settings.CACHES, "default": default, "sign_in": sign_in}


@pytest.fixture
def teacher() -> User:
    return User.objects.create_user("teacher", password=PASSWORD)


def sign_in(client: Client, password: str, name: str = "teacher", **extra: str) -> Response:
    form = {"username": name, "password": password}
    return client.post("/sign-in/", form, headers=extra or None)


def test_a_person_signs_in_though_no_wrong_password_can_be_counted(
    client: Client, teacher: User, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").touch()  # a file where the folder should be

    assert sign_in(client, "wrong").status_code == 200
    assert sign_in(client, PASSWORD)["Location"] == "/"
    assert "can be counted in CACHE_ROOT" in caplog.text


def test_a_person_signs_in_and_out(client: Client, teacher: User) -> None:
    assert "Sign in" in client.get("/").text

    response = sign_in(client, PASSWORD)

    assert response["Location"] == "/"
    page = client.get("/your-data/").text
    assert "signed in as <strong>teacher</strong>" in page
    assert client.post("/sign-out/")["Location"] == "/"
    assert "signed in as" not in client.get("/your-data/").text


def test_a_link_signs_nobody_out(client: Client, teacher: User) -> None:
    client.force_login(teacher)

    assert client.get("/sign-out/").status_code == 405
    assert "Account" in client.get("/").text


def test_signing_in_leads_on_to_the_page_that_was_asked_for(client: Client, teacher: User) -> None:
    form = {"username": "teacher", "password": PASSWORD, "next": "/password/"}
    assert client.post("/sign-in/", form)["Location"] == "/password/"

    form["next"] = "https://evil.example/"
    assert client.post("/sign-in/", form)["Location"] == "/"


def test_a_wrong_password_is_said_in_plain_words(client: Client, teacher: User) -> None:
    response = sign_in(client, "wrong")

    assert 'role="alert"' in response.text
    assert "correct username and password" in response.text


def test_what_was_read_before_signing_in_becomes_the_persons(
    client: Client, visitor: uuid.UUID, teacher: User, make_prediction: Make
) -> None:
    own = make_prediction(visitor=visitor)
    other = make_prediction(visitor=uuid.uuid4())

    sign_in(client, PASSWORD)

    own.refresh_from_db()
    other.refresh_from_db()
    assert (own.owner, own.visitor) == (teacher, None)
    assert other.owner is None
    assert client.get(own.get_absolute_url()).status_code == 200
    client.post("/sign-out/")
    assert client.get(own.get_absolute_url()).status_code == 404


def test_a_wrong_password_moves_no_record(
    client: Client, visitor: uuid.UUID, teacher: User, make_prediction: Make
) -> None:
    own = make_prediction(visitor=visitor)

    sign_in(client, "wrong")

    own.refresh_from_db()
    assert own.owner is None
    assert client.get(own.get_absolute_url()).status_code == 200


@pytest.mark.parametrize("path", ["/sign-in/", "/admin/login/"])
def test_after_too_many_wrong_passwords_even_the_right_one_has_to_wait(
    client: Client, teacher: User, path: str
) -> None:
    User.objects.filter(pk=teacher.pk).update(is_staff=True)
    form = {"username": "teacher", "password": "wrong"}
    for _ in range(accounts.TRIES_PER_NAME):
        assert client.post(path, form).status_code == 200

    response = client.post(path, {**form, "password": PASSWORD})

    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= accounts.WINDOW
    assert "Too many wrong passwords" in response.text
    assert client.get(path).status_code == 200
    assert sign_in(client, PASSWORD, "Teacher").status_code == 429
    assert sign_in(client, PASSWORD, "student").status_code == 200


@pytest.mark.parametrize("name", [" teacher", "teacher\t", "TEACHER", "\uff54eacher", "teacher\0"])
def test_another_spelling_of_the_name_is_no_fresh_start(
    client: Client, teacher: User, name: str
) -> None:
    for _ in range(accounts.TRIES_PER_NAME):
        sign_in(client, "wrong")

    assert sign_in(client, PASSWORD, name).status_code == 429


def test_tries_are_counted_for_the_account_that_the_database_finds(
    client: Client, teacher: User
) -> None:
    accented = "te\u00e1cher"  # the same name to the collations of MariaDB and MySQL
    is_found = User.objects.filter(username=accented).exists()
    for _ in range(accounts.TRIES_PER_NAME):
        sign_in(client, "wrong", accented)

    assert sign_in(client, PASSWORD).status_code == (429 if is_found else 302)


def test_the_wait_is_over_after_a_quarter_of_an_hour(
    client: Client, teacher: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(accounts.TRIES_PER_NAME):
        sign_in(client, "wrong")
    later = time.time() + accounts.WINDOW + 1

    monkeypatch.setattr(time, "time", lambda: later)

    assert sign_in(client, PASSWORD).status_code == 302


def test_one_address_may_not_try_name_after_name(client: Client, teacher: User) -> None:
    for number in range(accounts.TRIES_PER_ADDRESS):
        assert sign_in(client, "wrong", f"name-{number}").status_code == 200

    assert sign_in(client, PASSWORD).status_code == 429
    assert Client(REMOTE_ADDR="192.0.2.7").get("/sign-in/").status_code == 200
    assert sign_in(Client(REMOTE_ADDR="192.0.2.7"), PASSWORD).status_code == 302


def test_behind_a_trusted_proxy_the_address_is_the_one_that_it_saw(
    client: Client, teacher: User, settings: Settings
) -> None:
    settings.TRUST_PROXY = True
    forwarded = {"X-Forwarded-For": "made-up, 192.0.2.1"}
    for number in range(accounts.TRIES_PER_ADDRESS):
        sign_in(client, "wrong", f"name-{number}", **forwarded)

    assert sign_in(client, PASSWORD, **{"X-Forwarded-For": "x, 192.0.2.1"}).status_code == 429
    assert sign_in(client, PASSWORD, **{"X-Forwarded-For": "192.0.2.2"}).status_code == 302


def test_who_signs_in_at_once_is_not_counted(client: Client, teacher: User) -> None:
    for _ in range(accounts.TRIES_PER_NAME + 1):
        assert sign_in(client, PASSWORD).status_code == 302


def test_a_try_counts_while_its_password_is_still_looked_at(teacher: User) -> None:
    request = RequestFactory().post("/sign-in/", {"username": "teacher", "password": "wrong"})
    request.user, request.session = AnonymousUser(), SessionBase()
    looked_at = []

    @accounts.guarded
    def try_another_at_once(request: HttpRequest) -> HttpResponseBase:
        looked_at.append(request)
        return try_another_at_once(request)

    assert try_another_at_once(request).status_code == 429
    assert len(looked_at) == accounts.TRIES_PER_NAME


def test_tries_at_the_same_moment_are_all_counted() -> None:
    together = threading.Barrier(8)

    def take(_: int) -> int:
        together.wait()
        return sum(accounts._take_try({"sign-in:teacher": 10}) == 0 for _ in range(5))

    with ThreadPoolExecutor(8) as pool:
        taken = sum(pool.map(take, range(8)))

    assert taken == 10


def test_a_flood_of_other_counts_forgets_no_wrong_password(client: Client, teacher: User) -> None:
    for _ in range(accounts.TRIES_PER_NAME):
        sign_in(client, "wrong")

    cache.clear()

    assert sign_in(client, PASSWORD).status_code == 429


def test_a_person_changes_the_password(client: Client, teacher: User) -> None:
    assert client.get("/password/")["Location"] == "/sign-in/?next=/password/"
    client.force_login(teacher)
    new = "another staple 8"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}

    page = client.post("/password/", form, follow=True)

    assert "Your password is changed" in page.text
    assert sign_in(Client(), PASSWORD).status_code == 200
    assert sign_in(Client(), new).status_code == 302


def test_a_weak_password_is_refused_beside_the_field(client: Client, teacher: User) -> None:
    client.force_login(teacher)
    form = {"old_password": PASSWORD, "new_password1": "1234", "new_password2": "1234"}

    page = client.post("/password/", form)

    assert "too short" in page.text
    assert 'id="id_new_password2_error"' in page.text


def test_the_admin_keeps_its_own_look(client: Client, admin_user: User) -> None:
    assert "/static/admin/" in client.get("/admin/login/").text
    client.force_login(admin_user)

    assert "/static/admin/" in client.get("/admin/password_change/").text
