"""The model card for people: what a model learned from, how well it reads, what it does badly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ml.architectures import ARCHITECTURES
from ml.cards import ModelCard
from ml.reports import PLOTS
from ml.robustness import CORRUPTIONS
from recognition import model_facts

# What each set is and under which licence it came, by its name.
SOURCES: dict[str, tuple[str, str]] = {
    "mnist": (
        "digits of American clerks and pupils, 28x28",
        "CC BY-SA 3.0; LeCun, Cortes, Burges",
    ),
    "usps": ("digits from US envelopes, 16x16", "AT&T / ESL book; research"),
    "semeion": ("about 80 Italian writers, 16x16", "CC BY 4.0; UCI Semeion"),
    "bhmsds": ("pen on paper, photographed, European 1, 7 and 9", "MIT; wblachowski/bhmsds"),
    "bhmsds_nondigits": ("w, x, y, plus, minus and dots by the same pens", "MIT"),
    "chars74k": ("drawn on a tablet, by 30 writers", "research with citation; de Campos 2009"),
    "cheques": (
        "digits that stand apart in the amounts of bank cheques, pens on printed patterns",
        "research; ORAND-CAR-2014, Diem et al. 2014; its list of boxes MIT",
    ),
    "drawn_ones": ("1s and 7s drawn by the program, flags of every length and slope", "its own"),
    "fonts": (
        "digits of fonts that imitate handwriting, from schools of many countries",
        "OFL, Apache-2.0 or MIT, each font its own; Fontsource",
    ),
    "font_letters": ("letters of the same fonts that are like no digit", "the same"),
    "emnist": ("digits of NIST's forms, 28x28", "public domain; Cohen et al. 2017"),
}
DRAWN = {
    "drawn": "drawn by the program as with a mouse or a tablet's pen, in several hands' forms",
    "photographs": "drawn on paper with shadow, ruled lines, tilt, blur, noise and JPEG",
    "photographs_12mp": "the same with 12 megapixels",
    "photographs_far": "the same from far: a digit of 3 to 12 % of the shorter side",
    "notes": "drawn on a note that lies on a lighter or darker desk",
    "forms": "drawn in the printed boxes of a form, some across a line",
    "marked": "drawn with a circle around, lines below, or a small word beside",
}
WORST = 4  # rows under "what it does badly"


def page(card: ModelCard, report: dict[str, Any], plots: str) -> str:
    """The model card as Markdown; the same arguments give the same page.

    Args:
        report: of `examination.examine`, with the figures asked for.
        plots: where the plots lie, as a link from the page.
    """
    sections = (
        _head(card, report), _use(card), _data(card), _training(card), _asked(report),
        _sets(report, plots), _non_digits(report), _robustness(report), _weak(report), _repeat(),
    )  # fmt: skip
    return "\n".join(line for section in sections for line in [*section, ""])


def _head(card: ModelCard, report: dict[str, Any]) -> Iterator[str]:
    served = report["served"]
    yield f"# Model card: {card.version}"
    yield ""
    yield "Written by `make evaluate`. Every figure below was measured with the file that the site"
    yield "serves, on pictures that the model was neither trained nor tuned on."
    yield ""
    members = _members(card)
    what = "A small convolutional network"
    if members:
        what = f"A reader of {members} small convolutional networks"
    yield f"{what} (`{card.architecture}`) that reads one"
    yield "handwritten English digit, says how sure it is, and refuses what it takes for no digit."
    if members:
        yield "Where the first is clear it answers alone; in doubt the mean of all of them does."
    yield f"The served file has {served['bytes'] / 1e6:.2f} MB."
    if "milliseconds" in served:
        yield f"Half of the runs take at most {served['milliseconds']:.2f} ms on one core,"
        yield f"nineteen of twenty at most {served['milliseconds_95']:.2f} ms."


def _members(card: ModelCard) -> int:
    """How many networks that learned apart are in it; 0 for one that is alone."""
    known = ARCHITECTURES.get(card.architecture)
    return len(known.members) if known else 0


def _use(card: ModelCard) -> Iterator[str]:
    yield "## What it is for"
    yield ""
    yield "Reading single digits 0 to 9 that people wrote with pen, pencil, mouse or tablet, from"
    yield "scans, photographs and drawings: marks, codes and forms, where a person looks at what it"
    yield "is not sure of. A reading is"
    yield ""
    yield (
        f"- **accepted** from a confidence of {card.thresholds.accept:.2%} upwards; "
        "the aim is that at most 0.3% of these are wrong;"
    )
    yield "- **unsure** below that: a person should look;"
    yield (
        f"- **refused** below {card.thresholds.refuse:.2%}, and when the picture is blank, too "
        "faint, too small or shows several digits."
    )
    yield ""
    yield "It is not for printed digits, letters, several digits in one picture, or other numerals,"
    yield "and no mark, payment or address should rest on its word alone."


def _data(card: ModelCard) -> Iterator[str]:
    yield "## What it learned from"
    yield ""
    yield "| set | what | learned from | tuned on | licence, source |"
    yield "|---|---|---:|---:|---|"
    for entry in card.datasets:
        what, licence = SOURCES.get(entry["name"], ("pictures of the operator's own", "unknown"))
        yield (
            f"| {model_facts.title(entry['name'])} | {what} | {entry['training']:,} | "
            f"{entry['validation']:,} | {licence} |"
        )
    yield ""
    yield "Of sets that come in one piece, every fifth block of pictures, every fifth writer or"
    yield "every fifth cheque is held out for testing; MNIST and USPS have test sets of their own."
    yield "One person may have written several cheques. None of the pictures is in this repository."


def _training(card: ModelCard) -> Iterator[str]:
    config = card.config
    epochs = len(card.metrics.get("history", ()))
    yield "## How it was trained"
    yield ""
    yield from (f"- `{command}`" for command in card.command.split(" && "))
    which = f", seed {config.get('seed')}"
    if _members(card):  # each with a seed of its own
        which = ", those of one network after those of the other"
    yield (
        f"- {epochs} epochs{which}; {config.get('optimizer')}, "
        f"{card.training_seconds / 60:.0f} minutes; Keras {card.keras_version}, "
        f"Python {card.python_version}, {card.created_at[:10]}"
    )
    yield (
        f"- preprocessing {card.preprocessing}; temperature {card.temperature}, fitted like both "
        "thresholds on validation pictures"
    )


def _asked(report: dict[str, Any]) -> Iterator[str]:
    figures = report.get("figures", [])
    short = [figure for figure in figures if not figure["passed"]]
    yield "## What was asked of it"
    yield ""
    yield f"{len(figures) - len(short)} of {len(figures)} figures are reached."
    yield ""
    yield "| figure | asked for | reached | |"
    yield "|---|---|---:|---|"
    for figure in figures:
        state = "" if figure["passed"] else "**short**"
        yield f"| {figure['what']} | {figure['asked']} | {figure['reached']} | {state} |"


def _sets(report: dict[str, Any], plots: str) -> Iterator[str]:
    yield "## How well it reads"
    yield ""
    yield "| set | pictures | right | 95% interval | calibration | accepted | of these wrong |"
    yield "|---|---:|---:|---|---:|---:|---:|"
    for name, part in report["sets"].items():
        yield _set_row(model_facts.title(name), part)
    if "together" in report:
        yield _set_row("Held-out sets but MNIST, together", report["together"])
    for name, what in DRAWN.items():
        if name in report["sets"]:
            yield ""
            yield f"{model_facts.title(name)}: {what}."
    yield ""
    yield "Calibration is the expected calibration error of 15 bins: how far confidence and"
    yield "accuracy lie apart. The digits of each set one by one, and all plots:"
    links = ", ".join(f"[{name}]({plots}/{name}.png)" for name in PLOTS)
    yield f"[report]({plots}/report.txt), {links}."


def _set_row(title: str, part: dict[str, Any]) -> str:
    low, high = part["interval"]
    return (
        f"| {title} | {part['count']:,} | {part['accuracy']:.2%} | {low:.2%} to {high:.2%} | "
        f"{part['expected_calibration_error']:.4f} | {part['accepted_share']:.2%} | "
        f"{part['accepted_error']:.2%} |"
    )


def _non_digits(report: dict[str, Any]) -> Iterator[str]:
    yield "## What it does with pictures of no digit"
    yield ""
    yield "| picture | pictures | refused | unsure | accepted |"
    yield "|---|---:|---:|---:|---:|"
    for name, part in report["kinds"].items():
        unsure = 1 - part["refused_share"] - part["accepted_share"]
        note = "" if part["is_counted"] else " (not counted: may be a digit after all)"
        yield (
            f"| {model_facts.kind(name)}{note} | {part['count']:,} | {part['refused_share']:.1%} | "
            f"{abs(unsure):.1%} | {part['accepted_share']:.1%} |"
        )
    yield ""
    auroc = report["auroc"]
    yield (
        f"Digit against no digit, by its confidence: AUROC {auroc['real']:.4f} with the held-out "
        f"photographed ones, {auroc['with_drawn']:.4f} with the drawn ones too."
    )


def _robustness(report: dict[str, Any]) -> Iterator[str]:
    part = report["robustness"]
    sets = ", ".join(model_facts.title(name) for name in part["sets"])
    yield "## How much damage it bears"
    yield ""
    yield (
        f"{part['count']} test pictures ({sets}), put on paper, damaged, then read. Not damaged: "
        f"{part['plain']['accuracy']:.1%} read right, {part['plain']['accepted_share']:.1%} "
        f"accepted, of these {part['plain']['accepted_error']:.1%} wrong. In each field: strength, "
        "read right, accepted, wrong among accepted."
    )
    yield ""
    yield "| damage | | | | |"
    yield "|---|---|---|---|---|"
    for name, rows in part["corruptions"].items():
        cells = [
            f"{row['strength']:g}: {row['accuracy']:.1%}, {row['accepted_share']:.0%}, "
            f"{row['accepted_error']:.1%}"
            for row in rows
        ]
        yield f"| {CORRUPTIONS[name].title} ({CORRUPTIONS[name].unit}) | {' | '.join(cells)} |"


def _weak(report: dict[str, Any]) -> Iterator[str]:
    yield "## What it does badly"
    yield ""
    yield from (f"- {line}" for line in weak_spots(report))
    yield "- A 1 with a flag nearly as level as a 7's bar is left between the two, and one whose"
    yield "  flag sags like a hook to a person. A 1 that is a bare stroke is read from slashes,"
    yield "  bars and parentheses, too."
    yield "- Of the digits of cheques, which are written fast, and by people of other schools, it"
    yield "  leaves more to a person than of the others."
    yield "- A digit that ends at a printed line is left to a person where the line may hide a"
    yield "  stroke of it, as is one beside a shadow, or beside a bracket, which may be a 1. A"
    yield "  circle or a line that touches the digit may spoil it: the answer is wrong at times"
    yield "  then, and hardly ever sure. Where a second digit is cut by the picture's edge, or"
    yield "  lies in a shadow, the other may be given out as if it were alone. Torn notes on a"
    yield "  desk with a strong grain are refused at times."
    yield "- It learned mostly from American and European hands. Children's writing, and that of"
    yield "  other schools, may be read less well than the figures say."


def weak_spots(report: dict[str, Any]) -> Iterator[str]:
    """The worst of a report in sentences: classes, damages, kinds of no digit."""
    classes = [
        (scores["recall"], digit, model_facts.title(name))
        for name, part in report["sets"].items()
        for digit, scores in part["per_class"].items()
        if scores["support"] >= 25
    ]
    worst = ", ".join(f"{digit} of {title} {r:.1%}" for r, digit, title in sorted(classes)[:WORST])
    yield f"The digits read right least often: {worst}."
    damages = [
        (row["accuracy"], f"{CORRUPTIONS[name].title.lower()} ({row['strength']:g})")
        for name, rows in report["robustness"]["corruptions"].items()
        for row in rows
    ]
    worst = ", ".join(f"{damage} {share:.0%}" for share, damage in sorted(damages)[:WORST])
    yield f"The damages after which it reads least: {worst}."
    kinds = [
        (part["accepted_share"], name)
        for name, part in report["kinds"].items()
        if part["accepted_share"] and part["is_counted"]
    ]
    worst = ", ".join(
        f"{model_facts.kind(name).lower()} {share:.1%}" for share, name in _worst(kinds)
    )
    if worst:
        yield f"Pictures of no digit that it accepts as one: {worst}."


def _worst(rows: Iterable[tuple[float, str]]) -> list[tuple[float, str]]:
    return sorted(rows, reverse=True)[:WORST]


def _repeat() -> Iterator[str]:
    yield "## How to repeat this"
    yield ""
    yield "With the data sets in the folder `DATA`, this measures everything again and writes this"
    yield "page, the report and the plots:"
    yield ""
    yield "```sh"
    yield "make evaluate DIGITS_DATA_DIR=DATA"
    yield "```"
