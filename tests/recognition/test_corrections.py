"""Was it right? The person whose picture it is says what it really shows."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse

from recognition.models import Prediction

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

pytestmark = pytest.mark.django_db
Make = Callable[..., Prediction]
SCRIPT = {"accept": "application/json"}


def correct(client: Client, prediction: Prediction, fields: dict[str, Any], **kw: Any) -> Response:
    return client.post(reverse("correct", args=[prediction.public_id]), fields, **kw)


@pytest.mark.parametrize(("true_text", "is_right"), [("7", True), ("1", False), ("", False)])
def test_one_digit_or_none_is_stored(
    true_text: str, is_right: bool, client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    prediction = make_prediction(visitor=visitor)

    response = correct(client, prediction, {"true_text": true_text})

    prediction.refresh_from_db()
    assert response["Location"] == prediction.get_absolute_url()
    assert (prediction.true_text, prediction.is_right) == (true_text, is_right)
    assert prediction.reviewed_by is None


def test_it_can_be_changed(client: Client, visitor: uuid.UUID, make_prediction: Make) -> None:
    prediction = make_prediction(visitor=visitor)
    for true_text in ("1", "", "7"):
        correct(client, prediction, {"true_text": true_text})

    prediction.refresh_from_db()
    assert (prediction.true_text, prediction.is_right) == ("7", True)


def test_a_signed_in_person_is_named_as_the_reviewer(client: Client, make_prediction: Make) -> None:
    user = User.objects.create_user("teacher")
    client.force_login(user)
    prediction = make_prediction(owner=user)

    correct(client, prediction, {"true_text": "7"})

    prediction.refresh_from_db()
    assert prediction.reviewed_by == user


def test_a_script_gets_the_words_for_it(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    response = correct(client, make_prediction(visitor=visitor), {"true_text": "1"}, headers=SCRIPT)

    assert response.json() == {"said": "No, it is 1.", "seen": "1"}


def seen_on(client: Client, prediction: Prediction) -> str:
    """What a page that is open now says back of the review it shows."""
    page = client.get(prediction.get_absolute_url()).text
    return str(re.findall(r'name="seen" value="([^"]*)"', page)[0])


@pytest.mark.parametrize("before", [None, "", "3"])
def test_a_page_left_open_does_not_undo_a_newer_answer(
    before: str | None, client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    prediction = make_prediction(visitor=visitor, text="7")
    if before is not None:
        prediction.review(before, by=None)
    stale = {"true_text": "1", "seen": seen_on(client, prediction)}
    prediction.review("7", by=None)

    page = correct(client, prediction, stale)
    reply = correct(client, prediction, stale, headers=SCRIPT)

    prediction.refresh_from_db()
    assert prediction.true_text == "7"
    assert (page.status_code, reply.status_code) == (409, 409)
    assert "meanwhile: Right, it is 7. Your answer was not stored." in page.text
    assert reply.json() | {"message": ""} == {
        "message": "",
        "code": "reviewed_meanwhile",
        "said": "Right, it is 7.",
        "seen": "7",
    }


def test_an_answer_that_was_taken_back_meanwhile_is_told_of(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    prediction = make_prediction(visitor=visitor)
    prediction.review("1", by=None)
    stale = {"true_text": "3", "seen": seen_on(client, prediction)}
    prediction.withdraw_review()

    response = correct(client, prediction, stale)

    assert "What was said before is taken back." in response.text
    assert Prediction.objects.not_reviewed().exists()


@pytest.mark.parametrize("true_text", ["", "1"])
def test_the_same_answer_from_a_page_left_open_is_no_conflict(
    true_text: str, client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    prediction = make_prediction(visitor=visitor)
    stale = {"true_text": true_text, "seen": seen_on(client, prediction)}
    teacher = User.objects.create_user("teacher")
    prediction.review(true_text, by=teacher)

    assert correct(client, prediction, stale).status_code == 302
    prediction.refresh_from_db()
    assert (prediction.true_text, prediction.reviewed_by) == (true_text, teacher)


def test_who_has_seen_the_answer_changes_it(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    prediction = make_prediction(visitor=visitor)
    for true_text in ("1", "", "7"):
        fields = {"true_text": true_text, "seen": seen_on(client, prediction)}
        assert correct(client, prediction, fields).status_code == 302
        prediction.refresh_from_db()
        assert prediction.true_text == true_text


BAD: dict[str, tuple[dict[str, str], str]] = {
    "nothing": ({}, "required"),
    "a letter": ({"true_text": "x"}, "not_digits"),
    "a numeral of another script": ({"true_text": "७"}, "not_digits"),
    "two lines": ({"true_text": "7\n7"}, "not_digits"),
    "a formula": ({"true_text": "=1+1"}, "not_digits"),
    "a long number": ({"true_text": 51 * "7"}, "max_length"),
    "a zero byte": ({"true_text": "7\0"}, "not_digits"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_answer_is_refused_in_plain_words(
    kind: str, client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    fields, code = BAD[kind]
    prediction = make_prediction(visitor=visitor)

    page = correct(client, prediction, fields)
    reply = correct(client, prediction, fields, headers=SCRIPT)

    prediction.refresh_from_db()
    assert (page.status_code, reply.status_code) == (422, 422)
    assert "This was not stored" in page.text
    assert reply.json()["code"] == code
    assert prediction.reviewed_at is None


def test_nobody_corrects_the_record_of_another(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    for prediction in (
        make_prediction(visitor=uuid.uuid4()),
        make_prediction(),
        make_prediction(owner=User.objects.create_user("teacher")),
    ):
        assert correct(client, prediction, {"true_text": "1"}).status_code == 404
        prediction.refresh_from_db()
        assert prediction.reviewed_at is None


@pytest.mark.usefixtures("deleted_meanwhile")
def test_a_record_that_is_deleted_meanwhile_is_not_found(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    prediction = make_prediction(visitor=visitor)

    assert correct(client, prediction, {"true_text": "1"}).status_code == 404
    assert not Prediction.objects.exists()


def test_staff_correct_in_the_admin_and_not_here(
    client: Client, make_prediction: Make, reviewer: User
) -> None:
    client.force_login(reviewer)
    prediction = make_prediction(visitor=uuid.uuid4())

    assert correct(client, prediction, {"true_text": "1"}).status_code == 404
    assert "Was it right?" not in client.get(prediction.get_absolute_url()).text


def test_it_goes_back_to_the_page_it_came_from(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    response = correct(
        client,
        make_prediction(visitor=visitor),
        {"true_text": "7", "next": "/history/?page=2"},
    )

    assert response["Location"] == "/history/?page=2"


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example",
        "javascript:alert(1)",
        "/\\evil.example",
        "abc",
        "history",
        "http://testserver/history/",
        "\n//e.x",
    ],
)
def test_it_never_leads_to_another_site(
    address: str, client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    prediction = make_prediction(visitor=visitor)

    response = correct(client, prediction, {"true_text": "7", "next": address})

    assert response["Location"] == prediction.get_absolute_url()


def test_a_form_from_elsewhere_is_refused(make_prediction: Make) -> None:
    client = Client(enforce_csrf_checks=True)

    assert correct(client, make_prediction(), {"true_text": "7"}).status_code == 403


def test_a_link_corrects_nothing(client: Client, visitor: uuid.UUID, make_prediction: Make) -> None:
    prediction = make_prediction(visitor=visitor)

    assert client.get(reverse("correct", args=[prediction.public_id])).status_code == 405


def test_the_result_asks_and_then_shows_what_was_said(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    prediction = make_prediction(visitor=visitor)
    before = client.get(prediction.get_absolute_url()).text
    correct(client, prediction, {"true_text": "1"})

    after = client.get(prediction.get_absolute_url()).text

    assert "Was it right?" in before
    assert 'aria-pressed="true"' not in before
    assert "No, it is 1." in after
    assert 'value="1" aria-pressed="true"' in after
    assert after.count('aria-pressed="true"') == 1


def test_a_list_gets_it_folded_with_the_way_back(visitor: uuid.UUID, make_prediction: Make) -> None:
    html = render_to_string(
        "recognition/_correct.html",
        {"prediction": make_prediction(visitor=visitor), "next": '/history/?a="b'},
        request=RequestFactory().get("/history/"),
    )

    assert "<details" in html
    assert " open " not in html
    assert 'name="next" value="/history/?a=&quot;b"' in html
    assert html.count('name="true_text"') == 11
