"""What a person sees when something goes wrong: plain words, and never another error."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib.staticfiles import finders
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.test import Client, RequestFactory
from django.views import defaults
from pytest_django.fixtures import Settings

from recognition import recognizers
from tests.conftest import Upload


@pytest.mark.django_db
def test_an_unknown_address_is_answered_in_plain_words(client: Client) -> None:
    response = client.get("/nothing/")

    assert response.status_code == 404
    assert "There is nothing here" in response.text


def test_each_kind_of_refusal_has_a_page() -> None:
    request = RequestFactory().get("/")

    assert "not understood" in defaults.bad_request(request, Exception()).text
    assert "may not see" in defaults.permission_denied(request, PermissionDenied()).text
    assert "nothing here" in defaults.page_not_found(request, Http404()).text


@pytest.mark.django_db
def test_the_address_of_a_form_is_explained_to_who_opens_it(client: Client) -> None:
    response = client.get("/keep/", headers={"Accept": "text/html,*/*;q=0.8"})
    script = client.get("/keep/", headers={"Accept": "application/json"})

    assert response.status_code == 405
    assert response["Allow"] == "POST"
    assert "only takes what a form of the site sends" in response.text
    assert (script.status_code, script.content) == (405, b"")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["/live/", "/keep/", "/several/", f"/p/{uuid.UUID(int=0)}/correct"]
)
def test_a_page_that_was_open_for_too_long_is_explained(address: str) -> None:
    client = Client(enforce_csrf_checks=True)

    page = client.post(address, headers={"Accept": "text/html,*/*;q=0.8"})
    script = client.post(address, headers={"Accept": "application/json"})

    assert (page.status_code, script.status_code) == (403, 403)
    assert "load the page anew" in page.text
    assert "open for too long" in script.json()["message"]


def test_a_fault_of_ours_is_owned_up_to(
    db: None, client: Client, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(data: bytes, script: str) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(recognizers, "answer", fail)
    client.raise_request_exception = False

    response = upload(client, b"anything")

    assert response.status_code == 500
    assert "The fault is ours" in response.text
    assert "a bug" not in response.text


def test_the_page_for_our_faults_needs_no_list_of_static_files(settings: Settings) -> None:
    """That list may be the very thing that is missing."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }

    page = defaults.server_error(RequestFactory().get("/")).text

    sheets = re.findall(r'href="/static/([^"]+\.css)"', page)
    assert sheets
    assert all(finders.find(sheet) for sheet in sheets)


def test_every_static_file_that_a_template_names_is_there() -> None:
    templates = Path(django_settings.BASE_DIR, "templates").rglob("*.html")
    text = "".join(path.read_text(encoding="utf-8") for path in templates)

    named = set(re.findall(r"{% static '([^']+)' %}", text))

    assert {"css/base.css", "js/picture.js", "favicon.svg"} <= named
    assert [name for name in named if finders.find(name) is None] == []
