from __future__ import annotations

from django import template

from recognition import wording
from recognition.models import Prediction

register = template.Library()


@register.filter
def said(prediction: Prediction) -> str:
    """What was said of an answer when somebody looked; empty before that."""
    return wording.review(prediction)


@register.filter
def was_called(prediction: Prediction, text: str) -> bool:
    """Whether somebody has said that the picture shows this text."""
    return prediction.reviewed_at is not None and prediction.true_text == text
