"""What was read for this visitor, the newest first."""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from recognition import history
from recognition.cursors import Cursor
from recognition.models import Prediction

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

pytestmark = pytest.mark.django_db
Make = Callable[..., Prediction]


def listed(client: Client) -> list[Prediction]:
    shown: list[Prediction] = client.get("/history/").context["page"].predictions
    return shown


def test_somebody_new_is_invited_to_read_a_digit(client: Client) -> None:
    response = client.get("/history/")

    assert response.status_code == 200
    assert "Nothing yet" in response.text


def test_the_newest_is_first(client: Client, visitor: uuid.UUID, make_prediction: Make) -> None:
    now = timezone.now()
    ages = (2, 0, 1)
    old = [make_prediction(visitor=visitor, created_at=now - timedelta(age)) for age in ages]

    assert listed(client) == [old[1], old[2], old[0]]


def test_each_is_listed_with_thumbnail_digit_confidence_and_verdict(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    prediction = make_prediction(visitor=visitor)

    page = client.get("/history/").text

    assert reverse("thumbnail", args=[prediction.public_id]) in page
    assert 'loading="lazy"' in page
    assert prediction.get_absolute_url() in page
    assert "98.00%" in page
    assert "Sure enough to use" in page


def test_a_visitor_sees_nothing_of_others(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    make_prediction(visitor=uuid.uuid4())
    make_prediction(visitor=None)
    make_prediction(owner=User.objects.create_user("teacher"))

    assert listed(client) == []


def test_a_signed_in_person_sees_what_is_theirs(client: Client, make_prediction: Make) -> None:
    teacher = User.objects.create_user("teacher")
    client.force_login(teacher)
    own = make_prediction(owner=teacher)
    make_prediction(visitor=uuid.uuid4())

    assert listed(client) == [own]


def follow(client: Client, page: Response, rel: str) -> Response | None:
    """Go where the link leads, as a browser does."""
    found = re.search(rf'rel="{rel}" href="([^"]+)"', page.text)
    return client.get("/history/" + html.unescape(found[1])) if found else None


def test_pages_lead_back_and_forth_through_all_records(
    client: Client, visitor: uuid.UUID, make_prediction: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PAGE_SIZE", 2)
    moment = timezone.now()
    ages = (0, 1, 1, 1, 2)  # some at the same moment
    made = [make_prediction(visitor=visitor, created_at=moment - timedelta(age)) for age in ages]
    newest = [made[0], made[3], made[2], made[1], made[4]]

    pages = [client.get("/history/")]
    for rel in ("next", "next", "prev", "prev"):
        page = follow(client, pages[-1], rel)
        assert page is not None
        pages.append(page)

    shown = [page.context["page"].predictions for page in pages]
    assert shown[:3] == [newest[:2], newest[2:4], newest[4:]]
    assert shown[3:] == [newest[2:4], newest[:2]]
    assert follow(client, pages[0], "prev") is None
    assert follow(client, pages[2], "next") is None


def test_a_page_keeps_its_place_when_records_come_and_go(
    client: Client, visitor: uuid.UUID, make_prediction: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PAGE_SIZE", 2)
    old = [make_prediction(visitor=visitor, created_at=timezone.now()) for _ in range(4)]
    first = client.get("/history/")
    make_prediction(visitor=visitor)
    old[3].delete()
    old[2].delete()

    second = follow(client, first, "next")

    assert second is not None
    assert second.context["page"].predictions == [old[1], old[0]]


def test_after_the_oldest_comes_nothing_and_a_way_back(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    only = make_prediction(visitor=visitor)

    page = client.get("/history/", {"before": str(Cursor.at(only))})

    assert "There is nothing older." in page.text
    back = follow(client, page, "prev")
    assert back is not None
    assert back.context["page"].predictions == [only]


@pytest.mark.parametrize("way", ["before", "after"])
@pytest.mark.parametrize("place", ["x", "-1", "1e3", "²-1", "1-", f"{10**17}-1", "1-1;drop"])
def test_a_place_that_is_none_is_not_found(client: Client, way: str, place: str) -> None:
    assert client.get("/history/", {way: place}).status_code == 404


@pytest.mark.parametrize("place", ["0-0", f"{10**16 - 1}-{10**18 - 1}"])
def test_a_place_far_out_is_harmless(
    client: Client, visitor: uuid.UUID, make_prediction: Make, place: str
) -> None:
    make_prediction(visitor=visitor)

    assert client.get("/history/", {"before": place}).status_code == 200
    assert client.get("/history/", {"after": place}).status_code == 200


def found(client: Client, **filters: str) -> list[Prediction]:
    shown: list[Prediction] = client.get("/history/", filters).context["page"].predictions
    return shown


def test_the_list_can_be_narrowed_by_verdict_and_source(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    sure = make_prediction(visitor=visitor)
    unsure = make_prediction(visitor=visitor, verdict="unsure", reason="unsure", source="draw")

    assert found(client, verdict="accepted") == [sure]
    assert found(client, verdict="unsure", source="draw") == [unsure]
    assert found(client, verdict="refused") == []
    assert found(client, verdict="", source="") == [unsure, sure]


def test_all_can_be_deleted_only_where_all_are_shown(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    make_prediction(visitor=visitor)

    assert "Delete all" in client.get("/history/").text
    assert "Delete all" not in client.get("/history/", {"verdict": "accepted"}).text


def test_the_list_can_be_narrowed_by_what_was_said_of_it(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    right, wrong, unsaid = (make_prediction(visitor=visitor) for _ in range(3))
    right.review("7", by=None)
    wrong.review("1", by=None)

    assert found(client, right="yes") == [right]
    assert found(client, right="no") == [wrong]
    assert found(client, right="unsaid") == [unsaid]
    page = client.get("/history/").text
    assert "Wrong, it is 1" in page


def test_the_list_can_be_narrowed_by_days_of_the_sites_time_zone(
    client: Client, visitor: uuid.UUID, make_prediction: Make, settings: Settings
) -> None:
    settings.TIME_ZONE = "Asia/Kolkata"
    zone = ZoneInfo("Asia/Kolkata")
    moments = (datetime(2026, 3, 1, 0, 0), datetime(2026, 3, 1, 23, 59, 59), datetime(2026, 3, 2))
    first, last, next_day = (
        make_prediction(visitor=visitor, created_at=moment.replace(tzinfo=zone))
        for moment in moments
    )

    assert found(client, since="2026-03-01", until="2026-03-01") == [last, first]
    assert found(client, since="2026-03-02") == [next_day]
    assert found(client, until="2026-02-28") == []


@pytest.mark.parametrize(
    "filters",
    [
        {"verdict": "sure"},
        {"source": "post"},
        {"right": "maybe"},
        {"since": "yesterday"},
        {"since": "0001-01-01"},
        {"until": "9999-12-31"},
        {"since": "2026-03-02", "until": "2026-03-01"},
    ],
)
def test_a_choice_that_makes_no_sense_is_marked(client: Client, filters: dict[str, str]) -> None:
    page = client.get("/history/", filters)

    assert page.status_code == 422
    assert 'role="alert"' in page.text
    assert client.get("/history.csv", filters).status_code == 302


def test_when_nothing_fits_the_page_says_so(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    make_prediction(visitor=visitor)

    page = client.get("/history/", {"verdict": "refused"}).text

    assert "None like that" in page
    assert "Show all" in page


def test_paging_keeps_what_was_chosen(
    client: Client, visitor: uuid.UUID, make_prediction: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PAGE_SIZE", 1)
    drawn = [make_prediction(visitor=visitor, source="draw") for _ in range(2)]
    make_prediction(visitor=visitor)

    page = follow(client, client.get("/history/", {"source": "draw"}), "next")

    assert page is not None
    assert page.context["page"].predictions == [drawn[0]]


def test_a_record_is_deleted_from_the_list_and_the_place_is_kept(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    prediction = make_prediction(visitor=visitor)
    here = "/history/?verdict=accepted"
    assert "?verdict=accepted" in client.get(here).text

    response = client.post(reverse("delete", args=[prediction.public_id]), {"next": here})

    assert response["Location"] == here
    assert not Prediction.objects.exists()


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_no_form_leads_away_from_the_site(
    client: Client, visitor: uuid.UUID, make_prediction: Make, address: str
) -> None:
    prediction = make_prediction(visitor=visitor)

    response = client.post(reverse("delete", args=[prediction.public_id]), {"next": address})

    assert response["Location"] == "/history/"


def test_the_number_of_queries_does_not_grow(
    client: Client,
    visitor: uuid.UUID,
    make_prediction: Make,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(12):
        make_prediction(visitor=visitor)

    with django_assert_num_queries(1):
        client.get("/history/")


def test_other_methods_are_refused(client: Client) -> None:
    assert client.post("/history/").status_code == 405
