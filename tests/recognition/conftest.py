from __future__ import annotations

import dataclasses
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from PIL import Image

from fixtures import drawing
from ml import cards
from recognition import browsers
from recognition.models import ApiKey, Prediction, PredictionQuerySet, TrainedModel


def be_browser(client: Client, visitor: uuid.UUID) -> None:
    """Give a client the cookie of a browser that something was kept for."""
    client.cookies[browsers.COOKIE] = browsers.sign(visitor)


@pytest.fixture
def visitor(client: Client) -> uuid.UUID:
    """Who sits at the browser that `client` is, without an account."""
    visitor = uuid.uuid4()
    be_browser(client, visitor)
    return visitor


@pytest.fixture
def reviewer(db: None) -> User:
    """One of the staff, who sees all records in the admin."""
    user = User.objects.create_user("reviewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_prediction"))
    return user


@pytest.fixture
def api_key(db: None) -> ApiKey:
    """A key whose `token` is known, of an account called "program"."""
    key = ApiKey.draw(owner=User.objects.create_user("program"), name="a test")
    key.save()
    return key


@pytest.fixture
def deleted_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else deletes a record after it was found and before its review is written."""
    review, review_all = Prediction.review, PredictionQuerySet.review_all

    def delete_and_review(self: Prediction, true_text: str, **how: Any) -> None:
        Prediction.objects.filter(pk=self.pk).delete()
        review(self, true_text, **how)

    def delete_and_review_all(self: PredictionQuerySet, **how: Any) -> int:
        Prediction.objects.filter(pk__in=self.values("pk")).delete()
        return review_all(self, **how)

    monkeypatch.setattr(Prediction, "review", delete_and_review)
    monkeypatch.setattr(PredictionQuerySet, "review_all", delete_and_review_all)


@pytest.fixture
def second_model(digit_model: TrainedModel, media: Path) -> TrainedModel:
    """A copy of the shipped model as a model of the site's own; not active."""
    card = dataclasses.replace(cards.read(digit_model.directory), version="second")
    files = {name: digit_model.directory / name for name in card.files}
    written = cards.write(card, media / "models", files)
    return TrainedModel.register(cards.read(written), shipped=False)


@pytest.fixture(scope="session")
def drawn_digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder 0/ ... 9/ with 20 drawn pictures each."""
    root = tmp_path_factory.mktemp("drawn")
    for digit in range(10):
        (root / str(digit)).mkdir()
        for seed in range(20):
            picture = drawing.draw(digit, seed=seed, size=(64, 64), width=4)
            Image.fromarray(picture).save(root / str(digit) / f"{seed:03}.png")
    return root
