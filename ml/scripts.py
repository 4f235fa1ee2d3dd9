"""The numeral systems that a model can be trained for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Script:
    """A numeral system.

    `numerals[n]`, `words[n]` and `letters[n]` belong to the digit n. `letters` is the
    letter that some forms use in place of a digit, as the first of the reports did.
    """

    code: str
    name: str
    numerals: tuple[str, ...]
    words: tuple[str, ...]
    letters: tuple[str, ...]


LATIN = Script(
    code="latin",
    name="English",
    numerals=tuple("0123456789"),
    words=("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    letters=tuple("ABCDEFGHIJ"),
)
DEVANAGARI = Script(
    code="devanagari",
    name="Hindi",
    numerals=tuple("०१२३४५६७८९"),
    words=("शून्य", "एक", "दो", "तीन", "चार", "पाँच", "छह", "सात", "आठ", "नौ"),
    letters=("अ", "आ", "इ", "ई", "उ", "ऊ", "ए", "ऐ", "ओ", "औ"),
)
TAMIL = Script(
    code="tamil",
    name="Tamil",
    numerals=tuple("௦௧௨௩௪௫௬௭௮௯"),
    words=(
        "பூஜ்ஜியம்",
        "ஒன்று",
        "இரண்டு",
        "மூன்று",
        "நான்கு",
        "ஐந்து",
        "ஆறு",
        "ஏழு",
        "எட்டு",
        "ஒன்பது",
    ),
    letters=("அ", "ஆ", "இ", "ஈ", "உ", "ஊ", "எ", "ஏ", "ஐ", "ஒ"),
)

SCRIPTS: dict[str, Script] = {script.code: script for script in (LATIN, DEVANAGARI, TAMIL)}
