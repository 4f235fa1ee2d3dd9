"""Pages at unusual sizes: a narrow window, text twice as large, and paper."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from recognition import browsers
from recognition.models import Prediction
from tests.browser.visits import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Make = Callable[..., Prediction]
PHONE = 390


def own(desk: Visit, make: Make) -> None:
    """Give the visitor a record, for pages that are short without."""
    visitor = uuid.uuid4()
    make(visitor=visitor)
    desk.page.context.add_cookies(
        [{"name": browsers.COOKIE, "value": browsers.sign(visitor), "url": desk.site}]
    )


def test_large_text_fits_a_phone(desk: Visit, make_prediction: Make) -> None:
    own(desk, make_prediction)
    desk.page.set_viewport_size({"width": PHONE, "height": 844})
    for path in ("/", "/draw/", "/camera/", "/history/", "/your-data/", "/model/", "/sign-in/"):
        desk.go(path)
        desk.page.evaluate("document.documentElement.style.fontSize = '200%'")

        assert not desk.is_too_wide(), path


@pytest.mark.parametrize("path", ["/your-data/", "/sign-in/"])
@pytest.mark.parametrize("name", ["anna.lindqvist@students.example.org", 60 * "w"])
def test_a_long_name_fits_a_phone(name: str, path: str, desk: Visit, client: Client) -> None:
    client.force_login(User.objects.create_user(name))
    desk.take_session(client)
    desk.page.set_viewport_size({"width": 360, "height": 740})

    desk.go(path)

    assert name in desk.page.locator(".lead").inner_text()
    assert not desk.is_too_wide()


@pytest.mark.parametrize("width", [320, 360, 640, 900, 1100, 1280])
def test_the_sign_of_a_verdict_is_seen_in_the_history(
    width: int, desk: Visit, make_prediction: Make
) -> None:
    own(desk, make_prediction)
    desk.page.set_viewport_size({"width": width, "height": 800})

    desk.go("/history/")

    box = desk.page.locator(".verdict svg").bounding_box()
    assert box is not None
    assert box["width"] == 16
    assert not desk.is_too_wide()


def test_a_page_prints_dark_on_white_and_without_what_is_for_clicking(
    desk: Visit, make_prediction: Make
) -> None:
    own(desk, make_prediction)
    desk.go("/history/")
    desk.page.emulate_media(media="print", color_scheme="dark")

    ink, paper = (
        desk.page.evaluate(f"getComputedStyle(document.body).{name}")
        for name in ("color", "backgroundColor")
    )

    assert sum(map(int, re.findall(r"\d+", ink)[:3])) < 200
    assert sum(map(int, re.findall(r"\d+", paper)[:3])) > 700
    assert desk.page.locator(".entry").first.is_visible()
    assert not desk.page.get_by_text("CSV for spreadsheets").is_visible()
    assert not desk.page.get_by_text("Show only some").is_visible()
