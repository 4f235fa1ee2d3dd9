"""What goes in and out of the API: these types check requests and make the OpenAPI document."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, Field

from recognition import intake, models, wording
from recognition.api import examples
from recognition.forms import TRUE_TEXT

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)

Verdict = Literal["accepted", "unsure", "refused"]
Source = Literal["upload", "draw", "camera", "api", "command"]
EncodedPicture = Annotated[
    str,
    Field(
        description="A PNG, JPEG, BMP, WebP, GIF or TIFF file in base64, with or without "
        "`data:image/png;base64,` before it.",
        examples=[examples.PICTURE],
        json_schema_extra={"format": "picture"},
    ),
]


def _as_moment(value: Any) -> Any:
    # In a query a plus sign that was not written as %2B has become a space.
    text = re.sub(r" (\d\d:\d\d)$", r"+\1", value) if isinstance(value, str) else ""
    if not RFC_3339.fullmatch(text):
        raise ValueError("Write it like 2026-03-01T00:00:00Z")
    return text.upper()


def _in_utc(moment: datetime) -> datetime:
    """The same moment; the first and last days of the calendar have none in UTC."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return (datetime.min if moment.year == 1 else datetime.max).replace(tzinfo=UTC)


Moment = Annotated[AwareDatetime, BeforeValidator(_as_moment), AfterValidator(_in_utc)]


class Strict(Schema):
    """A body in which a misspelt name is an error."""

    model_config = ConfigDict(extra="forbid")


class NewPrediction(Strict):
    picture: EncodedPicture


class NewPredictions(Strict):
    pictures: list[EncodedPicture] = Field(min_length=1, max_length=intake.MAX_PICTURES)


class Correction(Strict):
    true_text: Annotated[str, Field(max_length=50, pattern=f"^{TRUE_TEXT}$")] | None = Field(
        description="What the picture really shows, in the digits 0 to 9. An empty text "
        "says that it shows no digit; null takes an earlier correction back.",
        examples=["7"],
    )


class Filters(Schema):
    verdict: Verdict | None = None
    source: Source | None = Field(None, description="How the picture came in.")
    text: str | None = Field(None, max_length=50, description="What was read, exactly.")
    reviewed: bool | None = Field(None, description="Whether somebody said what it really is.")
    right: bool | None = Field(
        None, description="Of the reviewed ones, those read right, or those read wrong."
    )
    since: Moment | None = Field(None, description="Created at this moment or later.")
    until: Moment | None = Field(None, description="Created before this moment.")
    limit: int = Field(50, ge=1, le=100)
    cursor: str | None = Field(
        None,
        max_length=100,
        description="`next` of the page before.",
        json_schema_extra={"format": "cursor"},
    )


class Digit(Schema):
    label: str = Field(description="The most probable numeral.")
    probabilities: list[float] = Field(
        min_length=10,
        max_length=10,
        description="In the order 0 to 9. What is missing from 1 is the probability that this is "
        "no digit.",
    )
    box: list[int] = Field(
        min_length=4,
        max_length=4,
        description="Left, top, width and height in pixels of the kept picture.",
    )


class Picture(Schema):
    url: str
    width: int
    height: int
    sha256: str


class Prediction(Schema):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.PREDICTION]})

    id: UUID
    created_at: datetime
    source: Source
    script: str
    text: str = Field(description="What was read; empty when the verdict is refused.")
    confidence: float = Field(ge=0, le=1)
    verdict: Verdict = Field(
        description="accepted: sure enough to use. unsure: a person should look. refused: not read."
    )
    reason: str | None = Field(description="Why it is not accepted.", examples=["blank"])
    explanation: str | None = Field(description="The reason in plain words.")
    digits: list[Digit]
    model: str
    duration_ms: float
    picture: Picture | None = Field(description="null when it was removed.")
    true_text: str | None = Field(description="What a person said it is; null before that.")
    reviewed_at: datetime | None
    is_right: bool | None

    @classmethod
    def of(cls, record: models.Prediction, picture_url: str) -> Prediction:
        is_reviewed = record.reviewed_at is not None
        fields = {
            "id": record.public_id,
            "created_at": record.created_at,
            "source": record.source,
            "script": record.script,
            "text": record.text,
            "confidence": record.confidence,
            "verdict": record.verdict,
            "reason": record.reason or None,
            "explanation": " ".join(wording.explain(record.reason)) if record.reason else None,
            "digits": [Digit(**digit) for digit in record.digits],
            "model": record.model.version,
            "duration_ms": record.duration_ms,
            "picture": _picture(record, picture_url) if record.picture else None,
            "true_text": record.true_text if is_reviewed else None,
            "reviewed_at": record.reviewed_at,
            "is_right": record.is_right,
        }
        return cls.model_validate(fields)


def _picture(record: models.Prediction, url: str) -> Picture:
    return Picture(
        url=url,
        width=record.picture_width,
        height=record.picture_height,
        sha256=record.picture_sha256,
    )


class Page(Schema):
    items: list[Prediction]
    next: str | None = Field(description="`cursor` of the next page; null on the last.")


class FieldError(Schema):
    where: str
    message: str


class Problem(Schema):
    """What went wrong, as RFC 9457 has it."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["The file is empty. Please choose another picture."])
    code: str | None = Field(None, description="Says the same to a program.", examples=["empty"])
    errors: list[FieldError] | None = Field(None, description="One entry a wrong field.")


class Result(Schema):
    name: str | None = Field(description="The file's name, when it had one.")
    prediction: Prediction | None
    problem: Problem | None


class Results(Schema):
    results: list[Result] = Field(description="One a picture, in the order sent.")


class Model(Schema):
    version: str
    script: str
    active: bool = Field(description="Whether it reads the new pictures of its script.")
    test_accuracy: float | None
    sha256: str
    created_at: datetime


class Health(Schema):
    status: Literal["ok"]
