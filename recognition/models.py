from __future__ import annotations

import contextlib
import hashlib
import logging
import secrets
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import models, transaction
from django.db.models import F, Prefetch, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from ml.scripts import SCRIPTS
from recognition import browsers

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from ml.cards import ModelCard
    from recognition.recognizers import Answer

logger = logging.getLogger(__name__)

BATCH = 500  # records a transaction: other writers need not wait long
SCRIPT_CHOICES = [(script.code, script.name) for script in SCRIPTS.values()]


class NotStored(Exception):
    """A picture cannot be written, so that its record was not made either."""


class ReviewedMeanwhile(Exception):
    """The review of a record is another than the page showed that a new one comes from."""


class TrainedModelQuerySet(models.QuerySet["TrainedModel"]):
    def get_by_natural_key(self, version: str) -> TrainedModel:
        return self.get(version=version)

    def active(self, script: str) -> TrainedModel | None:
        """The model that new predictions of a script use, or None."""
        return self.filter(active_for=script).first()

    def beside(self, model: TrainedModel) -> TrainedModelQuerySet:
        """The other models of a model's script, the newest first."""
        return self.filter(script=model.script).exclude(pk=model.pk).order_by("-created_at", "-pk")

    def previous(self, script: str) -> TrainedModel | None:
        """The model to roll back to: the one that was active before today's, or None.

        To activate that one is to roll back, and the next roll back leads one further. From the
        first model of all it leads to the one that was active last. A model whose directory is
        gone, as after an update that ships another one, is passed over.
        """
        activations = ModelActivation.objects.filter(model__script=script).order_by("pk")
        history = list(activations.values_list("model", flat=True))
        stack: list[int] = []
        for pk in history:
            if stack[-2:-1] == [pk]:
                stack.pop()
            else:
                stack.append(pk)
        known = self.exclude(active_for=script).defer("card").in_bulk(set(history))
        others = {pk: model for pk, model in known.items() if model.has_directory}
        before = [pk for pk in stack if pk in others] or [pk for pk in history if pk in others]
        return others[before[-1]] if before else None


class TrainedModel(models.Model):
    """A model directory that the site knows; its files never change."""

    version = models.CharField(max_length=100, unique=True)
    script = models.CharField(max_length=20, choices=SCRIPT_CHOICES)
    shipped = models.BooleanField(help_text="It came with the program; others are in MODEL_ROOT.")
    card = models.JSONField()
    sha256 = models.CharField("SHA-256 of the served file", max_length=64)
    test_accuracy = models.FloatField(null=True, blank=True)
    created_at = models.DateTimeField()
    active_for = models.CharField(
        max_length=20,
        unique=True,
        null=True,
        blank=True,
        editable=False,
        help_text="The script whose new predictions it reads. MySQL has no partial indexes, "
        "so a unique column that may be null keeps it to one model a script.",
    )

    objects = TrainedModelQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(active_for__isnull=True) | Q(active_for=F("script")),
                name="active_for_its_own_script",
            ),
        )

    def __str__(self) -> str:
        return self.version

    def natural_key(self) -> tuple[str]:
        return (self.version,)

    @classmethod
    def register(cls, card: ModelCard, *, shipped: bool) -> TrainedModel:
        """Make a written model directory known; harmless when it is known already."""
        from ml import cards

        model, _ = cls.objects.get_or_create(
            version=card.version,
            defaults={
                "script": card.script,
                "shipped": shipped,
                "card": card.to_json(),
                "sha256": card.files[cards.SERVED_FILE].sha256,
                "test_accuracy": card.accuracy,
                "created_at": card.created_at,
            },
        )
        return model

    def activate(self, *, why: str, by: User | None = None) -> ModelActivation | None:
        """Let this model read its script's new pictures from now on.

        Returns:
            The entry in the history, or None when the model was active already.
        """
        with transaction.atomic():
            rows = TrainedModel.objects.select_for_update().filter(script=self.script)
            current = {row.pk: row.active_for for row in rows.order_by("pk")}
            if current[self.pk]:
                return None
            rows.exclude(active_for=None).update(active_for=None)
            self.active_for = self.script
            self.save(update_fields=["active_for"])
            return ModelActivation.objects.create(model=self, by=by, why=why)

    @property
    def directory(self) -> Path:
        root: Path = settings.PRETRAINED_ROOT if self.shipped else settings.MODEL_ROOT
        return root / self.version

    @property
    def has_directory(self) -> bool:
        """Whether its card is where it belongs; `recognizers.verify` looks at all of it."""
        from ml import cards

        return (self.directory / cards.CARD_FILE).is_file()

    @property
    def is_active(self) -> bool:
        return self.active_for is not None


class ModelActivation(models.Model):
    """One line of the history: which model became active, when, by whom and why."""

    model = models.ForeignKey(TrainedModel, on_delete=models.PROTECT, related_name="activations")
    activated_at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True
    )
    why = models.CharField(max_length=200)

    def __str__(self) -> str:
        return f"{self.model} at {timezone.localtime(self.activated_at):%Y-%m-%d %H:%M}"


class PredictionQuerySet(models.QuerySet["Prediction"]):
    def get_by_natural_key(self, public_id: str) -> Prediction:
        return self.get(public_id=public_id)

    def for_visitor(self, request: HttpRequest) -> PredictionQuerySet:
        """Predictions that belong to the person who asks, signed in or not."""
        if request.user.is_authenticated:
            return self.filter(owner=request.user)
        visitor = browsers.known(request)
        return self.filter(owner=None, visitor=visitor) if visitor else self.none()

    def with_models(self) -> PredictionQuerySet:
        """Each with its model, without the card.

        The models are asked for separately: with a join, MySQL and MariaDB read and sort the
        whole table for one page of it.
        """
        return self.prefetch_related(Prefetch("model", TrainedModel.objects.defer("card")))

    def reviewed(self) -> PredictionQuerySet:
        return self.filter(reviewed_at__isnull=False)

    def not_reviewed(self) -> PredictionQuerySet:
        return self.filter(reviewed_at__isnull=True)

    def read_right(self) -> PredictionQuerySet:
        return self.reviewed().filter(true_text=F("text"))

    def read_wrong(self) -> PredictionQuerySet:
        return self.reviewed().exclude(true_text=F("text"))

    def with_review(self, code: str) -> PredictionQuerySet:
        """Those of which their `Prediction.review_code` says this."""
        if not code:
            return self.not_reviewed()
        return self.reviewed().filter(true_text="" if code == Prediction.NO_DIGIT else code)

    def batches(self) -> Iterator[PredictionQuerySet]:
        """Some of the records at a time, so that other writers need not wait for all of them.

        What is done with them has to take them out of this set: the next ones are asked for then.
        """
        while keys := list(self.values_list("pk", flat=True)[:BATCH]):
            yield Prediction.objects.filter(pk__in=keys)

    def review_all(self, *, as_read: bool, by: User | None, at: datetime | None = None) -> int:
        """Say of the records not reviewed yet that they are right, or show no digit."""
        return self.not_reviewed().update(
            true_text=F("text") if as_read else "",
            reviewed_by=by,
            reviewed_at=at or timezone.now(),
        )

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the records, and their pictures once the database has agreed."""
        with transaction.atomic():
            names = list(self.exclude(picture="").values_list("picture", flat=True))
            result = super().delete()
            transaction.on_commit(lambda: delete_pictures(names))
        return result

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def purge_pictures(self) -> int:
        """Remove the pictures and what the network saw of them; the records stay."""
        with transaction.atomic():
            predictions = list(self.exclude(picture="").only("picture", "digits"))
            names = [prediction.forget_picture() for prediction in predictions]
            self.model.objects.bulk_update(predictions, ["picture", "digits"], batch_size=200)
            transaction.on_commit(lambda: delete_pictures(names))
        return len(names)


def _picture_storage() -> Storage:
    return storages["pictures"]


def delete_pictures(names: list[str]) -> int:
    """Remove files; one that cannot be removed is logged and left. Returns how many are gone."""
    storage, gone = _picture_storage(), 0
    for name in names:
        try:
            if not storage.exists(name):
                logger.warning("The picture %s to delete is not in PICTURE_ROOT", name)
            storage.delete(name)
            gone += 1
        except OSError:
            logger.exception("The picture %s could not be deleted", name)
    return gone


def _picture_name(prediction: Prediction, filename: str) -> str:
    """A name of our own; of the given one only the suffix is used, and that is ours too."""
    public_id = prediction.public_id.hex
    return f"{public_id[:2]}/{public_id}{Path(filename).suffix}"


class Prediction(models.Model):
    """The stored record of one reading."""

    class Source(models.TextChoices):
        UPLOAD = "upload"
        DRAW = "draw", "Drawing"
        CAMERA = "camera"
        API = "api", "API"
        COMMAND = "command"

    class Verdict(models.TextChoices):
        ACCEPTED = "accepted"
        UNSURE = "unsure"
        REFUSED = "refused"

    NO_DIGIT = "none"  # a `review_code`

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    picture = models.FileField(
        storage=_picture_storage, upload_to=_picture_name, blank=True, max_length=100
    )
    picture_sha256 = models.CharField("SHA-256 of the kept picture", max_length=64, blank=True)
    picture_width = models.PositiveIntegerField(help_text="px")
    picture_height = models.PositiveIntegerField(help_text="px")
    source = models.CharField(max_length=10, choices=Source)
    script = models.CharField(max_length=20, choices=SCRIPT_CHOICES)
    text = models.CharField(max_length=50, blank=True)
    confidence = models.FloatField()
    verdict = models.CharField(max_length=10, choices=Verdict)
    reason = models.CharField(max_length=30, blank=True)
    digits = models.JSONField(
        default=list,
        blank=True,
        help_text="One entry a digit: label, ten probabilities, box (x, y, width, height in px "
        "of the kept picture) and field (28x28 PNG in base64).",
    )
    model = models.ForeignKey(TrainedModel, on_delete=models.PROTECT, related_name="predictions")
    duration_ms = models.FloatField("Time taken (ms)")
    created_at = models.DateTimeField(default=timezone.now)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="predictions",
    )
    visitor = models.UUIDField(null=True, blank=True, help_text="Whose it is when not signed in.")
    true_text = models.CharField(
        max_length=50, blank=True, help_text="What the picture really shows; empty when no digit."
    )
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)

    objects = PredictionQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["created_at", "id"], name="prediction_created"),
            models.Index(fields=["owner", "created_at"], name="prediction_owner"),
            models.Index(fields=["visitor", "created_at"], name="prediction_visitor"),
            models.Index(fields=["verdict", "created_at"], name="prediction_verdict"),
            models.Index(fields=["reviewed_at"], name="prediction_reviewed"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(confidence__gte=0.0, confidence__lte=1.0),
                name="confidence_between_0_and_1",
            ),
            models.CheckConstraint(
                condition=Q(verdict="accepted", reason="")
                | (Q(verdict="unsure") & ~Q(reason=""))
                | (Q(verdict="refused", text="") & ~Q(reason="")),
                name="verdict_fits_text_and_reason",
            ),
            models.CheckConstraint(
                condition=Q(true_text="") | Q(reviewed_at__isnull=False),
                name="true_text_means_reviewed",
            ),
        )

    def __str__(self) -> str:
        return f"{self.text or '-'} ({self.verdict})"

    def get_absolute_url(self) -> str:
        return reverse("result", args=[self.public_id])

    def natural_key(self) -> tuple[str]:
        return (str(self.public_id),)

    @classmethod
    def record(
        cls,
        answer: Answer,
        *,
        source: str,
        owner: User | None = None,
        visitor: uuid.UUID | None = None,
    ) -> Prediction:
        """Keep a reading and its picture; when the row cannot be written, no file stays.

        Raises:
            NotStored: the picture cannot be written, or its visitor has deleted everything
                while it was read.
        """
        prediction = cls.of(answer, source=source, owner=owner, visitor=visitor)
        with _no_file_without_row([prediction]):
            prediction._store(answer)
            prediction.save(force_insert=True)
        left = browsers.left(visitor) if visitor else None
        if left is not None:
            prediction._follow(left)
        return prediction

    @classmethod
    def record_many(cls, answers: Iterable[Answer], *, source: str) -> list[Prediction]:
        """Keep readings and their pictures, all of them or none; raises as `record` does."""
        kept = [(cls.of(answer, source=source), answer) for answer in answers]
        predictions = [prediction for prediction, _ in kept]
        with _no_file_without_row(predictions):
            for prediction, answer in kept:
                prediction._store(answer)
            return cls.objects.bulk_create(predictions)

    @classmethod
    def of(cls, answer: Answer, **fields: Any) -> Prediction:
        """The record of a reading, neither stored nor with its picture."""
        reading = answer.reading
        return cls(
            picture_sha256=answer.kept.sha256,
            picture_width=answer.kept.width,
            picture_height=answer.kept.height,
            script=answer.model.script,
            text=reading.text,
            confidence=reading.confidence,
            verdict=reading.verdict.value,
            reason=reading.reason.value if reading.reason else "",
            digits=[digit.to_json() for digit in reading.digits],
            model=answer.model,
            duration_ms=answer.duration_ms,
            **fields,
        )

    def _store(self, answer: Answer) -> None:
        name = f"picture{answer.kept.suffix}"
        try:
            self.picture.save(name, ContentFile(answer.kept.data), save=False)
        except OSError as error:
            raise NotStored(f"A picture cannot be stored: {error.strerror or error}.") from error

    def _follow(self, left: browsers.Left) -> None:
        """Go where the browser's other records went while the picture was read."""
        if left.owner_id is None:
            self.delete()
            raise NotStored("The visitor has deleted everything meanwhile.")
        self.owner_id, self.visitor = left.owner_id, None
        self.save(update_fields=["owner", "visitor"])

    def review(self, true_text: str, *, by: User | None, seen: str | None = None) -> None:
        """Store what the picture really shows; an empty text says that it is no digit.

        Args:
            seen: the `review_code` that the page had whose reader says so; without it this
                review counts, whatever was said before.

        Raises:
            ReviewedMeanwhile: the review is another by now, which this record then tells.
            Prediction.DoesNotExist: the record was deleted meanwhile.
        """
        self._write_review(true_text, by, timezone.now(), seen)

    def withdraw_review(self, *, seen: str | None = None) -> None:
        """Make the record one that nobody has reviewed; `seen` and what it raises as `review`."""
        self._write_review("", None, None, seen)

    def _write_review(
        self, true_text: str, by: User | None, at: datetime | None, seen: str | None
    ) -> None:
        self.true_text, self.reviewed_by, self.reviewed_at = true_text, by, at
        kept = Prediction.objects.filter(pk=self.pk)
        found = kept if seen is None else kept.with_review(seen)
        if found.update(true_text=true_text, reviewed_by=by, reviewed_at=at):
            return
        wanted = self.review_code
        self.refresh_from_db(fields=("true_text", "reviewed_by", "reviewed_at"))
        if self.review_code != wanted:
            raise ReviewedMeanwhile

    def forget_picture(self) -> str:
        """Drop the picture from the fields, without saving; returns its file's name."""
        name = self.picture.name or ""
        self.picture = ""
        self.digits = [{**digit, "field": ""} for digit in self.digits]
        return name

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the record, and its picture once the database has agreed."""
        name = self.picture.name
        result = super().delete(*args, **kwargs)
        if name:
            transaction.on_commit(lambda: delete_pictures([name]))
        return result

    @property
    def review_code(self) -> str:
        """The true text, `NO_DIGIT`, or nothing before review: what pages send back as seen."""
        return (self.true_text or self.NO_DIGIT) if self.reviewed_at else ""

    @property
    def is_right(self) -> bool | None:
        """Whether the reading agrees with the reviewer; None before review."""
        if self.reviewed_at is None:
            return None
        return self.text == self.true_text


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self) -> ApiKeyQuerySet:
        return self.filter(revoked_at=None, owner__is_active=True)

    def revoke(self) -> int:
        return self.filter(revoked_at=None).update(revoked_at=timezone.now())


class ApiKey(models.Model):
    """Lets a program act for an account. The key itself is shown once and stored nowhere."""

    TOKEN_START = "digits_"  # so that a key is known for one when it lies where it should not
    USE_NOTED_EVERY = timedelta(minutes=1)  # not each request is a write

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys"
    )
    name = models.CharField(max_length=100, help_text="What it is for, or who uses it.")
    prefix = models.CharField("starts with", max_length=16, editable=False)
    sha256 = models.CharField("SHA-256 of the key", max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()
    token = ""  # the key itself, known only where it was drawn

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return self.name

    @classmethod
    def draw(cls, **fields: Any) -> ApiKey:
        """A new key, not saved yet; of its random `token` only the hash will be stored."""
        key = cls(**fields)
        key.draw_token()
        return key

    def draw_token(self) -> None:
        self.token = self.TOKEN_START + secrets.token_urlsafe(32)
        self.prefix = self.token[: len(self.TOKEN_START) + 4]
        self.sha256 = self.hash(self.token)

    @staticmethod
    def hash(token: str) -> str:
        """A fast hash is enough: 32 random bytes cannot be guessed."""
        return hashlib.sha256(token.encode(errors="replace")).hexdigest()

    @property
    def is_usable(self) -> bool:
        """What `ApiKeyQuerySet.usable` asks the database."""
        return self.revoked_at is None and self.owner.is_active

    def note_use(self) -> None:
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at >= self.USE_NOTED_EVERY:
            self.last_used_at = now
            ApiKey.objects.filter(pk=self.pk).update(last_used_at=now)


@contextlib.contextmanager
def _no_file_without_row(predictions: list[Prediction]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        delete_pictures([p.picture.name for p in predictions if p.picture.name])
        raise
