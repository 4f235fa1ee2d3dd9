"""Pictures are private: a view shows them to their owner and to staff, as pictures only."""

from __future__ import annotations

import base64
import io
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from recognition.models import Prediction

pytestmark = pytest.mark.django_db
Make = Callable[..., Prediction]


def picture(prediction: Prediction) -> str:
    return reverse("picture", args=[prediction.public_id])


def thumbnail(prediction: Prediction) -> str:
    return reverse("thumbnail", args=[prediction.public_id])


def field(prediction: Prediction, number: int = 0) -> str:
    return reverse("field", args=[prediction.public_id, number])


def with_field() -> list[dict[str, object]]:
    buffer = io.BytesIO()
    Image.new("L", (28, 28)).save(buffer, "PNG")
    encoded = base64.b64encode(buffer.getvalue()).decode()
    return [{"label": "7", "probabilities": [0.1] * 10, "box": [1, 2, 3, 4], "field": encoded}]


def test_a_visitor_sees_the_picture(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    response = client.get(picture(make_prediction(visitor=visitor)))

    assert response.status_code == 200
    image = Image.open(io.BytesIO(response.getvalue()))
    assert image.size == (40, 60)


def test_a_picture_is_served_as_a_picture_and_nothing_else(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    prediction = make_prediction(visitor=visitor)

    response = client.get(picture(prediction))

    assert response["Content-Type"] == "image/png"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "private, no-cache"
    assert response["Content-Disposition"] == f'inline; filename="{prediction.public_id}.png"'
    response.close()


@pytest.mark.parametrize("address_of", [picture, thumbnail])
def test_a_browser_that_has_the_picture_asks_only_whether_it_may_show_it(
    address_of: Callable[[Prediction], str], client: Client, make_prediction: Make
) -> None:
    teacher = User.objects.create_user("teacher")
    client.force_login(teacher)
    address = address_of(make_prediction(owner=teacher))
    first = client.get(address)
    assert first.getvalue()
    headers = {"If-None-Match": first["ETag"]}

    again = client.get(address, headers=headers)
    client.logout()
    after_signing_out = client.get(address, headers=headers)

    assert (again.status_code, again.content) == (304, b"")
    assert after_signing_out.status_code == 404


@pytest.mark.parametrize(("format", "suffix"), [("PNG", "png"), ("JPEG", "jpg")])
def test_a_thumbnail_is_a_small_copy_of_the_picture(
    format: str, suffix: str, client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (1600, 800), "navy").save(buffer, format)
    prediction = make_prediction(visitor=visitor, picture="")
    prediction.picture.save(f"picture.{suffix}", ContentFile(buffer.getvalue()))

    response, whole = client.get(thumbnail(prediction)), client.get(picture(prediction))

    image = Image.open(io.BytesIO(response.getvalue()))
    assert (image.format, image.size) == (format, (192, 96))
    assert response["Content-Type"] == f"image/{format.lower()}"
    assert response["Cache-Control"] == "private, no-cache"
    assert response["ETag"] != whole["ETag"]
    whole.close()


def test_a_thumbnail_of_a_damaged_file_is_not_found_and_logged(
    client: Client, visitor: uuid.UUID, make_prediction: Make, caplog: pytest.LogCaptureFixture
) -> None:
    prediction = make_prediction(visitor=visitor)
    Path(prediction.picture.path).write_bytes(b"no picture")

    assert client.get(thumbnail(prediction)).status_code == 404
    assert f"The picture of prediction {prediction.public_id} is" in caplog.text


def test_what_the_network_saw_is_asked_for_each_time(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    response = client.get(field(make_prediction(visitor=visitor, digits=with_field())))

    assert response["Cache-Control"] == "private, no-cache"


def test_a_signed_in_person_sees_their_own_pictures_only(
    client: Client, make_prediction: Make
) -> None:
    teacher, other = (User.objects.create_user(name) for name in ("teacher", "other"))
    client.force_login(teacher)

    own = client.get(picture(make_prediction(owner=teacher)))
    foreign = client.get(picture(make_prediction(owner=other)))

    assert (own.status_code, foreign.status_code) == (200, 404)
    own.close()


def test_staff_see_every_picture(client: Client, make_prediction: Make, reviewer: User) -> None:
    client.force_login(reviewer)

    response = client.get(picture(make_prediction(visitor=uuid.uuid4())))

    assert response.status_code == 200
    response.close()


def test_staff_who_see_no_records_in_the_admin_see_no_picture(
    client: Client, make_prediction: Make, reviewer: User
) -> None:
    reviewer.user_permissions.clear()
    client.force_login(reviewer)

    assert client.get(picture(make_prediction(visitor=uuid.uuid4()))).status_code == 404


def test_a_stranger_sees_neither_picture_nor_field(client: Client, make_prediction: Make) -> None:
    prediction = make_prediction(visitor=uuid.uuid4(), digits=with_field())

    assert client.get(picture(prediction)).status_code == 404
    assert client.get(field(prediction)).status_code == 404


def test_somebody_without_a_name_sees_nothing_of_the_nameless(
    client: Client, make_prediction: Make
) -> None:
    """The command stores predictions that have no visitor; they are nobody's."""
    assert client.get(picture(make_prediction(visitor=None))).status_code == 404


def test_the_field_is_28_by_28(client: Client, visitor: uuid.UUID, make_prediction: Make) -> None:
    response = client.get(field(make_prediction(visitor=visitor, digits=with_field())))

    assert response["Content-Type"] == "image/png"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert Image.open(io.BytesIO(response.content)).size == (28, 28)


def test_a_digit_that_is_not_there_has_no_field(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    prediction = make_prediction(visitor=visitor, digits=with_field())

    assert client.get(field(prediction, 1)).status_code == 404


def test_a_purged_picture_is_not_found(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    prediction = make_prediction(visitor=visitor, digits=with_field())
    Prediction.objects.purge_pictures()

    for address in (picture(prediction), thumbnail(prediction), field(prediction)):
        assert client.get(address).status_code == 404


def test_a_lost_file_is_not_found_and_logged(
    client: Client,
    visitor: uuid.UUID,
    make_prediction: Make,
    caplog: pytest.LogCaptureFixture,
) -> None:
    prediction = make_prediction(visitor=visitor)
    Path(prediction.picture.path).unlink()

    assert client.get(picture(prediction)).status_code == 404
    assert f"The picture of prediction {prediction.public_id} is missing" in caplog.text


def test_a_picture_to_delete_that_lies_elsewhere_is_logged(
    make_prediction: Make,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Any,
) -> None:
    prediction = make_prediction()
    Path(prediction.picture.path).unlink()

    with django_capture_on_commit_callbacks(execute=True):
        prediction.delete()

    assert f"The picture {prediction.picture.name} to delete is not in PICTURE" in caplog.text


def test_a_picture_cannot_be_posted_to(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    assert client.post(picture(make_prediction(visitor=visitor))).status_code == 405
