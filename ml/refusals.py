"""Why a picture is not read."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a reading is not accepted."""

    BLANK = "blank"
    TOO_FAINT = "too_faint"
    TOO_SMALL = "too_small"
    SEVERAL_DIGITS = "several_digits"
    NOT_A_DIGIT = "not_a_digit"
    CUT_OFF = "cut_off"
    DOUBTFUL = "doubtful"
    UNSURE = "unsure"


class Refused(Exception):
    """The picture holds no single digit that a network could be asked about."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)  # as given, or it could not come out of another process
        self.reason = reason
