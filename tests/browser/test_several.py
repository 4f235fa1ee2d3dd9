"""A person sends several pictures at once and watches the table grow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect
from pytest_django.live_server_helper import LiveServer

from recognition.models import Prediction, TrainedModel
from tests.browser.visits import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Drawn = Callable[..., bytes]


def choose(visit: Visit, drawn: Drawn, *, count: int = 3) -> None:
    pictures: list[Any] = [
        {"name": f"sheet-{n}.png", "mimeType": "image/png", "buffer": drawn(n % 10)}
        for n in range(count)
    ]
    pictures.append({"name": "notes.txt", "mimeType": "image/png", "buffer": b"no picture"})
    visit.page.get_by_label("Choose a picture").set_input_files(pictures)


def test_several_pictures_become_a_table(visit: Visit, drawn: Drawn) -> None:
    page = visit.page
    visit.go("/")
    choose(visit, drawn)
    visit.recognise()

    page.wait_for_url("**/several/*-*/")
    expect(page.get_by_role("heading", level=1)).to_have_text("4 pictures")
    expect(page.locator("tbody tr")).to_have_count(4)
    page.wait_for_load_state("networkidle")
    assert visit.violations() == []
    assert not visit.is_too_wide()
    assert visit.complaints == []
    assert visit.foreign == []

    page.get_by_role("link", name="sheet-1.png").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The picture shows 1")


def test_the_table_grows_and_can_be_stopped(desk: Visit, drawn: Drawn) -> None:
    page = desk.page
    held: list[Route] = []

    def hold_the_third(route: Route) -> None:
        held.append(route)
        if len(held) != 3:
            route.continue_()

    page.route("**/several/", hold_the_third)
    desk.go("/")
    choose(desk, drawn, count=5)
    desk.recognise()

    expect(page.get_by_text("Reading 3 of 6")).to_be_visible()
    expect(page.locator("[data-rows] tr")).to_have_count(2)
    assert page.get_by_role("progressbar").get_attribute("value") == "2"
    assert desk.violations() == []
    page.get_by_role("button", name="Stop after this picture").click()
    held[2].continue_()

    page.wait_for_url("**/several/*-*/")
    expect(page.locator("tbody tr")).to_have_count(3)
    assert Prediction.objects.count() == 3


def test_a_lost_connection_keeps_what_was_read(desk: Visit, drawn: Drawn) -> None:
    page = desk.page
    sent: list[Route] = []

    def lose_the_third(route: Route) -> None:
        sent.append(route)
        route.continue_() if len(sent) < 3 else route.abort()

    page.route("**/several/", lose_the_third)
    desk.go("/")
    choose(desk, drawn)
    desk.recognise()

    expect(page.get_by_role("alert")).to_contain_text("The connection was lost.")
    page.get_by_role("link", name="Show what was read").click()
    expect(page.locator("tbody tr")).to_have_count(2)


def test_after_a_lost_connection_only_the_others_are_sent(desk: Visit, drawn: Drawn) -> None:
    page = desk.page
    sent: list[Route] = []

    def lose_the_third(route: Route) -> None:
        sent.append(route)
        route.abort() if len(sent) == 3 else route.continue_()

    page.route("**/several/", lose_the_third)
    desk.go("/")
    choose(desk, drawn)
    desk.recognise()
    expect(page.get_by_role("alert")).to_contain_text("Press “Recognise” to go on")

    desk.recognise()

    page.wait_for_url("**/several/*-*/")
    expect(page.locator("tbody tr")).to_have_count(4)
    assert Prediction.objects.count() == 3


def test_too_many_pictures_are_refused_before_any_is_sent(desk: Visit, drawn: Drawn) -> None:
    desk.go("/")
    choose(desk, drawn, count=100)
    desk.recognise()

    expect(desk.page.get_by_role("alert")).to_contain_text("At most 100 pictures")
    expect(desk.page.get_by_role("button", name="Recognise")).to_be_enabled()
    assert not Prediction.objects.exists()


def test_several_pictures_are_read_without_javascript(
    browser: Browser, live_server: LiveServer, digit_model: TrainedModel, drawn: Drawn
) -> None:
    context = browser.new_context(java_script_enabled=False)
    visit = Visit(context.new_page(), live_server.url)
    visit.go("/")
    choose(visit, drawn)

    visit.recognise()

    expect(visit.page.get_by_role("heading", level=1)).to_have_text("4 pictures")
    context.close()


def test_a_page_that_was_open_for_too_long_says_so(visit: Visit, drawn: Drawn) -> None:
    page = visit.page
    visit.go("/")
    choose(visit, drawn)
    page.context.clear_cookies()
    visit.recognise()

    expect(page.get_by_text("This page has been open for too long. Load it again")).to_be_visible()
