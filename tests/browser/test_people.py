"""A person with an account signs in, finds what was read before, and deletes it all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect
from pytest_django.fixtures import Settings

from recognition.models import Prediction
from tests.browser.visits import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Drawn = Callable[..., bytes]
PASSWORD = "correct horse 7"


def look(visit: Visit) -> None:
    """What must hold on every page that the journey comes to."""
    assert visit.violations() == []
    assert not visit.is_too_wide(), visit.page.url


def test_a_person_signs_in_and_takes_all_data_away(visit: Visit, drawn: Drawn) -> None:
    page = visit.page
    User.objects.create_user("teacher", password=PASSWORD)
    visit.go("/")
    visit.choose(drawn(7))
    visit.recognise()
    page.wait_for_url("**/p/**")

    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("Username").fill("teacher")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("correct username and password")
    look(visit)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    page.get_by_role("link", name="Account").click()
    expect(page.get_by_text("signed in as teacher")).to_be_visible()
    expect(page.get_by_role("definition").first).to_have_text("1")
    look(visit)
    page.get_by_role("link", name="Change the password").click()
    look(visit)
    page.go_back()
    page.get_by_role("link", name="Delete it all").click()
    look(visit)
    page.get_by_role("button", name="Delete it all").click()
    expect(page.get_by_text("Nothing but your account")).to_be_visible()
    assert not Prediction.objects.exists()

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    assert visit.complaints == []
    assert visit.foreign == []


def test_a_stranger_sees_an_answer_that_is_not_stored(
    visit: Visit, drawn: Drawn, settings: Settings
) -> None:
    settings.REQUIRE_SIGN_IN_TO_KEEP = True
    visit.go("/")
    look(visit)
    visit.choose(drawn(3))
    visit.recognise()

    expect(visit.page.get_by_role("heading", level=1)).to_have_text("The picture shows 3")
    expect(visit.page.get_by_text("were not stored")).to_be_visible()
    look(visit)
    assert not Prediction.objects.exists()
    assert visit.complaints == []
