"""What the site keeps of a person, and how the person gets rid of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings

from recognition import models, recognizers
from recognition.models import Prediction, TrainedModel
from tests.conftest import Upload
from tests.recognition.conftest import be_browser

pytestmark = pytest.mark.django_db
Make = Callable[..., Prediction]
Drawn = Callable[..., bytes]
Meanwhile = Callable[[Callable[[Client], object]], None]


@pytest.fixture
def meanwhile(visitor: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """The visitor does something in another tab, while a picture is being read."""
    read = recognizers.answer

    def plan(act: Callable[[Client], object]) -> None:
        def read_and_act(data: bytes, script: str) -> recognizers.Answer:
            answer = read(data, script)
            other = Client()
            be_browser(other, visitor)
            act(other)
            return answer

        monkeypatch.setattr(recognizers, "answer", read_and_act)

    return plan


def test_somebody_new_is_told_that_nothing_is_kept(client: Client) -> None:
    assert "no picture was read for you yet" in client.get("/your-data/").text
    assert "nothing to delete" in client.get("/your-data/delete/").text


def test_the_page_says_how_much_is_kept(
    client: Client,
    visitor: uuid.UUID,
    make_prediction: Make,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    make_prediction(visitor=visitor)
    make_prediction(visitor=visitor, picture="")
    make_prediction(visitor=uuid.uuid4())

    with django_assert_num_queries(1):
        page = client.get("/your-data/")

    assert (page.context["kept"]["records"], page.context["kept"]["pictures"]) == (2, 1)
    assert "/history.csv" in page.text
    assert "/history.zip" in page.text
    assert "/your-data/delete/" in page.text


def test_it_asks_before_it_deletes(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    make_prediction(visitor=visitor)

    assert "Delete 1 answer?" in client.get("/your-data/delete/").text
    assert Prediction.objects.exists()


def test_all_of_ones_own_goes_and_nothing_of_others(
    client: Client,
    visitor: uuid.UUID,
    make_prediction: Make,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    monkeypatch.setattr(models, "BATCH", 2)
    for _ in range(5):
        make_prediction(visitor=visitor)
    others = make_prediction(owner=User.objects.create_user("teacher"))

    with django_capture_on_commit_callbacks(execute=True):
        response = client.post("/your-data/delete/")

    assert response["Location"] == "/your-data/"
    assert list(Prediction.objects.all()) == [others]
    files = [path for path in Path(settings.PICTURE_ROOT).rglob("*") if path.is_file()]
    assert files == [Path(others.picture.path)]
    assert not client.cookies["visitor"].value


def test_a_picture_that_is_being_read_goes_with_the_others(
    client: Client,
    visitor: uuid.UUID,
    digit_model: TrainedModel,
    drawn: Drawn,
    upload: Upload,
    settings: Settings,
    meanwhile: Meanwhile,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    meanwhile(lambda other: other.post("/your-data/delete/"))

    with django_capture_on_commit_callbacks(execute=True):
        response = upload(client, drawn())

    assert response.status_code == 503
    assert not Prediction.objects.exists()
    assert not [path for path in Path(settings.PICTURE_ROOT).rglob("*") if path.is_file()]


def test_a_picture_that_is_being_read_becomes_the_persons_who_signs_in(
    client: Client,
    visitor: uuid.UUID,
    digit_model: TrainedModel,
    drawn: Drawn,
    upload: Upload,
    meanwhile: Meanwhile,
) -> None:
    teacher = User.objects.create_user("teacher", password="correct horse 7")
    form = {"username": "teacher", "password": "correct horse 7"}
    meanwhile(lambda other: other.post("/sign-in/", form))

    response = upload(client, drawn())

    kept = Prediction.objects.get()
    assert response["Location"] == kept.get_absolute_url()
    assert (kept.owner, kept.visitor) == (teacher, None)


def test_who_has_deleted_everything_starts_anew(
    client: Client, visitor: uuid.UUID, digit_model: TrainedModel, drawn: Drawn, upload: Upload
) -> None:
    client.post("/your-data/delete/")

    assert upload(client, drawn()).status_code == 302

    assert Prediction.objects.exclude(visitor=visitor).count() == 1


def test_a_picture_is_kept_though_nothing_can_be_told_of_the_others(
    client: Client,
    visitor: uuid.UUID,
    digit_model: TrainedModel,
    drawn: Drawn,
    upload: Upload,
    settings: Settings,
    tmp_path: Path,
    meanwhile: Meanwhile,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "left").touch()  # a file where the folder should be
    left = {**settings.CACHES["left"], "LOCATION": str(tmp_path / "left")}
    settings.CACHES = {**settings.CACHES, "left": left}
    meanwhile(lambda other: other.post("/your-data/delete/"))

    assert upload(client, drawn()).status_code == 302

    assert "CACHE_ROOT does not tell" in caplog.text


def test_a_signed_in_person_deletes_what_is_theirs(client: Client, make_prediction: Make) -> None:
    teacher = User.objects.create_user("teacher")
    client.force_login(teacher)
    make_prediction(owner=teacher)

    client.post("/your-data/delete/")

    assert not Prediction.objects.exists()
    assert client.get("/your-data/").context["user"] == teacher


def test_nothing_is_deleted_from_elsewhere(make_prediction: Make) -> None:
    teacher = User.objects.create_user("teacher")
    make_prediction(owner=teacher)
    client = Client(enforce_csrf_checks=True)
    client.force_login(teacher)

    assert client.post("/your-data/delete/").status_code == 403
    assert Prediction.objects.exists()


def test_other_methods_are_refused(client: Client) -> None:
    assert client.post("/your-data/").status_code == 405
    assert client.delete("/your-data/delete/").status_code == 405
