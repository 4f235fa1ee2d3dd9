from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Permission, User
from django.core.files.storage import storages
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.fixtures import Settings

from recognition import admin, history, models
from recognition.admin import CappedPaginator, PredictionAdmin
from recognition.models import Prediction, PredictionQuerySet

Make = Callable[..., Prediction]
LIST = "admin:recognition_prediction_changelist"


def page(prediction: Prediction) -> str:
    return reverse("admin:recognition_prediction_change", args=[prediction.pk])


def edit(*rows: tuple[Prediction, str, str], **more: str) -> dict[str, str]:
    """The list's form: each row with the true text that was seen and the one that was typed."""
    data = {"form-TOTAL_FORMS": str(len(rows)), "form-INITIAL_FORMS": str(len(rows)), **more}
    for number, (prediction, seen, typed) in enumerate(rows):
        data[f"form-{number}-id"] = str(prediction.pk)
        data[f"initial-form-{number}-true_text"] = seen
        data[f"form-{number}-true_text"] = typed
    return data


def action(name: str, *predictions: Prediction, **more: str) -> dict[str, Any]:
    return {"action": name, "index": "0", "_selected_action": [p.pk for p in predictions], **more}


def messages(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_the_list_shows_what_was_read(admin_client: Client, make_prediction: Make) -> None:
    prediction = make_prediction(text="3", confidence=0.98765)

    html = admin_client.get(reverse(LIST)).content.decode()

    assert '<b class="read-text">3</b>' in html
    assert "98.77%" in html
    assert "Accepted" in html
    assert reverse("thumbnail", args=[prediction.public_id]) in html


def test_the_list_needs_as_many_queries_for_many_records_as_for_few(
    admin_client: Client, make_prediction: Make
) -> None:
    make_prediction()
    admin_client.get(reverse(LIST))
    with CaptureQueriesContext(
        connection,
    ) as few:
        admin_client.get(reverse(LIST))
    for _ in range(30):
        make_prediction()

    with CaptureQueriesContext(connection) as many:
        admin_client.get(reverse(LIST))

    assert len(many) == len(few) <= 9


def test_the_list_reads_no_model_card(admin_client: Client, make_prediction: Make) -> None:
    make_prediction()

    with CaptureQueriesContext(connection) as queries:
        admin_client.get(reverse(LIST))

    assert not any('"card"' in query["sql"] or "`card`" in query["sql"] for query in queries)


def test_the_list_joins_no_other_table(admin_client: Client, make_prediction: Make) -> None:
    make_prediction()

    with CaptureQueriesContext(connection) as queries:
        admin_client.get(reverse(LIST))

    asked = [query["sql"] for query in queries if "recognition_prediction" in query["sql"]]
    assert asked
    assert not any("JOIN" in sql for sql in asked)


def test_a_large_table_is_not_counted_to_its_end(
    make_prediction: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CappedPaginator, "LIMIT", 3)
    for _ in range(5):
        make_prediction()

    paginator = CappedPaginator(Prediction.objects.order_by("pk"), 2)

    assert paginator.count == 3
    assert paginator.is_capped


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"verdict__exact": "unsure"}, {"4"}),
        ({"read": "5"}, {"5"}),
        ({"read": "none"}, {""}),
        ({"review": "open"}, {"4", "", "6"}),
        ({"review": "done"}, {"5", "7"}),
        ({"review": "right"}, {"5"}),
        ({"review": "wrong"}, {"7"}),
        ({"confidence": "below-50"}, {"4", ""}),
        ({"confidence": "from-99"}, {"7"}),
        ({"source__exact": "draw"}, {"6"}),
        ({"q": "6"}, {"6"}),
        ({"q": "1"}, {"7"}),
    ],
)
def test_filters_and_search_show_the_records_asked_for(
    admin_client: Client, make_prediction: Make, query: dict[str, str], shown: set[str]
) -> None:
    make_prediction(text="4", verdict="unsure", reason="unsure", confidence=0.4)
    make_prediction(text="5").review("5", by=None)
    make_prediction(text="6", source="draw")
    make_prediction(text="7", confidence=0.995).review("1", by=None)
    make_prediction(text="", verdict="refused", reason="blank", confidence=0.0)

    results = admin_client.get(reverse(LIST), query).context["cl"].result_list

    assert {prediction.text for prediction in results} == shown


def test_a_record_is_found_by_the_beginning_of_its_public_id(
    admin_client: Client, make_prediction: Make
) -> None:
    wanted, _ = make_prediction(), make_prediction()

    whole, figures = str(wanted.public_id), wanted.public_id.hex

    for term in (whole, whole[:11], figures, figures[:8], figures[:14], figures.upper()):
        results = admin_client.get(reverse(LIST), {"q": term}).context["cl"].result_list
        assert [prediction.pk for prediction in results] == [wanted.pk]


def test_a_long_true_text_is_found_though_it_may_begin_a_public_id(
    admin_client: Client, make_prediction: Make
) -> None:
    wanted, _ = make_prediction(), make_prediction()
    wanted.review("1234567890", by=None)

    results = admin_client.get(reverse(LIST), {"q": "1234567890"}).context["cl"].result_list

    assert [prediction.pk for prediction in results] == [wanted.pk]


def test_the_dates_lead_to_the_months_and_days_of_the_records(
    admin_client: Client, make_prediction: Make
) -> None:
    from datetime import UTC, datetime

    make_prediction(created_at=datetime(2025, 11, 3, 12, tzinfo=UTC))
    make_prediction(created_at=datetime(2026, 2, 5, 12, tzinfo=UTC))

    years = admin_client.get(reverse(LIST)).content.decode()
    months = admin_client.get(reverse(LIST), {"created_at__year": 2026}).content.decode()
    days = admin_client.get(
        reverse(LIST), {"created_at__year": 2026, "created_at__month": 2}
    ).content.decode()
    day = admin_client.get(
        reverse(LIST), {"created_at__year": 2026, "created_at__month": 2, "created_at__day": 5}
    )

    assert "?created_at__year=2025" in years
    assert "created_at__month=2" in months
    assert "February 5" in days
    assert day.context["cl"].result_count == 1


def test_a_date_without_records_is_an_empty_list(admin_client: Client, db: None) -> None:
    response = admin_client.get(reverse(LIST), {"created_at__year": 2020})

    assert response.status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        {"created_at__year": "9999"},
        {"created_at__year": "9999", "created_at__month": "12", "created_at__day": "31"},
        {"created_at__year": "99999999999999999999"},
        {"created_at__gte": "9999-12-31 23:59:59-12:00"},
        {"created_at__lt": "0001-01-01 00:00:00+14:00"},
    ],
)
def test_a_date_that_no_calendar_has_is_a_wrong_look_up(
    admin_client: Client, make_prediction: Make, query: dict[str, str]
) -> None:
    make_prediction()

    response = admin_client.get(reverse(LIST), query)

    assert response.headers["Location"] == f"{reverse(LIST)}?e=1"


@pytest.mark.parametrize(
    "query", [{"text__regex": "("}, {"confidence__gte": "nan"}, {"duration_ms__gt": "1e999"}]
)
def test_what_the_database_refuses_is_a_wrong_look_up(
    admin_client: Client, make_prediction: Make, query: dict[str, str]
) -> None:
    make_prediction()

    response = admin_client.get(reverse(LIST), query)

    if connection.vendor == "mysql" or "text__regex" in query:
        assert response.headers["Location"] == f"{reverse(LIST)}?e=1"
    else:  # for SQLite these are numbers as others are
        assert response.status_code == 200


def test_a_database_that_fails_is_no_wrong_look_up(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: PredictionQuerySet) -> bool:
        raise OperationalError("disk I/O error")

    monkeypatch.setattr(PredictionQuerySet, "exists", fail)

    with pytest.raises(OperationalError, match="disk I/O error"):
        admin_client.get(reverse(LIST), {"text": "3"})


def test_whoever_reviews_all_of_the_last_page_goes_on_with_the_one_before(
    admin_client: Client, make_prediction: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PredictionAdmin, "list_per_page", 2)
    last, *others = [make_prediction(text="3") for _ in range(5)]  # the newest come first
    address = f"{reverse(LIST)}?review=open&p=3"

    fields = edit((last, "", ""), _right=str(last.pk))
    shown = admin_client.post(address, fields, follow=True)

    assert shown.redirect_chain == [(address, 302)]
    assert shown.context["cl"].page_num == 2
    assert list(shown.context["cl"].result_list) == others[1::-1]


def test_a_correction_in_the_list_is_kept_with_its_reviewer(
    admin_client: Client, admin_user: User, make_prediction: Make
) -> None:
    wrong, other = make_prediction(text="7"), make_prediction(text="3")

    admin_client.post(reverse(LIST), edit((wrong, "", "1"), (other, "", ""), _save="Save"))

    wrong.refresh_from_db()
    other.refresh_from_db()
    assert (wrong.true_text, wrong.reviewed_by, wrong.text) == ("1", admin_user, "7")
    assert wrong.reviewed_at is not None
    assert other.reviewed_at is None


def test_what_is_no_digit_is_refused_as_true_text(
    admin_client: Client, make_prediction: Make
) -> None:
    prediction = make_prediction()

    response = admin_client.post(reverse(LIST), edit((prediction, "", "x"), _save="Save"))

    assert "Please write only the digits 0 to 9." in response.content.decode()
    assert Prediction.objects.not_reviewed().count() == 1


def test_an_emptied_true_text_takes_the_review_back(
    admin_client: Client, make_prediction: Make
) -> None:
    prediction = make_prediction()
    prediction.review("1", by=None)

    admin_client.post(reverse(LIST), edit((prediction, "1", ""), _save="Save"))

    assert Prediction.objects.not_reviewed().count() == 1


def test_a_page_left_open_does_not_undo_another_review(
    admin_client: Client, make_prediction: Make
) -> None:
    prediction = make_prediction()
    seen = edit((prediction, "", ""), _save="Save")
    prediction.review("1", by=None)

    admin_client.post(reverse(LIST), seen)

    prediction.refresh_from_db()
    assert prediction.true_text == "1"


SEEN = r'name="(seen-\d+)" value="([^"]*)"'


def seen_on(address: str, client: Client) -> dict[str, str]:
    """What a page that is open now says back of the reviews it shows."""
    return dict(re.findall(SEEN, client.get(address).text))


@pytest.mark.parametrize("before", [None, "", "3"])
def test_a_correction_typed_in_a_list_left_open_does_not_undo_another_review(
    before: str | None, admin_client: Client, make_prediction: Make
) -> None:
    other, prediction = make_prediction(), make_prediction(text="7")
    if before is not None:
        prediction.review(before, by=None)
    stale = seen_on(reverse(LIST), admin_client)
    prediction.review("4", by=None)

    rows = edit((prediction, before or "", "1"), (other, "", "2"), _save="Save") | stale
    told = messages(admin_client.post(reverse(LIST), rows, follow=True))

    other.refresh_from_db()
    prediction.refresh_from_db()
    assert (prediction.true_text, other.true_text) == ("4", "2")
    assert [entry.object_id for entry in LogEntry.objects.all()] == [str(other.pk)]
    assert told == [
        "1 prediction was changed successfully.",
        f"Prediction {prediction.pk} was reviewed meanwhile: No, it is 4. It is left as it is.",
    ]


@pytest.mark.parametrize("before", [None, "", "3"])
def test_a_correction_typed_on_a_page_left_open_is_asked_for_again(
    before: str | None, admin_client: Client, make_prediction: Make
) -> None:
    prediction = make_prediction(text="7")
    if before is not None:
        prediction.review(before, by=None)
    typed = {"initial-true_text": before or "", "true_text": "1", "_save": "Save"}
    stale = seen_on(page(prediction), admin_client)
    prediction.review("4", by=None)

    asked = admin_client.post(page(prediction), typed | stale).text
    prediction.refresh_from_db()

    assert "Somebody has reviewed this record meanwhile: No, it is 4." in asked
    assert prediction.true_text == "4"

    again = dict(re.findall(SEEN, asked))
    assert admin_client.post(page(prediction), typed | again).status_code == 302
    prediction.refresh_from_db()
    assert prediction.true_text == "1"


@pytest.mark.parametrize("is_list", [True, False])
def test_the_same_correction_from_a_page_left_open_is_no_conflict(
    is_list: bool, admin_client: Client, make_prediction: Make
) -> None:
    prediction = make_prediction(text="7")
    address = reverse(LIST) if is_list else page(prediction)
    stale = seen_on(address, admin_client)
    prediction.review("1", by=None)

    record = {"initial-true_text": "", "true_text": "1", "_save": "Save"}
    fields = edit((prediction, "", "1"), _save="Save") if is_list else record
    response = admin_client.post(address, fields | stale)

    prediction.refresh_from_db()
    assert response.status_code == 302
    assert (prediction.true_text, prediction.reviewed_by) == ("1", None)


@pytest.mark.parametrize(("seen", "typed"), [("", "1"), ("3", "")])
def test_a_review_between_check_and_storing_stays(
    admin_client: Client,
    make_prediction: Make,
    monkeypatch: pytest.MonkeyPatch,
    seen: str,
    typed: str,
) -> None:
    monkeypatch.setattr(admin, "_is_overtaken", lambda *args: False)
    prediction = make_prediction(text="7")
    prediction.review("4", by=None)
    fields = edit((prediction, seen, typed), _save="Save") | {f"seen-{prediction.pk}": seen}

    response = admin_client.post(reverse(LIST), fields, follow=True)

    prediction.refresh_from_db()
    assert prediction.true_text == "4"
    assert "was reviewed meanwhile: No, it is 4." in messages(response)[0]


def test_the_longest_list_has_no_more_fields_than_are_taken(
    admin_client: Client, make_prediction: Make, settings: Settings
) -> None:
    sent = []
    for _ in range(2):
        make_prediction()
        names = re.findall(r'<input[^>]* name="([^"]+)"', admin_client.get(reverse(LIST)).text)
        sent.append(len(names))

    a_row = sent[1] - sent[0]
    assert a_row >= 4
    assert sent[0] + PredictionAdmin.list_max_show_all * a_row < (
        settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    )


@pytest.mark.usefixtures("deleted_meanwhile")
def test_a_record_that_is_deleted_meanwhile_is_told_of(
    admin_client: Client, make_prediction: Make
) -> None:
    corrected, right = make_prediction(), make_prediction()

    for fields in (
        edit((corrected, "", "1"), _save="Save"),
        edit((right, "", ""), _right=str(right.pk)),
    ):
        page = admin_client.post(reverse(LIST), fields, follow=True)
        assert "was deleted meanwhile. Nothing was stored for it." in page.text

    assert not Prediction.objects.exists()


@pytest.mark.parametrize("pressed", ["_save", "_right", "_no_digit"])
def test_rows_of_deleted_records_cost_nothing_else_that_was_typed(
    admin_client: Client, make_prediction: Make, pressed: str
) -> None:
    gone, corrected = make_prediction(), make_prediction(text="3")
    fields = edit((gone, "", "1"), (corrected, "", "8"), **{pressed: str(gone.pk)})
    gone.delete()

    response = admin_client.post(reverse(LIST), fields, follow=True)

    corrected.refresh_from_db()
    assert corrected.true_text == "8"
    assert messages(response) == [
        "1 prediction was changed successfully.",
        "1 of the records was deleted meanwhile. Nothing was stored for it.",
    ]


def test_a_mistake_beside_a_deleted_record_is_shown_again(
    admin_client: Client, make_prediction: Make
) -> None:
    gone, also_gone, mistaken = make_prediction(), make_prediction(), make_prediction(text="3")
    fields = edit((gone, "", ""), (also_gone, "", "1"), (mistaken, "", "x"), _save="Save")
    Prediction.objects.exclude(pk=mistaken.pk).delete()

    page = admin_client.post(reverse(LIST), fields)

    assert "Please write only the digits 0 to 9." in page.text
    assert 'value="x"' in page.text
    assert "2 of the records were deleted meanwhile." in page.text


def test_the_button_of_a_row_says_right_and_saves_other_rows(
    admin_client: Client, admin_user: User, make_prediction: Make
) -> None:
    right, corrected = make_prediction(text="7"), make_prediction(text="3")

    response = admin_client.post(
        reverse(LIST) + "?verdict__exact=accepted",
        edit((right, "", ""), (corrected, "", "8"), _right=str(right.pk)),
    )

    right.refresh_from_db()
    corrected.refresh_from_db()
    assert response.headers["Location"].endswith("?verdict__exact=accepted")
    assert (right.true_text, right.reviewed_by) == ("7", admin_user)
    assert corrected.true_text == "8"


def test_the_button_of_a_row_says_that_there_is_no_digit(
    admin_client: Client, make_prediction: Make
) -> None:
    prediction = make_prediction(text="7")

    admin_client.post(reverse(LIST), edit((prediction, "", ""), _no_digit=str(prediction.pk)))

    prediction.refresh_from_db()
    assert prediction.reviewed_at is not None
    assert prediction.is_right is False


def test_a_typed_correction_wins_over_the_button_of_its_row(
    admin_client: Client, make_prediction: Make
) -> None:
    prediction = make_prediction(text="7")

    admin_client.post(reverse(LIST), edit((prediction, "", "1"), _right=str(prediction.pk)))

    prediction.refresh_from_db()
    assert prediction.true_text == "1"


@pytest.mark.parametrize("pressed", ["_right", "_no_digit"])
def test_a_button_of_a_page_left_open_does_not_undo_another_review(
    admin_client: Client, make_prediction: Make, pressed: str
) -> None:
    prediction = make_prediction(text="7")
    prediction.review("1", by=None)
    row = edit((prediction, "", ""), **{pressed: str(prediction.pk)})
    record = {"true_text": "", "initial-true_text": "", pressed: "pressed"}

    for address, fields in ((reverse(LIST), row), (page(prediction), record)):
        response = admin_client.post(address, fields, follow=True)
        told = [
            f"Prediction {prediction.pk} was reviewed meanwhile: No, it is 1. It is left as it is."
        ]
        assert messages(response) == told

    prediction.refresh_from_db()
    assert (prediction.true_text, prediction.reviewed_by) == ("1", None)
    assert not LogEntry.objects.exists()


def test_each_marked_record_is_in_the_log(
    admin_client: Client, admin_user: User, make_prediction: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "BATCH", 2)
    refused = {"text": "", "verdict": "refused", "reason": "blank"}
    marked = [make_prediction(), make_prediction(text="3"), make_prediction(**refused)]
    reviewed = make_prediction()
    reviewed.review("1", by=None)

    admin_client.post(reverse(LIST), action("mark_right", *marked, reviewed))
    admin_client.post(page(make_prediction()), {"true_text": "", "_no_digit": "No digit"})

    *entries, last = LogEntry.objects.order_by("pk")
    assert [entry.get_edited_object() for entry in entries] == marked
    assert [entry.object_repr for entry in entries] == [str(prediction) for prediction in marked]
    assert {(entry.user, entry.action_flag) for entry in entries} == {(admin_user, CHANGE)}
    assert [entry.change_message for entry in [*entries, last]] == [*3 * ["Right"], "No digit"]


def test_what_is_marked_and_logged_stays_in_the_database(
    admin_client: Client, make_prediction: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As objects, a hundred thousand records and their lines cost many seconds."""
    predictions = [make_prediction() for _ in range(3)]
    monkeypatch.setattr(Prediction, "from_db", pytest.fail)
    monkeypatch.setattr(LogEntry, "__init__", pytest.fail)

    admin_client.post(reverse(LIST), action("mark_right", *predictions))

    assert LogEntry.objects.count() == 3


def test_marking_right_says_what_happened_to_refused_and_reviewed_records(
    admin_client: Client, make_prediction: Make
) -> None:
    read = make_prediction(text="7")
    refused = make_prediction(text="", verdict="refused", reason="blank", confidence=0.0)
    corrected = make_prediction(text="3")
    corrected.review("8", by=None)

    response = admin_client.post(
        reverse(LIST), action("mark_right", read, refused, corrected), follow=True
    )

    for prediction in (read, refused, corrected):
        prediction.refresh_from_db()
    assert (read.true_text, refused.true_text, corrected.true_text) == ("7", "", "8")
    assert refused.is_right
    assert messages(response) == [
        "2 marked as right.",
        "1 had been reviewed before and is as it was.",
        "1 of them had been refused: its record now says that the picture shows no digit.",
    ]


def test_marking_what_was_deleted_meanwhile_changes_nothing(
    admin_client: Client, make_prediction: Make
) -> None:
    gone = make_prediction()
    fields = action("mark_right", gone)
    gone.delete()

    response = admin_client.post(reverse(LIST), fields, follow=True)

    assert messages(response) == ["0 marked as right."]


def test_marking_as_no_digit_reviews_the_selected_records(
    admin_client: Client, make_prediction: Make
) -> None:
    prediction = make_prediction(text="7")

    admin_client.post(reverse(LIST), action("mark_no_digit", prediction))

    prediction.refresh_from_db()
    assert prediction.is_right is False


def test_the_csv_holds_the_selected_records(admin_client: Client, make_prediction: Make) -> None:
    prediction = make_prediction(text="7", confidence=0.98)
    make_prediction()

    response = admin_client.post(reverse(LIST), action("export_csv", prediction))

    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    (row,) = csv.DictReader(io.StringIO(text))
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert (row["id"], row["text"], row["confidence"]) == (str(prediction.public_id), "7", "0.98")


def test_the_csv_is_read_from_the_database_some_records_at_a_time(
    admin_client: Client, make_prediction: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "CHUNK", 2)
    made = [make_prediction() for _ in range(5)]

    response = admin_client.post(reverse(LIST), action("export_csv", *made))
    with CaptureQueriesContext(connection) as asked:
        text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]

    of_records = [query["sql"] for query in asked if "public_id" in query["sql"]]
    ids = [str(prediction.public_id) for prediction in reversed(made)]
    assert [line.split(",")[0] for line in text.splitlines()[1:]] == ids
    assert len(of_records) == 3
    assert not any("JOIN" in sql for sql in of_records)


def test_deleting_asks_first_and_takes_the_pictures_along(
    admin_client: Client, make_prediction: Make, django_capture_on_commit_callbacks: Any
) -> None:
    kept, gone = make_prediction(), make_prediction()

    asked = admin_client.post(reverse(LIST), action("delete_selected", gone))
    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(reverse(LIST), action("delete_selected", gone, post="yes"))

    assert b"Predictions, each with its picture: 1" in asked.content
    assert list(Prediction.objects.all()) == [kept]
    assert not storages["pictures"].exists(str(gone.picture.name))
    assert storages["pictures"].exists(str(kept.picture.name))


def test_all_that_a_filter_shows_are_deleted_however_many(
    admin_client: Client, make_prediction: Make, django_capture_on_commit_callbacks: Any
) -> None:
    gone = [make_prediction(text="7") for _ in range(12)]
    other = make_prediction(text="3")
    address = reverse(LIST) + "?read=7"
    asked = admin_client.post(address, action("delete_selected", gone[0], select_across="1"))
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', asked.text))
    newer = make_prediction(text="7")  # nobody was asked about this one

    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(address, fields)

    assert "Predictions, each with its picture: 12" in asked.text
    assert len(fields) < 10
    assert set(Prediction.objects.all()) == {other, newer}
    assert not storages["pictures"].exists(str(gone[0].picture.name))


def test_many_are_deleted_batch_by_batch_with_one_line_in_the_log(
    admin_client: Client,
    make_prediction: Make,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    monkeypatch.setattr(models, "BATCH", 2)
    gone = [make_prediction() for _ in range(5)]

    with django_capture_on_commit_callbacks(execute=True) as commits:
        response = admin_client.post(
            reverse(LIST), action("delete_selected", *gone, post="yes"), follow=True
        )

    assert not Prediction.objects.exists()
    assert len(commits) == 3
    assert not storages["pictures"].exists(str(gone[4].picture.name))
    assert LogEntry.objects.get().object_repr == "5 predictions"
    assert messages(response) == ["5 predictions deleted."]


def test_a_page_shows_the_reading_and_lets_only_the_review_be_changed(
    admin_client: Client, make_prediction: Make
) -> None:
    prediction = make_prediction(text="7")

    response = admin_client.get(page(prediction))

    html = response.content.decode()
    assert html.count("<meter") == 10
    assert '<rect class="box" x="5" y="10" width="30" height="40"' in html
    assert list(response.context["adminform"].form.fields) == ["true_text"]


def test_a_page_of_a_purged_picture_still_opens(
    admin_client: Client, make_prediction: Make
) -> None:
    prediction = make_prediction(picture="")

    assert "The picture has been removed" in admin_client.get(page(prediction)).content.decode()


@pytest.mark.parametrize(
    ("data", "true_text"),
    [
        ({"true_text": "1", "_save": "Save"}, "1"),
        ({"true_text": "", "_right": "Right"}, "7"),
        ({"true_text": "2", "_right": "Right"}, "2"),
        ({"true_text": "", "_no_digit": "No digit"}, ""),
    ],
)
def test_a_page_keeps_the_review(
    admin_client: Client, make_prediction: Make, data: dict[str, str], true_text: str
) -> None:
    prediction = make_prediction(text="7")

    response = admin_client.post(page(prediction), {"initial-true_text": "", **data})

    prediction.refresh_from_db()
    assert response.status_code == 302
    assert prediction.reviewed_at is not None
    assert (prediction.text, prediction.true_text) == ("7", true_text)


def test_where_there_is_nothing_only_that_is_asked(
    admin_client: Client, make_prediction: Make
) -> None:
    make_prediction()

    with CaptureQueriesContext(connection) as queries:
        page = admin_client.get(reverse(LIST), {"q": "77"})

    asked = [
        query["sql"]
        for query in queries
        if 'FROM "recognition_prediction"' in query["sql"].replace("`", '"')
    ]
    assert page.context["cl"].result_count == 0
    assert len(asked) == 1


def test_nothing_can_be_added(admin_client: Client, db: None) -> None:
    assert admin_client.get("/admin/recognition/prediction/add/").status_code == 403


def test_who_may_only_look_cannot_review(client: Client, make_prediction: Make) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_prediction"))
    client.force_login(viewer)
    prediction = make_prediction()

    shown = client.get(reverse(LIST))
    client.post(reverse(LIST), edit((prediction, "", ""), _right=str(prediction.pk)))
    client.post(reverse(LIST), action("mark_right", prediction))
    opened = client.get(page(prediction))

    prediction.refresh_from_db()
    assert (shown.status_code, opened.status_code) == (200, 200)
    assert b'name="_right"' not in shown.content + opened.content
    assert prediction.reviewed_at is None
