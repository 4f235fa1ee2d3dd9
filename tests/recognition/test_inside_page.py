"""The page for learners: the steps, what the answer leans on, and what other models say."""

from __future__ import annotations

import base64
import dataclasses
import re
import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertNumQueries
from pytest_django.fixtures import Settings

from ml import cards, images
from recognition import inside, recognizers, wording
from recognition.models import Prediction, TrainedModel
from tests.conftest import Upload

pytestmark = pytest.mark.django_db
Drawn = Callable[..., bytes]
Make = Callable[..., Prediction]
MakeModel = Callable[..., TrainedModel]


def address(prediction: Prediction) -> str:
    return reverse("inside", args=[prediction.public_id])


def stages(page: str) -> list[str]:
    return re.findall(r'data-stage="(\w+)"', page)


def text(page: str) -> str:
    """What a person reads: without tags, and on one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def install_copy(of: TrainedModel, version: str) -> TrainedModel:
    """The same network under another name, as if it had been trained here."""
    from django.conf import settings

    card = dataclasses.replace(cards.read(of.directory), version=version)
    files = {name: of.directory / name for name in card.files}
    directory = cards.write(card, Path(settings.MODEL_ROOT), files)
    return TrainedModel.register(cards.read(directory), shipped=False)


@pytest.fixture
def read(client: Client, drawn: Drawn, digit_model: TrainedModel, upload: Upload) -> Prediction:
    """An 8 that this browser has sent."""
    upload(client, drawn(8))
    return Prediction.objects.get()


def test_it_shows_every_step_from_the_picture_to_the_field(
    client: Client, read: Prediction
) -> None:
    page = client.get(address(read))

    assert page.status_code == 200
    assert stages(page.text) == ["grey", "ink", "digit", "redrawn", "field"]
    assert reverse("picture", args=[read.public_id]) in page.text
    assert "Here it ended" not in page.text


def test_the_last_step_is_what_the_network_saw(read: Prediction) -> None:
    steps = inside.gather(read).steps

    assert steps is not None
    shown = base64.b64decode(steps.stages[-1].source.partition(",")[2])
    kept = base64.b64decode(read.digits[0]["field"])
    assert np.array_equal(images.open_picture(shown).gray, images.open_picture(kept).gray)


def test_it_is_linked_from_the_result(client: Client, read: Prediction) -> None:
    assert f'href="{address(read)}"' in client.get(read.get_absolute_url()).text

    Prediction.objects.purge_pictures()
    assert address(read) not in client.get(read.get_absolute_url()).text


def test_it_shows_ten_bars_and_what_the_answer_leans_on(client: Client, read: Prediction) -> None:
    page = client.get(address(read)).text

    assert page.count("<meter") == 10
    assert "The warmer a spot, the more the answer leans on it." in page
    assert re.search(r"It leans most on the [a-z ]+ ?, in the frame\.", text(page))


def test_the_words_say_what_is_read_with_the_spot_covered(read: Prediction) -> None:
    leaning = inside.gather(read).leaning

    assert leaning is not None
    assert leaning.covered is not None
    assert leaning.covered.place in {place for row in inside.PLACES for place in row}
    assert leaning.covered.label in {*"0123456789", ""}
    assert 0 < leaning.covered.share <= 1


def test_other_models_read_the_same_digit(
    client: Client, read: Prediction, digit_model: TrainedModel
) -> None:
    install_copy(digit_model, "latin-other")

    others = inside.gather(read).others

    assert [(other.version, other.text) for other in others] == [("latin-other", "8")]
    assert others[0].confidence == pytest.approx(read.confidence, abs=0.01)
    assert "latin-other" in client.get(address(read)).text


def test_alone_a_model_has_nothing_beside_it(client: Client, read: Prediction) -> None:
    assert (
        "No other model for English numerals is installed here." in client.get(address(read)).text
    )


def test_models_of_other_scripts_are_not_asked(read: Prediction, make_model: MakeModel) -> None:
    make_model(script="tamil")

    assert not inside.gather(read).others


def test_a_damaged_model_is_said_to_be_damaged_and_the_others_answer(
    client: Client,
    read: Prediction,
    digit_model: TrainedModel,
    make_model: MakeModel,
    caplog: pytest.LogCaptureFixture,
) -> None:
    make_model(version="latin-without-files")
    install_copy(digit_model, "latin-other")

    page = client.get(address(read))

    assert page.status_code == 200
    assert inside.DAMAGED in page.text
    assert page.text.count("verdict-accepted") == 2
    assert "latin-without-files cannot be used" in caplog.text


def test_a_model_for_other_fields_is_said_to_be_outdated(
    client: Client, read: Prediction, make_model: MakeModel
) -> None:
    model = make_model()
    model.card["preprocessing"] = 99
    model.save()

    assert inside.OUTDATED in client.get(address(read)).text


def test_only_the_ten_newest_models_are_asked(
    client: Client, read: Prediction, make_model: MakeModel
) -> None:
    for number in range(12):
        make_model(version=f"latin-{number + 100}")

    page = client.get(address(read)).text

    assert page.count(inside.DAMAGED) == 10
    assert "the ten newest are shown" in page
    assert "latin-111" in page
    assert "latin-101" not in page


def test_other_models_do_not_push_the_active_one_from_memory(
    client: Client, read: Prediction, digit_model: TrainedModel
) -> None:
    for number in range(10):
        install_copy(digit_model, f"latin-other-{number}")
    _, before = recognizers.active("latin")

    client.get(address(read))

    assert recognizers.active("latin")[1] is before


def test_the_number_of_queries_does_not_grow_with_the_models(
    client: Client, read: Prediction, make_model: MakeModel
) -> None:
    for _ in range(5):
        make_model()

    with assertNumQueries(2):  # prediction with its model, other models
        client.get(address(read))


def test_an_answer_of_a_damaged_model_is_still_shown(
    client: Client, visitor: uuid.UUID, read: Prediction, make_prediction: Make,
    make_model: MakeModel,
) -> None:  # fmt: skip
    prediction = make_prediction(visitor=visitor, model=make_model(), digits=read.digits)

    page = client.get(address(prediction))

    assert page.status_code == 200
    assert "The model that gave this answer cannot be asked again" in page.text
    assert page.text.count("<meter") == 10


def test_without_the_picture_it_shows_what_is_left(client: Client, read: Prediction) -> None:
    Prediction.objects.purge_pictures()

    page = client.get(address(read))

    assert page.status_code == 200
    assert "The picture was removed" in page.text
    assert "What the network saw was removed together with the picture." in page.text
    assert page.text.count("<meter") == 10
    assert "data:image" not in page.text


@pytest.mark.parametrize("is_folder", [False, True])
def test_a_lost_file_is_said_to_be_lost(
    client: Client, read: Prediction, caplog: pytest.LogCaptureFixture, is_folder: bool
) -> None:
    Path(read.picture.path).unlink()
    if is_folder:  # a file that is there and cannot be read
        Path(read.picture.path).mkdir()

    page = client.get(address(read))

    assert page.status_code == 200
    assert "The picture could not be found" in page.text
    assert "It leans most on" in page.text
    assert "is missing" in caplog.text


def test_a_refused_picture_shows_how_far_it_got_and_why_it_ended(
    client: Client, drawn: Drawn, digit_model: TrainedModel, upload: Upload
) -> None:
    upload(client, drawn(3, ink=232))
    prediction = Prediction.objects.get()

    page = client.get(address(prediction)).text

    assert stages(page) == ["grey"]
    assert "Here it ended." in page
    assert wording.explain("too_faint")[0] in page
    assert "so the network was not asked" in page
    assert "<meter" not in page


def test_what_is_no_digit_is_explained_with_its_best_guess(
    client: Client, visitor: uuid.UUID, read: Prediction, make_prediction: Make
) -> None:
    prediction = make_prediction(
        visitor=visitor, verdict="refused", reason="not_a_digit", text="", digits=read.digits
    )

    page = client.get(address(prediction)).text

    assert "How far the picture got before it was refused" in page
    assert "It refused the picture; 8 is only its best guess." in page


def test_a_record_made_in_another_way_says_that_the_steps_are_of_today(
    client: Client, read: Prediction, digit_model: TrainedModel
) -> None:
    digit_model.card["preprocessing"] = 99
    digit_model.save()

    page = client.get(address(read)).text

    assert "Pictures are prepared in another way now" in page
    assert inside.OUTDATED in page


def test_a_stranger_does_not_find_it(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    for prediction in (
        make_prediction(visitor=uuid.uuid4()),
        make_prediction(),
        make_prediction(owner=User.objects.create_user("teacher")),
    ):
        assert client.get(address(prediction)).status_code == 404


def test_owner_and_staff_see_it(client: Client, make_prediction: Make, reviewer: User) -> None:
    teacher = User.objects.create_user("teacher")
    prediction = make_prediction(owner=teacher)
    for person in (teacher, reviewer):
        client.force_login(person)

        assert client.get(address(prediction)).status_code == 200


def test_it_is_kept_by_nobody_on_the_way(client: Client, read: Prediction) -> None:
    assert "private" in client.get(address(read))["Cache-Control"]
    assert "no-store" in client.get(address(read))["Cache-Control"]


def test_it_only_shows(client: Client, read: Prediction) -> None:
    assert client.post(address(read)).status_code == 405


def test_pictures_in_the_page_are_allowed_by_the_policy(
    client: Client, read: Prediction, settings: Settings
) -> None:
    policy = client.get(address(read))["Content-Security-Policy"]

    assert "img-src 'self' data:" in policy
