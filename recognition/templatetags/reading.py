from __future__ import annotations

from typing import Any

from django import template

from recognition import wording
from recognition.models import Prediction

register = template.Library()

VERDICTS = {
    Prediction.Verdict.ACCEPTED: "Sure enough to use",
    Prediction.Verdict.UNSURE: "Not sure",
    Prediction.Verdict.REFUSED: "Not read",
}


@register.filter
def percent(share: Any, places: int = 2) -> str:
    """A share of 1 in percent, rounded as `wording.rounded` does."""
    if not isinstance(share, int | float):
        return "–"
    return f"{100 * wording.rounded(share, places + 2):.{places}f}%"


@register.filter
def in_words(verdict: str) -> str:
    return VERDICTS[Prediction.Verdict(verdict)]


@register.filter
def bars(probabilities: list[float], numerals: list[str]) -> list[dict[str, Any]]:
    """One bar for each numeral; the longest is marked."""
    best = max(probabilities)
    pairs = zip(numerals, probabilities, strict=False)
    return [{"label": label, "share": p, "is_best": p == best} for label, p in pairs]


@register.filter
def remainder(probabilities: list[float]) -> float:
    """What the ten leave over: the probability that the picture shows no digit."""
    return max(0.0, 1.0 - sum(probabilities))


@register.filter
def grouped(count: Any) -> str:
    """A whole number with its thousands apart; a dash where none is known."""
    return f"{count:,}" if isinstance(count, int) else "–"
