"""What the network saw, in a real browser, on a phone and on a desk, by day and by night."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from recognition.models import TrainedModel
from tests.browser.visits import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Drawn = Callable[..., bytes]


def look_inside(visit: Visit, picture: bytes) -> None:
    visit.go("/")
    visit.choose(picture)
    visit.recognise()
    visit.page.get_by_role("link", name="step by step").click()
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("What the network saw")
    visit.page.wait_for_load_state("networkidle")


def assert_nothing_is_wrong(visit: Visit) -> None:
    loaded = visit.page.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")
    assert loaded
    assert visit.violations() == []
    assert not visit.is_too_wide()
    assert visit.complaints == []
    assert visit.foreign == []


def test_a_learner_follows_a_digit(
    visit: Visit, drawn: Drawn, make_model: Callable[..., TrainedModel]
) -> None:
    make_model(version="latin-without-files")

    look_inside(visit, drawn(8))

    expect(visit.page.get_by_role("figure")).to_have_count(7)
    expect(visit.page.locator("[data-covered]")).to_be_visible()
    expect(visit.page.get_by_role("meter")).to_have_count(10)
    expect(visit.page.get_by_role("row")).to_have_count(3)
    assert_nothing_is_wrong(visit)


def test_a_learner_sees_why_a_picture_was_refused(visit: Visit, drawn: Drawn) -> None:
    look_inside(visit, drawn(3, ink=232))

    expect(visit.page.get_by_text("Here it ended.")).to_be_visible()
    assert_nothing_is_wrong(visit)
