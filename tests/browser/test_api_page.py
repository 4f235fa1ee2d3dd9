"""The page for programs and the admin's page with a new key, by day and by night."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.test_journey import SIZES, Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=itertools.product(SIZES, ("light", "dark")), ids="-".join)
def reader(
    request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer
) -> Iterator[Visit]:
    size, scheme = request.param
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    yield Visit(context.new_page(), live_server.url)
    context.close()


def test_the_page_for_programs_can_be_read_by_everybody(reader: Visit) -> None:
    reader.go("/api/")
    for summary in reader.page.locator("summary").all():
        summary.click()

    expect(reader.page.get_by_role("heading", level=1)).to_have_text("For programs")
    expect(reader.page.get_by_text("Nothing is stored then.")).to_be_visible()
    assert reader.violations() == []
    assert not reader.is_too_wide()
    assert reader.complaints == []
    assert reader.foreign == []


def test_the_admin_shows_a_new_key(reader: Visit, admin_user: User, client: Client) -> None:
    client.force_login(admin_user)
    session = client.cookies["sessionid"].value
    reader.page.context.add_cookies([{"name": "sessionid", "value": session, "url": reader.site}])

    reader.go("/admin/recognition/apikey/add/")
    reader.page.get_by_label("Name").fill("marks")
    reader.page.get_by_role("button", name="Save", exact=True).click()

    expect(reader.page.locator(".api-key code")).to_contain_text("digits_")
    assert reader.violations() == []
    assert not reader.is_too_wide()
    assert reader.complaints == []
