"""The page for programs and the admin's page with a new key, by day and by night."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import expect

from tests.browser.visits import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_page_for_programs_can_be_read_by_everybody(visit: Visit) -> None:
    visit.go("/api/")
    for summary in visit.page.locator("summary").all():
        summary.click()

    expect(visit.page.get_by_role("heading", level=1)).to_have_text("For programs")
    expect(visit.page.get_by_text("Nothing is stored then.")).to_be_visible()
    assert visit.violations() == []
    assert not visit.is_too_wide()
    assert visit.complaints == []
    assert visit.foreign == []


def test_the_admin_shows_a_new_key(visit: Visit, admin_user: User, client: Client) -> None:
    client.force_login(admin_user)
    visit.take_session(client)

    visit.go("/admin/recognition/apikey/add/")
    visit.page.get_by_label("Name").fill("marks")
    visit.page.get_by_role("button", name="Save", exact=True).click()

    expect(visit.page.locator(".api-key code")).to_contain_text("digits_")
    assert visit.violations() == []
    assert not visit.is_too_wide()
    assert visit.complaints == []
