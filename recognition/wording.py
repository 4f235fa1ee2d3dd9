"""What the machine's words mean to the person who reads them."""

from __future__ import annotations

from ml.refusals import Reason
from recognition.models import Prediction

EXPLANATIONS: dict[str, tuple[str, str]] = {
    Reason.BLANK: (
        "There is nothing written in this picture.",
        "Check that the digit is in the picture, and send it again.",
    ),
    Reason.TOO_FAINT: (
        "The writing is too faint to read.",
        "Write with a darker pen, or take the picture in better light.",
    ),
    Reason.TOO_SMALL: (
        "The digit is too small to read.",
        "Move closer, or cut the picture down to the digit.",
    ),
    Reason.SEVERAL_DIGITS: (
        "There is more than one digit in this picture.",
        "Cut the picture down to one digit: one is read at a time.",
    ),
    Reason.NOT_A_DIGIT: (
        "This does not look like a digit.",
        "Send a picture of one handwritten digit, 0 to 9, on plain paper.",
    ),
    Reason.CUT_OFF: (
        "The digit seems to run out of the picture.",
        "Take all of it into the picture, with some paper around it, or check the answer yourself.",
    ),
    Reason.DOUBTFUL: (
        "Something may stand beside it, a printed line may hide a stroke of it, or it may be "
        "something else: a line, a sign with a dot, a digit in a circle or beside a bracket, a "
        "shadow or an edge.",
        "Look at the picture yourself before you use this answer.",
    ),
    Reason.UNSURE: (
        "It could be another digit.",
        "Look at the picture yourself before you use this answer.",
    ),
}


def explain(reason: str) -> tuple[str, str]:
    """Say in plain words why a reading is not accepted, and what to do about it."""
    return EXPLANATIONS.get(
        reason,
        ("The picture could not be read with certainty.", "Look at the picture yourself."),
    )


def rounded(share: float, places: int = 4) -> float:
    """A share of 1. What is less than certain is never rounded up to 1."""
    return min(round(share, places), 1 - 10**-places) if share < 1 else float(share)


def counted(number: int, one: str, many: str) -> str:
    """A number with what it counts: 1 picture, 2 pictures."""
    return f"{number} {one if number == 1 else many}"


def review(prediction: Prediction) -> str:
    """What was said of an answer when somebody looked; empty before that."""
    if prediction.is_right is None:
        return ""
    start = "Right" if prediction.is_right else "No"
    return (
        f"{start}, it is {prediction.true_text}."
        if prediction.true_text
        else (f"{start}, it shows no digit.")
    )


def reviewed_meanwhile(prediction: Prediction) -> str:
    """Why an answer from a page that was left open is not stored."""
    now = review(prediction) or "What was said before is taken back."
    return (
        f"Somebody else or another window has answered meanwhile: {now} "
        "Your answer was not stored. Answer again to change it."
    )
