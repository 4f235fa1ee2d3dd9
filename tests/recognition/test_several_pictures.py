"""Several pictures at once: a table in which a bad file does not stop the others."""

from __future__ import annotations

import codecs
import csv
import io
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from digitsite import uploads
from ml import images
from recognition import several
from recognition.models import Prediction, TrainedModel

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

pytestmark = pytest.mark.django_db
Drawn = Callable[..., bytes]
Files = list[tuple[str, bytes]]


def send(client: Client, files: Files) -> Response:
    return client.post("/", {"picture": [SimpleUploadedFile(*file) for file in files]})


def add(client: Client, files: Files, table: str = "") -> Response:
    pictures = [SimpleUploadedFile(*file) for file in files]
    return client.post(reverse("several_add"), {"picture": pictures, "table": table})


@pytest.fixture
def files(drawn: Drawn) -> Files:
    return [("seven.png", drawn(7)), ("notes.txt", b"no picture"), ("three.png", drawn(3))]


def test_several_files_lead_to_a_table_of_their_answers(
    client: Client, files: Files, digit_model: TrainedModel
) -> None:
    response = send(client, files)

    assert response.status_code == 302
    page = client.get(response["Location"])
    assert [row.name for row in page.context["rows"]] == ["seven.png", "notes.txt", "three.png"]
    for prediction in Prediction.objects.all():
        assert prediction.get_absolute_url() in page.text
        assert reverse("thumbnail", args=[prediction.public_id]) in page.text


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        (1, 0, "It has an answer."),
        (2, 0, "Each has an answer."),
        (0, 1, "It has no answer, and says what is wrong."),
        (2, 1, "2 of 3 have an answer; the other says what is wrong."),
        (1, 2, "1 of 3 has an answer; the others say what is wrong."),
    ],
)
def test_the_table_says_how_many_have_an_answer(
    client: Client, drawn: Drawn, digit_model: TrainedModel, good: int, bad: int, said: str
) -> None:
    files = [("seven.png", drawn(7))] * good + [("notes.txt", b"no picture")] * bad

    page = client.get(add(client, files).json()["address"])

    assert said in page.text


@pytest.mark.parametrize("name", ["several", "several_csv"])
def test_a_table_is_found_by_its_id_in_capital_letters(
    client: Client, files: Files, digit_model: TrainedModel, name: str
) -> None:
    key = send(client, files)["Location"].split("/")[2]
    address = reverse(name, args=[key]).replace(key, key.upper())

    assert client.get(address).status_code == 200


def test_a_bad_file_says_what_is_wrong_and_stops_no_other(
    client: Client, files: Files, digit_model: TrainedModel
) -> None:
    page = client.get(send(client, [*files, ("empty.png", b"")])["Location"])

    rows = page.context["rows"]
    assert [row.prediction and row.prediction.text for row in rows] == ["7", None, "3", None]
    assert rows[1].problem in page.text
    assert rows[3].problem == "The file is empty. Please choose another picture."
    assert "2 of 4 have an answer" in page.text
    assert Prediction.objects.count() == 2


def test_a_picture_that_is_refused_says_why(
    client: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    blank = images.to_png(np.full((200, 200), 255, np.uint8))

    page = client.get(send(client, [("seven.png", drawn(7)), ("blank.png", blank)])["Location"])

    assert "There is nothing written in this picture." in page.text
    assert "1 of 2 has an answer" in page.text


def test_loading_the_table_again_stores_nothing_again(
    client: Client, files: Files, digit_model: TrainedModel
) -> None:
    address = send(client, files)["Location"]

    client.get(address)
    client.get(address)

    assert Prediction.objects.count() == 2


def test_files_of_which_none_is_a_picture_store_nothing(
    client: Client, digit_model: TrainedModel
) -> None:
    page = client.get(send(client, [("a", b"x"), ("b", b"y")])["Location"])

    assert "They have no answer, and say what is wrong." in page.text
    assert "visitor" not in client.cookies
    assert not Prediction.objects.exists()


def test_more_than_a_hundred_files_are_refused_and_nothing_is_stored(
    client: Client, digit_model: TrainedModel
) -> None:
    response = send(client, [("a.png", b"x")] * (several.MAX_FILES + 1))

    assert response.status_code == 422
    assert response.context["form"].has_error("picture", "too_many_files")
    assert "At most 100 pictures" in response.text
    assert "several" not in client.session


def test_more_files_than_django_takes_are_refused_in_plain_words(
    client: Client, digit_model: TrainedModel, settings: Settings
) -> None:
    response = send(client, [("a.png", b"x")] * (settings.DATA_UPLOAD_MAX_NUMBER_FILES + 1))

    assert response.status_code == 400
    assert "At most 100 pictures" in response.text
    assert settings.DATA_UPLOAD_MAX_NUMBER_FILES > several.MAX_FILES


def test_too_many_bytes_together_are_refused_and_nothing_is_stored(
    client: Client, files: Files, digit_model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(several, "MAX_TOTAL_BYTES", 100)

    response = send(client, files)

    assert response.status_code == 422
    assert response.context["form"].has_error("picture", "too_large_together")
    assert not Prediction.objects.exists()


def test_many_large_files_do_not_fill_the_disk(
    client: Client, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_KEPT_TOGETHER", 300_000)
    monkeypatch.setattr(several, "MAX_TOTAL_BYTES", 300_000)
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 0
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)

    response = send(client, [("a.png", bytes(200_000))] * 5)

    assert response.context["form"].has_error("picture", "too_large_together")
    assert sum(path.stat().st_size for path in tmp_path.iterdir() if path.is_file()) < 400_000
    response.close()


def test_without_a_model_nothing_is_stored(client: Client, files: Files) -> None:
    assert send(client, files).status_code == 503
    assert add(client, files).status_code == 503
    assert "several" not in client.session


def test_a_table_grows_file_by_file(
    client: Client, files: Files, digit_model: TrainedModel
) -> None:
    first = add(client, files[:1]).json()
    second = add(client, files[1:], first["table"]).json()

    page = client.get(second["address"])
    assert second["table"] == first["table"]
    assert "seven.png" in first["rows"]
    assert "no picture" not in second["rows"]
    assert [row.name for row in page.context["rows"]] == [name for name, _ in files]


def test_two_tabs_do_not_take_rows_from_each_other(
    client: Client, files: Files, digit_model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = (add(client, files[:1]).json()["table"] for _ in range(2))
    read_one = several._read_one

    def read_while_the_other_tab_sends(request: Any, picture: Any) -> several.Row:
        monkeypatch.setattr(several, "_read_one", read_one)
        add(client, files[2:], other)
        return read_one(request, picture)

    monkeypatch.setattr(several, "_read_one", read_while_the_other_tab_sends)
    add(client, files[1:2], one)

    tables = client.session["several"]
    assert [entry["name"] for entry in tables[one]] == ["seven.png", "notes.txt"]
    assert [entry["name"] for entry in tables[other]] == ["seven.png", "three.png"]


def test_who_signs_out_while_pictures_are_read_is_told_so(
    client: Client, files: Files, digit_model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = add(client, files[:1]).json()["table"]

    def read_after_signing_out(request: Any, picture: Any) -> several.Row:
        client.session.flush()
        return several.Row("a.png", None, "bad")

    monkeypatch.setattr(several, "_read_one", read_after_signing_out)

    assert add(client, files[1:2], table).status_code == 400


def test_a_table_does_not_grow_over_a_hundred_rows(
    client: Client, files: Files, digit_model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(several, "MAX_FILES", 3)
    table = add(client, files).json()["table"]

    response = add(client, files[:1], table)

    assert response.status_code == 422
    assert "At most" in response.json()["message"]
    assert response.json()["code"] == "too_many_files"
    assert Prediction.objects.count() == 2


def test_an_addition_without_a_file_or_with_a_false_table_is_refused(
    client: Client, files: Files, digit_model: TrainedModel
) -> None:
    assert add(client, []).status_code == 422
    assert add(client, files, "no-uuid").status_code == 422
    assert add(client, files, str(uuid.uuid4())).status_code == 404
    assert client.get(reverse("several_add")).status_code == 405
    assert not Prediction.objects.exists()


def test_additions_from_elsewhere_are_refused(files: Files) -> None:
    assert add(Client(enforce_csrf_checks=True), files).status_code == 403


def test_a_table_belongs_to_its_visitor(
    client: Client, files: Files, digit_model: TrainedModel
) -> None:
    address = send(client, files)["Location"]
    stranger = Client()
    stranger.force_login(User.objects.create_user("teacher"))

    for path in (address, address.rstrip("/") + ".csv"):
        assert client.get(path).status_code == 200
        assert client.post(path).status_code == 405
        assert stranger.get(path).status_code == 404


def test_what_was_deleted_is_gone_from_the_table(
    client: Client, files: Files, digit_model: TrainedModel
) -> None:
    address = send(client, files)["Location"]
    Prediction.objects.filter(text="7").delete()

    assert "It was deleted since." in client.get(address).text


@pytest.mark.parametrize(
    ("true_text", "said"),
    [("7", "Right"), ("1", "Wrong, it is 1"), ("", "Wrong, it is no digit")],
)
def test_what_was_corrected_is_said_in_the_table_and_its_csv(
    client: Client, drawn: Drawn, digit_model: TrainedModel, true_text: str, said: str
) -> None:
    address = send(client, [("a.png", drawn(7)), ("b.png", b"x")])["Location"]
    assert "several-said" not in client.get(address).text

    prediction = Prediction.objects.get()
    prediction.review(true_text, by=None)

    table = client.get(address.rstrip("/") + ".csv").content.decode("utf-8-sig")
    row, unread = csv.DictReader(io.StringIO(table))
    at = prediction.reviewed_at
    assert f'<span class="several-said">{said}' in client.get(address).text
    assert (row["text"], row["true_text"]) == ("7", true_text)
    assert row["reviewed_at"] == (at and at.isoformat(timespec="seconds"))
    assert (unread["true_text"], unread["reviewed_at"]) == ("", "")


def test_the_session_keeps_the_newest_tables_only(
    client: Client, files: Files, digit_model: TrainedModel
) -> None:
    bad: Files = [("a", b"x"), ("b", b"y")]
    addresses = [send(client, bad)["Location"] for _ in range(several.TABLES_KEPT + 1)]

    assert client.get(addresses[0]).status_code == 404
    assert [client.get(address).status_code for address in addresses[1:]] == [200] * 3
    assert json.dumps(client.session["several"]).count("problem") == 2 * several.TABLES_KEPT


def test_the_table_as_csv_runs_no_formula(
    client: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    address = send(client, [("=1+1.png", drawn(7)), ("bad.png", b"x")])["Location"]

    response = client.get(address.rstrip("/") + ".csv")

    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert response.content.startswith(codecs.BOM_UTF8)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in response["Content-Disposition"]
    assert [row["file"] for row in rows] == ["'=1+1.png", "bad.png"]
    assert [row["text"] for row in rows] == ["7", ""]
    assert rows[0]["id"] == str(Prediction.objects.get().public_id)
    assert rows[1]["problem"]


def test_the_table_as_csv_never_rounds_a_confidence_up_to_1(
    client: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    address = send(client, [("a.png", drawn(7)), ("b.png", drawn(7))])["Location"]
    Prediction.objects.update(confidence=0.99999)

    response = client.get(address.rstrip("/") + ".csv")

    rows = csv.DictReader(io.StringIO(response.text))
    assert [row["confidence"] for row in rows] == ["0.9999"] * 2


def test_the_number_of_queries_does_not_grow_with_the_table(
    client: Client,
    drawn: Drawn,
    digit_model: TrainedModel,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    address = send(client, [("a.png", drawn(1))] * 6)["Location"]

    with django_assert_num_queries(2):  # the session with the table, predictions
        client.get(address)


def test_without_a_model_a_growing_table_says_so(client: Client, db: None) -> None:
    response = client.post("/several/", {"picture": SimpleUploadedFile("a.png", b"x")})

    assert response.status_code == 503
    assert response.json()["code"] == "unavailable"
