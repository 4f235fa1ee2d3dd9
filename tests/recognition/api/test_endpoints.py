"""The API, as a program with a key uses it."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.asserts import assertNumQueries
from pytest_django.fixtures import Settings

from recognition import cursors, intake, recognizers
from recognition.api import examples, schemas
from recognition.cursors import Cursor
from recognition.models import ApiKey, Prediction, TrainedModel
from tests.recognition.test_bad_input import READ, REFUSED, decode

pytestmark = pytest.mark.django_db
Drawn = Callable[..., bytes]
Make = Callable[..., Prediction]
LIST = "/api/v1/predictions"
BATCH = f"{LIST}/batch"


@pytest.fixture
def program(api_key: ApiKey) -> Client:
    return Client(headers={"authorization": f"Bearer {api_key.token}"})


@pytest.fixture
def make(make_prediction: Make, api_key: ApiKey) -> Make:
    """A prediction of the key's owner."""
    return lambda **fields: make_prediction(**{"owner": api_key.owner, **fields})


def send_json(client: Client, body: Any, url: str = LIST) -> Any:
    return client.post(url, json.dumps(body), content_type="application/json")


def change(client: Client, prediction: Prediction, body: Any) -> Any:
    url = f"{LIST}/{prediction.public_id}"
    return client.patch(url, json.dumps(body), content_type="application/json")


def listed(client: Client, **query: str) -> list[str]:
    response = client.get(f"{LIST}?{urlencode(query)}")
    assert response.status_code == 200, response.text
    return [item["id"] for item in response.json()["items"]]


def ids(*predictions: Prediction) -> list[str]:
    return [str(prediction.public_id) for prediction in predictions]


# Create


def test_a_file_is_read_and_stored(
    program: Client, drawn: Drawn, digit_model: TrainedModel, api_key: ApiKey
) -> None:
    response = program.post(LIST, {"picture": io.BytesIO(drawn(4))})

    assert response.status_code == 201
    answer = response.json()
    assert (answer["text"], answer["verdict"], answer["source"]) == ("4", "accepted", "api")
    assert len(answer["digits"][0]["probabilities"]) == 10
    assert program.get(response["Location"]).json() == answer
    assert Prediction.objects.get().owner == api_key.owner


def test_base64_is_read_and_stored(
    program: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    encoded = base64.encodebytes(drawn(3)).decode()

    assert send_json(program, {"picture": encoded}).json()["text"] == "3"
    data_url = f"data:image/png;base64,{encoded}"
    assert send_json(program, {"picture": data_url}).json()["text"] == "3"


def test_the_example_is_read_as_the_document_says(
    program: Client, digit_model: TrainedModel
) -> None:
    answer = send_json(program, {"picture": examples.PICTURE}).json()

    example = examples.PREDICTION
    assert answer.keys() == example.keys()
    for name in ("text", "verdict", "reason", "source", "script", "true_text"):
        assert answer[name] == example[name]
    assert answer["digits"][0].keys() == example["digits"][0].keys()
    assert answer["picture"].keys() == example["picture"].keys()
    assert answer["picture"]["width"] == example["picture"]["width"]


@pytest.mark.parametrize("kind", REFUSED)
def test_a_bad_file_is_a_problem_and_nothing_stays(
    kind: str, program: Client, drawn: Drawn, digit_model: TrainedModel, settings: Settings
) -> None:
    make, code = REFUSED[kind]

    response = program.post(LIST, {"picture": SimpleUploadedFile("a.png", make(drawn()))})

    assert response.status_code == (413 if code == "too_large" else 422)
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == code
    assert not Prediction.objects.exists()
    assert not [path for path in Path(settings.PICTURE_ROOT).rglob("*") if path.is_file()]


@pytest.mark.parametrize("kind", READ)
def test_an_unusual_file_is_read_all_the_same(
    kind: str, program: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    make, name = READ[kind]
    file = SimpleUploadedFile(name, make(decode(drawn(7))))

    assert program.post(LIST, {"picture": file}).json()["text"] == "7"


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("{", "application/json", 400),
        (" ", "application/json", 400),
        ("[" * 100_000, "application/json", 400),
        ("[]", "application/json", 422),
        ("{}", "application/json", 422),
        ('{"picture": 4}', "application/json", 422),
        ('{"picture": null}', "application/json", 422),
        ('{"picture": ""}', "application/json", 422),
        ('{"picture": "*"}', "application/json", 422),
        ('{"picture": "\\ud800"}', "application/json", 422),
        ('{"picture": "aGVsbG8="}', "application/json", 422),
        ('{"picture": "", "pictur": ""}', "application/json", 422),
        (f'{{"picture": "{"A" * 10_000_000}"}}', "application/json", 413),
        ("--x--", "multipart/form-data; boundary=x", 422),
        ("--x", "multipart/form-data", 400),
        ("picture=4", "application/x-www-form-urlencoded", 415),
        ("4", "image/png", 415),
        ("4", "", 415),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_body_that_makes_no_sense_is_a_problem(
    program: Client, digit_model: TrainedModel, body: str, content_type: str, status: int
) -> None:
    for url in (LIST, BATCH):
        response = program.generic("POST", url, body, content_type)

        assert response.status_code == status
        assert response["Content-Type"] == "application/problem+json"
        assert response.json()["status"] == status
    assert not Prediction.objects.exists()


def test_a_body_that_is_no_object_says_what_is_wrong_of_the_whole(program: Client) -> None:
    for url in (LIST, BATCH):
        found = send_json(program, [], url).json()

        assert found["errors"][0]["where"] == "body"
        assert found["detail"].startswith("body: ")


@pytest.mark.parametrize(
    "fields",
    [{"file": 3_000_000 * "y"}, {f"field{n}": "" for n in range(1100)}],
    ids=["long", "many"],
)
def test_too_much_text_in_a_form_is_called_so(program: Client, fields: dict[str, str]) -> None:
    for url, field in ((LIST, "picture"), (BATCH, "pictures")):
        response = program.post(url, fields | {field: io.BytesIO(b"x")})

        assert response.status_code == 413
        assert response.json()["detail"] == intake.TOO_MUCH_TEXT


def test_a_body_in_pieces_is_asked_for_in_one(program: Client, digit_model: TrainedModel) -> None:
    for content_type in ("application/json", "multipart/form-data; boundary=x"):
        response = program.generic(
            "POST",
            LIST,
            headers={"transfer-encoding": "chunked"},
            CONTENT_TYPE=content_type,
        )

        assert response.status_code == 411
        assert "Content-Length" in response.json()["detail"]


def test_two_files_are_sent_to_the_batch_instead(
    program: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    files = [SimpleUploadedFile("a.png", drawn()), SimpleUploadedFile("b.png", drawn())]

    response = program.post(LIST, {"picture": files})

    assert response.status_code == 422
    assert "batch" in response.json()["detail"]
    assert not Prediction.objects.exists()


def test_a_bad_picture_does_not_stop_the_others(
    program: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    files = [
        SimpleUploadedFile("four.png", drawn(4)),
        SimpleUploadedFile("text.png", b"no picture"),
        SimpleUploadedFile("seven.png", drawn(7)),
    ]

    results = program.post(BATCH, {"pictures": files}).json()["results"]

    assert [result["name"] for result in results] == ["four.png", "text.png", "seven.png"]
    assert results[0]["prediction"]["text"] == "4"
    assert results[0]["problem"] is None
    assert results[1]["prediction"] is None
    assert results[1]["problem"]["code"] == "not_an_image"
    assert results[2]["prediction"]["text"] == "7"
    assert Prediction.objects.count() == 2


def test_many_pictures_come_as_base64_too(
    program: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    pictures = [base64.b64encode(drawn(digit)).decode() for digit in (1, 2)]

    results = send_json(program, {"pictures": [*pictures, "*"]}, BATCH).json()["results"]

    assert [result["prediction"]["text"] for result in results[:2]] == ["1", "2"]
    assert results[2]["problem"]["code"] == "not_base64"


def test_more_than_a_hundred_pictures_are_too_many(
    program: Client, digit_model: TrainedModel
) -> None:
    files = [SimpleUploadedFile("a.png", b"x") for _ in range(101)]

    assert program.post(BATCH, {"pictures": files}).status_code == 413
    assert send_json(program, {"pictures": 101 * ["x"]}, BATCH).status_code == 422
    assert send_json(program, {"pictures": []}, BATCH).status_code == 422


def test_without_a_model_nothing_is_read(program: Client, drawn: Drawn) -> None:
    for url, field in ((LIST, "picture"), (BATCH, "pictures")):
        response = program.post(url, {field: io.BytesIO(drawn())})

        assert response.status_code == 503
        assert response["Content-Type"] == "application/problem+json"


# Get, list


def test_the_picture_is_given_as_it_is_kept(program: Client, make: Make) -> None:
    prediction = make()

    response = program.get(f"{LIST}/{prediction.public_id}/picture")

    assert response["Content-Type"] == "image/png"
    with prediction.picture.open() as file:
        assert b"".join(response.streaming_content) == file.read()  # type: ignore[attr-defined]


def test_an_id_in_capital_letters_is_the_same(program: Client, make: Make) -> None:
    prediction = make()
    address = f"{LIST}/{str(prediction.public_id).upper()}"

    assert program.get(address).json()["id"] == str(prediction.public_id)
    assert program.get(f"{address}/picture").getvalue()


def test_a_purged_picture_is_gone_and_the_record_says_so(program: Client, make: Make) -> None:
    prediction = make()
    Prediction.objects.purge_pictures()

    assert program.get(f"{LIST}/{prediction.public_id}/picture").status_code == 404
    assert program.get(f"{LIST}/{prediction.public_id}").json()["picture"] is None


def test_why_it_is_not_accepted_is_said_in_words(program: Client, make: Make) -> None:
    prediction = make(text="", verdict="refused", reason="blank", confidence=0, digits=[])

    answer = program.get(f"{LIST}/{prediction.public_id}").json()

    assert answer["reason"] == "blank"
    assert "nothing written" in answer["explanation"]


def test_the_list_is_narrowed_by_each_filter(program: Client, make: Make) -> None:
    march = datetime(2026, 3, 1, tzinfo=UTC)
    plain = make(created_at=march)
    drawn = make(created_at=march + timedelta(1), source="draw", text="4")
    unsure = make(created_at=march + timedelta(2), verdict="unsure", reason="unsure")
    right = make(created_at=march + timedelta(3), true_text="7", reviewed_at=march)
    wrong = make(created_at=march + timedelta(4), true_text="1", reviewed_at=march)

    assert listed(program) == ids(wrong, right, unsure, drawn, plain)
    assert listed(program, source="draw") == ids(drawn)
    assert listed(program, verdict="unsure") == ids(unsure)
    assert listed(program, text="4") == ids(drawn)
    assert listed(program, reviewed="true") == ids(wrong, right)
    assert listed(program, reviewed="false") == ids(unsure, drawn, plain)
    assert listed(program, right="true") == ids(right)
    assert listed(program, right="false") == ids(wrong)
    assert listed(program, since="2026-03-04T00:00:00Z") == ids(wrong, right)
    assert listed(program, until="2026-03-02T05:30:00+05:30") == ids(plain)
    assert listed(program, until="2026-03-02T05:30:00 05:30") == ids(plain)


@pytest.mark.parametrize(
    "query",
    [
        "verdict=maybe",
        "source=",
        "limit=0",
        "limit=101",
        "since=2026",
        "since=2026-03-01",
        "since=2026-02-30T00:00:00Z",
        "until=0",
        "right=perhaps",
        "cursor=",
        "cursor=x",
        "cursor=%C3%A9",
        "cursor=1772323200000000",
        "verdct=refused",
        "verdict=accepted&verdict=refused",
        "limit=1&limit=2",
    ],
)
def test_a_filter_that_makes_no_sense_is_a_problem(program: Client, query: str) -> None:
    response = program.get(f"{LIST}?{query}")

    assert response.status_code == 422
    name = query.partition("=")[0]
    assert response.json()["errors"][0]["where"].split(".")[1] == name


def test_the_ends_of_the_calendar_are_no_error(program: Client, make: Make) -> None:
    prediction = make()

    assert listed(program, since="0001-01-01T00:00:00+14:00") == ids(prediction)
    assert listed(program, until="9999-12-31T23:59:59-12:00") == ids(prediction)


def test_the_pages_hold_everything_once(program: Client, make: Make) -> None:
    same = datetime(2026, 3, 1, tzinfo=UTC)
    made = [make(created_at=same + timedelta(seconds=n // 3)) for n in range(8)]
    found, query = [], {"limit": "3"}

    while True:
        page = program.get(f"{LIST}?{urlencode(query)}").json()
        found += [item["id"] for item in page["items"]]
        make(created_at=same + timedelta(days=1))  # what comes meanwhile moves nothing
        if page["next"] is None:
            break
        query["cursor"] = page["next"]

    assert found == ids(*reversed(made))


def test_the_list_asks_the_same_queries_however_long_it_is(program: Client, make: Make) -> None:
    program.get(LIST)  # notes the key's use
    for count in (1, 5):
        for _ in range(count):
            make()
        with assertNumQueries(3) as asked:  # the key, the predictions, their models
            program.get(LIST)
        assert "JOIN" not in asked.captured_queries[1]["sql"]


@pytest.mark.parametrize("place", [None, Cursor(datetime(2026, 3, 1, tzinfo=UTC), 7)])
def test_a_page_is_found_by_an_index(api_key: ApiKey, place: Cursor | None) -> None:
    mine = Prediction.objects.filter(owner=api_key.owner)

    with CaptureQueriesContext(connection) as captured:
        cursors.page(mine, limit=50, cursor=place)

    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + captured[0]["sql"])
            plan = " ".join(row[3] for row in cursor.fetchall())
        assert "USING INDEX prediction_owner" in plan
        assert "TEMP B-TREE" not in plan


def test_the_types_are_those_of_the_records() -> None:
    assert set(get_args(schemas.Verdict)) == set(Prediction.Verdict.values)
    assert set(get_args(schemas.Source)) == set(Prediction.Source.values)


# Correct, delete


def test_a_correction_is_stored_and_can_be_taken_back(
    program: Client, make: Make, api_key: ApiKey
) -> None:
    prediction = make()

    answer = change(program, prediction, {"true_text": "1"}).json()
    prediction.refresh_from_db()
    assert (answer["true_text"], answer["is_right"]) == ("1", False)
    assert prediction.reviewed_by == api_key.owner

    assert change(program, prediction, {"true_text": "7"}).json()["is_right"] is True
    assert change(program, prediction, {"true_text": ""}).json()["true_text"] == ""
    assert change(program, prediction, {"true_text": None}).json()["reviewed_at"] is None


@pytest.mark.parametrize(
    "body", [{}, [], {"true_text": "x"}, {"true_text": 7}, {"true_text": "௭"}, {"text": "7"},
             {"true_text": 51 * "7"}, {"true_text": "7\n"}, {"true_text": "7", "text": "7"}],
    ids=str,
)  # fmt: skip
def test_a_correction_that_makes_no_sense_changes_nothing(
    program: Client, make: Make, body: Any
) -> None:
    prediction = make()

    response = change(program, prediction, body)

    prediction.refresh_from_db()
    assert response.status_code == 422
    assert prediction.reviewed_at is None


@pytest.mark.usefixtures("deleted_meanwhile")
def test_a_record_that_is_deleted_meanwhile_is_not_found(program: Client, make: Make) -> None:
    response = change(program, make(), {"true_text": "1"})

    assert response.status_code == 404
    assert not Prediction.objects.exists()


def test_a_correction_is_json(program: Client, make: Make) -> None:
    response = program.patch(f"{LIST}/{make().public_id}", "true_text=7", content_type="text/plain")

    assert response.status_code == 415


def test_deleting_takes_the_picture_too(
    program: Client,
    make: Make,
    settings: Settings,
    django_capture_on_commit_callbacks: Any,
) -> None:
    prediction = make()

    with django_capture_on_commit_callbacks(execute=True):
        response = program.delete(f"{LIST}/{prediction.public_id}")

    assert response.status_code == 204
    assert not response.content
    assert not Prediction.objects.exists()
    assert not [path for path in Path(settings.PICTURE_ROOT).rglob("*") if path.is_file()]
    assert program.delete(f"{LIST}/{prediction.public_id}").status_code == 404


# The site


def test_anybody_may_ask_for_models_and_health(client: Client, digit_model: TrainedModel) -> None:
    models = client.get("/api/v1/models").json()

    assert models[0]["version"] == digit_model.version
    assert models[0]["active"] is True
    assert client.get("/api/v1/health").json() == {"status": "ok"}


def test_a_wrong_key_is_refused_where_none_is_needed(client: Client, db: None) -> None:
    answer = client.get("/api/v1/models", headers={"Authorization": "Bearer digits_wrong"})

    assert answer.status_code == 401


def test_a_site_without_a_model_is_not_well(client: Client) -> None:
    response = client.get("/api/v1/health")

    assert response.status_code == 503
    assert response["Content-Type"] == "application/problem+json"


def test_a_site_without_a_database_is_not_well(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(script: str) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(recognizers, "active", fail)

    assert client.get("/api/v1/health").status_code == 503


# The session of the site's own pages


@pytest.fixture
def browser(django_user_model: type[User]) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(django_user_model.objects.create_user("reader"))
    return client


def test_a_session_reads_without_a_token(browser: Client) -> None:
    assert browser.get(LIST).json()["items"] == []


def test_a_session_changes_nothing_without_the_token(
    browser: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    response = browser.post(LIST, {"picture": io.BytesIO(drawn())})

    assert response.status_code == 403
    assert response["Content-Type"] == "application/problem+json"
    assert not Prediction.objects.exists()


def test_a_session_with_the_token_works_like_a_key(
    browser: Client, drawn: Drawn, digit_model: TrainedModel
) -> None:
    browser.get("/")
    headers = {"x-csrftoken": browser.cookies["csrftoken"].value}

    response = browser.post(LIST, {"picture": io.BytesIO(drawn(4))}, headers=headers)

    assert response.status_code == 201
    assert listed(browser) == [response.json()["id"]]


def test_a_wrong_key_is_not_saved_by_a_session(browser: Client) -> None:
    response = browser.get(LIST, headers={"authorization": "Bearer wrong"})

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
