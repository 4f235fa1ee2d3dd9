"""A person takes the history along, as a table or for a program."""

from __future__ import annotations

import csv
import io
import json
import uuid
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from recognition import history
from recognition.models import Prediction

pytestmark = pytest.mark.django_db
Make = Callable[..., Prediction]


def table(client: Client, **filters: str) -> list[dict[str, str]]:
    return list(
        csv.DictReader(
            io.StringIO(client.get("/history.csv", filters).getvalue().decode("utf-8-sig"))
        )
    )


def test_the_table_holds_what_the_list_shows_and_nothing_of_others(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    old = make_prediction(visitor=visitor, created_at=timezone.now() - timedelta(1))
    new = make_prediction(visitor=visitor, source="draw")
    make_prediction(visitor=uuid.uuid4())

    assert [row["id"] for row in table(client)] == [str(new.public_id), str(old.public_id)]
    assert [row["id"] for row in table(client, source="draw")] == [str(new.public_id)]


def test_the_files_are_sent_while_they_are_read(client: Client) -> None:
    for name, content_type in history.CONTENT_TYPES.items():
        response = client.get(f"/history.{name}")

        assert response.streaming
        assert response["Content-Type"] == content_type
        assert response["Content-Disposition"] == f'attachment; filename="digits.{name}"'


def test_a_text_cannot_run_as_a_formula(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    make_prediction(visitor=visitor).review("=1+1", by=None)

    assert table(client)[0]["true_text"] == "'=1+1"


def test_programs_get_the_same_as_json(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    assert json.loads(client.get("/history.json").getvalue()) == []
    for _ in range(2):
        make_prediction(visitor=visitor)

    entries = json.loads(client.get("/history.json").getvalue())

    assert [entry["id"] for entry in entries] == [row["id"] for row in table(client)]
    assert (entries[0]["text"], entries[0]["confidence"]) == ("7", 0.98)


def test_the_names_of_staff_stay_here(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    make_prediction(visitor=visitor).review("7", by=User.objects.create_user("boss"))

    assert b"boss" not in client.get("/history.json").getvalue()
    assert "reviewed_by" not in table(client)[0]


def test_no_record_is_lost_or_doubled_between_chunks(
    make_prediction: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "CHUNK", 3)
    moment = timezone.now()
    made = [make_prediction(created_at=moment, picture="") for _ in range(6)]
    made.append(make_prediction(created_at=moment - timedelta(1), picture=""))

    walked = list(history.walk(Prediction.objects.all()))

    assert walked == [*reversed(made[:6]), made[6]]


def test_a_chunk_costs_two_queries_and_no_join(
    client: Client,
    visitor: uuid.UUID,
    make_prediction: Make,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(5):
        make_prediction(visitor=visitor)

    with django_assert_num_queries(2) as asked:  # the records, their models
        assert len(table(client)) == 5

    assert not any("JOIN" in query["sql"] for query in asked.captured_queries)


def archive(client: Client, **filters: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(client.get("/history.zip", filters).getvalue()))


def test_the_pictures_come_with_the_records(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    own = [make_prediction(visitor=visitor, source="draw"), make_prediction(visitor=visitor)]
    make_prediction(visitor=visitor, picture="")
    make_prediction(visitor=uuid.uuid4())

    everything = archive(client)
    drawn = archive(client, source="draw")

    assert everything.testzip() is None
    entries = json.loads(everything.read("digits.json"))
    assert entries == json.loads(client.get("/history.json").getvalue())
    pictures = [f"pictures/{prediction.public_id}.png" for prediction in own]
    assert sorted(everything.namelist()) == sorted(["digits.json", *pictures])
    assert everything.read(pictures[0]) == Path(own[0].picture.path).read_bytes()
    assert drawn.namelist() == ["digits.json", pictures[0]]


def test_pictures_are_read_one_after_another(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    for _ in range(3):
        make_prediction(visitor=visitor)
    start_of_a_file = b"PK\3\4"

    response = client.get("/history.zip")

    files = [part.count(start_of_a_file) for part in response]
    assert [count for count in files if count] == [1, 1, 1, 1]


@pytest.mark.parametrize("is_folder", [False, True])
def test_a_lost_picture_is_left_out_and_logged(
    client: Client,
    visitor: uuid.UUID,
    make_prediction: Make,
    caplog: pytest.LogCaptureFixture,
    is_folder: bool,
) -> None:
    prediction = make_prediction(visitor=visitor)
    Path(prediction.picture.path).unlink()
    if is_folder:  # a file that is there and cannot be read
        Path(prediction.picture.path).mkdir()

    assert archive(client).namelist() == ["digits.json"]
    assert f"The picture of prediction {prediction.public_id} is missing" in caplog.text


@pytest.mark.parametrize("path", ["/history.csv", "/history.json", "/history.zip"])
def test_other_methods_are_refused(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405
