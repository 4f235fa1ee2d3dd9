"""What only the people who run the site see, on a phone and at a desk."""

from __future__ import annotations

import pytest
from django.test import Client
from playwright.sync_api import expect

from recognition.models import TrainedModel
from tests.browser.visits import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_way_to_every_page_is_in_sight(visit: Visit, admin_client: Client) -> None:
    visit.take_session(admin_client)

    visit.go("/draw/")

    links = visit.page.get_by_role("navigation", name="Main").get_by_role("link")
    expect(links).to_have_count(7)
    for link in links.all():
        expect(link).to_be_in_viewport(ratio=1)
    assert visit.violations() == []
    assert not visit.is_too_wide()


def test_a_model_is_no_wider_than_the_screen(
    visit: Visit, admin_client: Client, digit_model: TrainedModel
) -> None:
    visit.take_session(admin_client)

    visit.go(f"/admin/recognition/trainedmodel/{digit_model.pk}/change/")

    expect(visit.page.get_by_text("Plots of the evaluation")).to_be_visible()
    assert not visit.is_too_wide()
    assert visit.complaints == []
