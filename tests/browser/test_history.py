"""A person looks through the history, narrows it down, takes it along and deletes from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from recognition.models import Prediction
from tests.browser.visits import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Make = Callable[..., Prediction]


def own_records(visit: Visit, make: Make, drawn: Callable[..., bytes]) -> None:
    """One by the form, which names the visitor, and some more of the same visitor."""
    visit.go("/")
    visit.choose(drawn(7))
    visit.recognise()
    visit.page.wait_for_url("**/p/**")
    visitor = Prediction.objects.get().visitor
    make(visitor=visitor, text="3", verdict="unsure", reason="unsure", confidence=0.6)
    make(visitor=visitor, text="", verdict="refused", reason="blank", confidence=0, digits=[])
    make(visitor=visitor, text="1", source="draw").review("7", by=None)


def test_a_person_narrows_the_history_down(
    visit: Visit, make_prediction: Make, drawn: Callable[..., bytes]
) -> None:
    page = visit.page
    own_records(visit, make_prediction, drawn)
    visit.go("/history/")
    expect(page.locator(".history > li")).to_have_count(4)

    page.get_by_text("Show only some").click()
    page.get_by_label("How sure").select_option("unsure")
    page.get_by_label("From").fill("2020-01-31")
    page.wait_for_load_state("networkidle")
    assert visit.violations() == []
    assert not visit.is_too_wide()
    page.get_by_role("button", name="Show", exact=True).click()

    expect(page.locator(".history > li")).to_have_count(1)
    expect(page.get_by_label("From")).to_have_value("2020-01-31")
    page.get_by_label("To", exact=True).fill("2020-01-01")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("The last day is before the first.")
    assert visit.violations() == []

    assert visit.foreign == []
    assert [line for line in visit.complaints if "422" not in line] == []


def test_a_person_takes_the_history_along(
    desk: Visit, make_prediction: Make, drawn: Callable[..., bytes]
) -> None:
    own_records(desk, make_prediction, drawn)
    desk.go("/history/?source=draw")

    with desk.page.expect_download() as download:
        desk.page.get_by_role("link", name="JSON for programs").click()

    path = Path(download.value.path())
    entries = json.loads(path.read_text(encoding="utf-8"))
    assert [(entry["text"], entry["true_text"]) for entry in entries] == [("1", "7")]


def test_a_key_corrects_the_entry_that_has_the_focus(
    desk: Visit, make_prediction: Make, drawn: Callable[..., bytes]
) -> None:
    page = desk.page
    own_records(desk, make_prediction, drawn)
    desk.go("/history/?verdict=unsure")
    page.keyboard.press("8")  # the focus is in no entry
    said = page.locator("[data-said]")

    said.click()
    page.keyboard.press("8")
    expect(said).to_have_text("No, it is 8.")
    page.keyboard.press("3")
    expect(said).to_have_text("Right, it is 3.")

    assert Prediction.objects.get(verdict="unsure").true_text == "3"
    assert Prediction.objects.reviewed().count() == 2


def test_a_person_deletes_one_from_the_list(
    desk: Visit, make_prediction: Make, drawn: Callable[..., bytes]
) -> None:
    page = desk.page
    own_records(desk, make_prediction, drawn)
    desk.go("/history/?verdict=unsure")

    page.get_by_text("Delete", exact=True).click()
    page.get_by_role("button", name="Delete both").click()

    expect(page.get_by_text("None like that")).to_be_visible()
    assert Prediction.objects.count() == 3
